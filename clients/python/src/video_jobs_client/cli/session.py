"""What every command works with: the chosen server, the output, and what was submitted before."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from video_jobs_client.cli.output import Output

if TYPE_CHECKING:
    from video_jobs_client.async_client import AsyncClient
    from video_jobs_client.cli.record import Record
    from video_jobs_client.client import Client
    from video_jobs_client.jobs import Job
    from video_jobs_client.protocol.retries import Retries, Retry
    from video_jobs_client.settings import Server


@dataclass
class Session:
    """One run of the command line.

    Attributes
    ----------
    url, profile
        What the options say.
    transport
        Replaces the network, for tests.
    """

    url: str | None = None
    profile: str | None = None
    output: Output = field(default_factory=Output)
    transport: Any = None

    @cached_property
    def server(self) -> Server:
        """The chosen server."""
        from video_jobs_client.settings import find_server

        return find_server(self.url, profile=self.profile)

    @cached_property
    def record(self) -> Record:
        """What was submitted to this server from this machine."""
        from video_jobs_client.cli.record import Record

        return Record.of_server(self.server.url)

    def client(self) -> Client:
        """A client that waits for each answer."""
        from video_jobs_client.client import Client

        return Client(self.url, profile=self.profile, retries=self._retries(), transport=self.transport)

    def async_client(self) -> AsyncClient:
        """A client for several questions at a time."""
        from video_jobs_client.async_client import AsyncClient

        return AsyncClient(self.url, profile=self.profile, retries=self._retries(), transport=self.transport)

    def job(self, client: Client, name: str) -> Job:
        """The job that the user names."""
        return client.jobs.get(self.job_id(name))

    def job_id(self, name: str) -> str:
        """The id of the job that the user names: ``last``, ``-``, or the beginning of an id."""
        from video_jobs_client.cli.record import job_id_of

        return job_id_of(name, self.record, lambda: self._newest)

    @cached_property
    def _newest(self) -> list[str]:
        """The ids of the newest jobs of the service."""
        from video_jobs_client.cli.record import NEWEST

        with self.client() as client:
            return [job.id for job in client.jobs.list(limit=NEWEST)]

    def _retries(self) -> Retries:
        from video_jobs_client.protocol.retries import Retries

        return Retries(on_retry=self._tell_retry)

    def _tell_retry(self, retry: Retry) -> None:
        self.output.note(
            f"The service did not answer as it should ({retry.reason}); "
            f"trying again in {max(retry.pause_s, 1):.0f} s"
        )
