"""Whether a tool's answer is what its ``output_types`` say."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from video_worker.results_serializer import frame_line

INITIAL_PAYLOAD = frozenset({"frame_index", "position", "image"})
"""What every tool is given; it never gets into the results."""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool gave, as the results would hold it, and what is wrong with it."""

    outputs: Mapping[str, Any]
    problems: tuple[str, ...] = ()


def answer_of(given: Any, output_types: Collection[str]) -> ToolAnswer:
    """Judge what ``run`` of a tool returned."""
    if not isinstance(given, dict):
        return ToolAnswer({}, (f"it returns {type(given).__name__} instead of a dict",))
    problems = [
        f"it does not give {name!r}, which its output_types name"
        for name in output_types
        if name not in given
    ]
    problems += [
        f"it gives {name!r}, which its output_types do not name" for name in given if name not in output_types
    ]
    outputs: dict[str, Any] = {}
    for name in sorted(set(output_types) & given.keys() - INITIAL_PAYLOAD):
        try:
            outputs[name] = json.loads(frame_line({name: given[name]}))[name]
        except (TypeError, ValueError) as error:
            problems.append(f"{name!r} cannot be written into the results: {error}")
    wrong = {
        name for name, value in outputs.items() if name in _DOCUMENTED and not _DOCUMENTED[name][1](value)
    }
    problems += [f"{name!r} must be {_DOCUMENTED[name][0]}, as in all results" for name in sorted(wrong)]
    return ToolAnswer({name: outputs[name] for name in outputs if name not in wrong}, tuple(problems))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_detections(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_detection, value))


def _is_detection(value: Any) -> bool:
    return (
        _has_keys(value, {"xyxy", "confidence", "class_id", "class_name"})
        and isinstance(value["xyxy"], list)
        and len(value["xyxy"]) == 4
        and all(map(_is_number, value["xyxy"]))
        and _is_share(value["confidence"])
        and _is_whole(value["class_id"])
        and _is_text(value["class_name"])
    )


def _are_blocks(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_block, value))


def _is_block(value: Any) -> bool:
    return (
        _has_keys(value, {"text", "confidence", "bbox", "level", "block_num", "line_num"})
        and _is_text(value["text"])
        and _is_number(value["confidence"])
        and 0 <= value["confidence"] <= 100
        and _has_keys(value["bbox"], {"x", "y", "width", "height"})
        and all(_is_whole(value["bbox"][name]) for name in ("x", "y", "width", "height"))
        and all(_is_whole(value[name]) for name in ("level", "block_num", "line_num"))
    )


def _are_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value)) and all(map(_is_whole, value.values()))


def _has_keys(value: Any, keys: set[str]) -> bool:
    return isinstance(value, dict) and value.keys() >= keys


_DOCUMENTED: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "detections": (
        "a list of objects with xyxy (four numbers), confidence (0 to 1), class_id and class_name",
        _are_detections,
    ),
    "count": ("a whole number", _is_whole),
    "classes": ("an object of class names and whole numbers", _are_counts),
    "text": ("a text", _is_text),
    "blocks": (
        "a list of objects with text, confidence (0 to 100), bbox (x, y, width, height), level, block_num "
        "and line_num",
        _are_blocks,
    ),
    "confidence": ("a number from 0 to 1", _is_share),
    "language": ("a text", _is_text),
    "error": ("null or a text", lambda value: value is None or _is_text(value)),
}
"""The names of the result format, which later nodes and clients rely on; other names are a plugin's own."""
