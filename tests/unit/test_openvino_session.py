"""A session runs a model for several threads at once, and each gets its own result."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from video_worker.inference.openvino_session import CpuUse, OpenVinoSession, cpu_facts

TWO = CpuUse("f32", threads=2, requests=2)


def doubling(shape: list[int]) -> Any:
    import openvino
    from openvino import opset13

    numbers = opset13.parameter(shape, np.float32)
    return openvino.Model([opset13.multiply(numbers, np.float32(2))], [numbers], "doubling")


@pytest.mark.parametrize("shape", [[64], [-1]])
def test_many_threads_get_their_own_results(shape: list[int]) -> None:
    session = OpenVinoSession(doubling(shape), TWO)
    inputs = [np.full(64, number, np.float32) for number in range(200)]
    with ThreadPoolExecutor(5) as pool:
        results = list(pool.map(session.run, inputs))
    assert [result.tolist() for result in results] == [[2.0 * number] * 64 for number in range(200)]


def test_a_dynamic_model_takes_any_length() -> None:
    session = OpenVinoSession(doubling([-1]), TWO)
    results = [session.run(np.ones(length, np.float32)) for length in (3, 50_000, 7)]
    assert [(result.shape, set(result.tolist())) for result in results] == [
        ((3,), {2.0}),
        ((50_000,), {2.0}),
        ((7,), {2.0}),
    ]


def test_facts_name_cpu_and_precision() -> None:
    facts = cpu_facts("f32")
    assert facts["precision"] == "f32"
    assert "FP32" in facts["instruction_set"].split()


TELEMETRY = """
import sys
from video_worker.inference.openvino_session import openvino_version
openvino_version()
assert sys.modules["openvino_telemetry"] is None
"""


def test_telemetry_is_not_loaded() -> None:
    subprocess.run([sys.executable, "-c", TELEMETRY], check=True, timeout=60)
