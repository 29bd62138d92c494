"""What moto leaves out of a stack: HTTP APIs whose stages can be changed."""

from __future__ import annotations

import json
from inspect import signature
from typing import Any
from urllib.parse import unquote

from moto.apigatewayv2 import urls
from moto.apigatewayv2.models import apigatewayv2_backends
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.autoscaling.models import AutoScalingBackend
from moto.cloudformation.parsing import get_model_map
from moto.core.common_models import CloudFormationModel

_ROUTE_SETTINGS = "{0}/v2/apis/(?P<api_id>[^/]+)/stages/(?P<stage_name>[^/]+)/routesettings/(?P<key>.+)$"
_LIMITS = {"throttlingBurstLimit": 200, "throttlingRateLimit": 100}


def teach_moto_http_apis() -> None:
    """Add it; doing it twice changes nothing."""
    models: dict[str, Any] = get_model_map()
    models["AWS::ApiGatewayV2::Api"] = HttpApi
    for owner, name, method in (
        (ApiGatewayV2Response, "update_stage", _update_stage),
        (ApiGatewayV2Response, "delete_route_settings", _delete_route_settings),
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
        unset: dict[str, Any] = dict.fromkeys(signature(backend.create_api).parameters)
        api = backend.create_api(**unset | {"name": resource_name, "protocol_type": "HTTP", "tags": {}})
        for key in cloudformation_json["Properties"]["Routes"]:
            api.create_route(False, [], key, target="")
        own = {
            route: {name[0].lower() + name[1:]: limit for name, limit in limits.items()}
            for route, limits in cloudformation_json["Properties"]["RouteSettings"].items()
        }
        stage = {"stageName": "$default", "autoDeploy": True, "defaultRouteSettings": _LIMITS}
        api.create_stage(stage | {"routeSettings": own})
        return cls(api.api_id, backend)

    def delete(self, account_id: str, region_name: str) -> None:
        self._backend.delete_api(self.physical_resource_id)

    def is_created(self) -> bool:
        return True


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
