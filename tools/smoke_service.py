"""The service as the smoke test sees it: requests, and answers as documented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from pydantic import BaseModel, ValidationError

from functions.video_api.answer_models import Frame, Upload
from functions.video_api.result_format import FrameResult
from tools.validation_errors import faults

PROBLEM_TYPE = "application/problem+json"
HINTS: Mapping[int, str] = {
    401: "give a valid token (SMOKE_TEST_TOKEN), or the id and secret of a client (docs/deploy.md)",
    403: "give a token that may call this API (SMOKE_TEST_TOKEN)",
    404: "is the address the ApiUrl of the stack, and was the stack deployed from this version?",
    429: "the API is throttled, try again later",
}
_TIMEOUT_S = 30
_POLL_AGAIN_S = 2.0
_SAID_LENGTH = 200
Model = TypeVar("Model", bound=BaseModel)


class UsageError(Exception):
    """What the caller should change."""


class SmokeTestError(Exception):
    """A step failed: what is wrong and what to look at, never a token or a signed URL."""


@dataclass(frozen=True, slots=True)
class Service:
    """The REST API, and the storage that it sends its clients to."""

    base_url: str
    token: str | None = field(default=None, repr=False)

    def call(self, method: str, path: str, expected: int, **request: Any) -> requests.Response:
        """One request that must be answered with the status ``expected``."""
        answer = self.ask(method, path, **request)
        if answer.status_code != expected:
            raise self.unexpected(answer, f"{method} {path}", expected)
        return answer

    def ask(self, method: str, path: str, **request: Any) -> requests.Response:
        """One request. Redirects are not followed, so that the token goes nowhere else."""
        return _send(method, self.base_url + path, auth=self._with_token, allow_redirects=False, **request)

    def upload(self, form: Upload, video: Path) -> None:
        """POST the form that a submit answered."""
        with video.open("rb") as file:
            _check_storage(_send("POST", form.url, data=form.fields, files={"file": file}), "the upload")

    def download(self, url: str, what: str, field: str) -> Any:
        """A field of the JSON file behind a signed URL."""
        answer = _send("GET", url)
        _check_storage(answer, f"the download of the {what}")
        try:
            return answer.json()[field]
        except (requests.JSONDecodeError, KeyError, TypeError):
            raise SmokeTestError(f"The {what} file holds no {field}: look at the worker's log") from None

    def unexpected(self, answer: requests.Response, what: str, expected: int) -> SmokeTestError:
        """The error for an answer of another status, with the service's own explanation."""
        hint = HINTS.get(answer.status_code, "look at the log of VideoApiFunction")
        said = self._said(answer)
        return SmokeTestError(f"{what} answered {answer.status_code}{said}, not {expected}: {hint}")

    def _said(self, answer: requests.Response) -> str:
        """The sentence of our functions, or of API Gateway; of other bodies nothing is shown."""
        try:
            body = answer.json()
        except requests.JSONDecodeError:
            return ""
        text = str(body.get("detail") or body.get("message") or "") if isinstance(body, dict) else ""
        text = text.replace(self.token, "...") if self.token else text
        return f" ({text[:_SAID_LENGTH]})" if text else ""

    def _with_token(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def parsed(
    answer: requests.Response, what: str, model: type[Model], content_type: str = "application/json"
) -> Model:
    """The body, as the API's document describes it; an error names the field, never its value."""
    given = answer.headers.get("content-type", "").partition(";")[0].strip()
    if given != content_type:
        raise SmokeTestError(
            f"{what} answered {given or 'no content type'}, not {content_type}: "
            "is the address that of this service (ApiUrl of the stack)?"
        )
    try:
        return model.model_validate_json(answer.content, strict=True)
    except ValidationError as error:
        raise SmokeTestError(
            f"{what} answered what is not documented ({next(faults(error))[1]}): "
            "compare its /openapi.json, was the stack deployed from this version?"
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


def retry_after_s(headers: Mapping[str, str]) -> float:
    """How long the service asks its clients to wait."""
    wanted = headers.get("retry-after", "")
    return float(wanted) if wanted.isdecimal() else _POLL_AGAIN_S


def _send(method: str, url: str, **request: Any) -> requests.Response:
    try:
        return requests.request(method, url, timeout=_TIMEOUT_S, **request)
    except requests.RequestException as error:  # its text may hold a signed URL
        where = urlsplit(url)
        raise SmokeTestError(
            f"{where.scheme}://{where.netloc} does not answer ({type(error).__name__}): "
            "is the address right, is the stack deployed, does the network let you through?"
        ) from None


def _check_storage(answer: requests.Response, what: str) -> None:
    if not answer.ok:
        code = re.search(r"<Code>(\w+)</Code>", answer.text)
        raise SmokeTestError(
            f"The storage answered {answer.status_code}{f' ({code[1]})' if code else ''} to {what}: "
            "look at MediaBucket, its policy, and what the role of VideoApiFunction may do"
        )
