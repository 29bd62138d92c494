"""The page of a job that is open follows what changes: the job, the network, the address, and signed URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.conftest import Drive, Play
from tests.console.played_job import PlayedJob, one_box
from tests.fixtures.numbered_videos import make_numbered
from tests.support.played_service import JOB_ID

CLOSE = 0.01


@pytest.fixture
def played(tmp_path: Path) -> PlayedJob:
    return PlayedJob.of_video(make_numbered("ntsc", tmp_path).path, one_box)


def test_an_expired_url_of_the_video_is_renewed(drive: Drive, play: Play, played: PlayedJob) -> None:
    service = play(played)
    service.expires_s = 20.5
    seen = drive("open_page.js", journey="expired", url=service.url, jobId=JOB_ID)
    assert seen["problems"] == seen["faults"] == []
    assert str(seen["number"]) == seen["frame"]
    assert sum(path.startswith(f"/video/jobs/{JOB_ID}/video") for path in service.asked) >= 2


def test_a_url_that_the_bucket_refuses_is_renewed(drive: Drive, play: Play, played: PlayedJob) -> None:
    service = play(played)
    service.turns["/expire"] = service.refuse_signed
    seen = drive("open_page.js", journey="refused", url=service.url, jobId=JOB_ID)
    assert (seen["number"], seen["frame"], seen["problems"]) == (1, "1", 0)
    assert seen["speeds"] == ["0.25", 0.25]
    assert seen["faults"] == []


def test_a_video_that_stopped_loading_goes_on_where_it_was(
    drive: Drive, play: Play, played: PlayedJob
) -> None:
    service = play(played)
    service.expires_s = 20.5
    service.turns = {
        "/down": lambda: setattr(service, "is_storage_up", False),
        "/up": lambda: setattr(service, "is_storage_up", True),
    }
    seen = drive("open_page.js", journey="broken", url=service.url, jobId=JOB_ID)
    assert seen["playedFrom"] * 1000 >= played.frames[3][1]
    assert seen["problems"] == seen["faults"] == []


def test_a_page_that_was_opened_early_gets_its_video(drive: Drive, play: Play, tmp_path: Path) -> None:
    played = PlayedJob.of_video(make_numbered("turned_90", tmp_path).path, one_box)
    played.changed = {"status": "pending", "video": None}
    service = play(played)
    service.has_video = False
    service.turns = {
        "/arrive": lambda: setattr(service, "has_video", True),
        "/end": lambda: setattr(played, "changed", {}),
    }
    seen = drive("open_page.js", journey="early", url=service.url, jobId=JOB_ID)
    assert seen["waiting"] == seen["problems"] == seen["faults"] == []
    # from the browser, as no worker has opened the video yet
    assert seen["shape"] == pytest.approx(played.facts.width / played.facts.height, rel=CLOSE)
    assert "/ 0:01.000" not in seen["clock"]
    assert str(seen["number"]) == seen["frame"] == "0"


def test_after_the_network_was_away_the_page_goes_on(drive: Drive, play: Play, played: PlayedJob) -> None:
    played.visible = 12
    service = play(played)
    service.turns["/end"] = lambda: setattr(played, "visible", None)
    assert drive("open_page.js", journey="away", url=service.url, jobId=JOB_ID) == {"faults": []}


def test_a_link_that_is_followed_again_leads_to_its_moment(
    drive: Drive, play: Play, played: PlayedJob
) -> None:
    service = play(played)
    moment = played.frames[8][1]
    seen = drive("open_page.js", journey="links", url=service.url, jobId=JOB_ID, index=8, at=moment)
    assert (seen["number"], seen["frame"], seen["problems"], seen["faults"]) == (8, "8", [], [])
    # a clock that is wrong is no reason to fetch one URL after another
    assert sum(path.startswith(f"/video/jobs/{JOB_ID}/video") for path in service.asked) == 1
