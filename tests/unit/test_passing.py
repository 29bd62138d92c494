"""How long a decoder may take before a picture that is wanted, and that it is found if it hangs."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import psutil
import pytest
from video_jobs.domain.errors import ResourceLimitError
from video_jobs.domain.sampling import Sampling
from video_jobs.domain.video import VideoFacts
from video_worker.isolation.limits import JobLimits, JobUsage
from video_worker.passing import PassingTimes, passing_times

from tests.support.numbered_video import NumberedVideo

FACTS = replace(NumberedVideo(9000).facts, average_frame_rate=30.0)
UNEVEN = replace(FACTS, variable_frame_rate=True)
UNKNOWN = NumberedVideo(9000, tells_length=False).facts


@pytest.mark.parametrize(
    ("video", "chosen", "first", "expected"),
    [
        (FACTS, {}, 0, (0.1, 0.1)),
        (FACTS, {"stride": 30}, 4, (15.0, 3.0)),
        (FACTS, {"stride": 10**9}, 4, (900.0, 900.0)),
        (FACTS, {"frames_per_second": 1}, 0, (3.1, 3.1)),
        (FACTS, {"frames_per_second": 1, "start_ms": 20_000}, 4, (60 + 15.5, 3.1)),
        (FACTS, {"frames_per_second": 5e-324}, 0, (900.0, 900.0)),
        (FACTS, {"start_ms": 1e12}, 0, (900.0, 0.1)),
        (UNEVEN, {"frames_per_second": 1}, 0, (24.1, 24.1)),
        (UNKNOWN, {"frames_per_second": 1, "start_ms": 10_000}, 0, (240 + 24.1, 24.1)),
        (UNKNOWN, {"start_ms": 1e12}, 0, (3600.0, 0.1)),
        (UNKNOWN, {"stride": 30}, 10**6, (3600.0, 3.0)),
    ],
)
def test_the_pictures_that_are_passed_over_give_time(
    video: VideoFacts, chosen: dict[str, Any], first: int, expected: tuple[float, float]
) -> None:
    assert passing_times(Sampling(**chosen), first, video) == pytest.approx(expected)


def test_a_run_gets_its_time_for_the_first_frame_and_less_for_the_next_ones() -> None:
    usage = JobUsage(psutil.Process(os.getpid()), JobLimits(memory_mib=1 << 20, cpu_s=1 << 20, frame_s=-1))
    with pytest.raises(ResourceLimitError, match="within -1 s"):
        usage.check()
    usage.allow(PassingTimes(3600, 60))
    usage.check()
    usage.answer_arrived()
    usage.check()
    usage.allow(PassingTimes(3600, 0))
    usage.answer_arrived()
    with pytest.raises(ResourceLimitError, match="got stuck: no frame was finished"):
        usage.check()
