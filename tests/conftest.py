"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from hypothesis import configuration, settings
from moto import mock_aws
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.model import MODEL
from tools.local_stack.moto_fixes import make_moto_thread_safe

# The same examples on every run, no database, and no limit on a busy machine; what hypothesis keeps all the
# same (the constants that it finds in the code) goes where the other caches are.
configuration.set_hypothesis_home_dir(Path(__file__).parents[1] / ".cache" / "hypothesis")
settings.register_profile("tests", database=None, deadline=None, derandomize=True)
settings.load_profile("tests")

# Each session would read the services' descriptions from disk again, which takes as long as most tests.
botocore.session.create_loader = cache(botocore.session.create_loader)


class FilesStayTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """With several processes, a file stays in one, and all tests of the running local stack in one."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "local stack" if path.startswith("tests/e2e/") else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesStayTogether:
    """Groups of xdist do not work with pytest 9.2, where a test's id cannot be changed."""
    return FilesStayTogether(config, log)


@contextmanager
def aws_in_this_process(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS without anything in it; no request leaves this process."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        patch.setenv(name, value)
    patch.delenv("AWS_ENDPOINT_URL", raising=False)
    make_moto_thread_safe()
    with mock_aws():
        yield


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_in_this_process(monkeypatch):
        yield


@pytest.fixture(scope="session")
def model_path() -> Path:
    """A detection model in OpenVINO format."""
    return MODEL
