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
from pathlib import Path

import yaml
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics

from tools.demo_model.dataset import write_dataset

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "street_demo"
RUN = CACHE / "runs" / "street"
BEST = RUN / "weights" / "best.pt"
LAST = RUN / "weights" / "last.pt"
SHIPPED = ROOT / "gpu_worker_image" / "models" / "street_demo"
IMAGE_SIZE = 320
EPOCHS = 26


def train(epochs: int) -> None:
    """Train YOLO11n from its architecture alone; an interrupted run is resumed."""
    quiet_ultralytics()
    import ultralytics

    data = write_dataset(CACHE / "dataset")
    if LAST.is_file():
        ultralytics.YOLO(str(LAST)).train(resume=True)
        return
    ultralytics.YOLO("yolo11n.yaml", task="detect").train(
        data=str(data),
        epochs=epochs,
        imgsz=IMAGE_SIZE,
        batch=16,
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
        project=str(RUN.parent),
        name=RUN.name,
        exist_ok=True,
    )


def export() -> Path:
    """Export the best weights to int8 OpenVINO, calibrated on generated images; answers the folder."""
    quiet_ultralytics()
    import ultralytics

    data = write_dataset(CACHE / "dataset")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = ultralytics.YOLO(str(BEST)).export(
            format="openvino", int8=True, data=str(data), imgsz=IMAGE_SIZE, fraction=1.0
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
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--export", action="store_true")
    arguments = parser.parse_args()
    if arguments.export:
        print(f"Exported to {export()}")
    else:
        train(arguments.epochs)
        print(f"Best weights: {BEST}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
