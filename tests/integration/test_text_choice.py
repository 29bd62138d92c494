"""A job's text engine and languages: from the request to the tools that read its frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from video_jobs.adapters.local.local_storage import LocalStorage
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.errors import InvalidRequestError, PipelineError
from video_jobs.domain.job import JobOptions, JobStatus
from video_jobs.domain.keys import parts_prefix
from video_jobs.domain.rules import Rules
from video_jobs.domain.text_engines import NOTHING_CHOSEN, TextChoice
from video_worker.analysis import AnalysedFrame, AnalysisService, RunRequest
from video_worker.isolation.limits import JobLimits
from video_worker.isolation.service import IsolatedAnalysisService
from video_worker.job_worker import Outcome
from video_worker.pipeline_service import VideoFilePipelineService

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import asked, assert_refused, call, load_event
from tests.integration.job_states import saved_job, stored_job
from tests.integration.test_submit_kinds import FILE, described, form
from tests.support.clock import ManualClock
from tests.support.numbered_video import NumberedVideo
from tests.support.worker_world import World, fail_once_at, misbehave, on_frame, settings

CHOOSING = Path(__file__).parents[1] / "support" / "choosing"
FOLDERS = {"PLUGINS_DIR": str(CHOOSING / "plugins"), "PIPELINES_DIR": str(CHOOSING / "pipelines")}
GERMAN = TextChoice("tesseract", ("deu", "eng"))

# --- requests ----------------------------------------------------------------------------------------


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment offers these languages."""
    monkeypatch.setenv("OCR_LANGUAGES", "eng deu")


@pytest.mark.parametrize(
    "event",
    [
        described(text_engine="tesseract", languages=["deu", "eng"]),
        described(languages=["deu", "eng", "deu"], upload_method="multipart"),
        asked("submit_video", {"text_engine": "tesseract", "languages": "deu,eng"}),
        asked("submit_video", {"languages": "deu,eng,deu"}),
        form(FILE, ("text_engine", "tesseract"), ("languages", "deu,eng")),
        form(FILE, ("languages", "deu,eng"), query={"text_engine": "tesseract", "languages": "deu,eng"}),
    ],
    ids=["JSON", "multipart", "query", "query without engine", "form", "form and query"],
)
def test_every_way_of_submitting_takes_the_choice(
    offered: None, app: VideoJobs, event: dict[str, Any]
) -> None:
    status, body = call(event)
    assert status == 201
    assert stored_job(app, body["job_id"]).options.text == GERMAN


@pytest.mark.parametrize("body", [{}, {"text_engine": None, "languages": []}])
def test_a_job_need_not_choose(app: VideoJobs, body: dict[str, Any]) -> None:
    status, answer = call(described(**body))
    assert status == 201
    assert stored_job(app, answer["job_id"]).options.text == NOTHING_CHOSEN


@pytest.mark.parametrize(
    ("event", "code", "word"),
    [
        (described(languages=["eng", "tlh"]), "unknown_language", "'tlh'; choose from: deu, eng"),
        (asked("submit_video", {"languages": "eng, deu"}), "unknown_language", "' deu'"),
        (form(FILE, ("languages", "eng+deu")), "unknown_language", "'eng+deu'"),
        (described(text_engine="ppocr", languages=["eng"]), "invalid_request", "ppocr does not"),
        (asked("submit_video", {"text_engine": "ppocr", "languages": "eng"}), "invalid_request", "ppocr"),
        (described(text_engine="abbyy"), "invalid_request", "text_engine: Input should be 'ppocr' or"),
        (described(text_engine="tesserocr"), "invalid_request", "text_engine"),
        (asked("submit_video", {"text_engine": ""}), "invalid_request", "text_engine"),
        (asked("submit_video", {"languages": ""}), "invalid_request", "languages.0"),
        (described(languages="eng"), "invalid_request", "languages"),
        (described(languages=["x" * 65]), "invalid_request", "languages.0"),
        (described(languages=[5]), "invalid_request", "languages.0"),
        (described(languages=[f"l{n}" for n in range(9)]), "invalid_request", "at most 8, not 9"),
        (form(FILE, ("languages", "eng"), ("languages", "deu")), "invalid_request", "more than once"),
        (form(FILE, ("text_engine", "ppocr"), query={"text_engine": "tesseract"}), "invalid_request", "diff"),
    ],
)
def test_a_wrong_choice_is_told_what_is_wrong_and_makes_no_job(
    offered: None, app: VideoJobs, event: dict[str, Any], code: str, word: str
) -> None:
    assert_refused(app, event, code, word)


