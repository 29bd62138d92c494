"""The fork server: it prepares everything that decoding needs, and then forks decoders on request.

Starting a decoder as a fresh program takes more than ten times as long. The server starts with an empty
environment and never sees a file of a job, so there is nothing of one job that the next could inherit.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import socket
import struct
import time
from typing import NamedTuple

import av
import psutil

from video_worker.sandbox.confinement import FEATURES, Confinement, be_the_first_to_go, die_with_parent
from video_worker.sandbox.decoder import Opener, decode_one_video
from video_worker.sandbox.limits import DecoderLimits
from video_worker.sandbox.warm_up import warm_up

READY = struct.Struct("<I")
"""One bit for each of `FEATURES` that the host lacks."""

REQUEST = struct.Struct("<Biid")
"""Kind, process id, and how long to wait for its end, in seconds."""

FORKED = struct.Struct("<i")
"""Process id."""

ENDED = struct.Struct("<?id")
"""Whether it ended by itself, its wait status, and its CPU time in seconds."""

FORK, END = 1, 2
_CONNECTION = 3
_PAUSE_S = 0.005
_THREADS_END_S = 10
_CRASHED = 70
_LATE_CODECS = ("encodings.ascii", "encodings.latin_1", "encodings.utf_8", "encodings.utf_16")


class Request(NamedTuple):
    """Fork a decoder, whose socket comes along, or end one."""

    kind: int
    pid: int = 0
    patience_s: float = 0.0

    def encode(self) -> bytes:
        """The request as bytes."""
        return REQUEST.pack(self.kind, self.pid, 0, self.patience_s)


def main(control_descriptor: int, opener_name: str, limits: DecoderLimits) -> None:
    """Get ready, then serve until the analysing process ends."""
    _import_all()
    opener = _load(opener_name)
    warm_up(opener)
    os.environ.clear()
    confinement = Confinement.of_this_host()
    gc.collect()
    _wait_for_other_threads()
    gc.freeze()
    with socket.socket(fileno=control_descriptor) as control:
        missing = sum(1 << bit for bit, name in enumerate(FEATURES) if name in confinement.missing)
        control.sendall(READY.pack(missing))
        _Server(control, opener, confinement, limits).serve()


class _Server:
    def __init__(
        self, control: socket.socket, opener: Opener, confinement: Confinement, limits: DecoderLimits
    ) -> None:
        self._control = control
        self._opener = opener
        self._confinement = confinement
        self._limits = limits
        self._decoders: set[int] = set()

    def serve(self) -> None:
        """Answer requests; when the analysing process has ended, end every decoder."""
        while True:
            content, descriptors = self._request()
            if not content:
                break
            kind, pid, _, patience_s = REQUEST.unpack(content)
            self._control.sendall(self._fork(*descriptors) if kind == FORK else self._end(pid, patience_s))
        for pid in list(self._decoders):
            self._end(pid, 0)

    def _request(self) -> tuple[bytes, list[int]]:
        """The next request; an empty one if the analysing process has ended, whatever it left unread."""
        try:
            content, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        except ConnectionResetError:
            return b"", []
        return content, descriptors

    def _fork(self, connection: int) -> bytes:
        parent_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_decoder(connection, parent_pid)
        os.close(connection)
        self._decoders.add(pid)
        return FORKED.pack(pid)

    def _be_decoder(self, connection: int, parent_pid: int) -> None:
        """Keep nothing but the decoder's own socket, and never return."""
        try:
            die_with_parent(parent_pid)
            be_the_first_to_go()
            for descriptor in (1, 2):  # 0 is /dev/null
                os.dup2(0, descriptor)
            os.dup2(connection, _CONNECTION)
            os.closerange(_CONNECTION + 1, os.sysconf("SC_OPEN_MAX"))
            decoder = socket.socket(fileno=_CONNECTION)
            decode_one_video(decoder, self._opener, self._confinement, self._limits)
            os._exit(0)
        finally:
            os._exit(_CRASHED)

    def _end(self, pid: int, patience_s: float) -> bytes:
        """Give a decoder some time to end by itself, then kill it."""
        self._decoders.discard(pid)
        until = time.monotonic() + patience_s
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        while not ended and time.monotonic() < until:
            time.sleep(_PAUSE_S)
            ended, status, usage = os.wait4(pid, os.WNOHANG)
        if not ended:
            os.kill(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
        return ENDED.pack(bool(ended), status, usage.ru_utime + usage.ru_stime)


def _wait_for_other_threads() -> None:
    """FFmpeg's threads are joined a moment before the system has ended them."""
    until = time.monotonic() + _THREADS_END_S
    while psutil.Process().num_threads() > 1:
        if time.monotonic() > until:
            raise RuntimeError("a process with several threads must not be forked")
        time.sleep(_PAUSE_S)


def _load(name: str) -> Opener:
    module, _, attribute = name.partition(":")
    found = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found  # type: ignore[return-value]


def _import_all() -> None:
    """Import what would be imported late: a decoder cannot import any more."""
    names = [module.name for module in pkgutil.walk_packages(av.__path__, "av.")]
    for name in (*names, *_LATE_CODECS):
        if not name.endswith("__main__"):
            importlib.import_module(name)
