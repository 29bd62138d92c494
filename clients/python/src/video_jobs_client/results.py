"""The results of a job, read frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from operator import index as as_index
from typing import Any, Self

from video_jobs_client.errors import ResultsError
from video_jobs_client.files import PathOrName, json_file
from video_jobs_client.models import JobResource, Video

Page = Mapping[str, Any]
"""One answer of ``GET /video/results/{job_id}``, or the whole results file."""


_FOREIGN = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Detection:
    """An object on a frame.

    Attributes
    ----------
    xyxy
        Left, top, right and bottom in pixels of the analysed picture.
    confidence
        From 0 to 1.
    track_id
        The same on all frames where the same object was seen; None if it belongs to no track, or if the
        results have no tracks.
    """

    class_id: int
    class_name: str
    confidence: float
    xyxy: tuple[float, float, float, float]
    track_id: int | None = None

    @property
    def width(self) -> float:
        """In pixels."""
        return self.xyxy[2] - self.xyxy[0]

    @property
    def height(self) -> float:
        """In pixels."""
        return self.xyxy[3] - self.xyxy[1]


@dataclass(frozen=True, slots=True)
class Word:
    """A word on a frame.

    Attributes
    ----------
    xyxy
        Left, top, right and bottom in pixels of the analysed picture.
    confidence
        From 0 to 100.
    level
        Tesseract's: 5 for a word.
    block_num, line_num
        Words that have both numbers in common stand in one line.
    """

    text: str
    confidence: float
    xyxy: tuple[float, float, float, float]
    level: int
    block_num: int
    line_num: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What was found on one frame.

    Attributes
    ----------
    index
        The place of the frame in the video, from 0.
    timestamp_ms
        When it is shown, in milliseconds from the first picture of the video; None in results of old jobs.
    result
        What the pipeline gave, as it is in the results.
    track_ids
        One for each detection, in their order; None if the results have no tracks.
    """

    index: int
    timestamp_ms: float | None
    result: Mapping[str, Any]
    track_ids: Sequence[int | None] | None = None

    @property
    def name(self) -> str:
        """What files about this frame are called, without their ending."""
        return f"frame_{self.index:06d}"

    @property
    def detections(self) -> list[Detection]:
        """The objects, in the order of the results."""
        try:
            found = self.result.get("detections", ())
            ids = self.track_ids if self.track_ids is not None else [None] * len(found)
            return [_detection(one, track_id) for one, track_id in zip(found, ids, strict=True)]
        except _FOREIGN as error:
            raise _foreign(f"A detection of frame {self.index}", error) from None

    @property
    def words(self) -> list[Word]:
        """The words, in the order of the results."""
        try:
            return [_word(block) for block in self.result.get("blocks", ())]
        except _FOREIGN as error:
            raise _foreign(f"A word of frame {self.index}", error) from None

    @property
    def lines(self) -> list[str]:
        """The lines of text, each with single spaces."""
        try:
            lines = (" ".join(line.split()) for line in self.result.get("text", "").splitlines())
        except _FOREIGN as error:
            raise _foreign(f"The text of frame {self.index}", error) from None
        return [line for line in lines if line]


class Results:
    """The results of a job.

    Nothing of a frame is kept after it was read, so that results may be longer than what fits in memory.

    Parameters
    ----------
    pages
        Answers of ``GET /video/results/{job_id}`` in their order, decoded from JSON, or the results file as
        the only page. An iterator can be read once, a list as often as is wanted.
    video
        The ``video`` of the job, for exports that need its size or duration.
    class_names
        The names of all classes of the model, by ``class_id``.

    Examples
    --------
    >>> page = {"results": [{"frame_index": 0, "result": {"text": "EXIT 12"}}], "timestamps_ms": [0]}
    >>> [(frame.timestamp_ms, frame.lines) for frame in Results([page]).frames()]
    [(0, ['EXIT 12'])]
    """

    def __init__(
        self, pages: Iterable[Page], video: Video | None = None, class_names: Sequence[str] = ()
    ) -> None:
        self._pages = pages
        self._is_used_up = False
        self._video = video
        self.class_names = tuple(class_names)

    @classmethod
    def of_job(cls, job: JobResource, pages: Iterable[Page]) -> Self:
        """Results with all that the job resource (``GET /video/jobs/{job_id}``) tells about them.

        Raises
        ------
        ResultsError
            If the ``fingerprint`` of the job is none of the service.
        """
        try:
            names = _class_names(job.fingerprint or {})
        except _FOREIGN as error:
            raise _foreign("The fingerprint of the job", error) from None
        return cls(pages, job.video, names)

    @classmethod
    def from_files(cls, job: PathOrName, *pages: PathOrName) -> Self:
        """Results from JSON files: the job resource, and the pages in their order, or the results file.

        A page is read from its file when its first frame is asked for.

        Raises
        ------
        ResultsError
            If a file is none of these.
        """
        return cls.of_job(json_file(job, JobResource), _PagesOfFiles(pages))

    @property
    def video(self) -> Video:
        """The ``video`` of the job.

        Raises
        ------
        ResultsError
            If it is not known.
        """
        return video_of(self._video)

    def frames(self) -> Iterator[Frame]:
        """Every frame, in the order of the video.

        Raises
        ------
        ResultsError
            If the pages contradict themselves, or were read before and cannot be read again.
        """
        if self._is_used_up:
            raise ResultsError("These results were read before: pass a list of pages to read them again")
        self._is_used_up = iter(self._pages) is self._pages
        last = -1
        for frame in (frame for page in self._pages for frame in _frames_of(page)):
            last = index_after(last, frame)
            yield frame


