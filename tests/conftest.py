"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from moto import mock_aws

from tests.support.model import model_for_tests
from tools.local_stack.moto_fixes import make_moto_queues_thread_safe

# Each session would read the services' descriptions from disk again, which takes as long as most tests.
botocore.session.create_loader = cache(botocore.session.create_loader)


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
