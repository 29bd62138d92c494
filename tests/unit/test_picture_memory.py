"""The shared memory for pictures: its size is fixed, and each picture has its slot."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
from video_worker.sandbox.picture_memory import PictureMemory, job_of, map_slots, write_picture
from video_worker.sandbox.records import BadRecordError

JOB = job_of(1000)


@pytest.fixture
def memory() -> Iterator[PictureMemory]:
    made = PictureMemory(JOB)
    yield made
    made.close()


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux can seal memory")
@pytest.mark.parametrize("size", [0, JOB.slots * JOB.slot_bytes + 1])
def test_nobody_changes_its_size(memory: PictureMemory, size: int) -> None:
    with pytest.raises(PermissionError):
        os.ftruncate(memory.descriptor, size)


def test_a_picture_comes_out_as_a_copy(memory: PictureMemory) -> None:
    slots = map_slots(memory.descriptor, JOB)
    image = np.arange(20 * 50 * 3, dtype=np.uint8).reshape(20, 50, 3)
    write_picture(slots[3], image, (20, 50))
    copy = memory.copy_of(3, 50, 20)
    write_picture(slots[3], np.zeros_like(image), (20, 50))
    assert np.array_equal(copy, image)


def test_a_picture_of_another_size_is_refused(memory: PictureMemory) -> None:
    (slot, *_) = map_slots(memory.descriptor, JOB)
    with pytest.raises(ValueError, match="a picture has the shape"):
        write_picture(slot, np.zeros((20, 50, 3), np.uint8), (50, 20))


def test_there_is_no_fifth_slot(memory: PictureMemory) -> None:
    with pytest.raises(BadRecordError, match="no slot 4"):
        memory.copy_of(4, 1, 1)
