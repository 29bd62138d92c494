"""docs/deploy.md names parameters and outputs that exist."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.pages import Page
from tests.support.translated import NEEDED
from tools import smoke_login
from tools.local_stack.template import parsed

ROOT = Path(__file__).parents[2]
PAGE = Page(ROOT / "docs" / "deploy.md")
SHOWN = [block.content.replace("\\\n", " ") for block in PAGE.blocks() if block.language == "sh"]
ISSUER: Mapping[str, Any] = parsed(ROOT / "deploy" / "issuer.yaml")


def test_every_parameter_and_output_that_is_named_exists() -> None:
    parameters = {**parsed()["Parameters"], **ISSUER["Parameters"]}
    settings = dict(re.findall(r"`(\w+)=(\w+)`", PAGE.prose))
    for block in SHOWN:
        settings |= dict(re.findall(r"--parameter-overrides (\w+)=(\w+)", block))
    assert {"EventConcurrency", "WorkerNatGateway", "Machines", "DomainPrefix"} <= set(settings)
    for name, value in settings.items():
        assert value in parameters[name].get("AllowedValues", [value])
    for name in ("JwtIssuer", "JwtAudience", "WorkerNetwork", "WorkerVpcId", "WorkerSubnetIds"):
        assert f"`{name}`" in PAGE.text
        assert name in parameters


def test_the_page_names_every_parameter_that_must_be_given() -> None:
    needed = {name for name, spec in parsed()["Parameters"].items() if "Default" not in spec}
    assert needed == set(NEEDED)
    (sentence,) = re.findall(r"Three have no default: ([^.]+)\.", PAGE.text)
    assert set(re.findall(r"`(\w+)`", sentence)) == needed


def test_the_smoke_test_reads_the_variables_that_are_shown() -> None:
    shown = set(re.findall(r"SMOKE_TEST_\w+", PAGE.text))
    known = {value for name, value in vars(smoke_login).items() if name.endswith("_VARIABLE")}
    assert shown == known
