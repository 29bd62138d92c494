"""What moto leaves out of a stack: HTTP APIs whose stages can be changed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from moto.apigatewayv2 import urls
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.autoscaling.models import AutoScalingBackend
from moto.cloudformation.parsing import ResourceMap, get_model_map
from moto.core.common_models import CloudFormationModel

_ROUTE_SETTINGS = (
    "{0}/v2/apis/(?P<api_id>[^/]+)/stages/(?P<stage_name>[^/]+)/routesettings/(?P<route_key>.+)$"
)
_UNSET = (
    "api_key_selection_expression",
    "cors_configuration",
    "description",
    "disable_execute_api_endpoint",
    "disable_schema_validation",
    "route_selection_expression",
    "version",
)
_delete_resources = ResourceMap.delete
_LIMITS = {"throttlingBurstLimit": 200, "throttlingRateLimit": 100}


def teach_moto_http_apis() -> None:
    """Add it; doing it twice changes nothing."""
    models: dict[str, Any] = get_model_map()
    models["AWS::ApiGatewayV2::Api"] = HttpApi
    for owner, name, method in (
        (ApiGatewayV2Response, "update_stage", _update_stage),
        (ApiGatewayV2Response, "delete_route_settings", _delete_route_settings),
        (ResourceMap, "delete", _delete_unless_retained),
        # moto deletes a whole stack before it answers; then its group is no longer there to be deleted.
        (AutoScalingBackend, "delete_auto_scaling_group", _delete_auto_scaling_group),
    ):
        setattr(owner, name, method)
    urls.url_paths[_ROUTE_SETTINGS] = ApiGatewayV2Response.dispatch


class HttpApi(CloudFormationModel):
    """An HTTP API with the routes that its property ``Routes`` lists, and a default stage."""

    def __init__(self, api_id: str, backend: Any) -> None:
        self.physical_resource_id, self._backend = api_id, backend

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
    ) -> HttpApi:
        backend = apigatewayv2_backends[account_id][region_name]
        unset: dict[str, Any] = dict.fromkeys(_UNSET)
        api = backend.create_api(name=resource_name, protocol_type="HTTP", tags={}, **unset)
        for key in cloudformation_json["Properties"]["Routes"]:
            api.create_route(False, [], key, target="")
        own = {
            route: {name[0].lower() + name[1:]: limit for name, limit in limits.items()}
            for route, limits in cloudformation_json["Properties"]["RouteSettings"].items()
        }
        api.create_stage(
            {
                "stageName": "$default",
                "autoDeploy": True,
                "defaultRouteSettings": _LIMITS,
                "routeSettings": own,
            }
        )
        return cls(api.api_id, backend)

    def delete(self, account_id: str, region_name: str) -> None:
        self._backend.delete_api(self.physical_resource_id)

    def is_created(self) -> bool:
        return True


def _delete_unless_retained(self: Any) -> None:
    """moto knows only ``Retain``; ``RetainExceptOnCreate`` is the same once a resource is created."""
    for spec in self._resource_json_map.values():
        if spec.get("DeletionPolicy") == "RetainExceptOnCreate":
            spec["DeletionPolicy"] = "Retain"
    _delete_resources(self)


def _delete_auto_scaling_group(self: Any, group_name: str) -> None:
    if group_name in self.autoscaling_groups:
        self.set_desired_capacity(group_name, 0)
        self.autoscaling_groups.pop(group_name)


def _stage_of(response: Any) -> Any:
    parts = response.path.split("/")
    stages = parts.index("stages")
    return response.apigatewayv2_backend.get_stage(parts[stages - 1], unquote(parts[stages + 1]))


def _update_stage(self: Any) -> Any:
    stage = _stage_of(self)
    stage.route_settings = {**stage.route_settings, **json.loads(self.body)["routeSettings"]}
    return 200, {}, json.dumps(stage.to_json())


def _delete_route_settings(self: Any) -> Any:
    stage, key = _stage_of(self), unquote(self.path.rpartition("/routesettings/")[2])
    stage.route_settings = {route: value for route, value in stage.route_settings.items() if route != key}
    return 204, {}, ""
