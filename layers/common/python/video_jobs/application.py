"""The application: its use cases, bound once to ports and rules."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from video_jobs.bindings import Ports
from video_jobs.domain.rules import Rules

if TYPE_CHECKING:
    from video_jobs.use_cases.fleet import Fleet
    from video_jobs.use_cases.help import Help
    from video_jobs.use_cases.intake import Intake
    from video_jobs.use_cases.multipart import Multipart
    from video_jobs.use_cases.notify import Notify
    from video_jobs.use_cases.owner import Owner
    from video_jobs.use_cases.partial_results import PartialResults
    from video_jobs.use_cases.quote import Quotes
    from video_jobs.use_cases.results import Results
    from video_jobs.use_cases.sources import Sources
    from video_jobs.use_cases.upkeep import Upkeep
    from video_jobs.use_cases.work import Work


class VideoJobs:
    """All use cases of the service, in one group for each kind of caller.

    A group is imported and made when it is first used, so that a cold start loads only what it needs.

    Examples
    --------
    >>> from video_jobs.adapters.system import SystemClock
    >>> app = VideoJobs(Ports.in_memory(SystemClock()), Rules())
    >>> app.upkeep.reconcile()
    Counter()
    """

    def __init__(self, ports: Ports, rules: Rules) -> None:
        self.ports = ports
        self.rules = rules

    @cached_property
    def intake(self) -> Intake:
        """Use cases for clients that submit, and for the event that a video has arrived."""
        from video_jobs.use_cases.intake import Intake

        return Intake(self.ports, self.rules)

    @cached_property
    def quote(self) -> Quotes:
        """Use cases for what jobs take: recorded by workers, and asked for by clients before they submit."""
        from video_jobs.use_cases.quote import Quotes

        return Quotes(self.ports, self.rules, self.intake)

    @cached_property
    def multipart(self) -> Multipart:
        """Use cases for clients that upload in chunks."""
        from video_jobs.use_cases.multipart import Multipart

        return Multipart(self.ports, self.rules)

    @cached_property
    def sources(self) -> Sources:
        """Use cases for videos that the service fetches."""
        from video_jobs.use_cases.sources import Sources

        return Sources(self.ports, self.rules)

    @cached_property
    def owner(self) -> Owner:
        """Use cases for the owner of jobs."""
        from video_jobs.use_cases.owner import Owner

        return Owner(self.ports, self.rules)

    @cached_property
    def results(self) -> Results:
        """Use cases for readers of results."""
        from video_jobs.use_cases.results import Results

        return Results(self.ports, self.rules)

    @cached_property
    def partial_results(self) -> PartialResults:
        """Use cases for readers of results who do not wait for the end of the job."""
        from video_jobs.use_cases.partial_results import PartialResults

        return PartialResults(self.ports, self.rules, self.results)

    @cached_property
    def work(self) -> Work:
        """Use cases for the workers."""
        from video_jobs.use_cases.work import Work

        return Work(self.ports, self.rules)

    @cached_property
    def help(self) -> Help:
        """Use cases of workers that share a long video."""
        from video_jobs.use_cases.help import Help

        return Help(self.ports, self.rules)

    @cached_property
    def upkeep(self) -> Upkeep:
        """Use cases for the schedule and the dead-letter queue."""
        from video_jobs.use_cases.upkeep import Upkeep

        return Upkeep(self.ports, self.rules, self.intake)

    @cached_property
    def notify(self) -> Notify:
        """Use cases for the change stream and the webhook queue."""
        from video_jobs.use_cases.notify import Notify

        return Notify(self.ports, self.rules)

    @cached_property
    def fleet(self) -> Fleet:
        """Use cases that set the number of workers."""
        from video_jobs.use_cases.fleet import Fleet

        return Fleet(self.ports, self.rules)
