"""What a job would take, over HTTP, from jobs that real workers have run."""

from __future__ import annotations

import pytest
from video_jobs_client.errors import InvalidRequestError

from tests.e2e.conftest import Api, wait_until
from tests.fixtures.make_tiny_mp4 import FRAMES, PATH, SIZE


def test_of_pictures_that_no_job_had_nothing_is_known(api: Api) -> None:
    quote = api.quote(duration_ms=60_000, width=8000, height=6000)
    assert (quote["compute_seconds"], quote["cost_usd"], quote["video"]) == (None, None, None)
    assert quote["seconds_to_end"] == {"p50": None, "p95": None}
    assert (quote["based_on"]["jobs"], quote["based_on"]["size_class"]) == (0, None)


def test_a_job_that_was_run_tells_what_the_next_one_takes(api: Api) -> None:
    # GIVEN a job that has ended, and was measured right afterwards
    job_id = api.submit_presigned(PATH)
    assert api.wait_for_end(job_id)[0]["status"] == "completed"
    job = api.job(job_id)
    wait_until(lambda: api.quote(size_bytes=1)["based_on"]["fingerprint"] == job["fingerprint"]["id"])
    # WHEN quotes are asked for the same video, by its size and by its length, and for another choice of it
    by_size = api.quote(size_bytes=PATH.stat().st_size, width=SIZE[0], height=SIZE[1])
    facts = {name: job["video"][name] for name in ("duration_ms", "average_frame_rate", "width", "height")}
    by_length, of_two = api.quote(**facts), api.quote(**facts, max_frames=2)
    # THEN they rest on that job at least
    for quote in (by_size, by_length, of_two):
        assert quote["based_on"]["fingerprint"] == job["fingerprint"]["id"]
        assert quote["based_on"]["size_class"] == "640x360"
        assert quote["based_on"]["jobs"] >= 1
        assert quote["based_on"]["frames"] >= FRAMES
        assert (
            0 < quote["compute_seconds"] <= quote["seconds_to_end"]["p50"] <= quote["seconds_to_end"]["p95"]
        )
        assert quote["cost_usd"] is None  # nobody knows what this machine costs
    assert by_size["video"]["assumed"] == ["duration_ms", "average_frame_rate"]
    assert by_length["video"]["frames"] == FRAMES
    assert of_two["video"]["frames"] == 2
    assert of_two["compute_seconds"] < by_length["compute_seconds"]


def test_a_wrong_option_is_refused_as_it_is_in_a_submit(api: Api) -> None:
    with pytest.raises(InvalidRequestError, match="frame_stride: Input should be greater than or equal to 1"):
        api.quote(duration_ms=1000, frame_stride=0)
