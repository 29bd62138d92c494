"""The examples in the docstrings of the SDK do what they show."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import shutil
from pathlib import Path

import pytest
import video_jobs_client
from video_jobs_client import AsyncClient, AsyncJob, Client, Job, webhooks
from video_jobs_client.async_jobs import AsyncJobs
from video_jobs_client.jobs import Jobs

from tests.e2e.conftest import TIMEOUT_S, Api
from tests.fixtures.make_tiny_mp4 import PATH
from tests.support.webhook_calls import SECRET, called

SHOWN_URL = "http://127.0.0.1:8000"
MODULES = [
    module.name
    for module in pkgutil.walk_packages(video_jobs_client.__path__, "video_jobs_client.")
    if not module.name.endswith("__main__")
]


def examples_of(module: str) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module))
    return [one for one in found if one.examples]


@pytest.fixture(scope="module")
def completed(api: Api) -> Job:
    """The job that examples find: of the clip that they submit."""
    return api.client.analyse(PATH, frame_stride=5).wait(TIMEOUT_S, poll_s=0.05)


@pytest.mark.parametrize("module", [name for name in MODULES if examples_of(name)])
def test_the_examples_of_a_module_run(
    module: str, completed: Job, api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # GIVEN a clip where the user is, a client and a job
    shutil.copy(PATH, tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIDEO_JOBS_CACHE_DIR", "cache")
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for test in examples_of(module):
        body, headers = called()
        test.globs |= {"client": api.client, "job": completed.refresh()}
        test.globs |= {"webhooks": webhooks, "body": body, "headers": headers, "secret": SECRET}
        for example in test.examples:
            example.source = example.source.replace(SHOWN_URL, api.url)
        # THEN every example gives what it shows
        assert runner.run(test).failed == 0


@pytest.mark.parametrize("kind", [Client, AsyncClient, Jobs, AsyncJobs, Job, AsyncJob])
def test_what_a_user_meets_first_has_an_example(kind: type) -> None:
    assert ">>> " in (kind.__doc__ or "")
