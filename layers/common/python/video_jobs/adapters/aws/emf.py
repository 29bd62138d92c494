"""Metrics in CloudWatch's embedded metric format: a log line of JSON from which CloudWatch makes metrics."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics

from video_jobs.domain.metrics import Values


class EmfMetrics:
    """Prints each record at once, so that an error later on loses none.

    The service is the dimension of every metric; Powertools reads it from ``POWERTOOLS_SERVICE_NAME``.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def record(self, values: Values, *, by: str = "", job_id: str | None = None) -> None:
        """Print one line for the metrics of each dimension."""
        for dimension in sorted({metric.by or "" for metric in values}):
            chosen = {metric: value for metric, value in values.items() if (metric.by or "") == dimension}
            self._print(chosen, {dimension: by} if dimension else {}, job_id)

    def _print(self, values: Values, dimensions: Mapping[str, str], job_id: str | None) -> None:
        line = EphemeralMetrics(namespace=self._namespace)
        for name, value in dimensions.items():
            line.add_dimension(name, value)
        for metric, number in values.items():
            line.add_metric(metric.name, metric.unit.value, number)
        if job_id is not None:
            line.add_metadata("job_id", job_id)
        line.flush_metrics()
        sys.stdout.flush()  # outside of Lambda, it would wait for the next log line
