"""The service as the smoke test sees it: requests, and answers as documented."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import NoneType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from video_jobs_client import Client
from video_jobs_client.errors import (
    ApiError,
    DownloadError,
    ServiceUnreachableError,
    UploadError,
    VideoJobsClientError,
    WaitTimeoutError,
)
from video_jobs_client.protocol.effects import Answer
from video_jobs_client.protocol.retries import Retries

from functions.video_api.answer_models import Frame
from functions.video_api.result_format import FrameResult
from tools.validation_errors import faults

PROBLEM_TYPE = "application/problem+json"
HINTS: Mapping[int, str] = {
    401: "give a valid token (SMOKE_TEST_TOKEN), or the id and secret of a client (docs/deploy.md)",
    403: "give a token that may call this API (SMOKE_TEST_TOKEN)",
    404: "is the address the ApiUrl of the stack, and was the stack deployed from this version?",
    429: "the API is throttled, try again later",
}
Kinds = type | tuple[type, ...]
STATUS_FORM: Mapping[str, Kinds] = {
    **dict.fromkeys(("job_id", "status", "created_at", "updated_at"), str),
    **{"progress": (int, float), "error_message": (str, NoneType)},
}
"""What `GET /video/status` always answers."""
RESULTS_FORM: Mapping[str, Kinds] = {
    **dict.fromkeys(("job_id", "created_at", "updated_at"), str),
    **{"results": list, "next_cursor": (str, NoneType), "results_url": (str, NoneType)},
}
"""What `GET /video/results` always answers; each of the results is a ``frame_index`` and its ``result``."""
_VERSION = "was the stack deployed from this version?"
_LOG = "look at the log of VideoApiFunction"
_AWAY = "is the address right, is the stack deployed, does the network let you through?"
_STORAGE = "look at MediaBucket, its policy, and what the role of VideoApiFunction may do"
_SAID_LENGTH = 200
Model = TypeVar("Model", bound=BaseModel)


class UsageError(Exception):
    """What the caller should change."""


class SmokeTestError(Exception):
    """A step failed: what is wrong and what to look at, never a token or a signed URL."""


class TookTooLongError(Exception):
    """A job did not end in time."""


class Service:
    """The REST API as the SDK reaches it; nothing is sent twice, so that the first fault is seen."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self._token = token
        self.client = Client(base_url, token_provider=lambda: token, retries=Retries(limit=0))

    def call(self, method: str, path: str, expected: int, **request: Any) -> Answer:
        """One request that must be answered with the status ``expected``."""
        answer = self.ask(method, path, **request)
        if answer.status != expected:
            raise self.unexpected(answer, f"{method} {path}", expected)
        return answer

    def ask(self, method: str, path: str, **request: Any) -> Answer:
        """One request; its answer is as it came, also a redirect or a refusal."""
        with self.failing():
            return self.client.request(method, path, **request)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """What goes wrong in the SDK is a failure of the step."""
        try:
            yield
        except ServiceUnreachableError as error:
            raise SmokeTestError(f"{error}: {_AWAY}") from None
        except (UploadError, DownloadError) as error:
            raise SmokeTestError(f"{error}: {_STORAGE}") from None
        except WaitTimeoutError:
            raise TookTooLongError from None
        except VideoJobsClientError as error:
            hint = HINTS.get(error.status, _LOG) if isinstance(error, ApiError) else _LOG
            raise SmokeTestError(f"{self._shown(str(error))}: {hint}") from None

    def unexpected(self, answer: Answer, what: str, expected: int) -> SmokeTestError:
        """The error for an answer of another status, with the service's own explanation."""
        hint = HINTS.get(answer.status, _LOG)
        return SmokeTestError(f"{what} answered {answer.status}{self._said(answer)}, not {expected}: {hint}")

    def _said(self, answer: Answer) -> str:
        """The sentence of our functions, or of API Gateway; of other bodies nothing is shown."""
        try:
            body = json.loads(answer.content)
        except ValueError:
            return ""
        text = str(body.get("detail") or body.get("message") or "") if isinstance(body, dict) else ""
        return f" ({self._shown(text)[:_SAID_LENGTH]})" if text else ""

    def _shown(self, text: str) -> str:
        return text.replace(self._token, "...") if self._token else text


def check_form(answer: Answer, what: str, form: Mapping[str, Kinds]) -> None:
    """Check that the JSON has the fields that were promised for good, whatever the document says today."""
    told = json.loads(answer.content)
    for name, kinds in form.items():
        if not isinstance(told, dict) or name not in told:
            raise SmokeTestError(f"{what} answered without {name}, which is promised: {_VERSION}")
        if not isinstance(told[name], kinds):
            kind = type(told[name]).__name__
            raise SmokeTestError(f"{what} answered {name} as {kind}, which is not its form: {_VERSION}")
    if isinstance(told.get("results"), list):
        for frame in told["results"]:
            if not isinstance(frame, dict) or frame.keys() != {"frame_index", "result"}:
                raise SmokeTestError(f"{what} answered a frame that is not of its form: {_VERSION}")


def parsed(answer: Answer, what: str, model: type[Model], content_type: str = "application/json") -> Model:
    """The body, as the API's document describes it; an error names the field, never its value."""
    given = answer.headers.get("content-type", "").partition(";")[0].strip()
    if given != content_type:
        raise SmokeTestError(
            f"{what} answered {given or 'no content type'}, not {content_type}: "
            "is the address that of this service (ApiUrl of the stack)?"
        )
    return documented(answer.content, what, model)


def documented(body: bytes, what: str, model: type[Model]) -> Model:
    """The body, if it is as the API's document describes it."""
    try:
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise SmokeTestError(
            f"{what} answered what is not documented ({next(faults(error))[1]}): "
            f"compare its /openapi.json, {_VERSION}"
        ) from None


def check_frames(frames: list[Frame], frame_indices: list[int]) -> None:
    """Check that every frame is there, in order, with all that ``yolo_ocr`` gives."""
    given = [frame.frame_index for frame in frames]
    if given != frame_indices:
        missing = sorted(set(frame_indices) - set(given))
        which = f"frame {missing[0]} is missing" if missing else "out of order, or too many"
        raise SmokeTestError(
            f"The results hold {len(given)} frames where {len(frame_indices)} belong ({which}): "
            "look at the job's warnings and at the worker's log"
        )
    for frame in frames:
        if fault := _fault_of(frame.result):
            raise SmokeTestError(
                f"Frame {frame.frame_index} does not hold what yolo_ocr gives ({fault}): "
                "was the worker's image built from this version?"
            )


def _fault_of(result: FrameResult) -> str | None:
    """What `FrameResult` allows to other pipelines and `yolo_ocr` does not do."""
    if absent := FrameResult.__annotations__.keys() - result.keys():
        return f"{min(absent)} is missing"
    if result["error"] is not None:
        return "error is not null"
    if not result["count"] == len(result["detections"]) == sum(result["classes"].values()):
        return "detections, count and classes do not agree"
    return None
