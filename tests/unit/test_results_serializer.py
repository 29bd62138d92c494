"""The same frames give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from video_jobs.domain.results import END_FRAME, SEPARATOR, IndexLayout
from video_jobs.domain.video import JobWarning
from video_worker.analysis import AnalysedFrame, PartNotes
from video_worker.results_serializer import (
    frame_index_of,
    frame_line,
    frames_of_part,
    frames_of_results,
    notes_line,
    part_line,
    read_part,
    warnings_of,
    write_results,
)

FRAMES = [AnalysedFrame(10 * n, n * 33.367, {"text": '[1,"é"],\n', "n": n}) for n in range(5)]


NOTHING = PartNotes()


def part_of(path: Path, frames: Sequence[AnalysedFrame], notes: PartNotes = NOTHING) -> Path:
    path.write_bytes(b"".join(map(part_line, frames)) + notes_line(notes))
    return path


def test_keys_are_sorted_floats_rounded_and_zero_has_no_sign() -> None:
    line = frame_line({"result": {"b": -0.00001, "a": 1.23456, "c": "é", "d": (1, 2.0)}, "frame_index": 3})
    assert line.decode() == '{"frame_index":3,"result":{"a":1.2346,"b":0.0,"c":"é","d":[1,2.0]}}'
    assert frame_index_of(line) == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        frame_line({"frame_index": 0, "result": {"a": value}})


def test_a_part_has_a_line_for_each_frame_and_one_for_its_notes(tmp_path: Path) -> None:
    notes = PartNotes(2, 7, ((640, 360),))
    part = part_of(tmp_path / "part", [AnalysedFrame(5, 166.833, {"a": 1})], notes)
    assert part.read_text() == (
        '[166833,{"frame_index":5,"result":{"a":1}}]\n'
        '{"part":{"first_lost":7,"lost":2,"other_sizes":[[640,360]]}}\n'
    )
    assert read_part(part) == (1, notes)


def test_the_results_are_the_frames_with_their_times_behind_them(tmp_path: Path) -> None:
    times = (0, 33.367, 40, 41.5, 3_600_000)
    frames = [AnalysedFrame(n, time, {}) for n, time in enumerate(times)]
    write_results([part_of(tmp_path / "part", frames)], tmp_path / "results", tmp_path / "index")
    lines = ",\n".join(f'{{"frame_index":{n},"result":{{}}}}' for n in range(5))
    expected = f'{{"results":[\n{lines}\n],"timestamps_ms":[0,33.367,40,41.5,3600000]}}\n'
    assert (tmp_path / "results").read_text() == expected


@pytest.mark.parametrize("split", [[5], [2, 3], [0, 1, 1, 0, 1, 1, 1, 0], [0], []])
@pytest.mark.parametrize("max_frames", [None, 1, 2, 3, 9])
def test_the_index_finds_each_line_and_its_time_whatever_the_parts(
    tmp_path: Path, split: list[int], max_frames: int | None
) -> None:
    # GIVEN frames in parts
    parts, number = [], 0
    for position, count in enumerate(split):
        parts.append(part_of(tmp_path / str(position), FRAMES[number : number + count]))
        number += count
    # WHEN they are joined
    results, index = tmp_path / "results", tmp_path / "index"
    written = write_results(parts, results, index, max_frames)
    # THEN the file is JSON, and has no more frames than are wanted
    content = results.read_bytes()
    whole = json.loads(content)
    frames, times = whole["results"], whole["timestamps_ms"]
    assert written.frames == len(frames) == len(times) == min(number, max_frames or number)
    # AND the ranges of the index are its frames
    raw = index.read_bytes()
    layout = IndexLayout.of(raw)
    assert layout.frames(len(raw)) == len(frames)
    records = [layout.record(raw, layout.position(number)) for number in range(len(frames) + 1)]
    assert records[-1].frame_index == END_FRAME
    for record, following, frame, time_ms, given in zip(
        records, records[1:], frames, times, FRAMES, strict=False
    ):
        assert json.loads(content[record.offset : following.offset - len(SEPARATOR)]) == frame
        assert (frame["frame_index"], frame["result"]) == (given.frame_index, given.result)
        assert record.frame_index == given.frame_index
        assert record.time_us == round(1000 * given.timestamp_ms) == round(1000 * time_ms)


def test_the_notes_of_all_parts_come_with_the_results(tmp_path: Path) -> None:
    notes = [PartNotes(1, 5), PartNotes(), PartNotes(2, 33, ((8, 9),))]
    parts = [part_of(tmp_path / str(n), FRAMES[n : n + 1], note) for n, note in enumerate(notes)]
    assert write_results(parts, tmp_path / "r", tmp_path / "i").notes == tuple(notes)


def test_pictures_behind_the_last_frame_are_not_told(tmp_path: Path) -> None:
    first = part_of(tmp_path / "0", FRAMES[:3], PartNotes(1, 15, ((8, 9),)))
    second = part_of(tmp_path / "1", FRAMES[3:], PartNotes(1, 45))
    wanted = {3: (PartNotes(1, 15, ((8, 9),)),), 2: (PartNotes(0, None, ((8, 9),)),)}
    for max_frames, notes in wanted.items():
        assert write_results([first, second], tmp_path / "r", tmp_path / "i", max_frames).notes == notes


def test_a_part_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(part_line(FRAMES[0]))
    with pytest.raises(ValueError, match="without notes"):
        read_part(part)
    with pytest.raises(ValueError, match="without notes"):
        write_results([part], tmp_path / "r", tmp_path / "i")


def test_notes_become_true_sentences() -> None:
    assert warnings_of([PartNotes(), PartNotes()]) == ()
    assert warnings_of([PartNotes(), PartNotes(1, 12)]) == (
        JobWarning(
            "pictures_lost", "1 picture could not be decoded, at frame_index 12; its index stays unused"
        ),
    )
    several = [PartNotes(2, 40, ((640, 360),)), PartNotes(0, None, ((64, 48), (640, 360))), PartNotes(1, 90)]
    lost, size = warnings_of(several)
    assert lost == JobWarning(
        "pictures_lost",
        "3 pictures could not be decoded, the first at frame_index 40; their indexes stay unused",
    )
    assert size == JobWarning(
        "size_changed",
        "The size of the pictures changes: some have 64x48, 640x360; they were fitted into the first size",
    )


def test_frames_are_read_back_from_a_part_and_from_the_results(tmp_path: Path) -> None:
    part = part_of(tmp_path / "part", FRAMES)
    assert list(frames_of_part(part)) == FRAMES
    for most in (None, 0, 3):
        write_results([part], tmp_path / "results", tmp_path / "index", most)
        assert list(frames_of_results(tmp_path / "results", tmp_path / "index")) == FRAMES[:most]
