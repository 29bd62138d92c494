"""The workflow, .ci/run, the pre-commit hooks and the Makefile ask for the same."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import subprocess
import tomllib
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse
from video_jobs.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
GATES = ["vocabulary", "plugins", "lint", "test", "build", "smoke"]
SHELL_ENDS = {">", ">>", "|", "&&", "||", ";"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


MAKEFILE = text_of("Makefile")
WORKFLOW_TEXT = text_of(".github/workflows/validation.yml")
WORKFLOW: dict[Any, Any] = yaml.safe_load(WORKFLOW_TEXT)
TRIGGERS = WORKFLOW[True]  # YAML 1.1 takes the key `on` for a boolean
(JOB,) = WORKFLOW["jobs"].values()
PYPROJECT = tomllib.loads(text_of("pyproject.toml"))
SECURITY = text_of("SECURITY.md")
TEMPLATE = yaml_parse(text_of("template.yaml"))


def commands_of(script: str) -> list[list[str]]:
    lines = [shlex.split(line, comments=True) for line in script.splitlines()]
    return [line for line in lines if line]


def make_targets(script: str) -> list[str]:
    return [target for line in commands_of(script) if line[0] == "make" for target in line[1:]]


def apt_packages(script: str) -> set[str]:
    packages = set()
    for line in commands_of(script):
        if "apt-get" in line and "install" in line:
            named = line[line.index("install") + 1 :]
            packages |= set(takewhile(lambda word: word not in SHELL_ENDS, named))
    return {package for package in packages if not package.startswith("-")}


def workflow_script() -> str:
    return "\n".join(step["run"] for step in JOB["steps"] if "run" in step)


def make_variable(name: str) -> str:
    found = re.search(rf"^{name} \??:?= (.+)$", MAKEFILE, re.MULTILINE)
    assert found is not None
    return found[1]


def recipe_of(target: str) -> list[str]:
    """The commands of a target as make would run them; what it needs comes before, and is left out."""
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe is not None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if name != "MFLAGS"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-recipe[1].count("\n") :]


@pytest.mark.parametrize("script", [workflow_script(), text_of(".ci/run")], ids=["validation.yml", ".ci/run"])
def test_the_gates_are_run_in_their_order(script: str) -> None:
    assert make_targets(script) == GATES


@pytest.mark.parametrize("target", GATES)
def test_every_gate_is_a_target_that_is_no_file(target: str) -> None:
    assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony is not None
    assert target in phony[1].split()


def test_the_workflow_installs_what_ci_run_installs() -> None:
    assert apt_packages(workflow_script()) == apt_packages(text_of(".ci/run")) == {"tesseract-ocr"}


def test_the_workflow_does_nothing_but_install_and_make() -> None:
    programs = {line[0] if line[0] != "sudo" else line[1] for line in commands_of(workflow_script())}
    assert programs == {"apt-get", "make"}


def test_the_workflow_runs_on_pull_requests_and_on_main() -> None:
    assert TRIGGERS == {"pull_request": None, "push": {"branches": ["main"]}}


def test_the_workflow_may_read_and_knows_no_secret() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in JOB
    assert "secrets." not in WORKFLOW_TEXT
    (checkout,) = (step for step in JOB["steps"] if "/checkout@" in step.get("uses", ""))
    assert checkout["with"]["persist-credentials"] is False


def test_every_action_is_pinned_by_its_commit_and_says_its_version() -> None:
    uses = re.findall(r"uses: (.+)", WORKFLOW_TEXT)
    assert len(uses) >= 4
    assert [
        one for one in uses if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)
    ] == []


def test_one_action_has_one_commit() -> None:
    pins = set(re.findall(r"uses: ([\w/-]+)@([0-9a-f]+)", WORKFLOW_TEXT))
    assert len(pins) == len({name for name, _ in pins})


def test_the_workflow_ends_and_gives_way_to_newer_pushes() -> None:
    assert 0 < JOB["timeout-minutes"] <= 60
    assert "pull_request.number" in WORKFLOW["concurrency"]["group"]
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True


def test_the_caches_know_python_and_every_file_that_make_installs_from() -> None:
    keys = {
        step["with"]["path"]: step["with"]["key"]
        for step in JOB["steps"]
        if "/cache@" in step.get("uses", "")
    }
    assert set(keys) == {".venv", ".cache"}
    for key in keys.values():
        assert "steps.python.outputs.python-version" in key
    hashed = set(re.findall(r"'([^']+)'", keys[".venv"]))
    assert hashed == set(make_variable("REQUIREMENTS").split())
    assert "'requirements-lint.txt'" in keys[".cache"]


def test_the_workflow_has_the_python_of_the_makefile() -> None:
    (python,) = (step["with"] for step in JOB["steps"] if "/setup-python@" in step.get("uses", ""))
    assert f"python{python['python-version']}" == make_variable("PYTHON")


def test_the_hooks_run_what_make_lint_runs() -> None:
    config = yaml.safe_load(text_of(".pre-commit-config.yaml"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert [hook["entry"] for hook in hooks] == recipe_of("lint")


def test_the_hooks_fetch_nothing() -> None:
    config = yaml.safe_load(text_of(".pre-commit-config.yaml"))
    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert {(hook["language"], hook["pass_filenames"]) for hook in hooks} == {("system", False)}


def test_editors_break_lines_where_ruff_does() -> None:
    config = configparser.ConfigParser()
    config.read_string("[top]\n" + text_of(".editorconfig"))
    assert config.getint("*.py", "max_line_length") == PYPROJECT["tool"]["ruff"]["line-length"]
    assert config["Makefile"]["indent_style"] == "tab"


def test_the_security_page_names_what_exists() -> None:
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", SECURITY))
    assert named - set(TEMPLATE["Resources"]) - set(TEMPLATE["Parameters"]) == set()
    links = re.findall(r"\]\(([^)#:]+)\)", SECURITY)
    assert [link for link in links if not (ROOT / link).exists()] == []
    targets = re.findall(r"`make ([\w-]+)`", SECURITY)
    assert [target for target in targets if f"\n{target}:" not in MAKEFILE] == []


def test_the_security_page_says_the_times_that_are_set() -> None:
    settings = ServiceSettings(table_name="t", bucket_name="b")
    assert settings.upload_expires_s == settings.download_expires_s == 15 * 60
    assert SECURITY.count("15 minutes") == 2
    resources = TEMPLATE["Resources"]
    for group in ("FunctionsLogGroup", "VideoWorkerLogGroup"):
        assert resources[group]["Properties"]["RetentionInDays"] == 30
    rules = resources["MediaBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (videos,) = (rule for rule in rules if rule.get("Prefix") == "video_jobs/")
    assert videos["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}


def test_the_roles_are_as_small_as_the_security_page_says() -> None:
    assert "s3:" not in str(TEMPLATE["Resources"]["DeadLetterRole"])
    (policy,) = TEMPLATE["Resources"]["VideoWorkerTaskRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert "sqs:SendMessage" not in str(statements)
    deleting = [one["Resource"]["Fn::Sub"] for one in statements if "s3:DeleteObject" in one["Action"]]
    assert deleting == ["${MediaBucket.Arn}/job_parts/*"]


def test_the_security_page_supports_the_version_that_is_released() -> None:
    major_minor = PYPROJECT["project"]["version"].rpartition(".")[0]
    assert f"\n| {major_minor} and `main` | yes |\n" in SECURITY
