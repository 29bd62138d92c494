"""The plugin ``yolo``: its tool ``detect`` finds objects."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Mapping
from typing import Any

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings

from video_worker.dag_runner import Payload, Tool
from video_worker.plugins.yolo.class_names import class_ids_of
from video_worker.plugins.yolo.detector import EVERYTHING, Detector, Wanted
from video_worker.plugins.yolo.model_file import checked_model_path, is_openvino


class YoloPlugin:
    """Holds the detector, which is loaded once, and what a job wants of it."""

    def __init__(self, detector: Detector, wanted: Wanted = EVERYTHING) -> None:
        self._detector, self._wanted = detector, wanted

    def with_options(self, options: Mapping[str, Any]) -> YoloPlugin:
        """The plugin with a job's ``classes`` and ``min_confidence``.

        Raises
        ------
        UnknownClassError
            If the model does not know one of the classes.
        """
        class_ids = class_ids_of(options["classes"], self._detector.names)
        return YoloPlugin(self._detector, Wanted(class_ids, options["min_confidence"]))

    def tool(self, tool_id: str) -> Tool:
        """The tool ``detect``."""
        return {"detect": DetectTool(self._detector, self._wanted)}[tool_id]

    def facts(self) -> Mapping[str, Any]:
        """Everything that the boxes depend on."""
        return self._detector.facts()


class DetectTool:
    """Finds objects on the whole frame."""

    def __init__(self, detector: Detector, wanted: Wanted) -> None:
        self._detector, self._wanted = detector, wanted

    def run(self, payload: Payload) -> dict[str, Any]:
        """Find the wanted objects of one frame.

        Returns
        -------
        dict
            ``detections``: the objects, strongest first, with ``xyxy`` in pixels of the frame;
            ``count``: their number; ``classes``: the number of objects of each class name.
        """
        found = self._detector.detect(payload["image"], self._wanted)
        return {
            "detections": [
                {
                    "xyxy": list(one.xyxy),
                    "confidence": one.confidence,
                    "class_id": one.class_id,
                    "class_name": one.class_name,
                }
                for one in found
            ],
            "count": len(found),
            "classes": dict(Counter(one.class_name for one in found)),
        }


def create_plugin(settings: WorkerSettings) -> YoloPlugin:
    """Load the model with the backend that the settings name."""
    return YoloPlugin(create_detector(settings))


def create_detector(settings: WorkerSettings) -> Detector:
    """Load the detector that the settings name; ``auto`` takes `OpenVinoDetector` for an OpenVINO export.

    Raises
    ------
    SettingError
        If there is no such model, or what is needed to run it is not installed.
    """
    path = checked_model_path(settings.model_path)
    if settings.detector_backend == "openvino" or (settings.detector_backend == "auto" and is_openvino(path)):
        from video_worker.plugins.yolo.openvino_detector import OpenVinoDetector

        return OpenVinoDetector(path, settings)
    if importlib.util.find_spec("ultralytics") is None:
        raise SettingError(
            f"MODEL_PATH: {path.name} needs Ultralytics, which is not installed: export it to OpenVINO, "
            "or take the image of VARIANT=gpu"
        )
    from video_worker.plugins.yolo.ultralytics_detector import UltralyticsDetector

    return UltralyticsDetector(path, settings)
