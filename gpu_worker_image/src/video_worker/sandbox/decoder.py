"""The decoder: a forked process that reads one file and hands over its pictures."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from video_jobs.domain.sampling import Sampling

from video_worker.sandbox.confinement import Confinement, limit_resources
from video_worker.sandbox.limits import DecoderLimits
from video_worker.sandbox.map_record import map_pieces
from video_worker.sandbox.picture_memory import map_slots, write_picture
from video_worker.sandbox.records import (
    JOB_BYTES,
    REQUEST_BYTES,
    Failure,
    FramesRequest,
    JobRecord,
    MapRequest,
    PictureRecord,
    RunEnd,
    decode_request,
    encode_opened,
)
from video_worker.video.open_video import Held, OpenVideo, Picture

Opener = Callable[[int, int, Sampling, Held | None], OpenVideo]
"""Opens a video by its descriptor, which it closes, with at most so many pixels a picture."""

_SOME_BYTES = 4096


class _HungUpError(Exception):
    """The analysing process needs no more pictures."""


def decode_one_video(
    connection: socket.socket, opener: Opener, confinement: Confinement, limits: DecoderLimits
) -> None:
    """Wait for a file, give up all rights, and decode it for the analysing process until that hangs up."""
    content, descriptors, _, _ = socket.recv_fds(connection, JOB_BYTES, 3)
    if not content:  # the analysing process has ended
        return
    job = JobRecord.decode(content)
    file, memory, *index = descriptors
    slots = map_slots(memory, job)
    os.close(memory)
    try:
        limit_resources(limits.memory_mib, limits.cpu_s, job.slots * job.slot_bytes)
        confinement.give_up_rights()
        held = None if job.ranges is None else Held(job.ranges, _content(*index))
        with opener(file, job.max_pixels, job.sampling, held) as video:
            connection.sendall(encode_opened(video))
            _Conversation(connection, video, slots).hold()
    except (_HungUpError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:  # noqa: BLE001 - the analysing process must learn of any error
        connection.sendall(Failure.of(error).encode())
        while connection.recv(_SOME_BYTES):  # messages that nobody reads would discard the failure
            pass


def _content(descriptor: int) -> bytes:
    size = os.lseek(descriptor, 0, os.SEEK_END)
    return os.pread(descriptor, size, 0)


class _Conversation:
    """Answers requests for pictures. At most one run over the video is under way."""

    def __init__(self, connection: socket.socket, video: OpenVideo, slots: list[memoryview]) -> None:
        self._connection = connection
        self._video = video
        self._slots = slots
        self._free = list(range(len(slots)))
        self._wanted: FramesRequest | None = None

    def hold(self) -> None:
        """Answer until the analysing process hangs up."""
        while True:
            while self._wanted is None:
                self._listen(wait=True)
            request, self._wanted = self._wanted, None
            self._send_pictures(request)

    def _send_pictures(self, request: FramesRequest) -> None:
        for picture in self._video.frames(request.first, request.end):
            self._listen(wait=False)
            slot = None if picture.image is None else self._free_slot()
            if self._wanted is not None:
                return
            self._send(picture, slot, request.run)
        self._connection.sendall(RunEnd(request.run).encode())

    def _send(self, picture: Picture, slot: int | None, run: int) -> None:
        if slot is not None and picture.image is not None:
            self._free.remove(slot)
            write_picture(
                self._slots[slot], picture.image, (self._video.facts.height, self._video.facts.width)
            )
        record = PictureRecord(run, picture.index, picture.time_us, slot, picture.stored_size)
        self._connection.sendall(record.encode())

    def _free_slot(self) -> int | None:
        """Wait until a slot is free, or until other pictures are wanted."""
        while not self._free and self._wanted is None:
            self._listen(wait=True)
        return self._free[0] if self._free else None

    def _listen(self, wait: bool) -> None:
        """Take the next message, if there is one or if it is worth waiting for."""
        flags = socket.MSG_WAITALL if wait else socket.MSG_DONTWAIT
        try:
            content = self._connection.recv(REQUEST_BYTES, flags)
        except BlockingIOError:
            return
        if not content:
            raise _HungUpError
        content += self._connection.recv(REQUEST_BYTES - len(content), socket.MSG_WAITALL)
        message = decode_request(content)
        if isinstance(message, FramesRequest):
            self._wanted = message
        elif isinstance(message, MapRequest):
            for piece in map_pieces(self._video.map(message.part_frames)):
                self._connection.sendall(piece.encode())
        else:
            self._free.append(message.slot)
