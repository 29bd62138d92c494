"""The alarms and the dashboard of template.yaml: what notifies, and which metrics are used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tools.local_stack.template import Template

NAMESPACE = "VideoJobs/${AWS::StackName}"
_SCALING = "AWS::ApplicationAutoScaling::ScalingPolicy"
_SEARCH = re.compile(
    r"SEARCH\('\{\"(?P<space>[^\"]+)\",(?P<dimensions>[^}]+)\} MetricName=\"(?P<name>\w+)\" "
)


class Used(NamedTuple):
    """A metric that an alarm or the dashboard shows, with the names of its dimensions."""

    namespace: str
    name: str
    dimensions: frozenset[str]


def properties(logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = Template().resources[logical_id]["Properties"]
    return found


def alarms() -> list[str]:
    """The alarms that tell people; an alarm that scales a service is none of them."""
    scaling = {json.dumps([{"Ref": name}]) for name in Template().logical_ids(_SCALING)}
    every = Template().logical_ids("AWS::CloudWatch::Alarm")
    return [name for name in every if json.dumps(properties(name).get("AlarmActions")) not in scaling]


def notifiers() -> list[str]:
    """All that notifies: alarms, rules and the budget."""
    kinds = ("AWS::Events::Rule", "AWS::Budgets::Budget")
    return [*alarms(), *(name for kind in kinds for name in Template().logical_ids(kind))]


def metrics_of(alarm: str) -> list[dict[str, Any]]:
    """The metrics of an alarm: each with namespace, name and dimensions."""
    its = properties(alarm)
    if "Metrics" not in its:
        return [its]
    return [one["MetricStat"]["Metric"] for one in its["Metrics"] if "MetricStat" in one]


def dashboard() -> dict[str, Any]:
    """The dashboard's document; what CloudFormation fills in stands as it is in the template."""
    document: dict[str, Any] = json.loads(properties("Dashboard")["DashboardBody"]["Fn::Sub"])
    return document


def used_by_alarms() -> set[Used]:
    return {_used(one) for name in alarms() for one in metrics_of(name)}


def used_by_dashboard() -> set[Used]:
    return {
        used
        for widget in dashboard()["widgets"]
        for line in widget["properties"].get("metrics", [])
        for used in _of_line(line)
    }


def _used(metric: Mapping[str, Any]) -> Used:
    namespace = metric["Namespace"]
    plain = namespace["Fn::Sub"] if isinstance(namespace, dict) else namespace
    return Used(plain, metric["MetricName"], frozenset(one["Name"] for one in metric["Dimensions"]))


def _of_line(line: list[Any]) -> Iterator[Used]:
    if isinstance(line[0], dict):
        search = _SEARCH.match(line[0]["expression"])
        assert search is not None
        yield Used(search["space"], search["name"], frozenset(search["dimensions"].split(",")))
    else:
        namespace, name, *rest = (word for word in line if isinstance(word, str))
        yield Used(namespace, name, frozenset(rest[::2]))
