"""Read template.yaml: the local stack takes its tables, queues, routes and environment from there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tools.local_stack.cors import Cors
from tools.local_stack.intrinsics import Intrinsics

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
STORED_TYPES = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")
_FUNCTION = "AWS::Serverless::Function"
_MINUTES_A_UNIT = {"minute": 1, "hour": 60, "day": 1440}


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the HTTP API; an open one needs no token, and ``path`` has its parameters in braces."""

    method: str
    path: str
    function: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class EventSource:
    """A queue or a table, and the function that takes its messages or changes."""

    source: str
    function: str
    batch_size: int
    reports_failures: bool


@dataclass(frozen=True, slots=True)
class ScheduleSource:
    """A function that runs every so often."""

    function: str
    every_s: int


class Template:
    """template.yaml, parsed.

    Parameters
    ----------
    parameters
        Values of the template's parameters, in place of their defaults.

    Attributes
    ----------
    resources
        Every resource by its logical id.
    """

    def __init__(self, parameters: Mapping[str, str] | None = None) -> None:
        self._raw = parsed()
        self._given = dict(parameters or {})
        self._physical_ids: dict[str, str] = {}
        self._intrinsics = Intrinsics(self._reference, self._raw)
        self.resources: Mapping[str, Mapping[str, Any]] = self._raw["Resources"]

    def bind(self, physical_ids: Mapping[str, str]) -> None:
        """Set what ``!Ref`` of a created resource gives: table name, bucket name, queue URL."""
        self._physical_ids = dict(physical_ids)

    def stored_resources_json(self) -> str:
        """A plain CloudFormation template of what keeps data: tables, buckets and queues."""
        parameters = {
            name: spec | ({"Default": self._given[name]} if name in self._given else {})
            for name, spec in self._raw["Parameters"].items()
            if "Default" in spec and not spec["Type"].startswith("AWS::")
        }
        kept = {
            name: {"Type": spec["Type"], "Properties": spec["Properties"]}
            for name, spec in self.resources.items()
            if spec["Type"] in STORED_TYPES
        }
        conditions = self._raw.get("Conditions", {})
        whole = {"Parameters": parameters, "Conditions": conditions, "Resources": kept}
        return json.dumps(whole, default=str)

    def logical_ids(self, resource_type: str) -> list[str]:
        """The resources of one type."""
        return [name for name, spec in self.resources.items() if spec["Type"] == resource_type]

    def handler(self, function: str) -> str:
        """A function's handler, as a dotted path."""
        return str(self.resources[function]["Properties"]["Handler"])

    def timeout_s(self, function: str) -> int:
        """A function's time limit."""
        own = self.resources[function]["Properties"].get("Timeout")
        return int(own or self._raw["Globals"]["Function"]["Timeout"])

    def functions(self) -> list[str]:
        """Every function."""
        return self.logical_ids(_FUNCTION)

    def environment(self, function: str) -> dict[str, str]:
        """A function's environment: the global variables and its own."""
        own = self.resources[function]["Properties"].get("Environment", {}).get("Variables", {})
        shared = self._raw["Globals"]["Function"]["Environment"]["Variables"]
        return {name: self.resolve(value) for name, value in {**shared, **own}.items()}

    def worker_environment(self) -> dict[str, str]:
        """The environment of the worker's container."""
        (task,) = self.logical_ids("AWS::ECS::TaskDefinition")
        (container,) = self.resources[task]["Properties"]["ContainerDefinitions"]
        return {entry["Name"]: self.resolve(entry["Value"]) for entry in container["Environment"]}

    def routes(self) -> list[Route]:
        """The HTTP API's routes."""
        return [
            Route(event["Method"].upper(), event["Path"], function, self._is_open(event))
            for function, event in self._events("HttpApi")
        ]

    def cors(self) -> Cors | None:
        """What browsers of other origins may do with the HTTP API; None if nothing."""
        (api,) = self.logical_ids("AWS::Serverless::HttpApi")
        allowed = self.compute(self.resources[api]["Properties"]["CorsConfiguration"])
        return None if allowed is None else Cors.of_http_api(allowed)

    def queue_sources(self) -> list[EventSource]:
        """Queues that feed functions."""
        return self._sources("SQS", "Queue", 10)

    def stream_sources(self) -> list[EventSource]:
        """Tables whose changes feed functions."""
        return self._sources("DynamoDB", "Stream", 100)

    def schedules(self) -> list[ScheduleSource]:
        """Functions that a schedule starts."""
        return [
            ScheduleSource(function, _rate_s(event["Schedule"]))
            for function, event in self._events("Schedule")
        ]

    def resolve(self, value: Any) -> str:
        """The text that a value of the template stands for."""
        computed = self.compute(value)
        if not isinstance(computed, str | int):
            raise ValueError(f"The local stack cannot resolve {value!r}")
        return str(computed)

    def compute(self, value: Any) -> Any:
        """A value of the template with its intrinsic functions computed; None for ``AWS::NoValue``."""
        return self._intrinsics.compute(value)

    def _reference(self, name: str) -> str:
        """What was created, a parameter's default, or nothing for a resource that was not created."""
        if name in self._physical_ids:
            return self._physical_ids[name]
        if name in self.resources:
            return ""
        parameters = self._raw["Parameters"]
        if name not in parameters:
            raise ValueError(f"The local stack has no value for {name!r}")
        return self._given.get(name, str(parameters[name].get("Default", "")))

    def _is_open(self, event: Mapping[str, Any]) -> bool:
        """Whether neither the route nor its API names an authorizer."""
        api = self.resources[event["ApiId"]["Ref"]]["Properties"]
        default = api.get("Auth", {}).get("DefaultAuthorizer", "NONE")
        return bool(event.get("Auth", {}).get("Authorizer", default) == "NONE")

    def _sources(self, kind: str, attribute: str, batch_size: int) -> list[EventSource]:
        return [
            EventSource(
                source=event[attribute]["Fn::GetAtt"][0],
                function=function,
                batch_size=int(event.get("BatchSize", batch_size)),
                reports_failures="ReportBatchItemFailures" in event.get("FunctionResponseTypes", []),
            )
            for function, event in self._events(kind)
        ]

    def _events(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for function in self.functions():
            for event in self.resources[function]["Properties"].get("Events", {}).values():
                if event["Type"] == kind:
                    yield function, event["Properties"]


@cache
def parsed(path: Path = TEMPLATE) -> dict[str, Any]:
    """A template, read once: parsing takes a tenth of a second, and no caller changes the result."""
    content: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return content


def _rate_s(schedule: str) -> int:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    if found is None:
        raise ValueError(f"The local stack knows no schedule {schedule!r}")
    return int(found[1]) * _MINUTES_A_UNIT[found[2]] * 60
