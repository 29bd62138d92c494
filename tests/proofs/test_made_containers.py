"""Containers of any form: each one is read right, or refused with a true sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from video_jobs.domain.errors import UnreadableVideoError
from video_jobs.domain.sampling import EVERY_PICTURE
from video_worker.video import index

from tests.fixtures.made_containers import FAULTS, MadeContainer, made_containers
from tests.fixtures.numbered_pictures import read_number, stored_as
from tests.fixtures.numbered_videos.entry import FRAMES
from tests.support.readings import Reading, read_from, read_video_file

EXAMPLES = 330
CONTAINERS = {b"qt  ": "mov", b"M4V ": "m4v", b"3gp5": "3gp"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module", autouse=True)
def many_starts() -> Iterator[None]:
    """Decoding may start at every key picture, else a short video has only one place to start at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "SEGMENT_PACKETS", 1)
        yield


def test_each_container_is_read_right_or_refused(folder: Path) -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES)
    @given(made=made_containers(FRAMES))
    def check(made: MadeContainer) -> None:
        outcomes[made.fault or "read"] += 1
        check_container(made, folder)

    check()
    assert sum(outcomes.values()) >= 300
    assert set(outcomes) == {"read", *FAULTS}


def check_container(made: MadeContainer, folder: Path) -> None:
    path = folder / "made.mp4"
    path.write_bytes(made.content(folder))
    if made.fault is None:
        check_reading(made, read_video_file(path), path)
    else:
        with pytest.raises(UnreadableVideoError) as refusal:
            read_video_file(path)
        assert FAULTS[made.fault] in str(refusal.value)


def check_reading(made: MadeContainer, reading: Reading, path: Path) -> None:
    facts, pictures = reading.facts, reading.pictures
    assert [picture.index for picture in pictures] == list(range(len(made.timeline.shown)))
    assert [picture.time_us for picture in pictures] == made.timeline.times_us
    assert (facts.rotation, facts.mirrored) == (made.rotation, made.mirrored)
    if made.layout.brand is not None:
        assert facts.container == CONTAINERS.get(made.layout.brand, facts.container)
    for picture, number in zip(pictures, made.timeline.shown, strict=True):
        assert picture.image is not None
        assert read_number(stored_as(picture.image, made.rotation, made.mirrored)) == number
    first = len(pictures) * 2 // 3
    assert read_from(path, EVERY_PICTURE, first, 3) == reading.prints()[first : first + 3]
