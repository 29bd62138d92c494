"""The image's files without an image: each kind of model loads where the Dockerfile puts it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings
from video_worker.plugins.yolo.plugin import create_detector
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics

from tests.support.model import REAL_MODEL, needs_real_model
from tools.local_stack.template import Template
from tools.worker_image.order import DOCKERFILE, ROOT, STREET_DEMO, Order, OrderError

TEXT = DOCKERFILE.read_text(encoding="utf-8")
WITHOUT_TORCH = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "ultralytics"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Blocked())
import numpy
from video_jobs.settings import WorkerSettings
from video_worker.plugins.yolo.plugin import create_detector
detector = create_detector(WorkerSettings.from_environment())
print(detector.facts()["backend"], len(detector.detect(numpy.zeros((90, 160, 3), numpy.uint8))))
"""


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untrained model as ``random.pt`` and as ``random_openvino_model``, 320 px, f32."""
    quiet_ultralytics()
    import torch
    import ultralytics

    torch.manual_seed(0)
    source = tmp_path_factory.mktemp("model") / "random.pt"
    ultralytics.YOLO("yolo11n.yaml", task="detect").save(str(source))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ultralytics' exporter uses what torch deprecates
        ultralytics.YOLO(str(source)).export(format="openvino", imgsz=320, verbose=False)
    return source.parent


def lay_out(order: Order, root: Path) -> str:
    """Copy the model as the Dockerfile does, below ``root``; the image's MODEL_PATH, below ``root`` too."""
    (destination,) = re.findall(r"^COPY --from=models \$\{MODEL\} (\S+)$", TEXT, re.MULTILINE)
    (model_path,) = re.findall(r"MODEL_PATH=(\S+)", TEXT)
    below = root / destination.replace("${MODEL}", order.model.name).lstrip("/")
    with order.models_folder() as models:
        source = models / order.model.name
        below.parent.mkdir(parents=True)
        shutil.copytree(source, below) if source.is_dir() else shutil.copy2(source, below)
    return str(root / model_path.replace("${MODEL}", order.model.name).lstrip("/"))


def backend_of(order: Order, root: Path) -> str:
    settings = WorkerSettings.from_environment({"MODEL_PATH": lay_out(order, root)})
    facts = create_detector(settings).facts()
    assert facts["model"] == order.model.name
    return str(facts["backend"])


def test_an_openvino_export_loads(tmp_path: Path, untrained: Path) -> None:
    order = Order.of("cpu", str(untrained / "random_openvino_model"))
    assert backend_of(order, tmp_path) == "openvino"


def test_a_model_of_torch_loads(tmp_path: Path, untrained: Path) -> None:
    assert backend_of(Order.of("gpu", str(untrained / "random.pt")), tmp_path) == "ultralytics"


def test_ultralytics_loads_the_export_too(tmp_path: Path, untrained: Path) -> None:
    path = lay_out(Order.of("cpu", str(untrained / "random_openvino_model")), tmp_path)
    settings = WorkerSettings.from_environment({"MODEL_PATH": path, "DETECTOR_BACKEND": "ultralytics"})
    assert create_detector(settings).facts()["model"] == "random_openvino_model"


@needs_real_model
def test_a_trained_model_from_outside_the_project_loads(tmp_path: Path) -> None:
    assert backend_of(Order.of("cpu", str(REAL_MODEL)), tmp_path) == "openvino"


def test_the_cpu_image_needs_no_torch(tmp_path: Path) -> None:
    paths = [str(ROOT / "layers/common/python"), str(ROOT / "gpu_worker_image/src")]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        env={
            "MODEL_PATH": lay_out(Order.of("cpu", "auto"), tmp_path),
            "PYTHONPATH": os.pathsep.join(paths),
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("openvino"), done.stderr


def test_without_ultralytics_a_model_of_torch_is_refused_with_the_way_out(
    untrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SettingError, match="export it to OpenVINO"):
        create_detector(WorkerSettings.from_environment({"MODEL_PATH": str(untrained / "random.pt")}))


def test_an_openvino_export_on_a_gpu_is_refused() -> None:
    settings = WorkerSettings.from_environment({"MODEL_PATH": str(STREET_DEMO), "DEVICE": "0"})
    with pytest.raises(SettingError, match="runs on the CPU"):
        create_detector(settings)


@pytest.mark.parametrize(
    ("variant", "model", "words"),
    [
        ("gpu", "auto", "needs a model that a GPU runs"),
        ("gpu", str(STREET_DEMO), "build VARIANT=cpu"),
        ("cpu", __file__, "build VARIANT=gpu"),
        ("cpu", "/nowhere/x_openvino_model", "There is no model"),
    ],
)
def test_what_a_variant_cannot_run_is_said_before_the_build(variant: str, model: str, words: str) -> None:
    with pytest.raises(OrderError, match=words):
        Order.of("gpu" if variant == "gpu" else "cpu", model)


def test_an_image_is_built_again_when_its_model_has_changed(tmp_path: Path) -> None:
    model = tmp_path / "street_demo"
    shutil.copytree(STREET_DEMO, model)
    order = Order.of("cpu", str(model))
    before = order.inputs_hash()
    assert before == Order.of("cpu", "auto").inputs_hash()
    (model / "street_demo.bin").write_bytes(b"other weights")
    assert order.inputs_hash() != before


def test_the_model_that_runs_is_that_of_the_image() -> None:
    (container,) = Template().resources["VideoWorkerTaskDefinition"]["Properties"]["ContainerDefinitions"]
    assert "MODEL_PATH" not in {entry["Name"] for entry in container["Environment"]}


def test_only_the_scratch_folder_is_written_to() -> None:
    (container,) = Template().resources["VideoWorkerTaskDefinition"]["Properties"]["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True
    assert container["MountPoints"] == [{"SourceVolume": "scratch", "ContainerPath": "/scratch"}]
    assert "VOLUME /scratch\n" in TEXT
    assert {f"{name}=/scratch" for name in ("HOME", "TMPDIR")} <= set(TEXT.split())


def test_ecs_asks_for_health_as_the_image_does() -> None:
    (container,) = Template().resources["VideoWorkerTaskDefinition"]["Properties"]["ContainerDefinitions"]
    check = container["HealthCheck"]
    (options, command) = re.findall(r"^HEALTHCHECK (.*) \\\n +CMD \[(.*)\]$", TEXT, re.MULTILINE)[0]
    assert re.findall(r'"([^"]+)"', command) == check["Command"][1:]
    asked = {name: int(number) for name, number in re.findall(r"--([\w-]+)=(\d+)", options)}
    assert asked == {
        "interval": check["Interval"],
        "timeout": check["Timeout"],
        "start-period": check["StartPeriod"],
        "retries": check["Retries"],
    }
