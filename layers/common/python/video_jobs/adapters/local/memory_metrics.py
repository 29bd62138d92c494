"""In-memory counterpart of the metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from video_jobs.domain.metrics import Metric, Values


class Recorded(NamedTuple):
    """One value of a metric."""

    metric: Metric
    value: float
    by: str
    job_id: str | None


@dataclass
class MemoryMetrics:
    """Keeps the values that were recorded, oldest first."""

    recorded: list[Recorded] = field(default_factory=list)

    def record(self, values: Values, *, by: str = "", job_id: str | None = None) -> None:
        """Keep each value."""
        self.recorded += [Recorded(metric, value, by, job_id) for metric, value in values.items()]

    def of(self, metric: Metric) -> list[float]:
        """All values of one metric."""
        return [one.value for one in self.recorded if one.metric == metric]
