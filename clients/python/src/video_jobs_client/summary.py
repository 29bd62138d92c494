"""The summary of a job's video: what was seen, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from video_jobs_client.errors import ResultsError
from video_jobs_client.intervals import Interval
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

    Examples
    --------
    >>> exit_sign = {"text": "EXIT", "intervals": [{"start_ms": 800, "end_ms": 3200}]}
    >>> summary = Summary({"version": 1, "texts": [exit_sign], "classes": [], "tracks": []})
    >>> list(summary.intervals("texts"))
    [Interval(start_ms=800, end_ms=3200, text='EXIT')]
    """

    def __init__(self, summary: Mapping[str, Any], video: Mapping[str, Any] | None = None) -> None:
        if summary["version"] != _VERSION:
            raise ResultsError(
                f"The summary has version {summary['version']}: install a newer video-jobs-client"
            )
        self._summary = summary
        self._video = video

    @classmethod
    def of_job(cls, job: Mapping[str, Any], summary: Mapping[str, Any]) -> Self:
        """A summary with all that the job resource (``GET /video/jobs/{job_id}``) tells about it."""
        return cls(summary, job.get("video"))

    @property
    def video(self) -> Mapping[str, Any]:
        """The ``video`` of the job.

        Raises
        ------
        ResultsError
            If it is not known.
        """
        return video_of(self._video)

    @property
    def texts(self) -> list[Mapping[str, Any]]:
        """The lines of text, in the order of their first appearance."""
        return list(self._summary["texts"])

    @property
    def classes(self) -> list[Mapping[str, Any]]:
        """The classes of objects that were seen."""
        return list(self._summary["classes"])

    @property
    def tracks(self) -> list[Mapping[str, Any]]:
        """The objects, in the order of their first appearance."""
        return list(self._summary["tracks"])

    def intervals(self, content: Content) -> Iterator[Interval]:
        """When each text, class or object was in view."""
        match content:
            case "texts":
                named = [(one["text"], one) for one in self.texts]
            case "objects":
                named = [(one["class_name"], one) for one in self.classes]
            case "tracks":
                named = [(f"{one['class_name']} #{one['track_id']}", one) for one in self.tracks]
        for name, one in named:
            for interval in one["intervals"]:
                yield Interval(interval["start_ms"], interval["end_ms"], name + _number(interval))


def _number(interval: Mapping[str, Any]) -> str:
    """How many objects of a class were seen at a time, if it were several."""
    most = interval.get("most_at_once", 1)
    return f" ({most})" if most > 1 else ""
