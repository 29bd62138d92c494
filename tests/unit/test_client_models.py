"""The models of the client have what the OpenAPI document tells of every answer, and nothing else."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from video_jobs_client import Detection, Frame, Results, Word, models
from video_jobs_client.models.base import Model

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "functions/video_api/openapi.json").read_text(encoding="utf-8")
)
SCHEMA_OF = {"JobResource": "Job", "VideoSummary": "Summary"}
MODELS: dict[str, type[Model]] = {SCHEMA_OF.get(name, name): getattr(models, name) for name in models.__all__}
PLAIN: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    datetime: "date-time",
    NoneType: "null",
    Any: "anything",
}
BOX = "number, number, number, number"

# Of pages, which are read as they are, and of the values that are made of them:
PAGE = {
    "results": "[Frame]",
    "timestamps_ms": "[number] or null",
    "track_ids": "[[integer or null]], if asked for",
    "job_id": "string",
    "created_at": "date-time",
    "updated_at": "date-time",
    "next_cursor": "string or null",
    "results_url": "string or null",
    "summary_url": "string or null",
    "tracks_url": "string or null",
    "complete": "boolean or null, if asked for",
}
BESIDE = {"timestamp_ms": "number or null", "track_ids": "[integer or null] or null"}
"""What a `Frame` has of the page."""
READ_BY_FRAME = {"detections": "[Detection]", "text": "string", "blocks": "[Block]"}
ONLY_IN_RESULT = {
    "count": "integer",
    "classes": "{integer}",
    "confidence": "number",
    "language": "string",
    "error": "string or null",
}


def form_of_schema(schema: dict[str, Any]) -> str:
    """The type that a schema tells."""
    match schema:
        case {"$ref": name}:
            return str(name).rpartition("/")[2]
        case {"anyOf": choices}:
            return " or ".join(form_of_schema(choice) for choice in choices)
        case {"type": "array", "minItems": 4, "maxItems": 4}:
            parts = schema.get("prefixItems", [schema.get("items")] * 4)
            return f"({', '.join(form_of_schema(part) for part in parts)})"
        case {"type": "array", "items": item}:
            return f"[{form_of_schema(item)}]"
        case {"type": "object", "additionalProperties": values}:
            return f"{{{'anything' if values is True else form_of_schema(values)}}}"
        case {"type": "string", "format": "date-time"}:
            return "date-time"
    return str(schema["type"])


def form_of_type(kind: Any) -> str:
    """The type that an annotation tells."""
    if kind in PLAIN:
        return PLAIN[kind]
    arguments = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(form_of_type(one) for one in arguments)
    if get_origin(kind) is dict:
        return f"{{{form_of_type(arguments[1])}}}"
    if arguments and (len(arguments) == 1 or arguments[1] is Ellipsis):
        return f"[{form_of_type(arguments[0])}]"
    if arguments:
        return f"({', '.join(form_of_type(one) for one in arguments)})"
    name = str(kind.__name__)
    return SCHEMA_OF.get(name, name)


def told_by_schema(schema: dict[str, Any], optional: str = ", if asked for") -> dict[str, str]:
    required = schema.get("required", ())
    return {
        name: form_of_schema(field) + ("" if name in required else optional)
        for name, field in schema["properties"].items()
    }


def told_by_model(model: type[Model]) -> dict[str, str]:
    kinds = get_type_hints(model)
    return {
        field.name: form_of_type(kinds[field.name]) + ("" if field.required else ", if asked for")
        for field in msgspec.structs.fields(model)
    }


def told_by_value(kind: type[Detection | Word | Frame]) -> dict[str, str]:
    kinds = get_type_hints(kind)
    return {field.name: form_of_type(kinds[field.name]) for field in dataclasses.fields(kind)}


def references(value: Any) -> Iterator[str]:
    """The schemas that a part of the document names."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)


