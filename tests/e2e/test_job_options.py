"""A job that looks at some pictures only, at a part of them and at some objects, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.e2e.conftest import Api
from tests.fixtures.make_tiny_mp4 import PATH

CHOSEN: Mapping[str, Any] = {
    "classes": ["plate"],
    "min_confidence": 0.5,
    "region": [0, 0.5, 1, 1],
    "start_ms": 1000,
    "end_ms": 3000,
    "frames_per_second": 2,
}


def submit_query(api: Api) -> str:
    lists = {"classes": "plate", "region": "0,0.5,1,1"}
    return str(api.submit_body(PATH.read_bytes(), **{**CHOSEN, **lists}).json()["job_id"])


def submit_json(api: Api) -> str:
    return api.submit_presigned(PATH, **CHOSEN)


@pytest.mark.parametrize("submit", [submit_query, submit_json])
def test_the_job_tells_what_it_looks_at(api: Api, submit: Callable[[Api], str]) -> None:
    job = api.job(submit(api))
    assert {name: job[name] for name in CHOSEN} == CHOSEN
