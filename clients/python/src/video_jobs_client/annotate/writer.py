"""Write an MP4 of pictures with given times, and of packets that are copied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from pathlib import Path
from platform import machine
from typing import Any

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from video_jobs_client.annotate.canvas import FORMAT, RGB, Canvas
from video_jobs_client.errors import SoundError

_OPTIONS = {"preset": "veryfast", "crf": "20", "bf": "0", "threads": "4"}
"""The bytes depend on the number of threads, so it is not that of the machine's cores."""
_WITHOUT_AVX_512 = {"x264-params": "asm=sse4.2"}
"""All x86-64 processors since 2011 have SSE 4.2. Files stay as large; encoding takes up to 15 % longer."""
_MOST_TICKS = 2**31 - 1
"""In a second of the movie, as the file can tell."""


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture, with its time and how long it lasts in ticks of the track that it comes from."""

    pts: int
    duration: int
    canvas: Canvas


class Mp4Writer(AbstractContextManager["Mp4Writer"]):
    """Writes one track of pictures, and copies sounds.

    Parameters
    ----------
    path
        The file.
    track
        Where the pictures come from: the new track has its clock and its colours.
    sounds
        The tracks to copy.
    size
        Width and height of the pictures; an odd one is rounded up.

    Raises
    ------
    SoundError
        On opening, if MP4 cannot hold a sound.
    """

    def __init__(
        self, path: Path, track: VideoStream, sounds: Sequence[AudioStream], size: tuple[int, int]
    ) -> None:
        clock = track.time_base or Fraction(1, 90_000)
        self._output = av.open(str(path), "w", format="mp4", options=_clocks(clock, sounds))
        self._clock = clock
        self._video = self._output.add_stream("libx264", track.average_rate, options=_options(size[0]))
        self._video.width, self._video.height = size[0] + size[0] % 2, size[1] + size[1] % 2
        self._video.pix_fmt = FORMAT
        self._video.time_base = self._video.codec_context.time_base = clock
        _copy_colors(track, self._video)
        self._copies = {sound.index: self._copy_of(sound) for sound in sounds}
        self._durations: dict[int, int] = {}

    def __exit__(self, *_: object) -> None:
        self._output.close()

    def encode(self, pictures: Iterable[DrawnPicture]) -> None:
        """Encode pictures in their order."""
        for picture in pictures:
            frame = picture.canvas.frame()
            frame.pts, frame.time_base = picture.pts, self._clock
            self._durations[picture.pts] = picture.duration
            self._mux(frame)

    def end(self) -> None:
        """Encode what was held back."""
        self._mux(None)

    def copy(self, packet: Packet[Any]) -> None:
        """Copy a packet of a sound."""
        packet.stream = self._copies[packet.stream.index]
        self._output.mux(packet)

    def _mux(self, frame: VideoFrame | None) -> None:
        for packet in self._video.encode(frame):
            # Without it, the last picture would last no time.
            packet.duration = self._durations.pop(packet.pts or 0, 0)
            self._output.mux(packet)

    def _copy_of(self, sound: AudioStream) -> AudioStream:
        context = sound.codec_context
        name = "an unknown codec" if context is None else context.codec.canonical_name
        if name not in self._output.supported_codecs:
            raise SoundError(f"MP4 cannot hold the sound of this video ({name}): leave the sound out")
        return self._output.add_stream_from_template(sound)


def _options(width: int) -> dict[str, str]:
    """Options of x264 with which the same pictures give the same bytes.

    To tell which macroblocks later pictures are made of ("mbtree"), x264's code for AVX-512 takes eight of a
    row at a time. If their number is no multiple of eight, it goes on past the end of the last row and reads
    memory that was never written; what happens to be there then changes the quality of some macroblocks. The
    code for older processors does not count those past the end.
    """
    macroblocks = -(-width // 16)
    is_x86 = machine().lower() in ("x86_64", "amd64")
    return _OPTIONS | _WITHOUT_AVX_512 if macroblocks % 8 and is_x86 else _OPTIONS


def _clocks(clock: Fraction, sounds: Sequence[AudioStream]) -> dict[str, str]:
    """Options by which the file tells times in ticks of the source, also when its tracks begin."""
    bases = [sound.time_base for sound in sounds if sound.time_base]
    every = lcm(clock.denominator, *(base.denominator for base in bases))
    movie = every if every <= _MOST_TICKS else clock.denominator
    return {
        "video_track_timescale": str(clock.denominator),
        "movie_timescale": str(movie),
        "movflags": "+faststart",
    }


def _copy_colors(track: VideoStream, target: VideoStream) -> None:
    source, context = track.codec_context, target.codec_context
    is_rgb = source.colorspace == RGB
    context.colorspace = Colorspace.ITU709 if is_rgb else source.colorspace
    context.color_primaries, context.color_trc = source.color_primaries, source.color_trc
    context.color_range = ColorRange.MPEG
