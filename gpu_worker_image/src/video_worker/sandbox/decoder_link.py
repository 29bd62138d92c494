"""Speaking with one decoder, which is ended at the first thing that goes wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf

from aws_lambda_powertools import Logger
from video_jobs.domain.errors import (
    AnalysisCrashedError,
    NoFrameChosenError,
    ResourceLimitError,
    UnreadableVideoError,
    VideoJobsError,
)

from video_worker.sandbox.decoder_process import DecoderProcess
from video_worker.sandbox.limits import DecoderLimits
from video_worker.sandbox.records import (
    RECORD_BYTES,
    BadRecordError,
    Failure,
    FailureCode,
    FramesRequest,
    JobRecord,
    MapPiece,
    MapRequest,
    Opened,
    PictureRecord,
    RunEnd,
    SlotReturned,
    decode_record,
)
from video_worker.video.file_view import OutsideRangesError

_WATCH_PAUSE_S = 0.1


class DecoderLink:
    """The connection to a decoder. Times are those of `time.monotonic`."""

    def __init__(self, decoder: DecoderProcess, limits: DecoderLimits, logger: Logger) -> None:
        self._decoder = decoder
        self._limits = limits
        self._logger = logger
        self._is_open = True
        self._next_check = 0.0

    def hand_over(self, job: JobRecord, *descriptors: int) -> None:
        """Give the decoder its job."""
        self._decoder.hand_over(job, *descriptors)

    def say(self, message: FramesRequest | MapRequest | SlotReturned, until: float) -> None:
        """Send a message; a decoder that does not listen counts as one that is stuck."""
        self._set_time_limit(until)
        self._decoder.connection.sendall(message.encode())

    def hear(self, until: float) -> Opened | PictureRecord | RunEnd | MapPiece:
        """The next record.

        Raises
        ------
        BadRecordError, TimeoutError, OSError, VideoJobsError
            Which `ending_on_error` translates.
        """
        record = decode_record(self._read(RECORD_BYTES, until), lambda size: self._read(size, until))
        if isinstance(record, Failure):
            raise self._told(record)
        return record

    def close(self) -> None:
        """End the decoder, whatever it is doing."""
        if self._is_open:
            self._is_open = False
            self._decoder.kill()

    @contextmanager
    def ending_on_error(self) -> Iterator[None]:
        """End the decoder after any error, and tell the job what was wrong.

        Raises
        ------
        UnreadableVideoError, NoFrameChosenError, ResourceLimitError, AnalysisCrashedError
        TransientError, OutsideRangesError
        """
        try:
            yield
        except BaseException as error:
            told = self._translated(error)
            self._logger.warning("decoder ended", action="decoder_ended", reason=repr(error), told=repr(told))
            self.close()
            if told is None:
                raise
            raise told from error

    def _translated(self, error: BaseException) -> VideoJobsError | None:
        if isinstance(error, TimeoutError):
            return ResourceLimitError(
                f"Decoding this video got stuck: no picture came within {self._limits.picture_s:.0f} s; "
                "convert it to H.264 and submit it again"
            )
        if isinstance(error, BadRecordError):
            return AnalysisCrashedError(
                "The decoder gave impossible answers on this video; convert it to H.264 and submit it again"
            )
        if isinstance(error, (EOFError, ConnectionError)) and self._is_open:
            self._is_open = False
            return self._decoder.death()
        return None

    def _told(self, failure: Failure) -> VideoJobsError:
        """The error that the decoder itself has told."""
        match failure.code:
            case FailureCode.UNREADABLE:
                return UnreadableVideoError(failure.text)
            case FailureCode.NO_FRAME_CHOSEN:
                return NoFrameChosenError(failure.text)
            case FailureCode.RESOURCE_LIMIT:
                return ResourceLimitError(failure.text)
            case FailureCode.OUTSIDE_RANGES:
                return OutsideRangesError(failure.text)
            case FailureCode.OUT_OF_MEMORY:
                return self._out_of_memory()
            case FailureCode.UNEXPECTED:
                self._logger.error("decoding failed", action="decoding_failed", details=failure.text)
                return AnalysisCrashedError(
                    "The decoder failed on this video; convert it to H.264 and submit it again"
                )

    def _read(self, size: int, until: float) -> bytes:
        content = b""
        while len(content) < size:
            self._check_memory()
            self._set_time_limit(until, _WATCH_PAUSE_S)
            with suppress(TimeoutError):
                piece = self._decoder.connection.recv(size - len(content))
                if not piece:
                    raise EOFError
                content += piece
        return content

    def _set_time_limit(self, until: float, most_s: float = inf) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._decoder.connection.settimeout(min(left, most_s))

    def _check_memory(self) -> None:
        """See what the decoder uses. The system's limit is higher: FFmpeg would take pictures for damaged."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + _WATCH_PAUSE_S
        if self._decoder.memory_bytes() > self._limits.memory_mib << 20:
            raise self._out_of_memory()

    def _out_of_memory(self) -> ResourceLimitError:
        return ResourceLimitError(
            f"Decoding this video takes more than {self._limits.memory_mib} MiB of memory; "
            "submit it at a smaller resolution"
        )
