"""Files and addresses are submitted with the console, whatever happens meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from video_jobs_client import Client

from tests.console.conftest import Drive
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tools.local_stack.stack import LocalStack

MIB = 2**20
LARGE_BYTES = 90 * MIB
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small video, followed by padding as a box of the file."""
    path, tiny = tmp_path_factory.mktemp("large") / "large.mp4", TINY.read_bytes()
    padding = LARGE_BYTES - len(tiny)
    with path.open("wb") as file:
        file.write(tiny + padding.to_bytes(4, "big") + b"free")
        file.truncate(LARGE_BYTES)
    return path


def job_id_of(link: str) -> str:
    return link.removeprefix("#job=")


def test_a_file_is_chosen_sent_and_watched_to_its_end(
    drive: Drive, stack: LocalStack, client: Client, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(PNG)
    folder = tmp_path / "a folder"
    folder.mkdir()
    seen = drive("upload.js", journey="small", url=stack.url, video=TINY, picture=picture, folder=folder)
    # what the service would refuse is refused here, for the same reason, and nothing of it is sent
    assert "it is a PNG image" in seen["refused"]
    assert seen["sentForIt"] == []
    assert "This is a folder" in seen["folder"]
    assert "Try again" not in seen["folder"]
    assert "one of them cannot be read" in seen["wrongOption"]
    assert seen["first"] in ("pending", "running", "completed")
    assert seen["faults"] == []
    job = client.jobs.get(job_id_of(seen["link"])).resource
    assert (job.filename, job.frames_per_second, list(job.classes)) == ("tiny.mp4", 2, ["car", "person"])
    assert job.status == "completed"


def test_a_large_upload_goes_on_after_a_lost_line_and_a_reload(
    drive: Drive, stack: LocalStack, client: Client, large: Path
) -> None:
    seen = drive("upload.js", journey="large", url=stack.url, video=large, bytesPerSecond=25 * MIB)
    assert "network is away" in seen["offline"]
    assert seen["interrupted"] == 1
    assert seen["resumed"]
    assert seen["interruptedAfterwards"] == 0
    assert seen["findings"] == seen["faults"] == []
    # every part arrives, and no part is sent again that the service lists
    stored, sent = seen["stored"]["numbers"], seen["sentAfterReload"]
    assert stored
    assert sent
    assert sorted(stored + sent) == list(range(1, seen["stored"]["count"] + 1))
    job = client.jobs.get(job_id_of(seen["link"])).wait(timeout=120).resource
    assert (job.status, job.size_bytes) == ("completed", LARGE_BYTES)


def test_an_upload_that_is_cancelled_cancels_its_job_and_no_other(
    drive: Drive, stack: LocalStack, large: Path
) -> None:
    seen = drive("upload.js", journey="cancelled", url=stack.url, video=large, bytesPerSecond=10 * MIB)
    # the same file with other options is a job of its own, which goes on
    assert seen["states"] == ["cancelled", "sending"]
    assert seen["elsewhere"] == 0
    assert len(seen["reasons"]) == 2
    assert all("cancelled" in reason for reason in seen["reasons"])
    assert seen["faults"] == []


def test_an_address_is_submitted_and_never_shown_with_its_signature(
    drive: Drive, stack: LocalStack, client: Client
) -> None:
    addresses = {
        "privateSource": "https://localhost/a.mp4",
        "source": "https://videos.invalid/a.mp4?signature=s3cret",
    }
    seen = drive("upload.js", journey="address", url=stack.url, **addresses)
    assert "must begin with https://" in seen["refused"]
    assert "must not name a private" in seen["failed"]
    assert "videos.invalid/a.mp4" in seen["shown"]
    assert "s3cret" not in seen["shown"]
    assert client.jobs.get(job_id_of(seen["link"])).resource.source_host == "videos.invalid"
    assert seen["faults"] == []
