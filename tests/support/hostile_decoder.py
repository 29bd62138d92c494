"""A stand-in for a decoder that a file has taken over: it does what the file's first line names.

An attempt that the system refuses is told as ``refused``; one that succeeds gives a good video, so that its
job would complete. Files that name no attempt are decoded as usual.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import pickle
import resource
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
from video_jobs.domain.byte_ranges import ByteRange
from video_jobs.domain.errors import UnreadableVideoError
from video_jobs.domain.sampling import Sampling
from video_jobs.domain.video import JobWarning, VideoFacts
from video_worker.part_ranges import PartRanges
from video_worker.sandbox.records import (
    MOST_BODY_BYTES,
    FailureCode,
    PictureRecord,
    encode_opened,
)
from video_worker.video.open_video import Held, OpenVideo, Picture, VideoMap
from video_worker.video.video_reader import VideoReader

MARK = b"attempt "
SIDE = 16

_CONNECTION = 3
_libc = ctypes.CDLL(None, use_errno=True)
_hoard: list[Any] = []


def facts(width: int, height: int) -> VideoFacts:
    return VideoFacts(
        container="mp4",
        codec="h264",
        width=width,
        height=height,
        frame_count=None,
        duration_ms=None,
        average_frame_rate=None,
        first_picture_ms=0.0,
        rotation=0,
        mirrored=False,
        interlaced=False,
        variable_frame_rate=False,
        hdr=None,
    )


class GoodVideo:
    """Three grey pictures."""

    facts = facts(SIDE, SIDE)
    warnings: tuple[JobWarning, ...] = ()
    is_divisible = True
    candidates: int | None = None

    def __init__(self, attempt: Callable[[], object] = lambda: None) -> None:
        self._attempt = attempt

    def frames(self, first: int = 0, end: int | None = None) -> Iterator[Picture]:
        _refusal_told(self._attempt)
        for index in range(first, 3):
            yield Picture(index, index * 1000, np.full((SIDE, SIDE, 3), 128, np.uint8))

    def map(self, part_frames: int) -> VideoMap | None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def open_video(descriptor: int, max_pixels: int, sampling: Sampling, held: Held | None) -> OpenVideo:
    content = os.pread(descriptor, 200, 0)
    if not content.startswith(MARK):
        return VideoReader.of_descriptor(descriptor, max_pixels, sampling, held)
    name, _, argument = content[len(MARK) :].decode().partition(" ")
    if name in VIDEOS:
        return VIDEOS[name]()
    if name in LIES:
        return GoodVideo(LIES[name])
    _refusal_told(lambda: ATTEMPTS[name](argument))
    return GoodVideo()


def _refusal_told(attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except PermissionError:
        raise UnreadableVideoError("refused") from None


def _call(function: Any, *arguments: Any) -> None:
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), "refused")


# --- what a program can try ------------------------------------------------------------------------


def _environment(_: str) -> None:
    """Any variable, as Python or as the C library sees it."""
    found = ctypes.POINTER(ctypes.c_char_p).in_dll(_libc, "environ")
    if not os.environ and not (found and found[0]):
        raise PermissionError("it is empty")


def _truncate(_: str) -> None:
    """Shrink the shared memory, which would kill who reads it."""
    for descriptor in range(3, 16):
        if _libc.ftruncate(descriptor, ctypes.c_long(0)) == 0:
            return
    raise PermissionError


def _process_vm_readv(pid: str) -> None:
    buffer = ctypes.create_string_buffer(8)
    local = struct.pack("PN", ctypes.addressof(buffer), 8)
    remote = struct.pack("PN", id(_hoard), 8)
    _call(_libc.process_vm_readv, int(pid), local, 1, remote, 1, 0)


def _map(flags: int, protection: int) -> None:
    _libc.mmap.restype = ctypes.c_long
    _call(
        _libc.mmap, None, ctypes.c_size_t(4096), protection, flags | mmap.MAP_ANONYMOUS, -1, ctypes.c_long(0)
    )


def _make_executable(_: str) -> None:
    page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    _call(_libc.mprotect, ctypes.c_void_p(start), 4096, mmap.PROT_READ | mmap.PROT_EXEC)


def _eat_memory(_: str) -> None:
    while True:
        _hoard.append(np.ones(1 << 20))  # 8 MiB


def _eat_cpu(_: str) -> None:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def _hang_up(_: str) -> None:
    os.close(_CONNECTION)
    time.sleep(600)


ATTEMPTS: dict[str, Callable[[str], object]] = {
    "nothing": lambda _: None,
    "open_for_reading": lambda path: os.open(path, os.O_RDONLY),
    "open_for_writing": lambda path: os.open(path, os.O_RDWR | os.O_CREAT),
    "delete": os.unlink,
    "look_at": os.stat,
    "list": os.listdir,
    "make_folder": os.mkdir,
    "environment": _environment,
    "environment_of_parent": lambda _: os.open(f"/proc/{os.getppid()}/environ", os.O_RDONLY),
    "own_start": lambda _: os.open("/proc/self/environ", os.O_RDONLY),
    "memory_of": lambda pid: os.open(f"/proc/{pid}/mem", os.O_RDWR),
    "fork": lambda _: os.fork(),
    "spawn": lambda _: os.posix_spawn("/bin/true", ["true"], {}),
    "truncate": _truncate,
    "write": lambda _: [os.pwrite(descriptor, b"x", 0) for descriptor in range(4, 16)],
    "shared_memory": lambda _: _map(mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE),
    "executable_memory": lambda _: _map(mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC),
    "make_executable": _make_executable,
    "raise_limits": lambda _: _call(_libc.setrlimit, resource.RLIMIT_CPU, struct.pack("LL", 9999, 9999)),
    "be_traceable": lambda _: _call(_libc.prctl, 4, 1, 0, 0, 0),
    "socket": lambda _: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "socket_pair": lambda _: socket.socketpair(),
    "program": lambda _: subprocess.run(["/bin/true"], check=True),
    "replace": lambda _: os.execv("/bin/true", ["true"]),
    "kill": lambda pid: os.kill(int(pid), 0),
    "trace": lambda pid: _call(_libc.ptrace, 16, int(pid), None, None),
    "memory_of_process": _process_vm_readv,
    "memory_segment": lambda _: os.memfd_create("new"),
    "old_memory_segment": lambda _: _call(_libc.shmget, 0, 4096, 0o1600),
    "send_message": lambda _: _call(_libc.sendmsg, _CONNECTION, bytes(56), 0),
    "hang": lambda _: time.sleep(600),
    "eat_memory": _eat_memory,
    "eat_cpu": _eat_cpu,
    "crash": lambda _: ctypes.string_at(0),
    "exit": lambda _: os._exit(7),
    "hang_up": _hang_up,
    "fail": lambda _: [][1],
}


# --- what it can say -------------------------------------------------------------------------------


def _say(*contents: bytes, stay: bool = True) -> None:
    for content in contents:
        _call(_libc.send, _CONNECTION, content, len(content), 0)
    if stay:
        time.sleep(600)


def _picture(index: int = 0, time_us: int = 0, slot: int = 0, size: tuple[int, int] | None = None) -> bytes:
    return PictureRecord(1, index, time_us, slot, size).encode()


def _header(kind: int, flags: int = 0, number: int = 0) -> bytes:
    return struct.pack("<BBHIqqII", kind, flags, 0, 1, number, 0, 0, 0)


def _lost_without_end() -> None:
    for index in range(1 << 31):
        _say(PictureRecord(1, index, 0, None, None).encode(), stay=False)


LIES: dict[str, Callable[[], object]] = {
    "garbage": lambda: _say(b"\xff" * 100_000),
    "pickle": lambda: _say(pickle.dumps(GoodVideo.facts) * 100),
    "opened_twice": lambda: _say(encode_opened(GoodVideo())),
    "other_order": lambda: _say(_picture(2), _picture(1)),
    "same_again": lambda: _say(_picture(0), _picture(0)),
    "no_such_slot": lambda: _say(_picture(slot=4)),
    "negative_index": lambda: _say(_picture(-1)),
    "endless_time": lambda: _say(_picture(time_us=2**62)),
    "no_size": lambda: _say(_picture(size=(0, 7))),
    "large_body": lambda: _say(_header(4, FailureCode.UNREADABLE, MOST_BODY_BYTES + 1)),
    "negative_body": lambda: _say(_header(4, FailureCode.UNREADABLE, -1)),
    "unknown_failure": lambda: _say(_header(4, 99)),
    "nested": lambda: _say(_header(1, 0, MOST_BODY_BYTES) + b"[" * MOST_BODY_BYTES),
    "half": lambda: _say(_picture()[:10]),
    "lost_without_end": _lost_without_end,
}


class TooLarge(GoodVideo):
    """Says that its pictures are larger than it may make them."""

    facts = facts(1 << 15, 1 << 15)


class FailsLate(GoodVideo):
    """Gives up after its last picture."""

    def frames(self, first: int = 0, end: int | None = None) -> Iterator[Picture]:
        yield from super().frames(first, end)
        raise UnreadableVideoError("the rest is missing")


class LiesAboutRanges(GoodVideo):
    """Names ranges that its file does not have."""

    def map(self, part_frames: int) -> VideoMap | None:
        return VideoMap(PartRanges((ByteRange(0, 1 << 30),), ()), b"")


VIDEOS: dict[str, type[GoodVideo]] = {
    "too_large": TooLarge,
    "fail_late": FailsLate,
    "lie_about_ranges": LiesAboutRanges,
}