def test_the_pipelines_answer_says_what_there_is(offered: None, app: VideoJobs) -> None:
    engines = {one.pop("id"): one for one in call("pipelines")[1]["text_engines"]}
    assert all(one.pop("name") for one in engines.values())
    assert engines == {"ppocr": {"scripts": ["Latn"]}, "tesseract": {"languages": ["deu", "eng"]}}


@pytest.mark.parametrize("choice", [NOTHING_CHOSEN, TextChoice("ppocr"), GERMAN])
def test_the_job_resource_tells_the_choice(app: VideoJobs, choice: TextChoice) -> None:
    saved_job(app, options=JobOptions(text_engine=choice.engine, languages=choice.languages))
    body = call("job")[1]
    assert (body["text_engine"], body["languages"]) == (choice.engine, list(choice.languages))


def test_the_sample_event_chooses_what_every_deployment_has(app: VideoJobs) -> None:
    job_id = call(load_event("submit_text_engine"))[1]["job_id"]
    assert stored_job(app, job_id).options.text == TextChoice("tesseract", ("eng",))


# --- the worker --------------------------------------------------------------------------------------


def in_this_process() -> VideoFilePipelineService:
    return VideoFilePipelineService.from_settings(settings(**FOLDERS))


@pytest.fixture(scope="module")
def isolated() -> Iterator[IsolatedAnalysisService]:
    limits = JobLimits(memory_mib=4000, cpu_s=60, frame_s=30)
    with IsolatedAnalysisService(settings(**FOLDERS), limits, Logger()) as made:
        yield made


@pytest.fixture(params=["in this process", "isolated"])
def service(request: pytest.FixtureRequest) -> AnalysisService:
    if request.param == "isolated":
        isolated: AnalysisService = request.getfixturevalue("isolated")
        return isolated
    return in_this_process()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = ManualClock()
    ports = Ports.in_memory(clock, storage=lambda: LocalStorage(tmp_path / "storage"))
    rules = Rules(known_pipelines={"choose"}, known_languages={"eng", "deu", "tlh"})
    made = World(tmp_path, VideoJobs(ports, rules))
    made.clock = clock
    made.pipelines = in_this_process()
    yield made
    on_frame("choose").clear()


def read_by(results: bytes) -> set[str]:
    return {frame["result"]["read_by"] for frame in json.loads(results)["results"]}


@pytest.mark.parametrize(
    ("choice", "engine", "languages"),
    [
        (NOTHING_CHOSEN, "of the worker", "eng"),
        (TextChoice("ppocr"), "ppocr", "eng"),
        (GERMAN, "tesseract", "deu+eng"),
    ],
)
def test_tools_and_fingerprint_are_those_of_the_choice(
    service: AnalysisService, choice: TextChoice, engine: str, languages: str
) -> None:
    run = service.run(RunRequest(TINY, "choose", max_frames=2, text=choice))
    frames = [item for item in run if isinstance(item, AnalysedFrame)]
    assert [frame.result for frame in frames] == [{"read_by": f"{engine} {languages}"}] * 2
    facts = service.fingerprint("choose", choice)["plugins"]["reader"]
    assert facts == {"version": "1.0.0", "engine": engine, "languages": languages}


def test_every_choice_has_its_own_fingerprint(service: AnalysisService) -> None:
    choices = [NOTHING_CHOSEN, TextChoice("ppocr"), TextChoice("tesseract"), GERMAN]
    ids = {service.fingerprint("choose", choice)["id"] for choice in choices}
    assert len(ids) == len(choices)
    assert service.fingerprint("choose")["id"] in ids


