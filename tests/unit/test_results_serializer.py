"""The same frames give the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from video_jobs.domain.results import END_FRAME, INDEX_RECORD, SEPARATOR
from video_worker.results_serializer import frame_index_of, frame_line, write_results


def test_keys_are_sorted_floats_rounded_and_zero_has_no_sign() -> None:
    line = frame_line({"result": {"b": -0.00001, "a": 1.23456, "c": "é", "d": (1, 2.0)}, "frame_index": 3})
    assert line.decode() == '{"frame_index":3,"result":{"a":1.2346,"b":0.0,"c":"é","d":[1,2.0]}}'
    assert frame_index_of(line) == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        frame_line({"frame_index": 0, "result": {"a": value}})


@pytest.mark.parametrize("split", [[5], [2, 3], [1, 1, 1, 1, 1], []])
def test_the_sidecar_finds_each_line_whatever_the_parts(tmp_path: Path, split: list[int]) -> None:
    # GIVEN frames in parts
    parts, number = [], 0
    for position, count in enumerate(split):
        lines = [frame_line({"frame_index": 10 * (number + i), "result": {"n": i}}) for i in range(count)]
        number += count
        parts.append(tmp_path / str(position))
        parts[-1].write_bytes(b"".join(line + b"\n" for line in lines))
    # WHEN they are joined
    results, index = tmp_path / "results", tmp_path / "index"
    assert write_results(parts, results, index) == number
    # THEN the file is JSON, and the sidecar's ranges are its frames
    content = results.read_bytes()
    frames = json.loads(content)["results"]
    records = list(INDEX_RECORD.iter_unpack(index.read_bytes()))
    assert records[-1][0] == END_FRAME
    for (frame_index, start), (_, following), frame in zip(records, records[1:], frames, strict=False):
        assert json.loads(content[start : following - len(SEPARATOR)]) == frame
        assert frame["frame_index"] == frame_index
    assert len(frames) == number
