"""``video-jobs diff``: what two jobs of one video saw differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from video_jobs_client.cli.commands import JobName
from video_jobs_client.cli.exits import ExitCode
from video_jobs_client.cli.session import Session

if TYPE_CHECKING:
    from video_jobs_client.comparison import Comparison, JobComparison, TextPair


def diff(session: Session, first: JobName, second: JobName) -> ExitCode:
    """Compare two jobs of one video.

    Shows which options and workers differ, and what the jobs saw, class by class and text by text. The exit
    code is 9 if they saw something different.
    """
    from video_jobs_client.comparison import compare, compare_jobs

    with session.client() as client:
        jobs = [session.job(client, name) for name in (first, second)]
        seen = compare(*(job.summary() for job in jobs))
    run = compare_jobs(*(job.resource for job in jobs))
    if session.output.is_json:
        session.output.json({"jobs": run, "seen": seen})
    else:
        _show(session, run, seen)
    return ExitCode.DIFFERS if _differs(seen) else ExitCode.OK


def _differs(seen: Comparison) -> bool:
    return bool(
        seen.texts_only_in_first
        or seen.texts_only_in_second
        or any(pair.is_respelled or pair.has_other_times for pair in seen.texts)
        or any(
            one.tracks.difference or one.in_view_ms.difference or one.most_at_once.difference
            for one in seen.classes
        )
    )


def _how(pair: TextPair) -> str:
    return "respelled" if pair.is_respelled else "both"


def _show(session: Session, run: JobComparison, seen: Comparison) -> None:
    from video_jobs_client.intervals import clock

    output = session.output
    for warning in (*run.warnings, *seen.warnings):
        output.note(f"Note: {warning}")
    told = [("option", one.name, one.before, one.after) for one in run.options]
    told += [("worker", one.name, one.before, one.after) for one in run.fingerprint]
    if told:
        output.table(("what", "name", "first", "second"), told)
    classes = [
        (
            one.class_name,
            f"{one.tracks.before} / {one.tracks.after}",
            f"{clock(one.in_view_ms.before)} / {clock(one.in_view_ms.after)}",
            f"{one.most_at_once.before} / {one.most_at_once.after}",
        )
        for one in seen.classes
    ]
    if classes:
        output.table(("class", "objects", "in view", "most at once"), classes)
    both = [pair for pair in seen.texts if pair.is_respelled or pair.has_other_times]
    texts = [
        (
            "respelled" if one.is_respelled else "both",
            one.first.text,
            one.second.text,
            clock(one.first.start_ms),
        )
        for one in both
    ]
    texts += [("first only", one.text, "", clock(one.start_ms)) for one in seen.texts_only_in_first]
    texts += [("second only", "", one.text, clock(one.start_ms)) for one in seen.texts_only_in_second]
    if texts:
        output.table(("in", "first", "second", "start"), texts)
    if not _differs(seen):
        output.hint("Both jobs saw the same.")
