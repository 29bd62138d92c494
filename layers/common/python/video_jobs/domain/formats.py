"""The job format: what a worker must understand to run a job.

During a rolling release, workers of two releases run side by side, and an old worker may be busy with one
job for hours. Each job carries the number of the format that its options and stored form need. A worker
that understands only lower numbers leaves the job alone (`use_cases.work`), and a newer worker runs it.

To add an option or a stored form that an older worker would get wrong: add it to `INTRODUCED`, with the
next number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

FIRST_FORMAT = 1
INTRODUCED: Mapping[str, int] = {
    "text_engine": 2,
    "languages": 2,
    "source_url": 3,
    "classes": 4,
    "min_confidence": 4,
    "region": 4,
    "start_ms": 4,
    "end_ms": 4,
    "frames_per_second": 4,
}
"""What was added to jobs after the first format, each with its format."""

NEWEST_FORMAT = max((FIRST_FORMAT, *INTRODUCED.values()))
"""The newest format that the workers of this release understand."""


def needed_format(chosen: Collection[str], introduced: Mapping[str, int] = INTRODUCED) -> int:
    """The lowest format that has all that was chosen for a job."""
    return max((FIRST_FORMAT, *(introduced.get(option, FIRST_FORMAT) for option in chosen)))
