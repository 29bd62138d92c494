"""A model compiled by OpenVINO for the CPU, which several threads may run at the same time."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray
from video_jobs.settings import WorkerSettings

FloatTensor = NDArray[np.float32]

_one_at_a_time = threading.RLock()


@dataclass(frozen=True, slots=True)
class CpuUse:
    """How a model uses the CPU.

    Parameters
    ----------
    precision
        ``f32`` or ``f16``; OpenVINO would otherwise choose one by the CPU, and results would differ.
    threads
        CPU threads, shared by all inferences in flight.
    requests
        How many inferences may be in flight.
    """

    precision: str
    threads: int
    requests: int

    @classmethod
    def of(cls, settings: WorkerSettings) -> CpuUse:
        """As the settings say."""
        threads = settings.inference_threads or os.cpu_count() or 1
        return cls(settings.precision, threads, settings.frames_at_once)

    @classmethod
    def in_f32(cls, settings: WorkerSettings) -> CpuUse:
        """In single precision, whatever the detector does, which may run on a GPU."""
        threads = settings.inference_threads or os.cpu_count() or 1
        return cls("f32", threads, min(threads, settings.frames_at_once))


class OpenVinoSession:
    """Compiled once; every call of `run` takes one of its inference requests.

    Parameters
    ----------
    model
        As `read_model` gives it, reshaped or edited.
    """

    def __init__(self, model: Any, use: CpuUse) -> None:
        config = {
            "INFERENCE_PRECISION_HINT": use.precision,
            "INFERENCE_NUM_THREADS": use.threads,
            "NUM_STREAMS": use.requests,
        }
        # A model of dynamic shape keeps the address of its last input and may look there when the shape
        # changes, when a shared input is long freed. It gets copies.
        self._share_inputs = not model.is_dynamic()
        compiled = _core().compile_model(model, "CPU", config)
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(use.requests):
            self._requests.put(compiled.create_infer_request())
        with _one_at_a_time:
            _make_first_call()

    def run(self, tensor: FloatTensor) -> FloatTensor:
        """The model's first output for its only input; waits while all inference requests are in use."""
        request = self._requests.get()
        try:
            request.start_async({0: tensor}, share_inputs=self._share_inputs)
            request.wait()
            output: FloatTensor = request.get_output_tensor(0).data.copy()
        finally:
            self._requests.put(request)
        return output


def read_model(path: Path) -> Any:
    """The model in an .xml file of OpenVINO or in an ONNX file, to be compiled by `OpenVinoSession`."""
    return _core().read_model(path)


def cpu_capabilities() -> list[str]:
    """What the CPU calculates with, in OpenVINO's words; ``FP16`` is half precision."""
    return [str(word) for word in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")]


def cpu_facts(precision: str) -> Mapping[str, Any]:
    """What the results of a model depend on besides the model and `openvino_version`."""
    return {
        "device": str(_core().get_property("CPU", "FULL_DEVICE_NAME")),
        "instruction_set": " ".join(sorted(cpu_capabilities())),
        "precision": precision,
    }


def openvino_version() -> str:
    """The version without its build."""
    return str(_openvino().__version__.split("-")[0])


def _openvino() -> Any:
    """The package, without its telemetry.

    With that package, the mere import writes into the home folder and calls a server; without it, a stub is
    taken.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def _core() -> Any:
    with _one_at_a_time:
        return _shared_core()


@cache
def _shared_core() -> Any:
    return _openvino().Core()


@cache
def _make_first_call() -> None:
    """Run a model of one number.

    OpenVINO's bindings set up their numpy interface at the first call. If two threads make the first call at
    the same time, they wait for each other for ever.
    """
    openvino = _openvino()
    number = openvino.opset13.parameter([1], np.float32)
    model = openvino.Model([openvino.opset13.relu(number)], [number], "first call")
    request = _core().compile_model(model, "CPU").create_infer_request()
    request.start_async({0: np.zeros(1, np.float32)}, share_inputs=True)
    request.wait()
    request.get_output_tensor(0).data.copy()
