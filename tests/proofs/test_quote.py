"""How good quotes are, with a pipeline that takes the same time for each frame."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median

import pytest

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.proofs.quote.quoting import BURST, Outcomes, errors, run_quotes, share
from tests.support.worker_world import SUPPORT
from tools.local_stack.stack import LocalStack

ROOT = Path(__file__).parents[2]
PATHS = (ROOT, ROOT / "layers/common/python", ROOT / "gpu_worker_image/src")
WORKER = {
    "MODEL_PATH": str(SHIPPED),
    "PLUGINS_DIR": str(SUPPORT / "pacing/plugins"),
    "PIPELINES_DIR": str(SUPPORT / "pacing/pipelines"),
    "PYTHONPATH": os.pathsep.join(map(str, PATHS)),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    folder = tmp_path_factory.mktemp("quotes")
    with LocalStack(
        log_file=folder / "local-stack.log",
        worker_settings=WORKER,
        function_settings={"PIPELINE_IDS": "paced"},
    ) as stack:
        stack.wait_until_ready()
        return run_quotes(stack, folder, "paced")


def test_the_compute_time_is_about_what_was_quoted(outcomes: Outcomes) -> None:
    assert len(outcomes.alone) + len(outcomes.burst) >= 30
    assert median(errors(outcomes.alone + outcomes.burst)) < 0.5


def test_most_jobs_end_within_the_95th_percentile(outcomes: Outcomes) -> None:
    assert share(outcomes.alone, "p95_s") > 0.5


def test_a_burst_is_quoted_longer_and_longer(outcomes: Outcomes) -> None:
    ends = [one.p50_s - one.quoted_s for one in outcomes.burst]
    assert max(ends[BURST // 2 :]) > max(ends[:2])
