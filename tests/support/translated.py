"""template.yaml as CloudFormation gets it: translated by SAM, its functions computed for given parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tools.local_stack.intrinsics import Intrinsics
from tools.local_stack.template import parsed

REGION = "eu-central-1"
NEEDED = {
    "JwtIssuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example",
    "JwtAudience": "users,machines",
    "WorkerImageUri": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/worker:1",
}
"""The parameters without a default."""
_CODE = {"CodeUri": "code", "ContentUri": "layer"}


@cache
def _translated(given: str) -> dict[str, Any]:
    template = deepcopy(parsed())
    for resource in template["Resources"].values():
        for name in _CODE.keys() & resource.get("Properties", {}).keys():  # what `sam package` writes there
            resource["Properties"][name] = {"Bucket": "artifacts", "Key": _CODE[name]}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    translated: dict[str, Any] = translator.translate(template, json.loads(given))
    return translated


def translated(**parameters: str) -> dict[str, Any]:
    """The template after SAM's transform, which replaces references to parameters in what it makes."""
    return deepcopy(_translated(json.dumps(NEEDED | parameters, sort_keys=True)))


class Deployment:
    """The template with parameters: what CloudFormation would create.

    Attributes
    ----------
    resources
        Every resource whose condition holds, by its logical id. In its properties a reference to a resource
        is the resource's logical id.
    """

    def __init__(self, **parameters: str) -> None:
        self.template = translated(**parameters)
        given = NEEDED | parameters
        self._values = {
            name: _value(spec, given.get(name, spec.get("Default", "")))
            for name, spec in self.template["Parameters"].items()
        }
        self._intrinsics = Intrinsics(self._reference, self.template)
        self.resources: dict[str, dict[str, Any]] = {
            name: spec for name, spec in self.template["Resources"].items() if self._exists(spec)
        }

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, computed."""
        return {name: self.properties(name) for name, one in self.resources.items() if one["Type"] == kind}

    def properties(self, name: str) -> dict[str, Any]:
        """The properties of one resource, computed."""
        computed: dict[str, Any] = self._intrinsics.compute(
            _without_attributes(self.resources[name].get("Properties", {}))
        )
        return computed

    def _exists(self, spec: Mapping[str, Any]) -> bool:
        return "Condition" not in spec or self._intrinsics.holds({"Condition": spec["Condition"]})

    def _reference(self, name: str) -> Any:
        return self._values.get(name, name)


def _value(spec: Mapping[str, Any], given: str) -> Any:
    """What a ``Ref`` of a parameter gives."""
    return given.split(",") if spec["Type"] == "CommaDelimitedList" else given


def _without_attributes(value: Any) -> Any:
    """``Fn::GetAtt`` as text, and other functions of names that are not known before there is a stack."""
    match value:
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::GetAtt": str(name)}:
            return name
        case {"Fn::GetAZs": _}:
            return ["a", "b", "c"]
        case {"Fn::Select": [number, among]}:
            return _without_attributes(among)[int(number)]
        case {"Fn::Base64": text}:
            return _without_attributes(text)
        case {"Fn::Join": [separator, parts]}:
            return separator.join(str(_without_attributes(part)) for part in parts)
        case {"Fn::Sub": [text, _]}:
            return {"Fn::Sub": text}
        case dict():
            return {name: _without_attributes(part) for name, part in value.items()}
        case list():
            return [_without_attributes(part) for part in value]
    return value
