"""docs/deploy.md names commands, parameters and outputs that exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.support.pages import Page
from tests.support.translated import NEEDED, raw_template
from tools import smoke_login

ROOT = Path(__file__).parents[2]
PAGE = Page(ROOT / "docs" / "deploy.md")
SHOWN = [block.content.replace("\\\n", " ") for block in PAGE.blocks() if block.language == "sh"]
ISSUER: Mapping[str, Any] = yaml_parse((ROOT / "deploy" / "issuer.yaml").read_text(encoding="utf-8"))
NOWHERE = "http://127.0.0.1:9"


def aws_commands() -> Iterator[str]:
    for block in SHOWN:
        for command in re.findall(r"\baws [^|#)\n]+", block):
            if not command.startswith("aws configure"):
                yield command.strip()


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """A real AWS CLI, which finds no AWS."""
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    own = {"PATH": path, "AWS_DEFAULT_REGION": "eu-central-1"}
    return {**os.environ, **keys, **own, "AWS_MAX_ATTEMPTS": "1"}


@pytest.mark.parametrize("command", list(aws_commands()))
def test_the_aws_cli_takes_every_command(command: str, environment: dict[str, str]) -> None:
    arguments = [*shlex.split(command), "--endpoint-url", NOWHERE]
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert f'Could not connect to the endpoint URL: "{NOWHERE}' in done.stderr, done.stderr


def test_every_parameter_and_output_that_is_named_exists() -> None:
    parameters = {**raw_template()["Parameters"], **ISSUER["Parameters"]}
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
    needed = {name for name, spec in raw_template()["Parameters"].items() if "Default" not in spec}
    assert needed == set(NEEDED)
    (sentence,) = re.findall(r"Three have no default: ([^.]+)\.", PAGE.text)
    assert set(re.findall(r"`(\w+)`", sentence)) == needed


def test_the_smoke_test_reads_the_variables_that_are_shown() -> None:
    shown = set(re.findall(r"SMOKE_TEST_\w+", PAGE.text))
    known = {value for name, value in vars(smoke_login).items() if name.endswith("_VARIABLE")}
    assert shown == known
