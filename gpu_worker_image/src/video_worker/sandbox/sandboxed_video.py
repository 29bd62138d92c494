"""A video that another process decodes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice

from video_worker.passing import PassingTimes, passing_times
from video_worker.sandbox.decoder_link import DecoderLink
from video_worker.sandbox.limits import DecoderLimits
from video_worker.sandbox.map_record import checked_map
from video_worker.sandbox.picture_memory import PictureMemory
from video_worker.sandbox.records import (
    BadRecordError,
    FramesRequest,
    JobRecord,
    MapPiece,
    MapRequest,
    Opened,
    PictureRecord,
    RunEnd,
    SlotReturned,
)
from video_worker.video.open_video import Image, Picture, VideoMap
from video_worker.video.selection import Choice


class SandboxedVideo(AbstractContextManager["SandboxedVideo"]):
    """An `OpenVideo` whose file only the decoder reads. Leaving it ends the decoder.

    Parameters
    ----------
    files
        Descriptors of the file, open for reading, and of its index if only ranges of it are here; the caller
        closes them.

    Raises
    ------
    UnreadableVideoError, NoFrameChosenError, ResourceLimitError, AnalysisCrashedError
    TransientError, OutsideRangesError
        On opening or while iterating: what is wrong with the file, or what happened to the decoder.
    """

    def __init__(
        self, link: DecoderLink, files: Sequence[int], job: JobRecord, limits: DecoderLimits
    ) -> None:
        self._link = link
        self._file_bytes = os.fstat(files[0]).st_size
        self._limits = limits
        self._run = 0
        self._sampling = job.sampling
        self._memory = PictureMemory(job)
        try:
            with link.ending_on_error():
                link.hand_over(job, files[0], self._memory.descriptor, *files[1:])
                opened = _checked(link.hear(time.monotonic() + limits.picture_s), job.max_pixels)
        except BaseException:
            self._memory.close()
            raise
        self.facts = opened.facts
        self.warnings = opened.warnings
        self.is_divisible = opened.is_divisible
        self.candidates = opened.candidates

    def __exit__(self, *_: object) -> None:
        self._link.close()
        self._memory.close()

    def frames(self, first: int = 0, end: int | None = None) -> Iterator[Picture]:
        """The candidates in order, from one of them on, and before another one, by their numbers.

        It ends the iteration that an earlier call has begun.
        """
        self._run += 1
        passing = passing_times(self._sampling, first, self.facts)
        with self._link.ending_on_error():
            self._link.say(FramesRequest(self._run, first, end), self._until(passing.to_first_s))
        choice = Choice(self._sampling, least=first * self._sampling.stride)
        pictures = self._pictures(self._run, choice, passing)
        return pictures if end is None else islice(pictures, end - first)

    def map(self, part_frames: int) -> VideoMap | None:
        """What parts of so many candidates need; None if a part cannot be read without the rest."""
        until = self._until(0)
        with self._link.ending_on_error():
            self._link.say(MapRequest(part_frames), until)
            return checked_map(self._map_pieces(until), self._file_bytes)

    def _map_pieces(self, until: float) -> Iterator[MapPiece]:
        while True:
            piece = self._link.hear(until)
            if not isinstance(piece, MapPiece):
                raise BadRecordError(f"{type(piece).__name__} instead of a map of the video")
            yield piece

    def _until(self, passing_s: float) -> float:
        return time.monotonic() + self._limits.picture_s + passing_s

    def _pictures(self, run: int, choice: Choice, passing: PassingTimes) -> Iterator[Picture]:
        until = self._until(passing.to_first_s)
        while (picture := self._next(run, choice, until)) is not None:
            yield picture
            if picture.image is not None:  # lost pictures without end are no sign of life
                until = self._until(passing.to_next_s)

    def _next(self, run: int, choice: Choice, until: float) -> Picture | None:
        """The next picture of a run, checked and copied; None after the last one."""
        if run != self._run:
            raise RuntimeError("frames() was called again, which ends the iteration before")
        with self._link.ending_on_error():
            record = self._record(run, until)
            if record is None:
                return None
            if not choice.takes(record.index, record.time_us):
                raise BadRecordError(f"the picture {record.index} at {record.time_us} us is no candidate")
            return Picture(record.index, record.time_us, self._image(record, until), record.stored_size)

    def _record(self, run: int, until: float) -> PictureRecord | None:
        while True:
            record = self._link.hear(until)
            if isinstance(record, Opened | MapPiece):
                raise BadRecordError(f"{type(record).__name__} instead of a picture")
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


def _checked(record: Opened | PictureRecord | RunEnd | MapPiece, max_pixels: int) -> Opened:
    if not isinstance(record, Opened):
        raise BadRecordError(f"{type(record).__name__} before the video was opened")
    if record.facts.width * record.facts.height > max_pixels:
        raise BadRecordError("the pictures are larger than is allowed")
    return record
