"""Compare two jobs of one video: class by class, text by text, and how they were run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Generic, Literal, TypeVar

from video_jobs_client.matching import matched
from video_jobs_client.models import ClassSummary, JobResource, TextSummary
from video_jobs_client.summary import Summary

Number = TypeVar("Number", int, float)
OnlyIn = Literal["first", "second"]

OPTIONS = (
    "pipeline_id",
    "frame_stride",
    "frames_per_second",
    "max_frames",
    "start_ms",
    "end_ms",
    "region",
    "classes",
    "min_confidence",
    "text_engine",
    "languages",
)
"""The options of a job that its results depend on."""


@dataclass(frozen=True, slots=True)
class Change(Generic[Number]):
    """A number of the first job, and that of the second."""

    before: Number
    after: Number

    @property
    def difference(self) -> Number:
        """How much more it is in the second job."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A class of objects in both jobs; all numbers are 0 in a job that has not seen it.

    Attributes
    ----------
    only_in
        The job that has seen it, if the other one has not.
    """

    class_name: str
    tracks: Change[int]
    in_view_ms: Change[float]
    most_at_once: Change[int]
    only_in: OnlyIn | None = None


@dataclass(frozen=True, slots=True)
class TextPair:
    """A text that both jobs have read."""

    first: TextSummary
    second: TextSummary

    @property
    def is_respelled(self) -> bool:
        """Whether its spelling differs."""
        return self.first.text != self.second.text

    @property
    def has_other_times(self) -> bool:
        """Whether it was in view at other times."""
        return any(change.difference for change in (self.start_ms, self.end_ms, self.in_view_ms))

    @property
    def start_ms(self) -> Change[float]:
        """When it comes."""
        return Change(self.first.start_ms, self.second.start_ms)

    @property
    def end_ms(self) -> Change[float]:
        """When it goes."""
        return Change(self.first.end_ms, self.second.end_ms)

    @property
    def in_view_ms(self) -> Change[float]:
        """How long it is in view."""
        return Change(self.first.in_view_ms, self.second.in_view_ms)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two summaries: classes are sorted by their names, texts by their start.

    Attributes
    ----------
    frames
        How many frames were analysed.
    texts
        Those that both jobs have read.
    warnings
        Why something may be missing.
    """

    frames: Change[int]
    classes: tuple[ClassChange, ...]
    texts: tuple[TextPair, ...]
    texts_only_in_first: tuple[TextSummary, ...]
    texts_only_in_second: tuple[TextSummary, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What two jobs tell differently; None if one does not tell it."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class JobComparison:
    """How two jobs were run.

    Attributes
    ----------
    options
        Those that differ, in the order of `OPTIONS`.
    fingerprint
        What differs of models, libraries and settings, by names as ``plugins.yolo.version``, sorted.
    warnings
        Why the two do not seem to be of one video.
    """

    options: tuple[Difference, ...]
    fingerprint: tuple[Difference, ...]
    warnings: tuple[str, ...]


def compare(first: Summary, second: Summary) -> Comparison:
    """Compare what two jobs of one video have seen; `matched` tells which texts are taken for the same."""
    pairs = sorted(matched(first.texts, second.texts), key=lambda pair: _place(pair[0]))
    return Comparison(
        Change(first.told.frames, second.told.frames),
        tuple(_class_changes(first.classes, second.classes)),
        tuple(TextPair(*pair) for pair in pairs),
        _others(first.texts, [one for one, _ in pairs]),
        _others(second.texts, [other for _, other in pairs]),
        tuple(_left_out("first", first)) + tuple(_left_out("second", second)),
    )


def compare_jobs(first: JobResource, second: JobResource) -> JobComparison:
    """Compare options and models of two jobs, and whether they are of the same video."""
    facts = [_facts(job) for job in (first, second)]
    known = [one for one in _differences(*facts) if None not in (one.before, one.after)]
    told = "; ".join(f"{one.name} {one.before} and {one.after}" for one in known)
    return JobComparison(
        tuple(_differences(*({name: getattr(job, name) for name in OPTIONS} for job in (first, second)))),
        tuple(
            sorted(_differences(*(dict(_flat(job.fingerprint or {})) for job in (first, second))), key=_name)
        ),
        (f"The jobs seem to be of different videos: {told}",) if known else (),
    )


def _class_changes(first: Sequence[ClassSummary], second: Sequence[ClassSummary]) -> Iterator[ClassChange]:
    """Models number their classes differently, so these are paired by their names."""
    for name in sorted({one.class_name for one in (*first, *second)}):
        of_name = ([one for one in classes if one.class_name == name] for classes in (first, second))
        for before, after in zip_longest(*of_name):
            yield _class_change(name, before, after)


def _class_change(name: str, before: ClassSummary | None, after: ClassSummary | None) -> ClassChange:
    only_in: OnlyIn | None = "second" if before is None else "first" if after is None else None
    return ClassChange(
        name,
        Change(before.tracks if before else 0, after.tracks if after else 0),
        Change(before.in_view_ms if before else 0.0, after.in_view_ms if after else 0.0),
        Change(before.most_at_once if before else 0, after.most_at_once if after else 0),
        only_in,
    )


def _others(texts: Sequence[TextSummary], paired: Sequence[TextSummary]) -> tuple[TextSummary, ...]:
    ids = {text.text_id for text in paired}
    return tuple(sorted((text for text in texts if text.text_id not in ids), key=_place))


def _place(text: TextSummary) -> tuple[float, int]:
    return text.start_ms, text.text_id


def _left_out(name: OnlyIn, summary: Summary) -> Iterator[str]:
    if summary.told.texts_left_out:
        yield (
            f"The {name} summary leaves out {summary.told.texts_left_out} texts: what only the other one has "
            "may be among them"
        )


def _facts(job: JobResource) -> dict[str, Any]:
    """What is the same whenever the same video is analysed."""
    video = job.video
    return {
        "size in bytes": job.size_bytes,
        "duration in milliseconds": video and video.duration_ms,
        "width": video and video.width,
        "height": video and video.height,
    }


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*first, *second)):
        before, after = first.get(name), second.get(name)
        if before != after:
            yield Difference(name, before, after)


def _name(one: Difference) -> str:
    return one.name


def _flat(facts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value
