"""Opening videos in the analysing process without reading a byte of them there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from aws_lambda_powertools import Logger
from video_jobs.domain.errors import UnreadableVideoError
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling

from video_worker.part_ranges import Excerpt
from video_worker.sandbox.decoder_link import DecoderLink
from video_worker.sandbox.decoder_process import DecoderProcess, ForkServer
from video_worker.sandbox.limits import DecoderLimits
from video_worker.sandbox.picture_memory import job_of
from video_worker.sandbox.sandboxed_video import SandboxedVideo

VIDEO_READER = "video_worker.video.video_reader:VideoReader.of_descriptor"


class SandboxedVideos(AbstractContextManager["SandboxedVideos"]):
    """Opens each video in a decoder process of its own.

    Entering starts the fork server, which warms up on its own meanwhile; leaving ends it and its decoders.

    Parameters
    ----------
    opener
        The function that opens a video in the decoder, as ``module:attribute``.
    path
        Where Python looks for modules in the decoder.

    Examples
    --------
    >>> with SandboxedVideos(DecoderLimits.from_settings(settings), Logger()) as videos:  # doctest: +SKIP
    ...     with videos.open(Path("clip.mp4"), sampling=Sampling(stride=5)) as video:
    ...         indexes = [picture.index for picture in video.frames()]
    """

    def __init__(
        self,
        limits: DecoderLimits,
        logger: Logger,
        opener: str = VIDEO_READER,
        path: Sequence[str] | None = None,
    ) -> None:
        self._limits = limits
        self._logger = logger
        self._opener = opener
        self._path = tuple(sys.path if path is None else path)
        self._server: ForkServer | None = None
        self._is_ready = False

    def __enter__(self) -> SandboxedVideos:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.__exit__()

    @property
    def server_pid(self) -> int | None:
        """Process id of the fork server, or None if there is none."""
        return self._server.pid if self._server else None

    def prepare(self) -> None:
        """Wait until a decoder can be forked, and log what this host lacks to confine it.

        Raises
        ------
        TransientError
            If the fork server does not start.
        """
        self._ready_server()

    def open(
        self,
        path: Path,
        max_pixels: int | None = None,
        sampling: Sampling = EVERY_PICTURE,
        excerpt: Excerpt | None = None,
    ) -> SandboxedVideo:
        """Open a local file in a decoder (a `VideoOpener`).

        ``max_pixels`` is at most that of the limits.
        """
        most = min(max_pixels or self._limits.max_pixels, self._limits.max_pixels)
        job = job_of(most, sampling, None if excerpt is None else excerpt.ranges)
        with ExitStack() as at_the_end:
            try:
                files = [at_the_end.enter_context(path.open("rb", buffering=0))]
                if excerpt is not None:
                    files.append(at_the_end.enter_context(excerpt.index.open("rb", buffering=0)))
            except OSError as exc:
                raise UnreadableVideoError from exc
            link = DecoderLink(self._next_decoder(), self._limits, self._logger)
            return SandboxedVideo(link, [file.fileno() for file in files], job, self._limits)

    def _next_decoder(self) -> DecoderProcess:
        """The decoder that was forked ahead; the one after it is forked meanwhile."""
        server = self._ready_server()
        decoder = server.next_decoder()
        server.begin_fork()
        return decoder

    def _ready_server(self) -> ForkServer:
        server = self._server
        if server is None or not server.is_alive:
            self._logger.warning("fork server replaced", action="fork_server_replaced")
            self.__exit__()
            server = self._start()
        if not self._is_ready:
            self._wait_until_ready(server)
        return server

    def _start(self) -> ForkServer:
        self._is_ready = False
        self._server = ForkServer(self._opener, self._limits, self._path)
        return self._server

    def _wait_until_ready(self, server: ForkServer) -> None:
        missing = server.wait_until_ready()
        server.begin_fork()
        self._is_ready = True
        if missing:
            self._logger.warning(
                "decoders are confined less on this host", action="sandbox_incomplete", missing=list(missing)
            )
