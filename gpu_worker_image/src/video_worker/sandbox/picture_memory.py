"""The shared memory through which a decoder hands over pictures: a few slots of a fixed size.

The analysing process makes it for each job. It is sealed, so that the decoder cannot change its size, and the
analysing process reads from it like from a file, which copies: it maps nothing that the decoder can change.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile

import numpy as np
from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling

from video_worker.sandbox.records import BadRecordError, JobRecord
from video_worker.video.open_video import Image

SLOTS = 4
_BYTES_PER_PIXEL = 3


def job_of(
    max_pixels: int, sampling: Sampling = EVERY_PICTURE, ranges: tuple[ByteRange, ...] | None = None
) -> JobRecord:
    """Slots that are large enough for any picture of a job. Memory that is not written takes no room."""
    page = mmap.PAGESIZE
    slot_bytes = -(-max_pixels * _BYTES_PER_PIXEL // page) * page
    return JobRecord(max_pixels, slot_bytes, SLOTS, sampling, ranges)


class PictureMemory:
    """The analysing process's side: it makes the memory and copies pictures out of it."""

    def __init__(self, job: JobRecord) -> None:
        self._job = job
        self.descriptor = _sealed_memory(job.slot_bytes * job.slots)

    def copy_of(self, slot: int, width: int, height: int) -> Image:
        """A copy of the picture in a slot.

        Raises
        ------
        BadRecordError
            If there is no such slot.
        """
        image = np.empty((height, width, _BYTES_PER_PIXEL), np.uint8)
        if os.preadv(self.descriptor, [image.data], slot * self._job.slot_bytes) != image.nbytes:
            raise BadRecordError(f"no slot {slot} has such a picture")
        return image

    def close(self) -> None:
        """Give the memory back."""
        os.close(self.descriptor)


def map_slots(descriptor: int, job: JobRecord) -> list[memoryview]:
    """The decoder's side: each slot as writable memory."""
    size = job.slot_bytes
    memory = memoryview(mmap.mmap(descriptor, size * job.slots))
    return [memory[slot * size : (slot + 1) * size] for slot in range(job.slots)]


def write_picture(slot: memoryview, image: Image, size: tuple[int, int]) -> None:
    """Copy a picture of this height and width to the start of a slot.

    Raises
    ------
    ValueError
        If it has another size.
    """
    shape = (*size, _BYTES_PER_PIXEL)
    if image.shape != shape:
        raise ValueError(f"a picture has the shape {image.shape} instead of {shape}")
    np.copyto(np.frombuffer(slot, np.uint8, image.size).reshape(shape), image)


def anonymous_file(name: str) -> int:
    """The descriptor of an empty file without a path; in memory, where the system has that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _sealed_memory(size: int) -> int:
    descriptor = anonymous_file("pictures")
    os.ftruncate(descriptor, size)
    if hasattr(fcntl, "F_ADD_SEALS"):
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
