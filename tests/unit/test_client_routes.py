"""The SDK has all that the OpenAPI document of the service offers."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from video_jobs_client import AsyncClient, AsyncJob, Client, Job
from video_jobs_client.async_jobs import AsyncJobs
from video_jobs_client.jobs import Jobs
from video_jobs_client.models import JobSummary
from video_jobs_client.options import Options, QuoteOptions
from video_jobs_client.protocol.paging import FrameRange

DOCUMENT = json.loads((Path(__file__).parents[2] / "functions/video_api/openapi.json").read_text("utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
METHODS = {
    "submit": (Client.analyse, Jobs.submit, Jobs.begin_upload),
    "quote": (Client.quote,),
    "status": (Job.poll, Job.wait),
    "results": (Job.frames, Job.pages, Job.results),
    "summary": (Job.summary,),
    "listJobs": (Jobs.list,),
    "job": (Jobs.get, Job.refresh),
    "deleteJob": (Jobs.delete, Job.delete),
    "video": (Job.signed_video,),
    "cancelJob": (Jobs.cancel, Job.cancel),
    "retryJob": (Jobs.retry, Job.retry),
    "upload": (Job.upload,),
    "abortUpload": (Job.abort_upload,),
    "signParts": (Job.sign_parts,),
    "completeUpload": (Job.complete_upload,),
    "pipelines": (Client.pipelines,),
    "health": (Client.health,),
}
"""Which methods call an operation; that they do is tested on the running stack."""
BY_THE_SDK = {"cursor", "include", "partial", "limit"}
"""What the iterators set themselves, or from their own arguments."""
ONLY_SYNC = {"Job.results"}
"""Results are read by functions that do not wait for anything; `AsyncJob.pages` gives their pages."""


def operations() -> dict[str, dict[str, Any]]:
    methods = [one for path in DOCUMENT["paths"].values() for one in path.values() if "responses" in one]
    return {one["operationId"]: one for one in methods}


def parameters(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_every_operation_has_its_methods_and_the_reverse() -> None:
    assert METHODS.keys() == operations().keys()


@pytest.mark.parametrize(
    ("sync", "other"),
    [(Client, AsyncClient), (Jobs, AsyncJobs), (Job, AsyncJob)],
    ids=lambda one: one.__name__,
)
def test_both_clients_have_the_same_methods_with_the_same_arguments(sync: type, other: type) -> None:
    def public(kind: type) -> dict[str, list[str]]:
        return {
            name: parameters(value)
            for name, value in vars(kind).items()
            if inspect.isfunction(value) and (not name.startswith("_") or name == "__init__")
            if f"{kind.__name__}.{name}" not in ONLY_SYNC
        }

    assert public(sync) == public(other)


def test_every_option_of_a_submit_can_be_given_and_no_other() -> None:
    own = {"self", "idempotency_key", "options"}
    facts = set(inspect.signature(Jobs.begin_upload).parameters) - own
    assert SCHEMAS["SubmitRequest"]["properties"].keys() == Options.__annotations__.keys() | facts
    assert SCHEMAS["SourceRequest"]["properties"].keys() == Options.__annotations__.keys() | {"source_url"}
    named = {one["name"] for one in operations()["submit"]["parameters"]} - {"Idempotency-Key"}
    assert named == Options.__annotations__.keys() - {"filename"}  # which a video in the request cannot have


def test_every_fact_of_a_quote_can_be_given_and_no_other() -> None:
    given = inspect.get_annotations(QuoteOptions)
    assert SCHEMAS["QuoteRequest"]["properties"].keys() == given.keys()


def test_every_range_of_results_and_every_filter_of_the_list_can_be_given() -> None:
    def queries(operation: str) -> set[str]:
        return {one["name"] for one in operations()[operation]["parameters"] if one["in"] == "query"}

    assert queries("results") - BY_THE_SDK == FrameRange.__annotations__.keys() - BY_THE_SDK
    assert queries("listJobs") - {"cursor"} == set(parameters(Jobs.list))


def test_the_answer_with_the_summary_has_what_is_read_of_it() -> None:
    assert {"summary", "summary_url", "tracks_url"} <= set(JobSummary.__struct_fields__)
