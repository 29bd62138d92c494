"""The project's files agree with each other."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.local_stack.template import Template

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".aws-sam" / "build"
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


def test_the_packages_of_functions_and_worker_have_one_version_each() -> None:
    pins: dict[str, set[str]] = {}
    files = [ROOT / "layers/vendor/requirements.txt", *ROOT.glob("gpu_worker_image/requirements*.txt")]
    assert len(files) == 3
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            if "==" in line:
                package, version = line.split("==")
                pins.setdefault(package, set()).add(version)
    assert {package: found for package, found in pins.items() if len(found) > 1} == {}


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
