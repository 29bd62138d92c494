"""CVAT for video 1.1, as of https://docs.cvat.ai/docs/manual/advanced/xml_format/.

A track ends by a box with ``outside="1"`` on the first analysed frame without it, and goes on if it is seen
again. Between the analysed frames, CVAT interpolates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import TextIO

from video_jobs_client.exports.mot import check_tracks
from video_jobs_client.exports.output import Target, opened, plain
from video_jobs_client.exports.sorted_lines import SortedLines
from video_jobs_client.results import Detection, Frame, Results


def write_cvat(results: Results, target: Target) -> None:
    """The tracks; detections that belong to no track are left out.

    The file fits a task that was made from all frames of the same video, and has labels of the same names.

    Raises
    ------
    ResultsError
        If the results have no tracks, or if the size of the video is not known.
    """
    video = results.video
    with opened(target) as file, SortedLines() as boxes:
        tracks = _Tracks(boxes)
        for frame in results.frames():
            check_tracks(frame, "CVAT")
            tracks.add(frame)
        frame_count = max(video.frame_count or 0, tracks.frame_count)
        tracks.end(frame_count)
        names = [*results.class_names, *sorted(tracks.names - set(results.class_names))]
        file.write(_head(names, frame_count, (video.width, video.height)))
        _write_tracks(file, boxes)
        file.write("</annotations>\n")


@dataclass(slots=True)
class _Tracks:
    """Puts the boxes of all tracks aside, and keeps in memory only the tracks that are on the last frame.

    Attributes
    ----------
    names
        The classes that were seen.
    frame_count
        The least number of frames that the video must have.
    """

    boxes: SortedLines
    names: set[str] = field(default_factory=set)
    frame_count: int = 0
    _shown: dict[int, Detection] = field(default_factory=dict)

    def add(self, frame: Frame) -> None:
        """The next frame."""
        shown = {one.track_id: one for one in frame.detections if one.track_id is not None}
        for track_id in self._shown.keys() - shown.keys():
            self._put(frame.index, self._shown[track_id], is_outside=True)
        for one in shown.values():
            self._put(frame.index, one)
        self.names |= {one.class_name for one in shown.values()}
        self.frame_count = frame.index + 1
        self._shown = shown

    def end(self, frame_count: int) -> None:
        """End the tracks that are on the last analysed frame, if the video goes on after it."""
        if self.frame_count < frame_count:
            for one in self._shown.values():
                self._put(self.frame_count, one, is_outside=True)

    def _put(self, index: int, one: Detection, is_outside: bool = False) -> None:
        edges = zip(("xtl", "ytl", "xbr", "ybr"), one.xyxy, strict=True)
        corners = " ".join(f'{name}="{plain(edge, 2)}"' for name, edge in edges)
        flags = f'keyframe="1" outside="{int(is_outside)}" occluded="0"'
        track = f'<track id="{one.track_id}" label="{escape(one.class_name)}" source="auto">'
        box = f'<box frame="{index}" {flags} {corners} z_order="0"/>'
        self.boxes.add(one.track_id or 0, index, f"{track}\n{box}")


def _write_tracks(file: TextIO, boxes: SortedLines) -> None:
    """Each track with its boxes; a line of ``boxes`` has the start of its track, then the box."""
    for _, lines in groupby(boxes, key=itemgetter(0)):
        for number, (*_, line) in enumerate(lines):
            track, _, box = line.partition("\n")
            file.write(f"    {box}\n" if number else f"  {track}\n    {box}\n")
        file.write("  </track>\n")


def _head(names: list[str], frame_count: int, size: tuple[int, int]) -> str:
    return "\n".join(_head_lines(names, frame_count, size)) + "\n"


def _head_lines(names: list[str], frame_count: int, size: tuple[int, int]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield "<annotations>"
    yield "  <version>1.1</version>"
    yield "  <meta>"
    yield "    <task>"
    yield f"      <size>{frame_count}</size>"
    yield "      <mode>interpolation</mode>"
    yield f"      <start_frame>0</start_frame><stop_frame>{max(0, frame_count - 1)}</stop_frame>"
    yield "      <labels>"
    for name in names:
        yield f"        <label><name>{escape(name, quote=False)}</name><attributes></attributes></label>"
    yield "      </labels>"
    yield f"      <original_size><width>{size[0]}</width><height>{size[1]}</height></original_size>"
    yield "    </task>"
    yield "  </meta>"
