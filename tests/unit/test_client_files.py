"""How files are written: whole or not at all, and never another one than was meant."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import httpx2
import pytest
from video_jobs_client import Client, errors
from video_jobs_client.files import replacing
from video_jobs_client.protocol.calls import Calls
from video_jobs_client.protocol.files import File
from video_jobs_client.protocol.retries import Retries

from tests.support.played_service import JOB_ID, URL, PlayedService, answer, job
from tests.unit.test_client_requests import BOTH, PAGE


def download(service: PlayedService, target: Path, is_async: bool) -> None:
    """Download from the storage."""
    with service.user(is_async) as user:
        user.do(user.client._driver.run, user.client._calls.download(f"{URL}/r", target))


def get(service: PlayedService, target: Path, file: str, is_async: bool) -> None:
    """Download a file of a job by the one client or the other."""
    with service.user(is_async) as user:
        user.do(user.job(JOB_ID).download, target, cast("File", file))


LINK = f"{URL}/stored"
OFFERS = {
    "results": {**PAGE, "results_url": LINK},
    "summary": {"summary": None, "summary_url": LINK, "tracks_url": LINK},
    "tracks": {"summary": None, "summary_url": LINK, "tracks_url": LINK},
    "video": {
        "job_id": JOB_ID,
        "video_url": LINK,
        "size_bytes": 15,
        "expires_at": "2026-11-25T10:00:00Z",
    },
}
JSON = b'{"a": {"b": 1}}'


@BOTH
@pytest.mark.parametrize("file", OFFERS)
@pytest.mark.parametrize(
    "stored",
    [
        httpx2.Response(200),
        httpx2.Response(204),
        httpx2.Response(206, content=JSON),
        httpx2.Response(200, content=b'{"a": {"b": 1'),
        httpx2.Response(200, content=b"<html>maintenance</html>"),
        httpx2.Response(200, content=JSON + b"more"),
    ],
)
def test_half_a_file_is_not_taken_for_the_whole(
    stored: httpx2.Response, file: str, is_async: bool, tmp_path: Path
) -> None:
    target = tmp_path / "kept"
    target.write_text("old")
    service = PlayedService([answer(job("completed")), answer(OFFERS[file]), stored])
    with pytest.raises(errors.DownloadError, match="try again"):
        get(service, target, file, is_async)
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]


@BOTH
@pytest.mark.parametrize("file", OFFERS)
def test_a_whole_file_arrives_at_a_path_and_at_a_device(file: str, is_async: bool, tmp_path: Path) -> None:
    for target in (tmp_path / "new", Path(os.devnull)):
        stored = httpx2.Response(200, content=JSON)
        service = PlayedService([answer(job("completed")), answer(OFFERS[file]), stored])
        get(service, target, file, is_async)
    assert (tmp_path / "new").read_bytes() == JSON


@BOTH
@pytest.mark.parametrize("file", OFFERS)
def test_an_empty_download_to_a_device_is_told(file: str, is_async: bool) -> None:
    service = PlayedService([answer(job("completed")), answer(OFFERS[file]), httpx2.Response(200)])
    with pytest.raises(errors.DownloadError, match="try again"):
        get(service, Path(os.devnull), file, is_async)


class Halves(httpx2.SyncByteStream):
    """Content of which the second half waits."""

    def __init__(self) -> None:
        self.has_begun, self.go_on = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield b"first "
        self.has_begun.set()
        self.go_on.wait(20)
        yield b"half and second"


def test_two_downloads_to_one_path_do_not_mix(tmp_path: Path) -> None:
    # GIVEN a download that is half done
    halves, target = Halves(), tmp_path / "results.json"
    slow = Client(URL, transport=httpx2.MockTransport(lambda _: httpx2.Response(200, stream=halves)))
    calls = Calls(URL, Retries())
    thread = threading.Thread(target=lambda: slow._driver.run(calls.download(f"{URL}/r", target)))
    thread.start()
    assert halves.has_begun.wait(20)

    # WHEN another one to the same path comes to its end
    download(PlayedService([httpx2.Response(200, content=b"whole")]), target, is_async=False)
    between = target.read_bytes()
    halves.go_on.set()
    thread.join()
    slow.close()

    # THEN the file is the one, and then the other
    assert (between, target.read_bytes()) == (b"whole", b"first half and second")
    assert list(tmp_path.iterdir()) == [target]


@BOTH
def test_a_file_of_somebody_else_is_not_touched(is_async: bool, tmp_path: Path) -> None:
    mine = tmp_path / "results.json.unfinished"
    mine.write_text("mine")
    download(PlayedService([httpx2.Response(200, content=b"new")]), tmp_path / "results.json", is_async)
    with suppress(errors.DownloadError):
        download(PlayedService([httpx2.Response(404)]), tmp_path / "results.json", is_async)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {
        "results.json": "new",
        "results.json.unfinished": "mine",
    }


@BOTH
def test_a_pipe_stays_a_pipe_and_gets_the_content(is_async: bool, tmp_path: Path) -> None:
    # GIVEN a pipe with a reader
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    # WHEN something is downloaded to it, THEN the reader gets it
    download(PlayedService([httpx2.Response(200, content=b"content")]), pipe, is_async)
    assert pipe.is_fifo()
    reader.join(20)
    assert got == [b"content"]


@BOTH
def test_a_download_to_a_pipe_is_not_begun_again(is_async: bool, tmp_path: Path) -> None:
    service = PlayedService([httpx2.ConnectError("away"), httpx2.ReadError("cut")])
    with pytest.raises(errors.ServiceUnreachableError):
        download(service, Path(os.devnull), is_async)
    assert (len(service.asked), service.replies) == (2, [])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target.name)
    with replacing(link) as path:
        path.write_text("new")
    assert (link.is_symlink(), target.read_text()) == (True, "new")


def test_a_folder_that_is_missing_is_told_with_the_name_that_was_given(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "x.csv"
    with pytest.raises(FileNotFoundError) as failed, replacing(target):
        pass
    assert failed.value.filename == str(target)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_the_umask_counts(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        with replacing(tmp_path / "x.csv"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "x.csv").stat().st_mode & 0o777 == mode


def test_a_long_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    target = tmp_path / f"{'ä' * 125}.csv"
    with replacing(target) as path:
        path.write_text("new")
    assert target.read_text() == "new"
