"""Whatever frames a video has and whatever is asked of them: each comes once, with its time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from video_jobs.adapters.system import SystemClock
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.job import Job, JobStatus, Upload
from video_jobs.domain.results import microseconds, milliseconds
from video_jobs.domain.rules import Rules
from video_jobs.use_cases.results import ResultsQuery
from video_worker.analysis import AnalysedFrame

from tests.support.folding import folded
from tests.support.joining import joined, part_lines

JOB_ID = "11111111-1111-4111-8111-111111111111"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST_US = 10**15
FOUND = {"xyxy": [0, 0, 9, 9], "confidence": 0.9, "class_id": 0, "class_name": "a"}
MILLISECONDS = st.integers(0, 4_000_000).map(lambda time_us: time_us / 1000)


@st.composite
def videos(draw: st.DrawFn) -> list[AnalysedFrame]:
    """Frames with gaps, at uneven times."""
    steps = st.tuples(st.integers(1, 3), st.integers(1, 400_000))
    index, time_us, frames = -1, 0, []
    for gap, pause_us in draw(st.lists(steps, max_size=25)):
        index += gap
        result = {"text": '"' * draw(st.integers(0, 40)), "detections": [FOUND] * draw(st.integers(0, 9))}
        frames.append(AnalysedFrame(index, time_us / 1000, result))
        time_us += pause_us
    return frames


@st.composite
def queries(draw: st.DrawFn, video: list[AnalysedFrame]) -> ResultsQuery:
    """Ranges that often begin or end exactly at a frame."""
    times = MILLISECONDS if not video else MILLISECONDS | st.sampled_from([f.timestamp_ms for f in video])
    return ResultsQuery(
        limit=draw(st.none() | st.integers(1, 9)),
        from_frame=draw(st.integers(0, 50)),
        to_frame=draw(st.none() | st.integers(0, 80)),
        from_ms=draw(st.none() | times),
        to_ms=draw(st.none() | times),
        with_tracks=draw(st.booleans()),
    )


def is_wanted(frame: AnalysedFrame, query: ResultsQuery) -> bool:
    return (
        query.from_frame <= frame.frame_index
        and (query.to_frame is None or frame.frame_index <= query.to_frame)
        and (query.from_ms is None or query.from_ms <= frame.timestamp_ms)
        and (query.to_ms is None or frame.timestamp_ms <= query.to_ms)
    )


def completed(app: VideoJobs, frames: list[AnalysedFrame]) -> Job:
    with TemporaryDirectory() as name:
        output = joined(Path(name), part_lines(frames)).store(JOB_ID, app.ports.storage)
    upload = Upload(key=f"video_jobs/{JOB_ID}.mp4")
    job = Job(job_id=JOB_ID, owner="ann", created_at=NOW, updated_at=NOW, upload=upload)
    return replace(job, status=JobStatus.COMPLETED, output=output)


@given(st.data(), videos(), st.integers(1000, 3000))
def test_pages_give_the_frames_within_both_ranges_with_their_times(
    data: st.DataObject, frames: list[AnalysedFrame], max_answer_bytes: int
) -> None:
    app = VideoJobs(Ports.in_memory(SystemClock()), Rules(max_answer_bytes=max_answer_bytes))
    job, query = completed(app, frames), data.draw(queries(frames))
    given: list[AnalysedFrame] = []
    tracks: list[tuple[int | None, ...]] = []
    while True:
        page = app.results.read(job, query)
        found = json.loads(b"[%b]" % page.frames_json)
        times = json.loads(f"[{page.times_json}]")
        assert len(found) == len(times) == page.count <= (query.limit or len(frames))
        given += [
            AnalysedFrame(frame["frame_index"], time_ms, frame["result"])
            for frame, time_ms in zip(found, times, strict=True)
        ]
        assert (page.tracks_json is not None) == query.with_tracks
        tracks += map(tuple, json.loads(b"[%b]" % (page.tracks_json or b"")))
        if page.next_cursor is None:
            break
        assert page.count
        query = replace(query, cursor=page.next_cursor)
    assert given == [frame for frame in frames if is_wanted(frame, query)]
    exact = [
        one.track_ids for frame, one in zip(frames, folded(frames)[1], strict=True) if is_wanted(frame, query)
    ]
    assert tracks == (exact if query.with_tracks else [])


@given(st.integers(-LONGEST_US, LONGEST_US))
def test_a_time_is_written_exactly_and_in_one_way(time_us: int) -> None:
    text = milliseconds(time_us)
    assert Decimal(text) * 1000 == time_us
    assert "." not in text or not text.endswith(("0", "."))
    assert text == json.dumps(int(text) if "." not in text else float(text))
    assert microseconds(time_us / 1000) == microseconds(json.loads(text)) == time_us
