"""From one page of results to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from video_jobs_client.errors import JobNotCompletedError, NoSummaryError, UnexpectedAnswerError
from video_jobs_client.models import JobResource
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.effects import Steps, pause
from video_jobs_client.protocol.waiting import succeeded

MOST_JOBS_ON_A_PAGE = 100
_PAUSE_S = 2.0


class FrameRange(TypedDict, total=False):
    """Which frames are wanted; both ends belong to a range, times are in milliseconds.

    ``limit`` is how many frames a page has at most.
    """

    from_frame: int
    to_frame: int
    from_ms: float
    to_ms: float
    limit: int


class Cursors:
    """The cursors of a list, of which none comes twice: the list would have no end."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def next(self, cursor: Any) -> str:
        """The cursor of the next page.

        Raises
        ------
        UnexpectedAnswerError
            If it is no text, or has come before.
        """
        if not isinstance(cursor, str) or cursor in self._seen:
            raise UnexpectedAnswerError(
                "The next_cursor of a page has come before, or is no text: the list would have no end"
            )
        self._seen.add(cursor)
        return cursor


@dataclass(slots=True)
class JobPages:
    """The pages of the caller's jobs, newest first.

    Attributes
    ----------
    left
        How many jobs are still wanted; None for all.
    """

    calls: Calls
    status: str | None
    pipeline_id: str | None
    left: int | None
    _cursor: str | None = None
    _cursors: Cursors = field(default_factory=Cursors)
    _is_over: bool = False

    def next_page(self) -> Steps[Sequence[JobResource] | None]:
        """The jobs of the next page; None after the last."""
        if self._is_over or self.left == 0:
            return None
        size = MOST_JOBS_ON_A_PAGE if self.left is None else min(self.left, MOST_JOBS_ON_A_PAGE)
        chosen = {"status": self.status, "pipeline_id": self.pipeline_id, "cursor": self._cursor}
        page = yield from self.calls.jobs({**chosen, "limit": str(size)})
        jobs = page.jobs[:size]
        self.left = None if self.left is None else self.left - len(jobs)
        self._is_over = page.next_cursor is None
        if not self._is_over:
            self._cursor = self._cursors.next(page.next_cursor)
        return jobs


@dataclass(slots=True)
class Pages:
    """The pages of a job's results, one after the other.

    Attributes
    ----------
    has_tracks
        Ask for the tracks; a job that ran before there were any gives none.
    is_partial
        Give what is there before the job has ended, and go on until its end; it goes with ``limit`` only.
    """

    calls: Calls
    job_id: str
    chosen: FrameRange
    has_tracks: bool = True
    is_partial: bool = False
    _cursor: str | None = None
    _cursors: Cursors = field(default_factory=Cursors)
    _is_over: bool = False

    def next_page(self) -> Steps[dict[str, Any] | None]:
        """The next page, as it is; None after the last."""
        if self._is_over:
            return None
        while True:
            page = yield from self._page()
            self._go_on_at(page)
            if page["results"] or self._is_over:
                return page
            yield from pause(_PAUSE_S)

    def _go_on_at(self, page: Mapping[str, Any]) -> None:
        found = page.get("next_cursor")
        self._is_over = found is None and not (self.is_partial and page.get("complete") is False)
        has_no_news = self.is_partial and not page["results"] and found in (None, self._cursor)
        if not self._is_over and not has_no_news:
            self._cursor = self._cursors.next(found)

    def _page(self) -> Steps[dict[str, Any]]:
        try:
            page = yield from self.calls.results_page(self.job_id, self._query())
        except NoSummaryError:
            if not self.has_tracks:
                raise
            self.has_tracks = False
            page = yield from self.calls.results_page(self.job_id, self._query())
        except JobNotCompletedError:
            if self.is_partial:
                succeeded((yield from self.calls.job(self.job_id)))
            raise
        return page

    def _query(self) -> Mapping[str, str | None]:
        query: dict[str, str | None] = {name: f"{value}" for name, value in self.chosen.items()}
        query["include"] = "tracks" if self.has_tracks and not self.is_partial else None
        query["partial"] = "true" if self.is_partial else None
        query["cursor"] = self._cursor
        return query
