"""template.yaml as CloudFormation sees it with chosen parameters: conditions and mappings are gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.local_stack.template import Template

_NOTHING = object()


class ChosenTemplate:
    """``resources`` has the resources that exist with these parameters, with their properties."""

    def __init__(self, **parameters: str | int) -> None:
        self._raw = Template()._raw
        self._parameters = parameters
        self.resources: dict[str, dict[str, Any]] = {
            name: self._chosen(spec)
            for name, spec in self._raw["Resources"].items()
            if "Condition" not in spec or self._holds(spec["Condition"])
        }

    def properties(self, name: str) -> dict[str, Any]:
        """The properties of one resource."""
        properties: dict[str, Any] = self.resources[name]["Properties"]
        return properties

    def of_type(self, kind: str) -> list[str]:
        """The resources of one type."""
        return [name for name, spec in self.resources.items() if spec["Type"] == kind]

    def _holds(self, condition: str) -> bool:
        return self._is_true(self._raw["Conditions"][condition])

    def _is_true(self, expression: Any) -> bool:
        match expression:
            case {"Condition": str(name)}:
                return self._holds(name)
            case {"Fn::Not": [negated]}:
                return not self._is_true(negated)
            case {"Fn::And": [*every]}:
                return all(map(self._is_true, every))
            case {"Fn::Equals": [left, right]}:
                return str(self._chosen(left)) == str(self._chosen(right))
        raise ValueError(f"No known condition: {expression}")

    def _chosen(self, value: Any) -> Any:
        match value:
            case {"Fn::If": [condition, if_true, if_false]}:
                return self._chosen(if_true if self._holds(condition) else if_false)
            case {"Fn::FindInMap": [mapping, key, name]}:
                return self._raw["Mappings"][mapping][str(self._chosen(key))][name]
            case {"Ref": "AWS::NoValue"}:
                return _NOTHING
            case {"Ref": str(name)} if name in self._parameters:
                return self._parameters[name]
            case {"Ref": str(name)} if "Default" in self._raw["Parameters"].get(name, {}):
                return self._raw["Parameters"][name]["Default"]
            case Mapping():
                chosen = {name: self._chosen(one) for name, one in value.items()}
                return {name: one for name, one in chosen.items() if one is not _NOTHING}
            case list():
                return [one for one in map(self._chosen, value) if one is not _NOTHING]
        return value
