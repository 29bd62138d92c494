"""Upload a large video in parts: several at a time, each again if it fails, only those that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from video_jobs_client.errors import UnexpectedAnswerError, UploadError, UploadIncompleteError
from video_jobs_client.models import SignedPart, UploadProgress
from video_jobs_client.protocol.answers import refusal_of
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Body, Request, Steps, together
from video_jobs_client.protocol.retries import ask
from video_jobs_client.uploads.progress import Meter
from video_jobs_client.uploads.sources import Video

T = TypeVar("T")
_SIGNED_AT_ONCE = 32
"""URLs are signed shortly before they are used, because they expire; the service signs up to 100."""
_SIGNATURES = 3
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """The upload of a video to a job that waits for it."""

    calls: Calls
    job_id: str
    video: Video
    meter: Meter
    parallel: int

    def run(self, there: UploadProgress) -> Steps[None]:
        """Send what is missing, and complete the upload: the job starts.

        Raises
        ------
        UploadError
            If the storage refuses a part, or the file has changed.
        """
        self.meter.resume(sum(part.size_bytes for part in there.parts))
        for _ in range(_ROUNDS):
            yield from self._send_missing(there)
            try:
                yield from self.calls.complete_upload(self.job_id)
            except UploadIncompleteError:
                there = yield from self.calls.upload(self.job_id)
            else:
                return
        raise UploadError("The storage loses parts of the upload again and again; try it later")

    def _send_missing(self, there: UploadProgress) -> Steps[None]:
        before_last = (there.part_count - 1) * there.part_bytes
        if not before_last < self.video.size_bytes <= before_last + there.part_bytes:
            raise UnexpectedAnswerError("The service wants parts that are not those of the video")
        size_of = {n: self._size(n, there.part_bytes) for n in range(1, there.part_count + 1)}
        stored = {part.part_number: part.size_bytes for part in there.parts}
        missing = [number for number, size in size_of.items() if stored.get(number) != size]
        for numbers in _batches(missing, _SIGNED_AT_ONCE):
            signed = yield from self._signed(numbers)
            sending = [self._send(part, there.part_bytes) for part in signed]
            yield from together(sending, self.parallel)

    def _send(self, part: SignedPart, part_bytes: int) -> Steps[None]:
        body = self._body(part.part_number, part_bytes)
        for _ in range(_SIGNATURES):
            request = Request("PUT", part.url, content=body, is_signed=True, timeout_s=self.calls.timeout_s)
            answer = yield from ask(request, self.calls.retries)
            if 200 <= answer.status < 300:
                return
            if answer.status not in (400, 403):
                break
            (part,) = yield from self._signed([part.part_number])
        raise UploadError(f"The storage refused part {part.part_number} with {refusal_of(answer)}")

    def _signed(self, numbers: list[int]) -> Steps[list[SignedPart]]:
        """URLs for these parts, and no others."""
        signed = (yield from self.calls.sign_parts(self.job_id, numbers)).parts
        if sorted(part.part_number for part in signed) != numbers:
            raise UnexpectedAnswerError("The service signed other parts of the upload than it was asked for")
        return [*signed]

    def _body(self, number: int, part_bytes: int) -> Body:
        start = (number - 1) * part_bytes
        return self.meter.measured(self.video.slice(start, self._size(number, part_bytes)))

    def _size(self, number: int, part_bytes: int) -> int:
        return min(part_bytes, self.video.size_bytes - (number - 1) * part_bytes)


def _batches(numbers: list[int], size: int) -> list[list[int]]:
    left = iter(numbers)
    batches = []
    while batch := list(islice(left, size)):
        batches.append(batch)
    return batches
