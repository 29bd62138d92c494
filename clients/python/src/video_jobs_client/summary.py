"""The summary of a job's video: what was seen, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Self

import msgspec

from video_jobs_client.errors import ResultsError
from video_jobs_client.files import PathOrName, json_file
from video_jobs_client.intervals import Interval
from video_jobs_client.models import (
    ClassInView,
    ClassSummary,
    InView,
    JobResource,
    TextSummary,
    TrackSummary,
    Video,
    VideoSummary,
)
from video_jobs_client.results import video_of

Content = Literal["texts", "objects", "tracks"]
"""The lines of text, the classes of objects, or each object by itself."""

_VERSION = 1


class Summary:
    """The summary of a job.

    Parameters
    ----------
    summary
        ``summary`` of an answer of ``GET /video/summary/{job_id}``, or the file of its ``summary_url``.
    video
        The ``video`` of the job, for exports in the time of a player.

    Raises
    ------
    ResultsError
        If the summary is of a version that this package does not know.

    Attributes
    ----------
    told
        The whole summary.

    Examples
    --------
    >>> next(job.summary().intervals("texts"))
    Interval(start_ms=0.0, end_ms=1000.0, text='HARBOUR')
    """

    def __init__(self, summary: VideoSummary, video: Video | None = None) -> None:
        _check_version(summary.version)
        self.told = summary
        self._video = video

    @classmethod
    def of_job(cls, job: JobResource, summary: VideoSummary) -> Self:
        """A summary with all that the job resource (``GET /video/jobs/{job_id}``) tells about it."""
        return cls(summary, job.video)

    @classmethod
    def from_files(cls, job: PathOrName, summary: PathOrName) -> Self:
        """A summary from JSON files: the job resource, and the answer or the file of its ``summary_url``.

        Raises
        ------
        ResultsError
            If a file is none of these, or the summary was too large for the answer.
        """
        told = json_file(summary, dict[str, Any])
        found = told.get("summary", told)
        if found is None:
            raise ResultsError(
                f"{summary} has no summary, which was too large: pass the file that its summary_url downloads"
            )
        return cls.of_job(json_file(job, JobResource), video_summary(found))

    @property
    def video(self) -> Video:
        """The ``video`` of the job.

        Raises
        ------
        ResultsError
            If it is not known.
        """
        return video_of(self._video)

    @property
    def texts(self) -> tuple[TextSummary, ...]:
        """The lines of text, in the order of their first appearance."""
        return self.told.texts

    @property
    def classes(self) -> tuple[ClassSummary, ...]:
        """The classes of objects that were seen."""
        return self.told.classes

    @property
    def tracks(self) -> tuple[TrackSummary, ...]:
        """The objects, in the order of their first appearance."""
        return self.told.tracks

    def intervals(self, content: Content) -> Iterator[Interval]:
        """When each text, class or object was in view."""
        for name, shown in self._named(content):
            yield Interval(shown.start_ms, shown.end_ms, name)

    def _named(self, content: Content) -> Iterable[tuple[str, InView | ClassInView]]:
        match content:
            case "texts":
                return ((one.text, shown) for one in self.texts for shown in one.intervals)
            case "objects":
                return ((_several(one, shown), shown) for one in self.classes for shown in one.intervals)
            case "tracks":
                return ((track_name(one), shown) for one in self.tracks for shown in one.intervals)


def video_summary(told: Any) -> VideoSummary:
    """A summary as it was decoded from JSON.

    Raises
    ------
    ResultsError
        If it is of a version that this package does not know, or no summary.
    """
    _check_version(told.get("version") if isinstance(told, Mapping) else None)
    try:
        return msgspec.convert(told, VideoSummary)
    except msgspec.ValidationError as error:
        raise ResultsError(f"This is no summary: {error}") from None


def track_name(track: TrackSummary) -> str:
    """What an object is called: its class and its number."""
    return f"{track.class_name} #{track.track_id}"


def _check_version(version: Any) -> None:
    if version is None:
        raise ResultsError("This is no summary: it has no version")
    if version != _VERSION:
        raise ResultsError(f"The summary has version {version}: install a newer video-jobs-client")


def _several(one: ClassSummary, shown: ClassInView) -> str:
    """The name of a class, with how many were seen at a time if it were several."""
    return f"{one.class_name} ({shown.most_at_once})" if shown.most_at_once > 1 else one.class_name
