"""What a job may choose for the reading of text, and what makes two such choices the same."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any, get_args

import pytest
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.errors import IdempotencyMismatchError, InvalidRequestError, UnknownLanguageError
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.rules import Rules
from video_jobs.domain.text_engines import (
    LANGUAGES,
    MAX_LANGUAGES,
    NOTHING_CHOSEN,
    PPOCR_SCRIPTS,
    TEXT_ENGINES,
    TextChoice,
    TextEngineId,
)
from video_jobs.use_cases.intake import Submission
from video_worker.plugin_registry import BUILT_IN_PLUGINS

from tests.support.clock import ManualClock

KNOWN = ("eng", "deu", "fra")
EVERYTHING_OF_BEFORE = JobOptions(
    pipeline_id="ocr_only",
    frame_stride=2,
    max_frames=30,
    filename="a.mp4",
    callback_url="https://receiver.example/hook",
)
WITH_LANGUAGES = replace(EVERYTHING_OF_BEFORE, languages=("deu", "eng"))


@pytest.fixture
def app() -> VideoJobs:
    return VideoJobs(Ports.in_memory(ManualClock()), Rules(known_languages=KNOWN))


def submitted(app: VideoJobs, key: str | None = None, **options: Any) -> Job:
    submission = Submission(owner="ann", options=JobOptions(**options), idempotency_key=key)
    return app.intake.submit_form(10, submission)[0]


def test_every_engine_has_a_name() -> None:
    assert set(TEXT_ENGINES) == set(get_args(TextEngineId))


@pytest.mark.parametrize(
    ("engine", "languages", "choice"),
    [
        (None, (), NOTHING_CHOSEN),
        ("ppocr", (), TextChoice("ppocr")),
        ("tesseract", (), TextChoice("tesseract")),
        (None, ["eng"], TextChoice("tesseract", ("eng",))),
        ("tesseract", ["fra", "eng", "fra", "deu", "eng"], TextChoice("tesseract", ("fra", "eng", "deu"))),
    ],
)
def test_a_choice_names_each_language_once_and_languages_mean_tesseract(
    engine: str | None, languages: list[str], choice: TextChoice
) -> None:
    assert TextChoice.of(engine, languages) == choice


def test_an_engine_without_a_choice_of_languages_is_told_so() -> None:
    with pytest.raises(InvalidRequestError, match="only text_engine tesseract has them, ppocr does not"):
        TextChoice.of("ppocr", ["eng"])


def test_there_may_be_so_many_languages_and_no_more() -> None:
    codes = [f"l{number}" for number in range(MAX_LANGUAGES)]
    assert TextChoice.of(None, [*codes, *codes]).languages == tuple(codes)
    with pytest.raises(InvalidRequestError, match="at most 8, not 9"):
        TextChoice.of(None, [*codes, "one more"])


def test_plugins_get_the_choice_in_tesseracts_words() -> None:
    nothing = {"text_engine": None, "languages": None}
    assert TextChoice().for_plugins() == nothing
    chosen = TextChoice("tesseract", ("deu", "eng")).for_plugins()
    assert chosen == {"text_engine": "tesseract", "languages": "deu+eng"}


def test_a_job_keeps_the_whole_choice(app: VideoJobs) -> None:
    job = submitted(app, languages=("deu", "eng", "deu"))
    assert (job.options.text_engine, job.options.languages) == ("tesseract", ("deu", "eng"))
    assert job.options.text == TextChoice("tesseract", ("deu", "eng"))
    assert app.ports.jobs.get_by_id(job.job_id) == job


def test_an_unknown_language_is_told_with_those_that_there_are(app: VideoJobs) -> None:
    with pytest.raises(UnknownLanguageError) as error:
        submitted(app, languages=("eng", "tlh"))
    assert error.value.message == "There is no language 'tlh'; choose from: deu, eng, fra"


@pytest.mark.parametrize(
    ("options", "needs"), [({}, 1), ({"text_engine": "ppocr"}, 2), ({"languages": ("eng",)}, 2)]
)
def test_a_worker_of_the_release_before_leaves_a_job_with_a_choice(
    app: VideoJobs, options: dict[str, Any], needs: int
) -> None:
    assert submitted(app, **options).needs == needs


@pytest.mark.parametrize(
    ("options", "known"),
    [
        (JobOptions(), "cabb3522ef1181a7a995ef5e4ee8efd84330e64abe4b032b7ba0efb15a8c4bce"),
        (EVERYTHING_OF_BEFORE, "294c5637e2ebe4700d1b6a55091c01eebed7e83872fd3c22ffc1d8147b45efbf"),
        (WITH_LANGUAGES, "1115f5e6e3ef8fe70971b89e7ac2352436fda02ceaae0c369c56bbf9716fcefb"),
    ],
    ids=["nothing chosen", "every option of the release before", "and languages"],
)
def test_a_request_of_the_release_before_has_the_hash_that_it_had(
    app: VideoJobs, options: JobOptions, known: str
) -> None:
    job, _ = app.intake.submit_form(10, Submission(owner="ann", options=options, idempotency_key="k"))
    assert job.request_hash == known


def test_equal_choices_are_equal_requests(app: VideoJobs) -> None:
    first = submitted(app, "k", languages=("eng", "deu"))
    for engine in ("tesseract", None):
        assert submitted(app, "k", text_engine=engine, languages=("eng", "deu", "eng")) == first


CHOICES: list[dict[str, Any]] = [
    {},
    {"text_engine": "ppocr"},
    {"text_engine": "tesseract"},
    {"languages": ("eng",)},
    {"languages": ("deu", "eng")},
    {"languages": ("eng", "deu")},
]


@pytest.mark.parametrize(("first", "other"), list(combinations(CHOICES, 2)))
def test_another_choice_is_another_request(
    app: VideoJobs, first: dict[str, Any], other: dict[str, Any]
) -> None:
    submitted(app, "k", **first)
    with pytest.raises(IdempotencyMismatchError):
        submitted(app, "k", **other)


def test_what_clients_are_told_is_what_the_plugin_declares() -> None:
    engines = json.loads((BUILT_IN_PLUGINS / "ocr" / "manifest.json").read_text(encoding="utf-8"))["engines"]
    assert engines == {"tesseract": {"languages": list(LANGUAGES)}, "ppocr": {"scripts": list(PPOCR_SCRIPTS)}}
    assert set(engines) == set(TEXT_ENGINES)
