"""The files that a job's results become: the same bytes, whatever the parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from video_jobs.adapters.local.memory_storage import MemoryStorage
from video_jobs.domain.results import END_FRAME, SEPARATOR, IndexLayout, IndexRecord
from video_worker.analysis import AnalysedFrame, PartNotes
from video_worker.joined_results import JoinedFiles, JoinedResults
from video_worker.results_serializer import part_line
from video_worker.summary.fold import summary_bytes

from tests.support.folding import folded, video_facts
from tests.support.joining import joined, part_lines, person_walking, track_ids_of

JOB_ID = "11111111-1111-4111-8111-111111111111"


FRAMES = [
    AnalysedFrame(10 * n, round(n * 33.367, 3), {"text": '[1,"é"],\n', "n": n} | person_walking(n))
    for n in range(9)
]
TRACKS = [track_ids_of(n) for n in range(9)]
SPLITS = [[9], [4, 5], [0, 1, 1, 0, 3, 1, 2, 1, 0], [0], []]


def parts(split: list[int]) -> Iterator[bytes]:
    """The lines of parts of so many frames."""
    given = iter(FRAMES)
    for count in split:
        yield from part_lines([next(given) for _ in range(count)])


def contents(files: JoinedFiles) -> list[bytes]:
    return [path.read_bytes() for path in files]


def records(index: bytes) -> list[IndexRecord]:
    layout = IndexLayout.of(index)
    return [layout.record(index, layout.position(number)) for number in range(layout.frames(len(index)) + 1)]


def test_the_results_are_the_frames_with_their_times_behind_them(tmp_path: Path) -> None:
    times = (0, 33.367, 40, 41.5, 3_600_000)
    frames = [AnalysedFrame(n, time, {}) for n, time in enumerate(times)]
    files = joined(tmp_path, part_lines(frames)).files
    lines = ",\n".join(f'{{"frame_index":{n},"result":{{}}}}' for n in range(5))
    expected = f'{{"results":[\n{lines}\n],"timestamps_ms":[0,33.367,40,41.5,3600000]}}\n'
    assert files.results.read_text() == expected


def test_the_tracks_are_a_line_for_each_frame(tmp_path: Path) -> None:
    files = joined(tmp_path, part_lines(FRAMES[:3])).files
    assert files.tracks.read_text() == '{"track_ids":[\n[1],\n[null,1],\n[1]\n]}\n'


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("max_frames", [None, 0, 1, 2, 5, 9, 20])
def test_the_indexes_find_each_line_and_its_time_whatever_the_parts(
    tmp_path: Path, split: list[int], max_frames: int | None
) -> None:
    # WHEN frames in parts are joined
    results = joined(tmp_path, parts(split), max_frames)
    wanted = FRAMES[: sum(split)][:max_frames]
    # THEN the files are JSON, and have no more frames than are wanted
    body, index, summary, tracks_body, tracks_index = contents(results.files)
    whole, tracks = json.loads(body), json.loads(tracks_body)["track_ids"]
    assert [(f["frame_index"], f["result"]) for f in whole["results"]] == [(f[0], f[2]) for f in wanted]
    assert whole["timestamps_ms"] == [frame.timestamp_ms for frame in wanted]
    assert results.frames == len(wanted) == len(tracks)
    assert len(wanted) < 3 or tracks == TRACKS[: len(wanted)]
    # AND the ranges of both indexes are their lines
    for content, raw, lines in ((body, index, whole["results"]), (tracks_body, tracks_index, tracks)):
        found = records(raw)
        assert [(r.frame_index, r.time_us) for r in found] == [
            *((frame.frame_index, round(1000 * frame.timestamp_ms)) for frame in wanted),
            (END_FRAME, 0),
        ]
        ranges = [content[a.offset : b.offset - len(SEPARATOR)] for a, b in pairwise(found)]
        assert list(map(json.loads, ranges)) == lines
    # AND the summary is of these frames
    assert summary == summary_bytes(folded(wanted)[0])


@settings(max_examples=20)
@given(st.lists(st.integers(0, 9), max_size=6))
def test_the_bytes_do_not_depend_on_the_parts(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("joined")
    split = [end - begin for begin, end in pairwise([0, *sorted(cuts), 9])]
    again = contents(joined(folder, parts(split)).files)
    assert again == contents(joined(folder, parts([9])).files)


def test_the_notes_of_all_parts_come_with_the_results(tmp_path: Path) -> None:
    notes = [PartNotes(1, 5), PartNotes(), PartNotes(2, 33, ((8, 9),))]
    lines = [line for n, note in enumerate(notes) for line in part_lines(FRAMES[n : n + 1], note)]
    assert joined(tmp_path, lines).notes == notes


@pytest.mark.parametrize(
    ("max_frames", "notes"), [(3, [PartNotes(1, 15, ((8, 9),))]), (2, [PartNotes(0, None, ((8, 9),))])]
)
def test_pictures_behind_the_last_frame_are_not_told(
    tmp_path: Path, max_frames: int, notes: list[PartNotes]
) -> None:
    first = part_lines(FRAMES[:3], PartNotes(1, 15, ((8, 9),)))
    second = part_lines(FRAMES[3:], PartNotes(1, 45))
    assert joined(tmp_path, first + second, max_frames).notes == notes


def test_a_part_is_taken_as_it_is_in_its_file_and_refused_if_it_is_cut_off(tmp_path: Path) -> None:
    part = tmp_path / "part"
    with JoinedResults(tmp_path, lambda: None) as results:
        part.write_bytes(b"".join(part_lines(FRAMES)))
        results.add_part(part)
        results.close(video_facts())
        taken = contents(results.files)
    assert taken == contents(joined(tmp_path, parts([9])).files)
    for content in (b"", part_line(FRAMES[0])):
        part.write_bytes(content)
        with (
            JoinedResults(tmp_path, lambda: None) as results,
            pytest.raises(ValueError, match="part ends without notes"),
        ):
            results.add_part(part)


class NoLongerError(Exception):
    """The attempt must end."""


@pytest.mark.parametrize("calls", [0, 3, 9, 10, 18])
def test_joining_ends_at_any_frame_if_the_attempt_must_end(tmp_path: Path, calls: int) -> None:
    """While the 9 frames and the end of their part are taken, and while the times are written."""
    left = iter(range(calls))

    def keep_going() -> None:
        if next(left, None) is None:
            raise NoLongerError

    with pytest.raises(NoLongerError):
        joined(tmp_path, parts([9]), keep_going=keep_going)


def test_all_files_are_stored_and_their_versions_are_told(tmp_path: Path) -> None:
    storage = MemoryStorage()
    results = joined(tmp_path, parts([9]))
    results.store(JOB_ID, storage)
    output = results.store(JOB_ID, storage)
    summary = output.summary
    assert summary is not None
    stored = [
        (output.key, output.version),
        (f"video_jobs/{JOB_ID}_results.idx", output.index_version),
        (summary.key, summary.version),
        (summary.tracks_key, summary.tracks_version),
        (f"video_jobs/{JOB_ID}_tracks.idx", summary.tracks_index_version),
    ]
    assert len(set(stored)) == len({version for _, version in stored}) == 5
    for (key, version), content in zip(stored, contents(results.files), strict=True):
        found = storage.find_file(key)
        assert found is not None
        assert found.version == version
        assert storage.read_range(key, 0, len(content) + 1, version) == content
