"""Unit tests use no network; what several of them need."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_socket import disable_socket, enable_socket
from video_jobs.use_cases import fetch_turn

from tests.support.played_storage import VIDEO
from tests.support.source_world import CHUNK, KIB


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup() -> None:
    disable_socket(allow_unix_socket=True)


def pytest_runtest_teardown() -> None:
    enable_socket()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a fetched video have KiB instead of MiB, and so has what a server must send in a second."""
    monkeypatch.setattr(fetch_turn, "chunk_bytes_of", lambda _: CHUNK)
    monkeypatch.setattr(fetch_turn, "MIN_BYTES_PER_S", fetch_turn.MIN_BYTES_PER_S // KIB)


@pytest.fixture
def videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the test runs."""
    folder = tmp_path / "videos"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the client remembers interrupted uploads."""
    monkeypatch.setenv("VIDEO_JOBS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "uploads"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A file that the played storage takes."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(VIDEO)
    return path
