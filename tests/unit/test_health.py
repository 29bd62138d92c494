"""The worker's sign of life, and the check that reads it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from video_jobs.settings import WorkerSettings
from video_worker import health
from video_worker.health import LONGEST_SILENCE_S, Pulse


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pulse:
    monkeypatch.setenv("MODEL_PATH", "model")
    monkeypatch.setenv("WORK_DIR", str(tmp_path))
    return Pulse(WorkerSettings.from_environment())


def test_a_worker_that_never_worked_is_not_healthy(pulse: Pulse, capsys: pytest.CaptureFixture[str]) -> None:
    assert pulse.silence_s(time.time()) == float("inf")
    assert health.main() == 1
    assert "last sign of life: inf s ago" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("age_s", "exit_code"), [(0, 0), (LONGEST_SILENCE_S - 60, 0), (LONGEST_SILENCE_S + 60, 1)]
)
def test_the_age_of_the_last_sign_decides(pulse: Pulse, tmp_path: Path, age_s: int, exit_code: int) -> None:
    pulse.beat()
    (file,) = tmp_path.iterdir()
    then = time.time() - age_s
    os.utime(file, (then, then))
    assert health.main() == exit_code


def test_a_wrong_setting_is_not_healthy(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse.beat()
    monkeypatch.setenv("LEASE_S", "soon")
    assert health.main() == 1