class _PagesOfFiles:
    """Pages that are read each time they are asked for."""

    def __init__(self, paths: Sequence[PathOrName]) -> None:
        self._paths = paths

    def __iter__(self) -> Iterator[Page]:
        return (json_file(path, dict[str, Any]) for path in self._paths)


def video_of(video: Video | None) -> Video:
    """The ``video`` of a job.

    Raises
    ------
    ResultsError
        If it is not known.
    """
    if video is None:
        raise ResultsError("The facts of the video are needed: pass the video of the job resource")
    return video


def index_after(last: int, frame: Frame) -> int:
    """The index of a frame that comes after frame ``last``.

    Raises
    ------
    ResultsError
        If it does not belong there.
    """
    if frame.index <= last:
        raise ResultsError(f"Frame {frame.index} comes after frame {last}: pass each page once, in order")
    return frame.index


def _frames_of(page: Page) -> Iterator[Frame]:
    found = page.get("results") if isinstance(page, Mapping) else None
    if not isinstance(found, list | tuple):
        raise ResultsError("There is a page without results: pass answers of GET /video/results/{job_id}")
    times = _beside(found, page.get("timestamps_ms"), "timestamps_ms")
    tracks = _beside(found, page.get("track_ids"), "track_ids")
    for one, timestamp_ms, track_ids in zip(found, times, tracks, strict=True):
        try:
            index, result = as_index(one["frame_index"]), one["result"]
            count = len(result.get("detections", ()))
            time = None if timestamp_ms is None else _number(timestamp_ms)
            _check_track_ids(track_ids)
        except _FOREIGN as error:
            raise _foreign("A frame", error) from None
        if track_ids is not None and len(track_ids) != count:
            raise ResultsError(f"Frame {index} has {count} detections and {len(track_ids)} track_ids")
        yield Frame(index, time, result, track_ids)


def _foreign(what: str, error: Exception) -> ResultsError:
    """What to say of results that are none of the service."""
    lacks = f"has no {error.args[0]}" if isinstance(error, KeyError) else "is not as the service gives it"
    return ResultsError(f"{what} {lacks}: pass answers of GET /video/results/{{job_id}}")


def _beside(found: Sequence[Any], values: Sequence[Any] | None, name: str) -> Sequence[Any]:
    """One value for each frame; None where the page has none."""
    if values is None:
        return [None] * len(found)
    if not isinstance(values, list | tuple):
        raise ResultsError(
            f"A page has {name} that are no list: pass answers of GET /video/results/{{job_id}}"
        )
    if len(values) != len(found):
        raise ResultsError(f"A page has {len(found)} frames and {len(values)} {name}")
    return values


def _detection(found: Mapping[str, Any], track_id: int | None) -> Detection:
    left, top, right, bottom = map(_number, found["xyxy"])
    box = (left, top, right, bottom)
    _check_kinds(found, class_id=int, class_name=str, confidence=Real)
    return Detection(found["class_id"], found["class_name"], found["confidence"], box, track_id)


def _word(block: Mapping[str, Any]) -> Word:
    box = block["bbox"]
    left, top, width, height = (_number(box[name]) for name in ("x", "y", "width", "height"))
    _check_kinds(block, text=str, confidence=Real, level=int, block_num=int, line_num=int)
    place = (block["level"], block["block_num"], block["line_num"])
    return Word(block["text"], block["confidence"], (left, top, left + width, top + height), *place)


def _class_names(fingerprint: Mapping[str, Any]) -> Sequence[str]:
    plugins = fingerprint.get("plugins", {}).values()
    names = next((facts["classes"] for facts in plugins if "classes" in facts), ())
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise TypeError
    return names


def _check_track_ids(track_ids: Any) -> None:
    if track_ids is None:
        return
    if not isinstance(track_ids, list | tuple) or not all(isinstance(one, int | None) for one in track_ids):
        raise TypeError


def _check_kinds(found: Mapping[str, Any], **kinds: type) -> None:
    for name, kind in kinds.items():
        if not isinstance(found[name], kind) or isinstance(found[name], bool):
            raise TypeError


def _number(value: Any) -> float:
    """The value, whose kind stays: exports write it as it came."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError
    return value  # type: ignore[return-value]  # mypy takes no float for a Real
