"""A video that another process decodes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

from video_worker.sandbox.decoder_link import DecoderLink
from video_worker.sandbox.limits import DecoderLimits
from video_worker.sandbox.picture_memory import PictureMemory, job_of
from video_worker.sandbox.records import (
    BadRecordError,
    FramesRequest,
    Opened,
    PictureRecord,
    RunEnd,
    SlotReturned,
)
from video_worker.video.open_video import Image, Picture

_PASSED_PICTURE_S = 0.1


class SandboxedVideo(AbstractContextManager["SandboxedVideo"]):
    """An `OpenVideo` whose file only the decoder reads. Leaving it ends the decoder.

    Parameters
    ----------
    file
        Descriptor of the file, open for reading; the caller closes it.

    Raises
    ------
    UnreadableVideoError, ResourceLimitError, AnalysisCrashedError, TransientError
        On opening or while iterating: what is wrong with the file, or what happened to the decoder.
    """

    def __init__(self, link: DecoderLink, file: int, max_pixels: int, limits: DecoderLimits) -> None:
        self._link = link
        self._limits = limits
        self._run = 0
        job = job_of(max_pixels)
        self._memory = PictureMemory(job)
        try:
            with link.ending_on_error():
                link.hand_over(job, file, self._memory.descriptor)
                opened = _checked(link.hear(time.monotonic() + limits.picture_s), max_pixels)
        except BaseException:
            self._memory.close()
            raise
        self.facts = opened.facts
        self.warnings = opened.warnings
        self.is_divisible = opened.is_divisible

    def __exit__(self, *_: object) -> None:
        self._link.close()
        self._memory.close()

    def frames(self, stride: int = 1, first: int = 0) -> Iterator[Picture]:
        """Every picture whose index is a multiple of ``stride``, from index ``first`` on.

        It ends the iteration that an earlier call has begun.
        """
        self._run += 1
        passed = stride if self.is_divisible else stride + first
        wait_s = self._limits.picture_s + _PASSED_PICTURE_S * passed
        with self._link.ending_on_error():
            self._link.say(FramesRequest(self._run, stride, first), time.monotonic() + wait_s)
        return self._pictures(FramesRequest(self._run, stride, first), wait_s)

    def _pictures(self, wanted: FramesRequest, wait_s: float) -> Iterator[Picture]:
        least, until = wanted.first, time.monotonic() + wait_s
        while (picture := self._next(wanted, least, until)) is not None:
            yield picture
            least = picture.index + 1
            if picture.image is not None:  # lost pictures without end are no sign of life
                until = time.monotonic() + wait_s

    def _next(self, wanted: FramesRequest, least: int, until: float) -> Picture | None:
        """The next picture of a run, checked and copied; None after the last one."""
        if wanted.run != self._run:
            raise RuntimeError("frames() was called again, which ends the iteration before")
        with self._link.ending_on_error():
            record = self._record(wanted.run, until)
            if record is None:
                return None
            if record.index < least or record.index % wanted.stride:
                raise BadRecordError(f"a picture has the index {record.index}")
            return Picture(record.index, record.time_us, self._image(record, until), record.stored_size)

    def _record(self, run: int, until: float) -> PictureRecord | None:
        while True:
            record = self._link.hear(until)
            if isinstance(record, Opened):
                raise BadRecordError("the video was opened twice")
            if record.run == run:
                return None if isinstance(record, RunEnd) else record
            if isinstance(record, PictureRecord):  # of an iteration that was given up
                self._image(record, until)

    def _image(self, record: PictureRecord, until: float) -> Image | None:
        """A copy of the picture, whose slot the decoder then gets back."""
        if record.slot is None:
            return None
        image = self._memory.copy_of(record.slot, self.facts.width, self.facts.height)
        self._link.say(SlotReturned(record.slot), until)
        return image


def _checked(record: Opened | PictureRecord | RunEnd, max_pixels: int) -> Opened:
    if not isinstance(record, Opened):
        raise BadRecordError(f"{type(record).__name__} before the video was opened")
    if record.facts.width * record.facts.height > max_pixels:
        raise BadRecordError("the pictures are larger than is allowed")
    return record
