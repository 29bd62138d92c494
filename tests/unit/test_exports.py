"""What all exports have in common, and the tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_jobs_client import Results, ResultsError, exports
from video_jobs_client.exports.output import plain

from tests.support.long_results import LongResults, Nowhere, check_memory
from tests.support.sample_results import CLASSES, job, pages, sample, text_of, video, without_times
from tests.support.sample_summary import CAPTION, SIGN, sample_summary

WITHOUT_TRACKS: dict[str, Callable[[Results, Any], None]] = {
    "detections.csv": exports.write_detections_csv,
    "words.csv": exports.write_words_csv,
    "frames.jsonl": exports.write_jsonl,
    "coco.json": exports.write_coco,
    "texts.vtt": exports.write_webvtt,
    "texts.srt": exports.write_srt,
}
WITH_TRACKS: dict[str, Callable[[Results, Any], None]] = {
    "mot.txt": exports.write_mot_results,
    "gt.txt": exports.write_mot_ground_truth,
    "cvat.xml": exports.write_cvat,
}
ALL = WITHOUT_TRACKS | WITH_TRACKS


# --- tables ----------------------------------------------------------------------------------------


def test_the_table_of_detections_has_a_line_for_each() -> None:
    lines = text_of(exports.write_detections_csv, sample()).splitlines()
    assert lines[0] == "frame_index,timestamp_ms,track_id,class_id,class_name,confidence,x1,y1,x2,y2"
    assert lines[1] == "0,0,7,0,car,0.9,10.25,20.5,110.35,80.75"
    assert len(lines) == 1 + 6
    without_track = list(csv.DictReader(lines))[3]
    assert [without_track[name] for name in ("timestamp_ms", "track_id", "class_name")] == [
        *("300.3", "", CLASSES[1])
    ]


def test_the_table_of_words_keeps_quotes_commas_and_other_scripts() -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(exports.write_words_csv, sample()), newline="")))
    words = [row["text"] for row in rows if row["frame_index"] == "3"]
    assert words == ["EXIT", "12", "=1+1,", '"q"', "-->", "北"]
    assert (rows[1]["x1"], rows[1]["x2"], rows[1]["y2"], rows[1]["confidence"]) == ("40", "78", "44", "93.25")


def test_the_tables_of_a_summary_have_a_line_for_each_object_and_each_text() -> None:
    tracks, texts = io.StringIO(newline=""), io.StringIO(newline="")
    exports.write_tracks_csv(sample_summary(), tracks)
    exports.write_texts_csv(sample_summary(), texts)
    head, first, second = tracks.getvalue().splitlines()
    times = "first_frame,last_frame,start_ms,end_ms,in_view_ms,frames,best_frame,best_ms"
    assert head == f"track_id,class_id,class_name,confidence,{times},x1,y1,x2,y2"
    assert first == "1,0,person,0.9,10,59,400,2400,2000,50,10,400,100,200,160,360"
    assert second.startswith("2,0,person,")
    assert ",800,2000," in second
    read = list(csv.DictReader(io.StringIO(texts.getvalue(), newline="")))
    assert [(one["text_id"], one["text"], one["frames"]) for one in read] == [
        ("1", CAPTION, "80"),
        ("2", SIGN, "60"),
    ]


def test_old_results_give_tables_without_times() -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(exports.write_detections_csv, without_times()))))
    assert {row["timestamp_ms"] for row in rows} == {""}


def test_json_lines_have_all_that_the_results_have() -> None:
    lines = [json.loads(line) for line in text_of(exports.write_jsonl, sample()).splitlines()]
    answers = pages()
    assert [line["result"] for line in lines] == [
        one["result"] for page in answers for one in page["results"]
    ]
    assert [line["timestamp_ms"] for line in lines] == [0, 300.3, 600.6, 900.9]
    assert [line["track_ids"] for line in lines] == [[7, 8], [7, None], [], [7, 9]]


# --- all of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_an_export_gives_the_same_bytes_each_time_and_in_a_file(name: str, tmp_path: Path) -> None:
    ALL[name](sample(), tmp_path / name)
    content = (tmp_path / name).read_bytes().decode()
    assert content == text_of(ALL[name], sample()) == text_of(ALL[name], sample())
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", WITH_TRACKS)
def test_without_tracks_the_error_says_how_to_get_them_and_the_file_stays_as_it_was(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text("of yesterday", encoding="utf-8")
    with pytest.raises(ResultsError, match="include=tracks"):
        ALL[name](sample(has_tracks=False), path)
    assert [(one.name, one.read_text(encoding="utf-8")) for one in tmp_path.iterdir()] == [
        (name, "of yesterday")
    ]


@pytest.mark.parametrize("name", WITHOUT_TRACKS)
def test_other_exports_need_no_tracks(name: str) -> None:
    assert text_of(ALL[name], sample(has_tracks=False))


@pytest.mark.parametrize("write", [exports.write_coco, exports.write_cvat, exports.write_webvtt])
def test_exports_that_need_the_video_say_so(write: Callable[[Results, Any], None]) -> None:
    with pytest.raises(ResultsError, match="pass the video"):
        text_of(write, Results(pages()))


@pytest.mark.parametrize("name", ALL)
def test_nothing_found_gives_a_file_that_says_so(name: str) -> None:
    page = {"results": [{"frame_index": 0, "result": {}}], "timestamps_ms": [0.0], "track_ids": [[]]}
    text_of(ALL[name], Results.of_job(job(), [page]))
    text_of(ALL[name], Results.of_job(job(), []))


@pytest.mark.parametrize("name", ALL)
def test_memory_does_not_grow_with_the_number_of_frames(name: str) -> None:
    nowhere: Any = Nowhere()
    check_memory(lambda frames: ALL[name](Results(LongResults(frames), video(), CLASSES), nowhere), 500)


# --- results ---------------------------------------------------------------------------------------


def test_an_iterator_of_pages_is_read_once() -> None:
    results = Results(iter(pages()))
    assert [frame.index for frame in results.frames()] == [0, 3, 6, 9]
    with pytest.raises(ResultsError, match="list of pages"):
        list(results.frames())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timestamps_ms": [0.0]}, "1 timestamps_ms"),
        ({"track_ids": [[7, 8]]}, "1 track_ids"),
        ({"track_ids": [[7], [7, None], []]}, "Frame 0 has 2 detections and 1 track_ids"),
    ],
)
def test_pages_that_contradict_themselves_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ResultsError, match=words):
        list(Results([{**pages()[0], **change}]).frames())


def test_pages_in_another_order_are_refused() -> None:
    with pytest.raises(ResultsError, match="pass each page once, in order"):
        list(Results(pages()[::-1]).frames())
    with pytest.raises(ResultsError, match="Frame 0 comes after frame 6"):
        list(Results([pages()[0], pages()[0]]).frames())


@given(st.floats(-1e6, 1e6))
def test_numbers_are_written_without_exponent_and_negative_zero(value: float) -> None:
    text = plain(value)
    assert float(text) == pytest.approx(value, abs=0.0005)
    assert text != "-0"
    assert "e" not in text
