"""What lets work into the service and through it; each can be turned off, and back to what it was."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from tools.rollback.deployment import QUEUE, Aws, Deployment
from tools.rollback.record import State

_CLOSED = {"ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0.0}
_READS = ("GET ", "DELETE ")
_ENDS_WORK = ("/cancel", "/upload/parts", "/upload/complete")
"""Routes with another method that bring no new job: they stay open until the service is drained."""


class Switch(ABC):
    """One setting of a deployed resource.

    Attributes
    ----------
    key
        Names it in the record; the same in every run.
    off
        The state in which it lets nothing through.
    """

    def __init__(self, key: str, off: State) -> None:
        self.key = key
        self.off = off

    @abstractmethod
    def read(self) -> State:
        """The state it is in."""

    @abstractmethod
    def write(self, state: State) -> None:
        """Put it into a state."""


class RouteThrottle(Switch):
    """Rate limits of some routes of an HTTP API; a limit of 0 answers every call with 429.

    A state maps a route to its own settings, or to None where it follows the default of its stage.
    """

    def __init__(self, aws: Aws, name: str, api_id: str, stage: str, routes: list[str]) -> None:
        super().__init__(f"{name} of stage {stage} of API {api_id}", dict.fromkeys(routes, _CLOSED))
        self._api = aws.client("apigatewayv2")
        self._stage = {"ApiId": api_id, "StageName": stage}

    def read(self) -> State:
        """The routes' own limits."""
        settings = self._api.get_stage(**self._stage).get("RouteSettings", {})
        return {route: _limits(settings.get(route)) for route in self.off}

    def write(self, state: State) -> None:
        """Set own limits, and take away those that a route did not have."""
        settings = self._api.get_stage(**self._stage).get("RouteSettings", {})
        own = {route: limits for route, limits in state.items() if limits is not None}
        if own:
            changed = {route: settings.get(route, {}) | limits for route, limits in own.items()}
            self._api.update_stage(**self._stage, RouteSettings=settings | changed)
        for route in state.keys() - own.keys() & settings.keys():
            self._api.delete_route_settings(**self._stage, RouteKey=route)


class QueueMapping(Switch):
    """An event source mapping: Lambda takes messages of a queue for a function."""

    def __init__(self, aws: Aws, mapping_id: str) -> None:
        super().__init__(f"event source mapping {mapping_id}", {"Enabled": False})
        self._functions = aws.client("lambda")
        self._id = mapping_id

    def read(self) -> State:
        """Whether it takes messages."""
        state = self._functions.get_event_source_mapping(UUID=self._id)["State"]
        return {"Enabled": state in ("Creating", "Enabling", "Enabled", "Updating")}

    def write(self, state: State) -> None:
        """Enable or disable it."""
        self._functions.update_event_source_mapping(UUID=self._id, Enabled=state["Enabled"])


class ScheduleRule(Switch):
    """An EventBridge rule that starts a function every so often."""

    def __init__(self, aws: Aws, rule: str) -> None:
        super().__init__(f"rule {rule}", {"State": "DISABLED"})
        self._events = aws.client("events")
        self._rule = rule

    def read(self) -> State:
        """Whether it starts anything."""
        return {"State": self._events.describe_rule(Name=self._rule)["State"]}

    def write(self, state: State) -> None:
        """Enable or disable it."""
        is_on = state["State"] == "ENABLED"
        (self._events.enable_rule if is_on else self._events.disable_rule)(Name=self._rule)


class WorkerScaling(Switch):
    """How many workers scaling may start."""

    def __init__(self, aws: Aws, service_arn: str) -> None:
        self._target = {
            "ServiceNamespace": "ecs",
            "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": service_arn.split(":", 5)[5],
        }
        super().__init__(f"scaling of {self._target['ResourceId']}", {"MinCapacity": 0, "MaxCapacity": 0})
        self._scaling = aws.client("application-autoscaling")

    def read(self) -> State:
        """The limits; a service that is not scaled has none, which is as good as off."""
        found = self._scaling.describe_scalable_targets(
            ServiceNamespace="ecs", ResourceIds=[self._target["ResourceId"]]
        )["ScalableTargets"]
        return {name: found[0][name] for name in self.off} if found else self.off

    def write(self, state: State) -> None:
        """Set the limits."""
        self._scaling.register_scalable_target(**self._target, **state)


