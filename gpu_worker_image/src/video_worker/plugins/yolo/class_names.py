"""The classes that a job names, in the model's own numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from video_jobs.domain.errors import UnknownClassError

MOST_TOLD = 100
"""Names in an error message; models that know more would make it unreadable."""


def class_ids_of(classes: Collection[str], names: Mapping[int, str]) -> frozenset[int] | None:
    """The ids of the classes; None, which stands for all, if there are no classes.

    Parameters
    ----------
    names
        The model's classes by their ids.

    Raises
    ------
    UnknownClassError
        If a class is not one of the names, letter by letter.
    """
    if not classes:
        return None
    known = list(dict.fromkeys(names[class_id] for class_id in sorted(names)))
    unknown = [name for name in classes if name not in known]
    if unknown:
        raise UnknownClassError(_message(unknown, known))
    return frozenset(class_id for class_id, name in names.items() if name in classes)


def _message(unknown: list[str], known: list[str]) -> str:
    by_letters = {name.casefold(): name for name in known}
    told = []
    for name in unknown:
        similar = by_letters.get(name.casefold())
        told.append(repr(name) + (f" (did you mean {similar!r}?)" if similar else ""))
    further = len(known) - MOST_TOLD
    end = f" and {further} more" if further > 0 else ""
    return f"The model has no class {', '.join(told)}; it knows: {', '.join(known[:MOST_TOLD])}{end}"
