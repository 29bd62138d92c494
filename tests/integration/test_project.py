"""The project's files agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.local_stack.template import Template

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".aws-sam" / "build"
CLIENT = ROOT / "clients/python"
DEPLOYED = [ROOT / "layers/vendor/requirements.txt", *ROOT.glob("gpu_worker_image/requirements*.txt")]
needs_build = pytest.mark.skipif(
    not BUILD.is_dir(), reason="make test builds the functions first (sam build)"
)


def test_the_dockerfile_copies_what_is_there_and_installs_what_make_installs() -> None:
    dockerfile = (ROOT / "gpu_worker_image" / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert len(sources) >= 4
    assert [source for source in sources if not (ROOT / source).exists()] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    requirements = [source for source in sources if source.endswith(".txt")]
    assert len(requirements) == 2
    assert f"{' '.join(requirements)} requirements-dev.txt" in makefile


def test_the_packages_of_functions_worker_and_client_have_one_version_each() -> None:
    pins: dict[str, set[str]] = {}
    for file in (*DEPLOYED, CLIENT / "requirements.txt"):
        for package, version in pins_of(file).items():
            pins.setdefault(package, set()).add(version)
    assert {package: found for package, found in pins.items() if len(found) > 1} == {}


def test_all_that_the_client_needs_is_installed_in_a_version_that_it_takes() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = chain(*project["optional-dependencies"].values())
    needed = [Requirement(text) for text in (*project["dependencies"], *extras)]
    pins = pins_of(CLIENT / "requirements.txt")
    assert pins.keys() == {one.name for one in needed}
    assert [one for one in needed if pins[one.name] not in one.specifier] == []


def pins_of(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line)


def test_samconfig_has_a_section_for_each_command() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))["default"]
    assert {"validate", "build", "local_invoke", "local_start_api", "deploy"} <= set(config)


def test_every_function_that_takes_batches_reports_what_failed() -> None:
    template = Template()
    assert len(template.functions()) == 8
    assert all(source.reports_failures for source in template.queue_sources())
    queues = {source.source for source in template.queue_sources()}
    assert queues == {"UploadsQueue", "JobsDeadLetterQueue", "WebhooksQueue", "SourcesQueue"}


@needs_build
@pytest.mark.parametrize("function", Template().functions())
def test_a_built_function_starts_with_its_layers_alone(function: str) -> None:
    handler = Template().handler(function).rpartition(".")[0]
    folders = [BUILD / function, BUILD / "CommonLayer" / "python", BUILD / "VendorLayer" / "python"]
    python_path = ":".join(str(folder) for folder in folders)
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import {handler} as app; print(app.__file__)"],
        env={"PYTHONPATH": python_path, "AWS_REGION": "us-east-1"},
        cwd=BUILD,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(BUILD / function) in done.stdout


@needs_build
@pytest.mark.parametrize("folder", [*Template().functions(), "CommonLayer", "VendorLayer"])
def test_what_is_built_is_compiled(folder: str) -> None:
    sources = list((BUILD / folder).rglob("*.py"))
    assert sources
    compiled = (path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc" for path in sources)
    assert [path for path in compiled if not path.exists()] == []
