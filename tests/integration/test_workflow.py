"""The workflow, .ci/run, the pre-commit hooks, the Makefile and SECURITY.md say the same."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from video_jobs.settings import ServiceSettings

from tools.local_stack.template import Template

ROOT = Path(__file__).parents[2]
GATES = ["vocabulary", "plugins", "lint", "test", "proofs", "smoke", "image-test"]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


MAKEFILE, SECURITY = text_of("Makefile"), text_of("SECURITY.md")
WORKFLOW_TEXT, CI_RUN = text_of(".github/workflows/validation.yml"), text_of(".ci/run")
WORKFLOW: dict[Any, Any] = yaml.safe_load(WORKFLOW_TEXT)
(JOB,) = WORKFLOW["jobs"].values()
WORKFLOW_SCRIPT = "\n".join(step["run"] for step in JOB["steps"] if "run" in step)
PYPROJECT = tomllib.loads(text_of("pyproject.toml"))
HOOKS = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]


def steps_with(action: str) -> list[dict[str, Any]]:
    return [step["with"] for step in JOB["steps"] if f"/{action}@" in step.get("uses", "")]


def make_variable(name: str) -> str:
    (value,) = re.findall(rf"^{name} \??:?= (.+)$", MAKEFILE, re.MULTILINE)
    return str(value)


def recipe_of(target: str) -> list[str]:
    """The commands of a target as make would run them, without those of the targets that it needs."""
    (recipe,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--dry-run", "--no-print-directory", target]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-recipe.count("\n") :]


@pytest.mark.parametrize(
    ("script", "packages"),
    [
        pytest.param(WORKFLOW_SCRIPT, ["tesseract-ocr"], id="validation.yml"),  # which has a Docker engine
        pytest.param(
            CI_RUN,
            ["tesseract-ocr chromium", "--no-install-recommends buildah mmdebstrap"],
            id=".ci/run",
        ),
    ],
)
def test_the_gates_are_run_in_their_order_after_packages_are_installed(
    script: str, packages: list[str]
) -> None:
    assert re.findall(r"^make (.+)$", script, re.MULTILINE) == GATES
    installed = re.findall(r"apt-get install -y -qq ([^>\n]+?) *(?:>|$)", script, re.MULTILINE)
    assert installed == packages


def test_every_gate_is_a_target_that_is_no_file() -> None:
    for target in GATES:
        assert re.search(rf"^{target}:.*## ", MAKEFILE, re.MULTILINE)
        assert re.search(rf"^\.PHONY:.* {target}( |$)", MAKEFILE, re.MULTILINE)


def test_the_workflow_only_installs_and_makes() -> None:
    lines = [shlex.split(line, comments=True) for line in WORKFLOW_SCRIPT.splitlines()]
    assert {line[line[0] == "sudo"] for line in lines if line} == {"apt-get", "make"}


def test_the_workflow_runs_on_pull_requests_and_main_and_gives_way_to_newer_pushes() -> None:
    triggers = WORKFLOW[True]  # YAML 1.1 takes the key `on` for a boolean
    assert triggers == {"pull_request": None, "push": {"branches": ["main"]}}
    assert 0 < JOB["timeout-minutes"] <= 60
    assert "pull_request.number" in WORKFLOW["concurrency"]["group"]
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True


def test_the_workflow_may_only_read_and_knows_no_secret() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in JOB
    assert "secrets." not in WORKFLOW_TEXT
    (checkout,) = steps_with("checkout")
    assert checkout["persist-credentials"] is False


def test_every_action_is_pinned_by_one_commit_and_says_its_version() -> None:
    uses = re.findall(r"uses: (.+)", WORKFLOW_TEXT)
    pinned = re.compile(r"(actions/[\w-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+")
    assert len(uses) >= 4
    assert [one for one in uses if not pinned.fullmatch(one)] == []
    pins = set(pinned.findall(WORKFLOW_TEXT))
    assert len(pins) == len({name for name, _ in pins})


def test_the_caches_depend_on_python_and_every_file_that_make_installs_from() -> None:
    keys = {step["path"]: step["key"] for step in steps_with("cache")}
    assert set(keys) == {".venv", ".cache"}
    assert all("steps.python.outputs.python-version" in key for key in keys.values())
    assert re.findall(r"'([^']+)'", keys[".venv"]) == make_variable("REQUIREMENTS").split()
    assert "'requirements-lint.txt'" in keys[".cache"]
    (python,) = steps_with("setup-python")
    assert f"python{python['python-version']}" == make_variable("PYTHON")


def test_the_hooks_run_what_make_lint_runs_and_fetch_nothing() -> None:
    hooks = [hook for repository in HOOKS for hook in repository["hooks"]]
    assert [hook["entry"] for hook in hooks] == recipe_of("lint")
    assert {repository["repo"] for repository in HOOKS} == {"local"}
    assert {(hook["language"], hook["pass_filenames"]) for hook in hooks} == {("system", False)}


def test_editors_break_lines_where_ruff_does() -> None:
    config = configparser.ConfigParser()
    config.read_string("[top]\n" + text_of(".editorconfig"))
    assert config.getint("*.py", "max_line_length") == PYPROJECT["tool"]["ruff"]["line-length"]
    assert config["Makefile"]["indent_style"] == "tab"


def test_the_security_page_names_what_exists() -> None:
    template = Template()
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", SECURITY))
    assert named - set(template.resources) - set(template._raw["Parameters"]) == set()
    major_minor = PYPROJECT["project"]["version"].rpartition(".")[0]
    assert f"\n| {major_minor} and `main` | yes |\n" in SECURITY


def test_the_security_page_says_the_times_that_are_set() -> None:
    settings, resources = ServiceSettings(table_name="t", bucket_name="b"), Template().resources
    assert settings.upload_expires_s == settings.download_expires_s == 15 * 60
    assert SECURITY.count("15 minutes") == 2
    rules = resources["MediaBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (videos,) = (rule for rule in rules if rule.get("Prefix") == "video_jobs/")
    assert videos["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_the_page_of_costs_says_the_limits_that_are_set() -> None:
    page, template = (ROOT / "docs/security.md").read_text(), Template()
    routes = template.resources["HttpApi"]["Properties"]["RouteSettings"]
    assert f"{routes['POST /video/submit']['ThrottlingRateLimit']} requests a second" in page
    assert f"`EventConcurrency` ({template._raw['Parameters']['EventConcurrency']['Default']})" in page
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", page))
    assert named - set(template.resources) - set(template._raw["Parameters"]) == {"MaximumConcurrency"}


def test_the_roles_are_as_small_as_the_security_page_says() -> None:
    resources = Template().resources
    assert "s3:" not in str(resources["DeadLetterRole"])
    (policy,) = resources["VideoWorkerTaskRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    sends = [one["Resource"] for one in statements if "sqs:SendMessage" in one["Action"]]
    assert [str(resource) for resource in sends] == [str({"Fn::GetAtt": ["JobsQueue", "Arn"]})]
    deleting = [one["Resource"]["Fn::Sub"] for one in statements if "s3:DeleteObject" in one["Action"]]
    assert deleting == ["${MediaBucket.Arn}/job_parts/*"]
