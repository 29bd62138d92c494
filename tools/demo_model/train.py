"""Train the street model from a random start, and export it.

``python -m tools.demo_model.train`` writes the data set, trains (or goes on where it was stopped) and
leaves the best weights; ``--export`` turns them into the shipped int8 OpenVINO model, which needs the
packages of requirements-train.txt.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics

from tools.demo_model.dataset import SPLITS, write_dataset

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "gpu_worker_image" / "models" / "street_demo"


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Where and how long to train; the defaults are those of the shipped model."""

    folder: Path = ROOT / ".cache" / "street_demo"
    splits: Mapping[str, tuple[int, int]] = field(default_factory=lambda: SPLITS)
    epochs: int = 26
    image_size: int = 320
    batch: int = 16

    @property
    def weights(self) -> Path:
        """Folder of best.pt and last.pt."""
        return self.folder / "runs" / "street" / "weights"


def train(plan: TrainingPlan) -> None:
    """Train YOLO11n from its architecture alone; an interrupted run goes on after its last epoch."""
    quiet_ultralytics()
    import ultralytics

    data = write_dataset(plan.folder / "dataset", plan.splits)
    last = plan.weights / "last.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if last.is_file():
            ultralytics.YOLO(str(last)).train(resume=True)
            return
        ultralytics.YOLO("yolo11n.yaml", task="detect").train(
            data=str(data),
            epochs=plan.epochs,
            imgsz=plan.image_size,
            batch=plan.batch,
            device="cpu",
            workers=1,
            seed=1,
            deterministic=True,
            pretrained=False,
            amp=False,
            cache="ram",
            cos_lr=True,
            close_mosaic=6,
            patience=8,
            fliplr=0.0,  # letters read one way only
            plots=False,
            project=str(plan.folder / "runs"),
            name="street",
            exist_ok=True,
        )


def export(plan: TrainingPlan) -> Path:
    """Export the best weights to int8 OpenVINO, calibrated on generated images; answers the folder."""
    quiet_ultralytics()
    import ultralytics

    data = write_dataset(plan.folder / "dataset", plan.splits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = ultralytics.YOLO(str(plan.weights / "best.pt")).export(
            format="openvino", int8=True, data=str(data), imgsz=plan.image_size, fraction=1.0
        )
    ship(Path(made))
    return SHIPPED


def ship(made: Path) -> None:
    """Put an export where the worker image takes it from, without the paths of this machine."""
    SHIPPED.mkdir(parents=True, exist_ok=True)
    for kind in (".xml", ".bin"):
        (source,) = made.glob(f"*{kind}")
        shutil.copy(source, SHIPPED / f"street_demo{kind}")
    metadata = yaml.safe_load((made / "metadata.yaml").read_text(encoding="utf-8"))
    metadata["description"] = "YOLO11n trained from a random start on generated street scenes"
    metadata["author"] = "ForgeSyte Video Jobs"
    metadata["args"].pop("data", None)
    text = yaml.safe_dump(metadata, sort_keys=False)
    (SHIPPED / "metadata.yaml").write_text(text, encoding="utf-8")


def main() -> int:
    """Train, or export."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--epochs", type=int, default=TrainingPlan().epochs)
    parser.add_argument("--export", action="store_true")
    arguments = parser.parse_args()
    plan = TrainingPlan(epochs=arguments.epochs)
    if arguments.export:
        print(f"Exported to {export(plan)}")
    else:
        train(plan)
        print(f"Best weights: {plan.weights / 'best.pt'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
