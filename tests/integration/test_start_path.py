"""What the API imports when it starts: a client waits for all of it at every cold start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = "import json, sys, functions.video_api.app; print(json.dumps(sorted(sys.modules)))"

NEEDED_AT_START = {"aws_lambda_powertools", "jmespath", "typing_extensions"}
# A row of the table of problems; the user agent of Powertools, not the 400 modules of a client; the settings.
NEEDED_AT_START |= {"pydantic_core", "botocore", "msgspec"}

LATER_OR_NEVER = {
    "what a request needs, imported when a use case or a port is first asked for": """
        pydantic annotated_types typing_inspection functions.video_api.requests
        functions.video_api.parameters functions.video_api.form
        functions.video_api.answer_models functions.video_api.result_format email.parser boto3
        botocore.session
        botocore.client s3transfer urllib3 dateutil pynamodb video_jobs.adapters video_jobs.migrations
        video_jobs.use_cases""",
    "what Powertools has and the API does not use": """
        aws_xray_sdk aws_lambda_powertools.event_handler.middlewares.openapi_validation
        aws_lambda_powertools.event_handler.openapi.models
        aws_lambda_powertools.event_handler.openapi.swagger_ui aws_lambda_powertools.utilities.batch
        aws_lambda_powertools.utilities.idempotency aws_lambda_powertools.utilities.parser
        aws_lambda_powertools.utilities.validation""",
    "what makes documents, tests and local stacks": "jinja2 moto requests samtranslator yaml tests tools",
    "what only the worker needs": "cv2 numpy openvino torch ultralytics video_worker",
    "the other functions": """
        functions.dead_letter functions.deliver_webhook functions.fetch_source functions.job_events
        functions.queue_webhook functions.reconcile functions.upload_received""",
}


@pytest.fixture(scope="module")
def imported() -> list[str]:
    """The modules of a fresh Python that has imported the API, and of nothing that this environment adds."""
    folders = [ROOT, ROOT / "layers" / "common" / "python", sysconfig.get_path("purelib")]
    done = subprocess.run(
        [sys.executable, "-S", "-c", CODE],
        env={"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    modules: list[str] = json.loads(done.stdout)
    return modules


def test_the_start_imports_the_api(imported: list[str]) -> None:
    assert {"functions.video_api.app", "functions.video_api.routes.submit", "video_jobs"} <= set(imported)


@pytest.mark.parametrize("kind", LATER_OR_NEVER)
def test_it_waits_for_nothing_that_is_needed_later_or_never(imported: list[str], kind: str) -> None:
    packages = LATER_OR_NEVER[kind].split()
    folders = tuple(f"{package}." for package in packages)
    assert [name for name in imported if name in packages or name.startswith(folders)] == []


def test_no_other_package_has_slipped_in(imported: list[str]) -> None:
    packages = {name.partition(".")[0] for name in imported if not name.startswith("_")}
    ours = {"functions", "video_jobs"}
    assert packages - ours - sys.stdlib_module_names <= NEEDED_AT_START
