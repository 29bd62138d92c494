"""Parquet, read back by pyarrow."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from video_jobs_client import Results, VideoJobsClientError, exports
from video_jobs_client.exports import parquet as parquet_module

from tests.support.long_results import LongResults, Nowhere, check_memory
from tests.support.sample_results import pages, sample, text_of, without_times

Write = Callable[[Results, Any], None]
BOTH: dict[str, tuple[Write, Write]] = {
    "detections": (exports.write_detections_parquet, exports.write_detections_csv),
    "words": (exports.write_words_parquet, exports.write_words_csv),
}
WRITERS = [write for write, _ in BOTH.values()]


def content_of(write: Write, results: Results) -> bytes:
    target = io.BytesIO()
    write(results, target)
    return target.getvalue()


def read(write: Write, results: Results) -> pyarrow.Table:
    return parquet.read_table(io.BytesIO(content_of(write, results)))


def plain(value: Any) -> str:
    """A value as the CSV files tell it."""
    return "" if value is None else str(value).removesuffix(".0")


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("results_of", [sample, without_times], ids=["sample", "without-times"])
def test_a_table_has_the_columns_and_the_values_of_the_csv(
    name: str, results_of: Callable[[], Results]
) -> None:
    write, write_csv = BOTH[name]
    table = read(write, results_of())
    expected = list(csv.DictReader(io.StringIO(text_of(write_csv, results_of()), newline="")))
    assert table.num_rows == len(expected) > 0
    assert [{key: plain(value) for key, value in row.items()} for row in table.to_pylist()] == expected


def test_columns_have_the_types_of_their_values() -> None:
    frame = {"frame_index": "int64", "timestamp_ms": "double"}
    box = dict.fromkeys(("x1", "y1", "x2", "y2"), "double")
    names = {"track_id": "int64", "class_id": "int64", "class_name": "string", "confidence": "double"}
    numbers = {"block_num": "int64", "line_num": "int64"}
    detections = read(exports.write_detections_parquet, sample()).schema
    words = read(exports.write_words_parquet, sample()).schema
    assert {one.name: str(one.type) for one in detections} == {**frame, **names, **box}
    assert {one.name: str(one.type) for one in words} == {
        **frame,
        **{"text": "string", "confidence": "double"},
        **box,
        **numbers,
    }
    assert [one.name for one in detections if one.nullable] == ["timestamp_ms", "track_id"]


@pytest.mark.parametrize("write", WRITERS)
def test_equal_results_give_equal_bytes_in_a_file_and_in_an_open_one(write: Write, tmp_path: Path) -> None:
    write(sample(), tmp_path / "table.parquet")
    content = (tmp_path / "table.parquet").read_bytes()
    assert content == content_of(write, sample()) == content_of(write, sample())
    assert [path.name for path in tmp_path.iterdir()] == ["table.parquet"]


@pytest.mark.parametrize("write", WRITERS)
def test_nothing_found_gives_an_empty_table_with_its_columns(write: Write) -> None:
    assert read(write, Results([])).schema == read(write, sample()).schema
    assert read(write, Results([])).num_rows == 0


@pytest.mark.parametrize("write", WRITERS)
def test_a_group_of_rows_has_a_bounded_size(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_module, "ROWS_IN_A_GROUP", 4)
    told = parquet.ParquetFile(io.BytesIO(content_of(write, sample()))).metadata
    sizes = [told.row_group(number).num_rows for number in range(told.num_row_groups)]
    assert set(sizes[:-1]) == {4}
    assert 0 < sizes[-1] <= 4
    assert sum(sizes) == read(write, sample()).num_rows


@pytest.mark.parametrize("write", WRITERS)
def test_memory_does_not_grow_with_the_number_of_frames(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_module, "ROWS_IN_A_GROUP", 100)
    check_memory(lambda frames: write(Results(LongResults(frames)), Nowhere()), 300)


@pytest.mark.parametrize("write", WRITERS)
def test_a_failed_export_leaves_the_file_as_it_was(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(b"of yesterday")
    with pytest.raises(VideoJobsClientError, match="comes after frame"):
        write(Results(pages()[::-1]), path)
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [
        ("table.parquet", b"of yesterday")
    ]


def test_pyarrow_is_only_imported_when_it_is_needed() -> None:
    script = "import sys; import video_jobs_client.exports; sys.exit('pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("write", WRITERS)
def test_without_pyarrow_the_error_says_what_to_install(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet")
    with pytest.raises(VideoJobsClientError, match=r"pip install 'video-jobs-client\[export\]'"):
        write(sample(), tmp_path / "table.parquet")
    assert list(tmp_path.iterdir()) == []
