"""Open a video and read its pictures with their exact times, with FFmpeg through PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from video_jobs.domain.byte_ranges import ByteRange, joined
from video_jobs.domain.errors import NoFrameChosenError, UnreadableVideoError
from video_jobs.domain.sampling import EVERY_PICTURE, Sampling
from video_jobs.domain.video import JobWarning, VideoFacts, WarningCode

from video_worker.part_ranges import Excerpt, PartRanges, few_ranges
from video_worker.video.boxes import FileBoxes, read_boxes
from video_worker.video.decoder import TrackDecoder
from video_worker.video.deinterlacer import FILTER
from video_worker.video.demuxer import Demuxer
from video_worker.video.file_view import VideoFile
from video_worker.video.index import VideoIndex
from video_worker.video.index_file import decode_packets, encode_packets
from video_worker.video.mapping import Mapper, NotRangedError
from video_worker.video.open_video import Held, Picture, VideoMap
from video_worker.video.picture_maker import PictureForm, PictureMaker, check_size, form_of
from video_worker.video.picture_sources import (
    PICTURES_TRIED,
    CountedPictures,
    Found,
    IndexedPictures,
    PictureSource,
    comes_as_indexed,
)
from video_worker.video.tone_curve import MAPPING
from video_worker.video.tracks import Track, choose_track

_CONTAINERS = {"qt  ": "mov", "M4V ": "m4v", "M4VH": "m4v", "M4VP": "m4v"}


def decoding_facts() -> dict[str, Any]:
    """What the bytes of pictures depend on besides the video, for the fingerprint of a job."""
    return {"av": av.__version__, "deinterlace": FILTER, "hdr": MAPPING}


class VideoReader(AbstractContextManager["VideoReader"]):
    """An open video that is decoded in this process (`open_video.OpenVideo`).

    A picture's bytes do not depend on where reading starts.

    Parameters
    ----------
    path
        A local file: MP4, MOV, M4V, 3GP or another one of the ISO base media format.
    max_pixels
        Largest picture, width times height; None allows any.
    sampling
        Which pictures `frames` gives.
    excerpt
        What of the file is here, if not all of it.

    Raises
    ------
    UnreadableVideoError
        On opening, if there is nothing to decode; the message says why.
    ResourceLimitError
        On opening, if the pictures are too large.
    OutsideRangesError
        On opening or while reading, if bytes are needed that are not here.

    Examples
    --------
    >>> with VideoReader(Path("clip.mp4"), sampling=Sampling(stride=10)) as video:  # doctest: +SKIP
    ...     for picture in video.frames():
    ...         print(picture.index, picture.timestamp_ms, video.facts.width)
    """

    facts: VideoFacts
    warnings: tuple[JobWarning, ...]
    is_divisible: bool
    candidates: int | None

    def __init__(
        self,
        path: Path,
        max_pixels: int | None = None,
        sampling: Sampling = EVERY_PICTURE,
        excerpt: Excerpt | None = None,
    ) -> None:
        held = None if excerpt is None else Held(excerpt.ranges, excerpt.index.read_bytes())
        self._open(os.open(path, os.O_RDONLY | os.O_CLOEXEC), max_pixels, sampling, held)

    @classmethod
    def of_descriptor(
        cls,
        descriptor: int,
        max_pixels: int | None = None,
        sampling: Sampling = EVERY_PICTURE,
        held: Held | None = None,
    ) -> Self:
        """Read an open file; the reader closes it."""
        reader = cls.__new__(cls)
        reader._open(descriptor, max_pixels, sampling, held)
        return reader

    def _open(self, descriptor: int, max_pixels: int | None, sampling: Sampling, held: Held | None) -> None:
        with ExitStack() as opened:
            opened.callback(os.close, descriptor)
            file, reads = VideoFile(descriptor, None if held is None else held.ranges), list[ByteRange]()
            with file.noting(reads):
                boxes = read_boxes(file)
                demuxer = opened.enter_context(_demuxer(file, boxes, max_pixels))
            index = _index(demuxer, held)
            track, decoder = demuxer.track, TrackDecoder(demuxer)
            with file.noting(reads):
                index, tried = _try_pictures(index, track, decoder)
            self.is_divisible = index.is_exact and comes_as_indexed(index, tried)
            form = form_of(tried[0], track.pixel_aspect or decoder.pixel_aspect)
            check_size(form.size, max_pixels)
            is_interlaced = any(picture.interlaced_frame for picture in tried)
            source = IndexedPictures if self.is_divisible else CountedPictures
            self._source: PictureSource = source(index, decoder, sampling)
            self.candidates = self._source.candidates
            self._maker = PictureMaker(form)
            self._found = _Opened(boxes, track, index, form, is_interlaced)
            self.facts = _facts(self._found, self.is_divisible)
            self.warnings = _warnings(boxes, track, form)
            self._demuxer, self._head = demuxer, joined(reads)
            self._opened = opened.pop_all()

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def frames(self, first: int = 0, end: int | None = None) -> Iterator[Picture]:
        """The candidates in order, from one of them on, and before another one, by their numbers."""
        read = first
        for found in self._source.found(first, end):
            yield self._picture(found)
            read += 1
        length = self._source.length
        if read == 0 and length is not None:
            raise NoFrameChosenError(
                f"No frame of this video is within the chosen times: it lasts {length}, counted "
                "from its first frame; submit it again with other values of start_ms and end_ms"
            )

    def map(self, part_frames: int) -> VideoMap | None:
        """What parts of so many candidates need; None if a part cannot be read without the rest."""
        index, source = self._found.index, self._source
        if not isinstance(source, IndexedPictures) or self._found.boxes.is_fragmented:
            return None
        mapper = Mapper(self._demuxer, index, source, is_interlaced=self._found.is_interlaced)
        try:
            ranges = PartRanges(few_ranges(self._head), mapper.parts(part_frames))
        except NotRangedError:
            return None
        return VideoMap(ranges, encode_packets(index.packets))

    def _picture(self, found: Found) -> Picture:
        if found.frame is None:
            return Picture(found.index, found.time_us, None)
        size = (found.frame.width, found.frame.height)
        other_size = None if size == self._maker.form.stored else size
        return Picture(found.index, found.time_us, self._maker.image(found.frame), other_size)


def _demuxer(file: VideoFile, boxes: FileBoxes, max_pixels: int | None) -> Demuxer:
    def choose(container: InputContainer) -> Track:
        track = choose_track(container, boxes)
        check_size(track.size, max_pixels)  # before anything is decoded
        return track

    try:
        return Demuxer(file, choose)
    except (av.FFmpegError, ValueError) as error:
        raise _damaged() from error


def _index(demuxer: Demuxer, held: Held | None) -> VideoIndex:
    if held is not None:
        return demuxer.take_index(decode_packets(held.index))
    try:
        return demuxer.read_index()
    except (av.FFmpegError, ValueError) as error:
        raise _damaged() from error


def _damaged() -> UnreadableVideoError:
    return UnreadableVideoError("Unable to read video file: it is damaged; upload the whole, playable file")


def _try_pictures(
    index: VideoIndex, track: Track, decoder: TrackDecoder
) -> tuple[VideoIndex, list[VideoFrame]]:
    """The first pictures that can be decoded, and the index without those that no player shows before them.

    Raises
    ------
    UnreadableVideoError
        If there is none.
    """
    if not index.packets:
        raise UnreadableVideoError(
            "Unable to read video file: its index names no pictures that it contains; upload the whole file"
        )
    tried = decoder.first_frames(index, PICTURES_TRIED)
    if not tried:
        raise UnreadableVideoError(
            f"Unable to read video file: none of its {len(index)} frames (codec {track.codec!r}) can be "
            "decoded; upload the whole file, or convert it to H.264"
        )
    return index.without_dangling({frame.pts for frame in tried if frame.pts is not None}), tried


@dataclass(frozen=True, slots=True)
class _Opened:
    boxes: FileBoxes
    track: Track
    index: VideoIndex
    form: PictureForm
    is_interlaced: bool


def _facts(opened: _Opened, is_exact: bool) -> VideoFacts:
    index, form = opened.index, opened.form
    count, duration_us = len(index), index.duration_us
    is_moving = is_exact and count > 1 and duration_us > 0
    return VideoFacts(
        container=_container(opened.boxes.brand),
        codec=opened.track.codec,
        width=form.size[0],
        height=form.size[1],
        frame_count=count if is_exact else None,
        duration_ms=duration_us / 1000 if is_exact else None,
        average_frame_rate=round(count * 1e6 / duration_us, 3) if is_moving else None,
        first_picture_ms=index.first_us / 1000,
        rotation=form.orientation.rotation,
        mirrored=form.orientation.mirrored,
        interlaced=opened.is_interlaced,
        variable_frame_rate=is_exact and index.is_uneven,
        hdr=form.transfer,
    )


def _container(brand: str) -> str:
    return "3gp" if brand.startswith("3g") else _CONTAINERS.get(brand, "mp4")


def _warnings(boxes: FileBoxes, track: Track, form: PictureForm) -> tuple[JobWarning, ...]:
    found = []
    if boxes.missing_bytes:
        message = f"The file is cut off: {boxes.missing_bytes} bytes of it are missing"
        found.append(JobWarning(WarningCode.FILE_CUT_OFF, message))
    if track.among > 1:
        width, height = track.size
        message = f"The file has {track.among} video tracks; that of {width}x{height} pixels was analysed"
        found.append(JobWarning(WarningCode.SEVERAL_VIDEO_TRACKS, message))
    if form.transfer is not None:
        name = form.transfer.upper()
        message = f"The video has a high dynamic range ({name}); it was mapped to the ordinary range"
        found.append(JobWarning(WarningCode.HDR_MAPPED, message))
    return tuple(found)
