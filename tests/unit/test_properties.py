"""What holds for every input, not only for the examples that somebody thought of."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from video_jobs.domain.chunks import MAX_CHUNKS, MIN_CHUNK_BYTES, chunk_sizes
from video_jobs.domain.cursor import decode_cursor, encode_cursor
from video_jobs.domain.errors import InvalidCursorError, InvalidKeyError
from video_jobs.domain.keys import checked_key, job_id_of_video, video_key
from video_worker.results_serializer import DECIMALS, frame_index_of, frame_line

from tools.governance.validate_vocabulary import Vocabulary

POSITIONS = st.text(st.characters(codec="utf-8"), max_size=60)
SCOPES = st.lists(st.none() | POSITIONS, max_size=3)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(POSITIONS, SCOPES)
def test_a_cursor_gives_its_position_back(position: str, scope: list[str | None]) -> None:
    assert decode_cursor(encode_cursor(position, *scope), *scope) == position


@given(POSITIONS, SCOPES, SCOPES)
def test_a_cursor_of_another_scope_is_refused(
    position: str, scope: list[str | None], other: list[str | None]
) -> None:
    assume(scope != other)
    with pytest.raises(InvalidCursorError):
        decode_cursor(encode_cursor(position, *scope), *other)


@given(st.text())
def test_no_text_at_all_breaks_the_reading_of_cursors(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        decode_cursor(text, "owner")


@given(st.integers(1, 5 * 2**40))
def test_the_chunks_of_an_upload_make_the_whole_and_are_such_as_s3_takes(size_bytes: int) -> None:
    sizes = chunk_sizes(size_bytes)
    assert sum(sizes) == size_bytes
    assert len(sizes) <= MAX_CHUNKS
    assert set(sizes[:-1]) <= {sizes[0]}
    assert all(size >= MIN_CHUNK_BYTES for size in sizes[:-1])
    assert 0 < sizes[-1] <= sizes[0]


@given(st.integers(0, 2**40), st.dictionaries(st.text(string.ascii_letters), VALUES, max_size=5))
def test_a_results_line_is_read_back_and_written_again_as_the_same_bytes(
    frame_index: int, result: dict[str, Any]
) -> None:
    line = frame_line({"frame_index": frame_index, "result": result})
    assert b"\n" not in line
    assert frame_index_of(line) == frame_index
    assert frame_line(json.loads(line)) == line
    # AND the order of keys makes no difference
    backwards = dict(reversed(result.items()))
    assert frame_line({"result": backwards, "frame_index": frame_index}) == line


@given(FLOATS)
def test_a_number_is_rounded_and_zero_has_no_sign(value: float) -> None:
    written = json.loads(frame_line({"value": value}))["value"]
    assert written == round(value, DECIMALS)
    assert "-0.0}" not in frame_line({"value": value}).decode()


@given(st.text())
def test_a_storage_key_stays_inside_the_storage_or_is_refused(text: str) -> None:
    try:
        key = checked_key(text)
    except InvalidKeyError:
        return
    assert not {"", ".", ".."}.intersection(key.split("/"))
    assert "\\" not in key


@given(st.uuids(version=4))
def test_the_key_of_a_video_names_its_job(job_id: Any) -> None:
    assert job_id_of_video(video_key(str(job_id))) == str(job_id)


WORD = st.text(string.ascii_lowercase, min_size=2, max_size=6)
TERM = st.builds("_".join, st.lists(WORD, min_size=1, max_size=3)) | st.builds("{}2{}".format, WORD, WORD)
SPELLINGS = st.sampled_from(
    [
        str,
        str.upper,
        lambda term: term.replace("_", "-"),
        lambda term: term.replace("_", "__"),
        lambda term: "".join(word.capitalize() for word in term.split("_")),
        lambda term: f"my_{term}",
        lambda term: f"{term}_of",
        lambda term: f"x.{term}(",
        lambda term: f"{term}s",
    ]
)


@given(TERM, SPELLINGS)
def test_a_term_is_found_in_every_spelling_and_inside_no_longer_word(term: str, spelling: Any) -> None:
    vocabulary = Vocabulary(paths=["."], forbidden=[term], allowed=[])
    assert [found for _, found in vocabulary.hits(spelling(term))] == [term]
    assert vocabulary.hits(f"q{term}") == []
    assert vocabulary.hits(f"{term}q") == []
