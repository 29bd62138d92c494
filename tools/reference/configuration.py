"""docs/configuration.md, from the settings classes and the parameters of the template."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args, get_type_hints

import msgspec
from video_jobs.settings import EnvironmentSettings

from tools.local_stack.template import Template, parsed
from tools.markdown_writer import code, table

WORKER = "the worker"
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
_OF_LIBRARIES = {
    "POWERTOOLS_SERVICE_NAME": "Powertools' Logger: the field `service` of every log line",
    "POWERTOOLS_LOG_LEVEL": "Powertools' Logger: the least level that is written",
}
_PSEUDO_PARAMETERS = ("AccountId", "Partition", "Region", "StackName", "URLSuffix")
_HEAD = """# Configuration

Made by `make docs` from `video_jobs/settings.py` and `template.yaml`; a test compares them.

Each process reads its variables once. Where one is missing or wrong, the error names it: a worker does not
start, a function answers 500 or fails its batch. An empty value counts as absent. No other module of the
functions, the shared package or the worker reads the environment; libraries may (boto3, for one, obeys
`AWS_ENDPOINT_URL`).
"""
_PARAMETERS = """## Parameters of the template

Given to `sam deploy`; those without a default must be given.
"""
_LIBRARIES = """## Variables that libraries read

Set by the template; no settings class knows them.
"""


def configuration_document() -> str:
    """The whole page."""
    return "\n".join(_sections())


def settings_classes() -> list[type[EnvironmentSettings]]:
    """Every settings class, in the order of their definition."""
    return EnvironmentSettings.__subclasses__()


def _sections() -> Iterator[str]:
    given = _given_by_the_template()
    yield _HEAD
    for kind in settings_classes():
        yield f"## {str(kind.__doc__).rstrip('.')}\n"
        head = ["variable", "type", "default", "allowed", "what", "set by the template for"]
        yield table(head, (_row(one, given) for one in settings_of(kind)))
    yield _LIBRARIES
    known = {one["name"] for kind in settings_classes() for one in settings_of(kind)}
    yield table(["variable", "read by", "set for"], _of_libraries(given, sorted(given.keys() - known)))
    yield _PARAMETERS
    parameters = parsed()["Parameters"]
    yield table(["parameter", "type", "default", "allowed", "what"], map(_parameter, parameters.items()))


def settings_of(kind: type[EnvironmentSettings]) -> list[Mapping[str, Any]]:
    """The JSON schema of each setting, with its name and the text below it, in order."""
    schema = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"]
    hints, texts = get_type_hints(kind), _texts_below_fields(kind)
    return [
        {**one, "name": name.upper(), "text": texts[name]}
        | ({"enum": get_args(hints[name])} if "enum" in one else {})
        for name, one in schema.items()
    ]


def _texts_below_fields(kind: type) -> dict[str, str]:
    (definition,) = ast.parse(inspect.getsource(kind)).body
    texts = {}
    for field, text in pairwise(definition.body if isinstance(definition, ast.ClassDef) else []):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            texts[ast.unparse(field.target)] = inspect.cleandoc(ast.literal_eval(text.value))
    return texts


def _of_libraries(given: Mapping[str, str], names: list[str]) -> Iterator[list[str]]:
    for name in names:
        if name not in _OF_LIBRARIES:
            raise ValueError(f"template.yaml sets {name}, and nobody is known to read it")
        yield [code(name), _OF_LIBRARIES[name], given[name]]


def _row(one: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    return [
        code(one["name"]),
        _TYPES[one.get("type", "string")],
        _default(one, "default"),
        _allowed(one.get("enum", []), one.get("minimum"), one.get("maximum")),
        one["text"].replace("``", "`").rstrip("."),
        given.get(one["name"], ""),
    ]


def _default(one: Mapping[str, Any], key: str) -> str:
    value = one.get(key)
    if value is None:
        return "needed"
    return "empty" if value == "" else code(str(value).lower() if isinstance(value, bool) else value)


def _allowed(choices: list[str], minimum: Any, maximum: Any) -> str:
    if choices:
        return ", ".join(map(code, choices))
    limits = {"at least": minimum, "at most": maximum}
    return ", ".join(f"{words} {limit}" for words, limit in limits.items() if limit is not None)


def _parameter(named: tuple[str, Mapping[str, Any]]) -> list[str]:
    name, spec = named
    allowed = _allowed(spec.get("AllowedValues", []), spec.get("MinValue"), spec.get("MaxValue"))
    return [code(name), code(spec["Type"]), _default(spec, "Default"), allowed, spec["Description"]]


def _given_by_the_template() -> dict[str, str]:
    """Each variable with the processes that the template sets it for."""
    template = Template()
    names = [*template.resources, *(f"AWS::{name}" for name in _PSEUDO_PARAMETERS)]
    template.bind({name: name for name in names})
    functions = template.functions()
    environments = {name: template.environment(name) for name in functions}
    worker = template.worker_environment()
    variables = {variable for one in (*environments.values(), worker) for variable in one}
    given: dict[str, str] = {}
    for variable in sorted(variables):
        readers = [name for name in functions if variable in environments[name]]
        shown = ["every function"] if readers == functions else [code(name) for name in readers]
        given[variable] = ", ".join(shown + ([WORKER] if variable in worker else []))
    return given
