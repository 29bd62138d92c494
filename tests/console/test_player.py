"""The page of a job draws on each picture what was found on it, and on no other one."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from video_jobs.domain.video import VideoFacts
from video_jobs_client import Client, Job, Results, exports

from tests.console.conftest import Drive, Play
from tests.console.played_job import PlayedJob, PlayedService, Result, box_on, one_box
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_scene_mp4 import PATH as SCENE
from tests.fixtures.numbered_videos import make_numbered
from tests.support.played_service import JOB_ID
from tools.local_stack.stack import LocalStack

WORD = "EXIT 12"
NEAR_PX = 2.0
LONG_FRAMES = 20_000
LONGEST_TASK_MS = 100
MOST_HEAP_MB = 40
KINDS = {
    "ntsc": "B-frames and a rate that is no whole number",
    "uneven_rate": "a rate that varies",
    "edit_empty_first": "pictures that begin half a second after the movie",
    "edit_trimmed_start_pyramid": "a start that is cut away",
    "turned_90": "turned by a quarter",
    "turned_270_mirrored": "turned and mirrored",
    "pixels_3_to_2": "pixels that are not square",
    "fragmented_keyframes": "fragments",
}


def street(index: int, facts: VideoFacts) -> Result:
    """A car that moves, a person who stands, and a sign from the ninth picture on."""
    person = {"xyxy": [200.0, 60.0, 240.0, 150.0], "confidence": 0.8, "class_id": 0, "class_name": "person"}
    words = [
        {"text": word, "confidence": 90.0, "level": 5, "block_num": 1, "line_num": 1,
         "bbox": {"x": left, "y": 8, "width": 40, "height": 14}}
        for word, left in zip(WORD.split(), (150, 195), strict=True)
    ] if index >= 9 else []  # fmt: skip
    car = {"xyxy": [10.0 + 4 * index, 100.0, 80.0 + 4 * index, 150.0], "class_id": 2, "class_name": "car"}
    return {
        "detections": [{**car, "confidence": 0.92}, person],
        "text": WORD if index >= 9 else "",
        "blocks": words,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("numbered")


def near(drawn: list[float] | None, box: list[float]) -> bool:
    return drawn is not None and all(
        abs(one - other) <= NEAR_PX for one, other in zip(drawn, box, strict=True)
    )


def drawn_as_named(presented: list[tuple[float, int, str | None]], played: PlayedJob) -> list[str]:
    """The frames whose boxes were drawn while it played, each by the ``mediaTime`` of its callback.

    A busy machine may show the next picture before the callback runs, so that the picture is then ahead of
    its callback, but never behind it, and rarely.
    """
    first_ms = played.facts.first_picture_ms
    drawn = [(media_time, number, int(frame)) for media_time, number, frame in presented if frame]
    for media_time, number, frame in drawn:
        times = [time for index, time, _ in played.frames if index == frame]
        assert times == [pytest.approx(media_time * 1000 - first_ms, abs=1)], (media_time, frame)
        assert number >= frame
    assert sum(number == frame for _, number, frame in drawn) > len(drawn) / 2
    return [str(frame) for *_, frame in drawn]


@pytest.mark.parametrize("name", KINDS)
def test_boxes_are_drawn_exactly_on_their_frame(drive: Drive, play: Play, folder: Path, name: str) -> None:
    video = make_numbered(name, folder)
    service = play(PlayedJob.of_video(video.path, one_box))
    frames = service.played.frames
    indexes = [0, 1, 2, len(frames) // 2, len(frames) - 1]
    times = [frames[index][1] for index in indexes]
    seen = drive("player.js", journey="frames", url=service.url, jobId=JOB_ID, indexes=indexes, times=times)
    assert seen["faults"] == []
    for index in indexes:
        shown = seen["seen"][str(index)]
        assert shown["number"] == video.truth.numbers[index], index
        assert near(shown["drawn"], box_on(index, service.played.facts)), (index, shown["drawn"])


def test_nothing_is_drawn_on_pictures_that_were_not_analysed(drive: Drive, play: Play, folder: Path) -> None:
    video = make_numbered("uneven_rate", folder)
    service = play(PlayedJob.of_video(video.path, one_box, stride=5))
    between = [PlayedJob.of_video(video.path, one_box).frames[index][1] for index in (7, 18)]
    seen = drive("player.js", journey="steps", url=service.url, jobId=JOB_ID, steps=4, between=between)
    # a step goes to the next picture that was analysed
    assert seen["on"] == [[index, str(index)] for index in (5, 10, 15, 20)]
    assert seen["back"] == [[index, str(index)] for index in (15, 10, 5, 0)]
    # a link leads to its own moment, though nothing is drawn there
    assert seen["between"] == [[7, ""], [18, ""]]
    playing = drive("player.js", journey="playing", url=service.url, jobId=JOB_ID)["presented"]
    drawn = drawn_as_named(playing, service.played)
    assert len(drawn) >= 3
    assert len(playing) - len(drawn) >= 10


def test_while_playing_only_the_presented_picture_has_its_boxes(
    drive: Drive, play: Play, folder: Path
) -> None:
    service = play(PlayedJob.of_video(make_numbered("ntsc", folder).path, one_box))
    seen = drive("player.js", journey="playing", url=service.url, jobId=JOB_ID)
    assert len(drawn_as_named(seen["presented"], service.played)) >= 12


def test_steps_pass_frames_that_the_player_cannot_stop_at(drive: Drive, play: Play, folder: Path) -> None:
    video = make_numbered("uneven_rate_pyramid", folder)
    service = play(PlayedJob.of_video(video.path, one_box))
    seen = drive("player.js", journey="steps", url=service.url, jobId=JOB_ID, steps=23)
    for way, wanted in ((seen["on"], 1), (seen["back"], -1)):
        assert all(str(number) == frame for number, frame in way)
        numbers = [number for number, _ in way]
        moves = [wanted * (after - before) for before, after in pairwise(numbers)]
        assert set(moves) <= {0, 1, 2, 3}
    assert seen["on"][-1][0] == 23
    assert seen["back"][-1][0] == 0


def test_where_the_browser_gets_stuck_the_page_comes_back(drive: Drive, play: Play, folder: Path) -> None:
    service = play(PlayedJob.of_video(make_numbered("h264_open_gop", folder).path, one_box))
    seen = drive("player.js", journey="stuck", url=service.url, jobId=JOB_ID, moment2=700)
    assert "cannot go to this place" in seen["said"]
    assert (seen["back"]["number"], seen["back"]["frame"]) == (1, "1")
    assert (seen["on"]["number"], seen["on"]["frame"]) == (2, "2")
    assert seen["problems"] == 0
    assert seen["faults"] == []


@pytest.fixture
def street_service(play: Play, folder: Path) -> PlayedService:
    return play(PlayedJob.of_video(make_numbered("ntsc", folder).path, street))


def test_words_are_found_the_timeline_is_clicked_and_tracks_are_shown(
    drive: Drive, street_service: PlayedService
) -> None:
    played = street_service.played
    seen = drive(
        "player.js", journey="looking", url=street_service.url, jobId=JOB_ID, word="exit",
        box=[10.0, 100.0, 80.0, 150.0], width=played.facts.width,
    )  # fmt: skip
    assert seen["findings"] == seen["findingsLater"] == seen["faults"] == []
    assert seen["status"] == "1 moment"
    assert (seen["found"]["number"], seen["found"]["frame"]) == (9, "9")
    moment = played.frames[9][1]
    assert seen["address"] == f"#job={JOB_ID}&t={moment:g}"
    assert seen["copied"] == f"{street_service.url}/{seen['address']}"
    assert seen["clicked"][1] == "12"
    assert (seen["home"], seen["second"]) == ("0", "0:00.767")
    assert seen["tracks"] == ["car #1"]
    assert seen["tip"] == "car #1, 92 %, 0:00.000 to 0:00.801"
    # the person is still drawn
    assert near(seen["hidden"], [200.0, 44.0, 240.0, 150.0]) or seen["hidden"][0] >= 198
    assert seen["lanesLeft"] == 1


def test_results_fill_in_while_the_job_runs(drive: Drive, console: Path, play: Play, folder: Path) -> None:
    played = PlayedJob.of_video(make_numbered("edit_empty_first", folder).path, street)
    played.visible = 0
    played.changed = {"video": None}
    service = play(played)
    service.restarts = 1

    def begin() -> None:
        played.visible = 12
        played.changed = {}

    service.turns = {
        "/begin": begin,
        "/more": lambda: setattr(played, "visible", 22),
        "/end": lambda: setattr(played, "visible", None),
    }
    seen = drive(
        "player.js",
        journey="partial",
        url=service.url,
        jobId=JOB_ID,
        indexes=[20],
        times=[played.frames[20][1]],
    )
    assert seen["faults"] == []
    assert seen["address"] == f"#job={JOB_ID}"
    assert [name.strip() for name in seen["lanes"]] == ["Texts", "car", "person"]
    assert "12 of 24 frames" in seen["heading"]
    assert seen["before"] == "not analysed yet"
    assert seen["after"] == "frame 20"
    assert seen["tracks"] == 1


def test_a_video_that_no_browser_plays_is_told_and_its_results_are_drawn(
    drive: Drive, play: Play, folder: Path
) -> None:
    service = play(PlayedJob.of_video(make_numbered("prores_mov", folder).path, one_box))
    seen = drive("player.js", journey="unplayable", url=service.url, jobId=JOB_ID)
    assert "cannot play ProRes video" in seen["said"]
    assert f"video-jobs annotate {JOB_ID}" in seen["said"]
    assert seen["findings"] == seen["faults"] == []


def crowd(index: int, facts: VideoFacts) -> Result:
    """Ten objects that move, and a line of text."""
    corners = [(20.0 + 60 * place + index % 40, 30.0 + 25 * place) for place in range(10)]
    found = [
        {
            "xyxy": [left, top, left + 50, top + 60],
            "confidence": 0.9,
            "class_id": place % 3,
            "class_name": ("person", "bicycle", "car")[place % 3],
        }
        for place, (left, top) in enumerate(corners)
    ]
    words = [{"text": f"SCENE {index // 300}", "confidence": 90.0, "level": 5, "block_num": 1, "line_num": 1,
              "bbox": {"x": 10, "y": 8, "width": 90, "height": 14}}]  # fmt: skip
    return {"detections": found, "text": f"SCENE {index // 300}", "blocks": words}


def test_a_long_job_plays_without_pauses(drive: Drive, play: Play, tmp_path: Path) -> None:
    video = tmp_path / "long.mp4"
    source = f"testsrc=size=640x360:rate=30:duration={LONG_FRAMES / 30}"
    run_ffmpeg(
        "-f",
        "lavfi",
        "-i",
        source,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        str(video),
    )
    played = PlayedJob.of_video(video, crowd)
    assert len(played.frames) == LONG_FRAMES
    service = play(played)
    seen = drive(
        "player.js", journey="smooth", url=service.url, jobId=JOB_ID, playMs=12_000,
        durationMs=played.facts.duration_ms,
    )  # fmt: skip
    assert max(seen["long"], default=0) <= LONGEST_TASK_MS
    assert seen["frames"] > 200
    assert service.largest_page <= 200
    assert seen["heapMb"] < MOST_HEAP_MB


EXPORTS: dict[str, tuple[str, Callable[[Results, Any], None]]] = {
    "CSV of objects": ("ntsc.objects.csv", exports.write_detections_csv),
    "CSV of words": ("ntsc.words.csv", exports.write_words_csv),
    "JSONL of frames": ("ntsc.frames.jsonl", exports.write_jsonl),
    "COCO": ("ntsc.coco.json", exports.write_coco),
    "CVAT": ("ntsc.cvat.xml", exports.write_cvat),
}


def test_files_are_those_of_the_python_package(drive: Drive, street_service: PlayedService) -> None:
    seen = drive(
        "player.js",
        journey="takeAway",
        url=street_service.url,
        jobId=JOB_ID,
        names=[*EXPORTS, "WebVTT of texts"],
    )
    with Client(street_service.url) as client:
        job = client.jobs.get(JOB_ID)
        results = Results.of_job(job.resource, list(job.pages()))
        for name, (file_name, write) in EXPORTS.items():
            expected = io.StringIO(newline="")
            write(results, expected)
            assert seen["files"][name] == [file_name, expected.getvalue()]
        subtitles = io.StringIO(newline="")
        exports.write_webvtt(job.summary(), subtitles)
    assert seen["files"]["WebVTT of texts"] == ["ntsc.texts.vtt", subtitles.getvalue()]
    assert f"curl '{street_service.url}/video/results/{JOB_ID}?include=tracks'" in seen["commands"]
    assert seen["findings"] == seen["faults"] == []


@pytest.fixture(scope="module")
def real_job(client: Client) -> Job:
    return client.analyse(SCENE).wait(timeout=240)


def test_what_the_real_worker_found_is_drawn(drive: Drive, stack: LocalStack, real_job: Job) -> None:
    frames = [frame for frame in real_job.frames() if frame.detections or frame.words]
    frame = frames[len(frames) // 2]
    found = [one.xyxy for one in frame.detections] + [word.xyxy for word in frame.words]
    low, high = (
        [pick(box[side] for box in found) for side in sides] for pick, sides in ((min, (0, 1)), (max, (2, 3)))
    )
    moment = {"moment": frame.timestamp_ms, "index": frame.index}
    seen = drive("player.js", journey="real", url=stack.url, jobId=real_job.id, **moment)
    assert near(seen["drawn"], [*low, *high]), (seen["drawn"], low, high)
    assert "Completed" in seen["heading"]
    assert seen["lanes"]
    assert seen["faults"] == []


def test_pictures_of_the_page_to_look_at(
    drive: Drive, stack: LocalStack, real_job: Job, pictures: Path
) -> None:
    texts = real_job.summary().texts
    word = texts[0].text.split()[0] if texts else "car"
    seen = drive(
        "player.js",
        journey="pictures",
        url=stack.url,
        jobId=real_job.id,
        folder=pictures,
        word=word,
        moment=2000,
    )
    assert seen["findings"] == []
    assert len(list(pictures.glob("job_*.png"))) == 6