class WorkerCount(Switch):
    """How many workers the service runs."""

    def __init__(self, aws: Aws, service_arn: str) -> None:
        super().__init__(f"workers of {service_arn}", {"desiredCount": 0})
        self._ecs = aws.client("ecs")
        self._cluster, self._service = service_arn.split("/")[-2:]

    def read(self) -> State:
        """The number that is wanted."""
        (found,) = self._ecs.describe_services(cluster=self._cluster, services=[self._service])["services"]
        return {"desiredCount": found["desiredCount"]}

    def write(self, state: State) -> None:
        """Set the number."""
        self._ecs.update_service(cluster=self._cluster, service=self._service, **state)


class InstanceGroup(Switch):
    """The workers' machines; while they are protected from scale-in, the stack cannot be deleted."""

    def __init__(self, aws: Aws, group: str) -> None:
        off = {"NewInstancesProtectedFromScaleIn": False, "MinSize": 0, "DesiredCapacity": 0}
        super().__init__(f"instances of {group}", off)
        self._groups = aws.client("autoscaling")
        self._group = group

    def read(self) -> State:
        """The group's own settings."""
        found = self._groups.describe_auto_scaling_groups(AutoScalingGroupNames=[self._group])
        return {name: found["AutoScalingGroups"][0].get(name, False) for name in self.off}

    def write(self, state: State) -> None:
        """Change the group, and the protection of the machines in it."""
        found = self._groups.describe_auto_scaling_groups(AutoScalingGroupNames=[self._group])
        instances = [entry["InstanceId"] for entry in found["AutoScalingGroups"][0]["Instances"]]
        for start in range(0, len(instances), 50):  # the most that one call takes
            self._groups.set_instance_protection(
                AutoScalingGroupName=self._group,
                InstanceIds=instances[start : start + 50],
                ProtectedFromScaleIn=state["NewInstancesProtectedFromScaleIn"],
            )
        self._groups.update_auto_scaling_group(AutoScalingGroupName=self._group, **state)


def intake(aws: Aws, deployment: Deployment) -> Iterator[Switch]:
    """What brings new jobs: every route that writes, except those that end work."""
    for api_id, stage, routes in _stages(aws, deployment):
        writes = [route for route in routes if not route.startswith(_READS)]
        new = [route for route in writes if not route.endswith(_ENDS_WORK)]
        yield RouteThrottle(aws, "intake", api_id, stage, new)


def processing(aws: Aws, deployment: Deployment) -> Iterator[Switch]:
    """What changes jobs that are there already.

    The mapping of the table's change stream is not among them: it tells of ended jobs, and does so
    until the stack is gone.
    """
    for api_id, stage, routes in _stages(aws, deployment):
        yield RouteThrottle(aws, "all routes", api_id, stage, routes)
    for rule in deployment.of("AWS::Events::Rule"):
        yield ScheduleRule(aws, rule.physical_id)
    for mapping in queue_mappings(aws, deployment):
        yield QueueMapping(aws, mapping["UUID"])
    for service in deployment.of("AWS::ECS::Service"):
        yield WorkerScaling(aws, service.physical_id)
        yield WorkerCount(aws, service.physical_id)


def instances(aws: Aws, deployment: Deployment) -> Iterator[Switch]:
    """What the deletion of the stack would wait for without end."""
    for group in deployment.of("AWS::AutoScaling::AutoScalingGroup"):
        yield InstanceGroup(aws, group.physical_id)


def queue_mappings(aws: Aws, deployment: Deployment) -> Iterator[Any]:
    """The event source mappings of the stack's queues, made by the stack or by hand."""
    for queue in deployment.of(QUEUE):
        attributes = aws.client("sqs").get_queue_attributes(
            QueueUrl=queue.physical_id, AttributeNames=["QueueArn"]
        )
        pages = aws.client("lambda").get_paginator("list_event_source_mappings")
        for page in pages.paginate(EventSourceArn=attributes["Attributes"]["QueueArn"]):
            yield from page["EventSourceMappings"]


def _stages(aws: Aws, deployment: Deployment) -> Iterator[tuple[str, str, list[str]]]:
    client = aws.client("apigatewayv2")
    for api in deployment.of("AWS::ApiGatewayV2::Api"):
        pages = client.get_paginator("get_routes").paginate(ApiId=api.physical_id)
        routes = sorted(route["RouteKey"] for page in pages for route in page["Items"])
        for stage in client.get_stages(ApiId=api.physical_id)["Items"]:
            yield api.physical_id, stage["StageName"], routes


def _limits(settings: dict[str, Any] | None) -> State | None:
    if settings is None or not settings.keys() & _CLOSED.keys():
        return None
    return {name: settings[name] for name in _CLOSED if name in settings}
