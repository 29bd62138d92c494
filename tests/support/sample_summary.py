"""The summary of four seconds: a sign that is misread, a caption that comes back, and two people."""

from __future__ import annotations

import json
from typing import Any

from video_jobs_client import Summary
from video_jobs_client.summary import video_summary
from video_worker.summary.fold import summary_bytes

from tests.support.folding import folded, video_facts
from tests.support.noisy_readings import Line, text_frames, words
from tests.support.sample_results import job

STEP_MS, FRAMES = 40, 100
SIGN, CAPTION = "EXIT 12", "A --> B & <Bar>"
SIGN_SHOWN = range(20, 80)
MISREAD = range(30, 33)
CAPTION_SHOWN = (range(50), range(70, 100))
PERSON_SHOWN, SECOND_SHOWN = range(10, 60), range(20, 50)


def summary() -> dict[str, Any]:
    """What ``GET /video/summary/{job_id}`` answers as ``summary``."""
    captions = [Line(CAPTION, top=10, begin=one.start, end=one.stop) for one in CAPTION_SHOWN]
    sign = Line(SIGN, left=600, top=60, begin=SIGN_SHOWN.start, end=SIGN_SHOWN.stop)
    frames = text_frames([sign, *captions], [float(STEP_MS * number) for number in range(FRAMES)])
    for frame in frames:
        shown = [(PERSON_SHOWN, 100.0), (SECOND_SHOWN, 900.0)]
        frame.result["detections"] = [_person(left) for on, left in shown if frame.frame_index in on]
        if frame.frame_index in MISREAD:
            frame.result["blocks"][:2] = words("EX1T 12", 600, 60, 70.0, 1)
    told: dict[str, Any] = json.loads(summary_bytes(folded(frames, video_facts(STEP_MS * FRAMES))[0]))
    return told


def sample_summary() -> Summary:
    """The summary with the times of a player."""
    return Summary.of_job(job(), video_summary(summary()))


def _person(left: float) -> dict[str, Any]:
    box = [left, 200.0, left + 60, 360.0]
    return {"xyxy": box, "confidence": 0.9, "class_id": 0, "class_name": "person"}
