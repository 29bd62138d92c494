"""The same frames give the same bytes."""

from __future__ import annotations

import pytest
from video_jobs.domain.video import JobWarning
from video_worker.analysis import AnalysedFrame, PartNotes
from video_worker.results_serializer import (
    frame_index_of,
    frame_line,
    notes_line,
    notes_of,
    part_line,
    read_frame,
    warnings_of,
)


def test_keys_are_sorted_floats_rounded_and_zero_has_no_sign() -> None:
    line = frame_line({"result": {"b": -0.00001, "a": 1.23456, "c": "é", "d": (1, 2.0)}, "frame_index": 3})
    assert line.decode() == '{"frame_index":3,"result":{"a":1.2346,"b":0.0,"c":"é","d":[1,2.0]}}'
    assert frame_index_of(line) == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        frame_line({"frame_index": 0, "result": {"a": value}})


def test_a_part_has_a_line_for_each_frame_and_one_for_its_notes() -> None:
    notes = PartNotes(2, 7, ((640, 360),))
    line, last = part_line(AnalysedFrame(5, 166.833, {"a": 1.00001})), notes_line(notes)
    assert line == b'[166833,{"frame_index":5,"result":{"a":1.0}}]\n'
    assert last == b'{"part":{"first_lost":7,"lost":2,"other_sizes":[[640,360]]}}\n'
    # AND they are read as they were written, rounded
    assert read_frame(line) == (
        (5, 166833, b'{"frame_index":5,"result":{"a":1.0}}'),
        AnalysedFrame(5, 166.833, {"a": 1.0}),
    )
    assert notes_of(last) == notes


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