def test_a_worker_without_the_language_says_so(service: AnalysisService) -> None:
    klingon = TextChoice("tesseract", ("tlh",))
    reason = "cannot read text as the job asks: there is no tlh.traineddata"
    with pytest.raises(PipelineError, match=reason):
        service.fingerprint("choose", klingon)
    with pytest.raises(PipelineError, match=reason):
        service.run(RunRequest(TINY, "choose", text=klingon))
    assert service.fingerprint("choose")["pipeline"] == "choose"


def test_a_file_can_be_read_with_a_choice() -> None:
    made = in_this_process()
    (frame,) = made.run_on_file(TINY, "choose", max_frames=1, languages=["deu", "eng", "deu"])
    assert frame["result"] == {"read_by": "tesseract deu+eng"}
    (frame,) = made.run_on_file(TINY, "choose", max_frames=1, text_engine="ppocr")
    assert frame["result"] == {"read_by": "ppocr eng"}
    with pytest.raises(InvalidRequestError, match="ppocr does not"):
        made.run_on_file(TINY, "choose", text_engine="ppocr", languages=["eng"])


def test_a_plugin_that_offers_no_choice_goes_on_working(world: World) -> None:
    made = VideoFilePipelineService.from_settings(world.settings)
    (frame,) = made.run_on_file(TINY, "count", max_frames=1, languages=["deu"])
    assert list(frame["result"]) == ["bright"]
    assert made.fingerprint("count", GERMAN) == made.fingerprint("count")


def test_a_job_is_read_as_it_chose_and_says_with_what(world: World) -> None:
    world.submit(TINY, "choose", max_frames=2, languages=("deu", "eng"))
    assert world.worker().run_once() is Outcome.COMPLETED
    assert read_by(world.results()) == {"tesseract deu+eng"}
    assert world.job.fingerprint == world.pipelines.fingerprint("choose", GERMAN)


def test_a_job_whose_language_the_worker_lacks_fails_with_the_reason(world: World) -> None:
    world.submit(TINY, "choose", languages=("tlh",))
    assert world.worker().run_once() is Outcome.FAILED
    assert world.error_code == "pipeline_failed"
    assert "there is no tlh.traineddata" in world.error_message


def test_a_resumed_job_finds_the_parts_of_its_choice(world: World) -> None:
    # GIVEN a job whose first attempt fails in its second part
    world.pipelines = VideoFilePipelineService.from_settings(settings(**FOLDERS), NumberedVideo(8))
    fail_once_at(world, 5, "choose")
    world.submit(TINY, "choose", part_frames=4, text_engine="ppocr")
    assert world.worker().run_once() is Outcome.RETURNED
    assert len(list(world.storage.list_keys(parts_prefix(world.job_id)))) == 1
    # WHEN it is taken up again
    world.clock.advance(60)
    seen: list[int] = []
    on_frame("choose").append(seen.append)
    assert world.worker().run_once() is Outcome.COMPLETED
    # THEN only the second part is computed
    assert sorted(set(seen)) == [4, 5, 6, 7]
    assert read_by(world.results()) == {"ppocr eng"}


def test_the_same_job_id_with_another_choice_does_not_find_them(world: World) -> None:
    # GIVEN a job under a key, deleted while a worker is in its second part, and submitted with another choice
    world.pipelines = VideoFilePipelineService.from_settings(settings(**FOLDERS), NumberedVideo(8))

    def submit_again(frame_index: int) -> None:
        if frame_index == 5:
            on_frame("choose").clear()
            owner = world.app.owner
            owner.delete(owner.cancel(owner.job(world.job_id, "ann")))
            world.submit(TINY, "choose", part_frames=4, key="one", languages=("deu",))

    misbehave(world, submit_again, "choose")
    world.submit(TINY, "choose", part_frames=4, key="one", text_engine="ppocr")
    first = world.job_id
    assert world.worker().run_once() is Outcome.LOST
    # WHEN the parts of the first are stored under the job id of the second
    assert (world.job_id, world.job.status) == (first, JobStatus.PENDING)
    assert list(world.storage.list_keys(parts_prefix(first))) != []
    while world.worker().run_once() is not Outcome.COMPLETED:
        world.clock.advance(60)
    # THEN all frames are read as the second chose
    assert read_by(world.results()) == {"tesseract deu"}
