"""Answers as large as Lambda allows, made of very many small frames."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from video_jobs.application import VideoJobs

from tests.integration import job_states
from tests.integration.conftest import answer_of, asked
from tests.integration.job_states import completed_job
from tests.integration.test_results_pages import LAMBDA_LIMIT_BYTES


def test_small_frames_and_their_times_stay_below_the_limit_of_lambda(
    app: VideoJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_states, "text_of", lambda _: "")
    monkeypatch.setattr(job_states, "time_ms_of", lambda frame: 1e10 + frame / 8)
    completed_job(app, tmp_path, frames=90_000)
    answer = answer_of(asked("results"))
    assert 5_400_000 < len(json.dumps(answer)) < LAMBDA_LIMIT_BYTES
    body = json.loads(answer["body"])
    assert len(body["results"]) == len(body["timestamps_ms"])
    assert body["next_cursor"] is not None
