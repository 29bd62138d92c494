"""Compute CloudFormation's intrinsic functions, those that the template uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any


class Intrinsics:
    """Computes values of a template.

    Parameters
    ----------
    reference
        What ``!Ref`` of a name gives.
    template
        The whole template, for its sections ``Conditions`` and ``Mappings``.
    """

    def __init__(self, reference: Callable[[str], Any], template: Mapping[str, Any]) -> None:
        self._reference = reference
        self._conditions = template.get("Conditions", {})
        self._mappings = template.get("Mappings", {})

    def compute(self, value: Any) -> Any:
        """A value with every function in it computed; what is ``AWS::NoValue`` is left out.

        Raises
        ------
        ValueError
            If it uses a function that is not known here.
        """
        match value:
            case {"Ref": "AWS::NoValue"}:
                return None
            case {"Ref": str(name)}:
                return self._reference(name)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:]+)\}", lambda found: str(self._reference(found[1])), text)
            case {"Fn::Split": [separator, text]}:
                return str(self.compute(text)).split(separator)
            case {"Fn::FindInMap": [mapping, key, name]}:
                return self._mappings[mapping][str(self.compute(key))][name]
            case {"Fn::If": [condition, chosen, otherwise]}:
                return self.compute(chosen if self.holds({"Condition": condition}) else otherwise)
            case Mapping():
                return self._computed_parts(value)
            case list():
                return [part for part in map(self.compute, value) if part is not None]
        return value

    def _computed_parts(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        unknown = [name for name in parts if name.startswith("Fn::")]
        if unknown:
            raise ValueError(f"The local stack cannot compute {unknown[0]}")
        computed = {name: self.compute(part) for name, part in parts.items()}
        return {name: part for name, part in computed.items() if part is not None}

    def holds(self, condition: Any) -> bool:
        """Whether a condition of the template, or the name of one, holds."""
        match condition:
            case {"Condition": name}:
                return self.holds(self._conditions[name])
            case {"Fn::Equals": [left, right]}:
                return str(self.compute(left)) == str(self.compute(right))
            case {"Fn::Not": [negated]}:
                return not self.holds(negated)
            case {"Fn::And": parts}:
                return all(map(self.holds, parts))
            case {"Fn::Or": parts}:
                return any(map(self.holds, parts))
        raise ValueError(f"The local stack knows no condition {condition!r}")
