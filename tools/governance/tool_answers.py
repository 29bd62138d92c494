"""Whether a tool's answer is what its ``output_types`` say and what the format of results asks for."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from video_worker.results_serializer import frame_line

from functions.video_api.result_format import FRAME_RESULT
from tools.validation_errors import faults

INITIAL_PAYLOAD = frozenset({"frame_index", "position", "image"})
"""What every tool is given; it is never part of the results."""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool gave, as the results would hold it, and what is wrong with it."""

    outputs: Mapping[str, Any]
    problems: tuple[str, ...] = ()


def answer_of(given: Any, output_types: Collection[str]) -> ToolAnswer:
    """Judge what ``run`` of a tool returned."""
    if not isinstance(given, dict):
        return ToolAnswer({}, (f"it returns {type(given).__name__} instead of a dict",))
    wanted = set(output_types)
    problems = [f"it does not give {name!r}, which its output_types name" for name in wanted - given.keys()]
    problems += [f"it gives {name!r}, which its output_types do not name" for name in given.keys() - wanted]
    outputs: dict[str, Any] = {}
    for name in sorted(wanted & given.keys() - INITIAL_PAYLOAD):
        try:
            outputs[name] = json.loads(frame_line({name: given[name]}))[name]
        except (TypeError, ValueError) as error:
            problems.append(f"{name!r} cannot be written into the results: {error}")
    for name, sentence in _of_other_format(outputs).items():
        del outputs[name]
        problems.append(f"not in the format of results: {sentence}")
    return ToolAnswer(outputs, tuple(problems))


def _of_other_format(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The first fault of each name that the format of results knows; other names are a plugin's own."""
    try:
        FRAME_RESULT.validate_python(outputs, strict=True)
    except ValidationError as error:
        return {str(place[0]): sentence for place, sentence in reversed(list(faults(error)))}
    return {}
