"""docs/endpoints.md, from the OpenAPI document."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.markdown_writer import anchor_of, code, table

Schema = Mapping[str, Any]

_HEAD = """# Endpoints

Made by `make docs` from `functions/video_api/openapi.json`; a test compares them. Every call brings
`Authorization: Bearer TOKEN`, except where it says that none is needed; the local stack asks for none.
`GET /openapi.json` answers the document itself and `GET /docs` a page over it, both without a token. What the
codes of an error mean stands in [errors](errors.md).
"""
_ANSWER = ["status", "when", "answer"]
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "minLength": "{} or more characters",
    "maxLength": "at most {} characters",
    "minItems": "{} or more",
    "maxItems": "at most {}",
    "pattern": "matches `{}`",
}


def endpoints_document(document: Schema) -> str:
    """The page for one OpenAPI document."""
    return "\n".join(_sections(document))


def _sections(document: Schema) -> Iterator[str]:
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    common = _common_answers(operations.values())
    yield _HEAD
    yield table(["call", "what it does"], ([_link(call), one["summary"]] for call, one in operations.items()))
    yield "## Answers of every call\n"
    without_token = {
        status for one in operations.values() if not one["security"] for status in one["responses"]
    }
    of_tokens = sorted(common.keys() - without_token)
    yield f"Beside its own. {', '.join(of_tokens)} come only where a token is needed.\n"
    yield table(_ANSWER, itertools.starmap(_answer, common.items()))
    for call, operation in operations.items():
        yield from _operation(call, operation, common)
    yield "## Bodies\n"
    for name, schema in document["components"]["schemas"].items():
        yield from _body(name, schema)


def _common_answers(operations: Iterable[Schema]) -> Schema:
    """What every call that needs a token may answer, in the same words."""
    first, *others = [one["responses"] for one in operations if one["security"]]
    return {
        status: answer for status, answer in first.items() if all(one.get(status) == answer for one in others)
    }


def _operation(call: str, operation: Schema, common: Schema) -> Iterator[str]:
    yield f"## {call}\n"
    yield operation["summary"] + ("." if operation["security"] else "; no token is needed.") + "\n"
    if operation["parameters"]:
        head = ["parameter", "in", "type", "default", "allowed"]
        yield table(head, map(_parameter, operation["parameters"]))
    if "requestBody" in operation:
        contents = operation["requestBody"]["content"].items()
        yield table(["body", "type"], ([code(kind), _type(one["schema"])] for kind, one in contents))
    own = ((status, one) for status, one in operation["responses"].items() if common.get(status) != one)
    yield table(_ANSWER, itertools.starmap(_answer, own))


def _parameter(parameter: Schema) -> list[str]:
    schema = parameter["schema"]
    default = code(schema["default"]) if "default" in schema else "needed" if parameter["required"] else ""
    kind = _type(schema) + ("" if parameter.get("explode", True) else ", separated by commas")
    return [code(parameter["name"]), parameter["in"], kind, default, _limits(schema)]


def _answer(status: str, answer: Schema) -> list[str]:
    bodies = [f"{code(kind)} {_type(one['schema'])}" for kind, one in answer.get("content", {}).items()]
    headers = [f"header {code(name)}" for name in answer.get("headers", {})]
    return [status, answer["description"], ", ".join(bodies + headers)]


def _body(name: str, schema: Schema) -> Iterator[str]:
    yield f"### {name}\n"
    yield schema["description"].replace("``", "`") + "\n"
    needed = schema.get("required", [])
    yield table(
        ["field", "type", "default", "allowed"],
        (
            [code(field), _type(one), "needed" if field in needed else _default(one), _limits(one)]
            for field, one in schema["properties"].items()
        ),
    )


def _default(schema: Schema) -> str:
    if "default" not in schema:
        return "may be absent"
    return "none" if schema["default"] is None else code(schema["default"])


def _type(schema: Schema) -> str:
    match schema:
        case {"$ref": str(reference)}:
            return _link(reference.rpartition("/")[2])
        case {"anyOf": choices}:
            return " or ".join(map(_type, choices))
        case {"enum": words}:
            return " or ".join(map(code, words))
        case {"const": word}:
            return code(word)
        case {"type": "array", "prefixItems": [items, *_]} | {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"type": "object", "additionalProperties": {"type": str(kind)}}:
            return f"object of {kind}s"
        case {"type": "object", "properties": fields}:
            return ("form" if "file" in fields else "object") + " with " + ", ".join(map(code, fields))
        case {"type": str(kind), "format": str(form)}:
            return f"{kind} ({form})"
        case {"type": str(kind)}:
            return kind
    raise ValueError(f"A schema that this page cannot show: {schema}")


def _limits(schema: Schema) -> str:
    choices = [schema, *schema.get("anyOf", [])]
    choices += [one["items"] for one in choices if "items" in one]
    found = ((words, one[key]) for one in choices for key, words in _LIMITS.items() if key in one)
    return ", ".join(words.format(limit) for words, limit in found)


def _link(text: str) -> str:
    return f"[{code(text)}](#{anchor_of(text)})"
