"""The parts of a job in the storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.domain.errors import PipelineError
from video_jobs.domain.job import Job, JobOptions, Upload
from video_jobs.domain.parts import run_id
from video_jobs.domain.region import Region
from video_worker.analysis import AnalysedFrame, PartEnd, PartNotes
from video_worker.joined_results import JoinedResults
from video_worker.parts import Finished, JobParts, StoredParts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(
    job_id="11111111-1111-4111-8111-111111111111",
    owner="ann",
    created_at=NOW,
    updated_at=NOW,
    upload=Upload(key="video_jobs/x.mp4", version="v1"),
)


def frame(index: int) -> AnalysedFrame:
    return AnalysedFrame(index, index * 40.0, {"n": index})


def end(number: int, *, is_complete: bool = True, lost: int = 0) -> PartEnd:
    return PartEnd(number, PartNotes(lost, 0 if lost else None), is_complete)


@contextmanager
def parts_of(storage: MemoryStorage, folder: Path, fingerprint_id: str = "f") -> Iterator[JobParts]:
    with JoinedResults(folder, lambda: None) as joined:
        yield JobParts(StoredParts(JOB, fingerprint_id, storage), joined)


def test_the_leading_complete_parts_are_there_for_the_next_attempt(tmp_path: Path) -> None:
    storage = MemoryStorage()
    run: list[AnalysedFrame | PartEnd] = [
        frame(0),
        frame(1),
        end(0),
        end(1, lost=2),
        frame(4),
        end(2, is_complete=False),
    ]
    # GIVEN an attempt that wrote three parts, one without a frame and one that is not complete
    with parts_of(storage, tmp_path) as written:
        assert written.fetch_finished() == Finished(0, 0)
        assert list(written.write(run)) == [1, 2, 3]
    # WHEN another attempt looks for them
    with parts_of(storage, tmp_path) as fetched:
        # THEN it finds the complete ones, and goes on after them
        assert fetched.fetch_finished() == Finished(2, 2)
        assert list(fetched.write(run[4:])) == [3]
    # AND a worker with another fingerprint finds none
    with parts_of(storage, tmp_path, "g") as others:
        assert others.fetch_finished() == Finished(0, 0)


def test_a_run_that_ends_in_the_middle_of_a_part_is_no_run(tmp_path: Path) -> None:
    with (
        parts_of(MemoryStorage(), tmp_path) as parts,
        pytest.raises(PipelineError, match="in the middle of a part"),
    ):
        list(parts.write([frame(0)]))


def test_a_parts_key_depends_on_all_that_its_bytes_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    options = JOB.options
    others = [
        (JOB, "g"),
        (replace(JOB, upload=replace(JOB.upload, version="v2")), "f"),
        (replace(JOB, part_frames=7), "f"),
        (replace(JOB, options=replace(options, pipeline_id="ocr_only")), "f"),
        (replace(JOB, options=replace(options, frame_stride=2)), "f"),
        (replace(JOB, options=replace(options, max_frames=7)), "f"),
        (replace(JOB, options=replace(options, text_engine="ppocr")), "f"),
        (replace(JOB, options=replace(options, text_engine="tesseract")), "f"),
        (replace(JOB, options=replace(options, text_engine="tesseract", languages=("eng", "deu"))), "f"),
        (replace(JOB, options=replace(options, text_engine="tesseract", languages=("deu", "eng"))), "f"),
        (replace(JOB, options=replace(options, classes=("car",))), "f"),
        (replace(JOB, options=replace(options, min_confidence=0.0)), "f"),
        (replace(JOB, options=replace(options, region=Region(0, 0, 0.5, 1))), "f"),
        (replace(JOB, options=replace(options, start_ms=0.0)), "f"),
        (replace(JOB, options=replace(options, end_ms=0.0)), "f"),
        (replace(JOB, options=replace(options, frames_per_second=1.0)), "f"),
    ]
    ids = {run_id(JOB, "f"), *(run_id(*other) for other in others)}
    monkeypatch.setattr("video_jobs.domain.parts.PART_FORMAT", 99)
    assert len(ids | {run_id(JOB, "f")}) == len(others) + 2
    # AND the parts of a job that an earlier release began are found
    monkeypatch.undo()
    assert run_id(JOB, "f") == "cad40060416cd92badcadb858fa4aa87"
    # AND on nothing else
    again = replace(JOB, attempt=3, generation=2, options=JobOptions(filename="x", callback_url="y"))
    assert run_id(again, "f") == run_id(JOB, "f")
