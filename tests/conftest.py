"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import configuration, settings
from moto import mock_aws

from tests.support.model import model_for_tests
from tools.local_stack.moto_fixes import make_moto_queues_thread_safe

# The same examples on every run, no database, and no limit on a busy machine; what hypothesis keeps all the
# same (the constants that it finds in the code) goes where the other caches are.
configuration.set_hypothesis_home_dir(Path(__file__).parents[1] / ".cache" / "hypothesis")
settings.register_profile("tests", database=None, deadline=None, derandomize=True)
settings.load_profile("tests")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS in this process; no request leaves it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    make_moto_queues_thread_safe()
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detection model in OpenVINO format."""
    return model_for_tests(tmp_path_factory.mktemp("model"))