def schemas_of_answers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every schema that an answer has, or a part of one."""
    schemas = document["components"]["schemas"]
    operations = [one for path in document["paths"].values() for one in path.values() if "responses" in one]
    found: set[str] = set()
    named = {name for operation in operations for name in references(operation["responses"])}
    while named - found:
        found |= named
        named = {name for known in found for name in references(schemas[known])}
    return {name: schemas[name] for name in found}


def expected_of(name: str) -> dict[str, str] | None:
    """What the client knows of a schema."""
    word = told_by_value(Word)
    match name:
        case "Results":
            return PAGE
        case "Frame":
            beside = {"index", *BESIDE}
            own = {key: form for key, form in told_by_value(Frame).items() if key not in beside}
            return {"frame_index": told_by_value(Frame)["index"], **own, "result": "FrameResult"}
        case "FrameResult":
            return READ_BY_FRAME | ONLY_IN_RESULT
        case "Detection":
            return {key: form for key, form in told_by_value(Detection).items() if key != "track_id"}
        case "Block":
            return {"bbox" if key == "xyxy" else key: form for key, form in word.items()} | {"bbox": "Box"}
        case "Box":
            return dict.fromkeys(("x", "y", "width", "height"), "integer")
    return told_by_model(MODELS[name]) if name in MODELS else None


def differences(document: dict[str, Any]) -> list[str]:
    """Where the document and the client do not tell the same."""
    answers = schemas_of_answers(document)
    found = [f"{name} is no schema of an answer" for name in MODELS.keys() - answers.keys()]
    for name, schema in answers.items():
        told = told_by_schema(schema, "" if name == "FrameResult" else ", if asked for")
        known = expected_of(name)
        if told != known:
            found.append(f"{name}: the document tells {told}, the client knows {known}")
    return found


def test_models_and_document_have_the_same_schemas_fields_types_and_nulls() -> None:
    assert differences(DOCUMENT) == []


def test_frames_and_detections_have_the_place_for_what_stands_beside_them() -> None:
    frame = {key: form for key, form in told_by_value(Frame).items() if key in BESIDE}
    assert frame == BESIDE
    assert told_by_value(Detection)["track_id"] == "integer or null"
    assert told_by_value(Detection)["xyxy"] == told_by_value(Word)["xyxy"] == f"({BOX})"


def properties(schemas: dict[str, Any], name: str) -> dict[str, Any]:
    fields: dict[str, Any] = schemas[name]["properties"]
    return fields


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a field is new": lambda schemas: properties(schemas, "Job").update(colour={"type": "string"}),
    "a field is gone": lambda schemas: properties(schemas, "TrackSummary").pop("path_error_px"),
    "a field may be null": lambda schemas: properties(schemas, "Usage").update(
        frames={"anyOf": [{"type": "integer"}, {"type": "null"}]}
    ),
    "a field is never null": lambda schemas: properties(schemas, "Video").update(hdr={"type": "string"}),
    "a field has another type": lambda schemas: properties(schemas, "Quote").update(
        cost_usd={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "a time is only a text": lambda schemas: properties(schemas, "Upload").update(
        expires_at={"type": "string"}
    ),
    "a field is not always there": lambda schemas: schemas["SignedVideo"]["required"].remove("video_url"),
    "a field is always there": lambda schemas: schemas["UploadOffered"]["required"].append("upload"),
    "a schema is new": lambda schemas: schemas.update(
        Colour={"type": "object", "properties": {}},
        Health={**schemas["Health"], "properties": {"status": {"$ref": "#/components/schemas/Colour"}}},
    ),
    "a schema is gone": lambda schemas: properties(schemas, "Job").update(
        webhook={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "a detection has more": lambda schemas: properties(schemas, "Detection").update(mask={"type": "string"}),
    "a word has less": lambda schemas: properties(schemas, "Block").pop("level"),
    "a place has fractions": lambda schemas: properties(schemas, "Box").update(x={"type": "number"}),
    "a frame has more": lambda schemas: properties(schemas, "Frame").update(picture={"type": "string"}),
    "a result has more": lambda schemas: properties(schemas, "FrameResult").update(faces={"type": "integer"}),
    "a page has more": lambda schemas: properties(schemas, "Results").update(total={"type": "integer"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_kind_of_difference_is_noticed(change: str) -> None:
    changed = copy.deepcopy(DOCUMENT)
    CHANGES[change](changed["components"]["schemas"])
    assert differences(changed)


# --- values ----------------------------------------------------------------------------------------


def example(schema: dict[str, Any], *, is_null: bool) -> Any:
    """A value as the document allows it; what may be null is, or nothing is."""
    match schema:
        case {"$ref": name}:
            return example(DOCUMENT["components"]["schemas"][name.rpartition("/")[2]], is_null=is_null)
        case {"anyOf": [value, {"type": "null"}]}:
            return None if is_null else example(value, is_null=is_null)
        case {"properties": fields}:
            return {name: example(field, is_null=is_null) for name, field in fields.items()}
        case {"type": "array"}:
            (items,) = [schema["items"]] if "items" in schema else schema["prefixItems"][:1]
            return [example(items, is_null=is_null)] * schema.get("minItems", 1)
        case {"type": "object"}:
            return {}
        case {"format": "date-time"}:
            return "2026-11-25T10:00:00.000Z"
        case {"enum": [first, *_]} | {"const": first}:
            return first
    return {"string": "x", "integer": 1, "number": 0.5, "boolean": True}[schema["type"]]


@pytest.mark.parametrize("is_null", [True, False], ids=["null", "set"])
@pytest.mark.parametrize("name", MODELS)
def test_an_answer_of_the_document_is_read_by_its_model(name: str, is_null: bool) -> None:
    answer = example(DOCUMENT["components"]["schemas"][name], is_null=is_null)
    read = msgspec.json.decode(json.dumps({**answer, "of_a_newer_service": 1}), type=MODELS[name])
    written = json.loads(msgspec.json.encode(read))
    assert json.dumps(written).replace("10:00:00Z", "10:00:00.000Z") == json.dumps(answer)


def test_a_page_of_the_document_is_read_as_frames() -> None:
    page = example(DOCUMENT["components"]["schemas"]["Results"], is_null=False)
    (frame,) = Results([page]).frames()
    assert (frame.index, frame.timestamp_ms, frame.lines) == (1, 0.5, ["x"])
    assert frame.result == page["results"][0]["result"]
    assert frame.detections == [Detection(1, "x", 0.5, (0.5, 0.5, 0.5, 0.5), track_id=1)]
    assert frame.words == [Word("x", 0.5, (1, 1, 2, 2), level=1, block_num=1, line_num=1)]
