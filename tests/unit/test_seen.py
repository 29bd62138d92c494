"""What a client tells of results: rows for people, clocks, and answers read from files."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_jobs_client import Results, ResultsError, Summary, intervals, results
from video_jobs_client.intervals import clock
from video_jobs_client.seen import Seen, seen

from tests.support.sample_results import job_answer, pages, sample
from tests.support.sample_summary import CAPTION, SIGN, sample_summary, summary


def test_objects_and_texts_come_together_by_their_start() -> None:
    rows = seen(sample_summary())
    assert [(row.kind, row.name, row.start_ms, row.end_ms) for row in rows] == [
        ("text", CAPTION, 0, 4000),
        ("object", "person #1", 400, 2400),
        ("object", "person #2", 800, 2000),
        ("text", SIGN, 800, 3200),
    ]
    assert (rows[0].in_view_ms, rows[0].frames) == (3200, 80)
    assert rows[1] == Seen("object", "person #1", 400, 2400, 2000, 50, 0.9)


def test_few_rows_are_those_that_were_longest_in_view_still_by_their_start() -> None:
    assert [row.name for row in seen(sample_summary(), most=2)] == [CAPTION, SIGN]
    assert seen(sample_summary(), most=0) == []


@pytest.mark.parametrize(
    ("time_ms", "told"),
    [
        (0, "0:00.000"),
        (1234.4, "0:01.234"),
        (59_999.6, "1:00.000"),
        (754_020, "12:34.020"),
        (3_723_456, "1:02:03.456"),
        (360_000_000, "100:00:00.000"),
    ],
)
def test_a_clock_has_hours_only_if_there_are_any(time_ms: float, told: str) -> None:
    assert clock(time_ms) == told


@given(st.integers(0, 10**9))
def test_no_millisecond_is_lost_on_the_clock(time_ms: int) -> None:
    *hours, minutes, seconds = clock(time_ms).split(":")
    told = int(hours[0] if hours else 0) * 3_600_000 + int(minutes) * 60_000
    assert told + round(float(seconds) * 1000) == time_ms


def test_the_examples_of_the_docstrings_are_right() -> None:
    for module in (results, intervals):
        failed, attempted = doctest.testmod(module)
        assert (failed, attempted > 0) == (0, True)


# --- files -----------------------------------------------------------------------------------------


def written(folder: Path, **contents: Any) -> Path:
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_results_are_read_from_files_as_often_as_is_wanted(tmp_path: Path) -> None:
    first, second = pages()
    folder = written(tmp_path, job=job_answer(), first=first, second=second)
    read = Results.from_files(folder / "job.json", str(folder / "first.json"), folder / "second.json")
    assert list(read.frames()) == list(read.frames()) == list(sample().frames())
    assert (read.video, read.class_names) == (sample().video, sample().class_names)


@pytest.mark.parametrize("content", [{"summary": summary()}, summary()], ids=["answer", "file"])
def test_a_summary_is_read_from_the_answer_or_from_its_file(content: Any, tmp_path: Path) -> None:
    folder = written(tmp_path, job=job_answer(), summary=content)
    read = Summary.from_files(folder / "job.json", folder / "summary.json")
    assert (read.told, read.video) == (sample_summary().told, sample_summary().video)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"summary": None}, "pass the file that its summary_url downloads"),
        ({"results": []}, "no version"),
        ({"summary": {"version": 2, "all": "new"}}, "install a newer video-jobs-client"),
        ({"version": 1}, "This is no summary: Object missing required field"),
        ([], "summary.json is not the file that is needed here"),
    ],
)
def test_what_is_no_summary_is_refused_by_name(content: Any, words: str, tmp_path: Path) -> None:
    folder = written(tmp_path, job=job_answer(), summary=content)
    with pytest.raises(ResultsError, match=words):
        Summary.from_files(folder / "job.json", folder / "summary.json")


def test_files_that_are_no_results_are_refused_by_name(tmp_path: Path) -> None:
    folder = written(tmp_path, job=job_answer(), page=summary())
    with pytest.raises(ResultsError, match=r"page\.json is not the file that is needed here"):
        Results.from_files(folder / "page.json")
    with pytest.raises(ResultsError, match="a page without results"):
        list(Results.from_files(folder / "job.json", folder / "page.json").frames())
    (folder / "page.json").write_bytes(b"\xff<html>")
    with pytest.raises(ResultsError, match=r"page\.json is not the file"):
        list(Results.from_files(folder / "job.json", folder / "page.json").frames())
