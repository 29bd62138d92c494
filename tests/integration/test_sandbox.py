"""A decoder that a hostile file has taken over reaches nothing, and costs one job."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import psutil
import pytest
from aws_lambda_powertools import Logger
from video_jobs.domain import errors
from video_worker.part_ranges import Excerpt
from video_worker.sandbox.confinement import LANDLOCK, SECCOMP
from video_worker.sandbox.sandboxed_videos import SandboxedVideos
from video_worker.video.file_view import OutsideRangesError
from video_worker.video.open_video import OpenVideo, Picture
from video_worker.video.video_reader import VideoReader

from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.fixtures.numbered_videos import make_numbered
from tests.fixtures.spread_files import spread, with_holes
from tests.support.hostile_decoder import LIES, MARK
from tests.support.sandboxes import CPU_S, MEMORY_MIB, OPENER, limits

CANARY = "canary-4711"
SHORT_S = 1.0
PICTURES = 3
LARGEST_REGION = 1 << 30


@pytest.fixture(scope="module")
def videos() -> Iterator[SandboxedVideos]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{CANARY}")
        with SandboxedVideos(limits(), Logger(), OPENER) as made:
            yield made


@pytest.fixture(scope="module")
def impatient() -> Iterator[SandboxedVideos]:
    with SandboxedVideos(limits(picture_s=SHORT_S), Logger(), OPENER) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


def attempt(videos: SandboxedVideos, file: Path, name: str, argument: object = "") -> list[Picture]:
    """Do the job of a file that takes the decoder over."""
    file.write_bytes(MARK + f"{name} {argument}".encode())
    with videos.open(file) as video:
        return list(video.frames())


def assert_next_job_is_right(videos: SandboxedVideos) -> None:
    with videos.open(TINY) as video, VideoReader(TINY) as expected:
        assert_same(first(video), first(expected))


def first(video: OpenVideo) -> list[Picture]:
    return [picture for picture, _ in zip(video.frames(), range(PICTURES), strict=False)]


def assert_same(some: list[Picture], others: list[Picture]) -> None:
    assert len(some) == len(others) > 0
    for one, other in zip(some, others, strict=True):
        assert replace(one, image=None) == replace(other, image=None)
        assert one.image is not None
        assert other.image is not None
        assert np.array_equal(one.image, other.image)


# --- the usual way ---------------------------------------------------------------------------------


def test_pictures_and_facts_are_those_of_the_reader(videos: SandboxedVideos) -> None:
    with videos.open(TINY) as video, VideoReader(TINY) as expected:
        assert (video.facts, video.warnings) == (expected.facts, expected.warnings)
        assert video.is_divisible is expected.is_divisible
        assert_same(list(video.frames()), list(expected.frames()))
        assert_same(list(video.frames(14)), list(expected.frames(14)))
        assert_same(list(video.frames(9, 12)), list(expected.frames())[9:12])
        assert video.candidates == expected.candidates


def test_an_excerpt_gives_the_pictures_for_which_it_was_made(videos: SandboxedVideos, tmp_path: Path) -> None:
    # GIVEN a video of which the bytes of one part were fetched, and a decoder's index of all of it
    path = spread(make_numbered("long_pyramid", tmp_path).path, tmp_path / "spread.mp4")
    with videos.open(path) as video:
        told, pictures = video.map(50), list(video.frames(300, 350))
    with VideoReader(path) as reader:
        assert reader.map(50) == told
    assert told is not None
    (tmp_path / "index").write_bytes(told.index)
    excerpt = Excerpt(told.ranges.of(6, 7), tmp_path / "index")
    fetched = with_holes(path, excerpt.ranges)
    # WHEN another decoder gets them THEN it gives the same pictures, and no others
    with videos.open(fetched, excerpt=excerpt) as video:
        assert_same(list(video.frames(300, 350)), pictures)
        with pytest.raises(OutsideRangesError, match="were not fetched"):
            list(video.frames())
    with pytest.raises(OutsideRangesError):
        videos.open(fetched, excerpt=replace(excerpt, ranges=excerpt.ranges[1:]))


def test_a_map_of_a_fragmented_video_is_refused(videos: SandboxedVideos, tmp_path: Path) -> None:
    with videos.open(make_numbered("fragmented_keyframes", tmp_path).path) as video:
        assert video.map(5) is None
        assert len(list(video.frames())) > 5


def test_a_lie_about_ranges_ends_the_decoder(videos: SandboxedVideos, file: Path) -> None:
    file.write_bytes(MARK + b"lie_about_ranges")
    with videos.open(file) as video, pytest.raises(errors.AnalysisCrashedError, match="impossible answers"):
        video.map(5)
    assert_next_job_is_right(videos)


def test_another_iteration_ends_the_one_before(videos: SandboxedVideos) -> None:
    with videos.open(TINY) as video, VideoReader(TINY) as expected:
        earlier = video.frames()
        next(earlier)
        assert_same(list(video.frames(9)), list(expected.frames(9)))
        with pytest.raises(RuntimeError, match="called again"):
            next(earlier)


def test_the_readers_reason_comes_through(videos: SandboxedVideos, file: Path) -> None:
    file.write_bytes(b"no video")
    with pytest.raises(errors.UnreadableVideoError, match="it has no index"):
        videos.open(file)
    with pytest.raises(errors.ResourceLimitError, match="The frames have 640x360 pixels"):
        videos.open(TINY, max_pixels=1000)
    with pytest.raises(errors.UnreadableVideoError):
        videos.open(file.parent / "nowhere.mp4")
    assert_next_job_is_right(videos)


# --- what a program can try ------------------------------------------------------------------------

NEEDS_FILTER = (
    *("look_at", "fork", "spawn", "program", "truncate", "write", "shared_memory", "executable_memory"),
    *("make_executable", "raise_limits", "be_traceable"),
)
FILES = ("open_for_reading", "open_for_writing", "delete", "list", "make_folder")
FORBIDDEN = (
    *("socket", "socket_pair", "replace", "memory_segment", "old_memory_segment"),
    "send_message",
)
TO_A_PROCESS = ("kill", "trace", "memory_of_process")


@pytest.mark.parametrize("name", [*FILES, "environment", "environment_of_parent", "own_start", *NEEDS_FILTER])
def test_an_attempt_is_refused(videos: SandboxedVideos, file: Path, name: str) -> None:
    target = file.parent / "target"
    if name in ("open_for_reading", "delete"):
        target.write_text("untouched")
    before = sorted(file.parent.iterdir())
    with pytest.raises(errors.UnreadableVideoError, match="refused"):
        attempt(videos, file, name, file.parent if name == "list" else target)
    assert sorted(file.parent.iterdir()) == sorted({*before, file})
    assert_next_job_is_right(videos)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_no_decoder_does_ends_it_at_once(videos: SandboxedVideos, file: Path, name: str) -> None:
    with pytest.raises(errors.AnalysisCrashedError, match="tried something that it must not do"):
        attempt(videos, file, name)
    assert_next_job_is_right(videos)


@pytest.mark.parametrize("name", TO_A_PROCESS)
@pytest.mark.parametrize("whose", ["the analysing process", "the fork server"])
def test_another_process_is_out_of_reach(videos: SandboxedVideos, file: Path, name: str, whose: str) -> None:
    pid = os.getpid() if whose == "the analysing process" else videos.server_pid
    with pytest.raises(errors.UnreadableVideoError, match="refused"):
        attempt(videos, file, "memory_of", pid)
    with pytest.raises(errors.AnalysisCrashedError, match="tried something that it must not do"):
        attempt(videos, file, name, pid)
    assert_next_job_is_right(videos)


def test_decoders_do_not_even_start_with_the_environment_of_the_worker(videos: SandboxedVideos) -> None:
    processes = [psutil.Process(videos.server_pid), *decoders(videos, wanted=1)]
    started_with = [Path(f"/proc/{process.pid}/environ").read_bytes() for process in processes]
    assert CANARY.encode() not in b"".join(started_with)


# --- how it can end --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("eat_memory", errors.ResourceLimitError, f"takes more than {MEMORY_MIB} MiB of memory"),
        ("eat_cpu", errors.ResourceLimitError, f"takes more than {CPU_S} s of CPU time"),
        ("crash", errors.AnalysisCrashedError, r"crashed on this video \(SIGSEGV\)"),
        ("exit", errors.AnalysisCrashedError, r"crashed on this video \(exit code 7\)"),
        ("hang_up", errors.AnalysisCrashedError, "The decoder hung up"),
        ("fail", errors.AnalysisCrashedError, "The decoder failed on this video"),
    ],
)
def test_its_end_is_told_truly(
    videos: SandboxedVideos, file: Path, name: str, error: type[Exception], words: str
) -> None:
    server = videos.server_pid
    with pytest.raises(error, match=words):
        attempt(videos, file, name)
    assert_next_job_is_right(videos)
    assert videos.server_pid == server


def test_a_lack_of_memory_is_not_taken_for_damage(tmp_path: Path) -> None:
    # GIVEN pictures of 4320p, and less memory than FFmpeg needs for them, which it takes for damage
    path = tmp_path / "large.mp4"
    large = ("-f", "lavfi", "-i", "testsrc2=size=7680x4320:rate=10:duration=0.5", "-preset", "ultrafast")
    run_ffmpeg(*large, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path))
    few = limits(max_pixels=7680 * 4320, cpu_s=30)
    with (
        SandboxedVideos(few, Logger()) as videos,
        pytest.raises(errors.ResourceLimitError, match=f"more than {MEMORY_MIB} MiB of memory"),
        videos.open(path) as video,
    ):
        list(video.frames())


def test_a_reason_is_not_lost_behind_pictures_that_are_read_later(
    videos: SandboxedVideos, file: Path
) -> None:
    file.write_bytes(MARK + b"fail_late ")
    with videos.open(file) as video:
        pictures = video.frames()
        time.sleep(0.2)  # the decoder gives up meanwhile
        assert [next(pictures).index for _ in range(PICTURES)] == [0, 1, 2]
        with pytest.raises(errors.UnreadableVideoError, match="the rest is missing"):
            next(pictures)


@pytest.mark.parametrize("name", ["hang", "half", "lost_without_end"])
def test_a_decoder_without_a_picture_is_stuck(impatient: SandboxedVideos, file: Path, name: str) -> None:
    with pytest.raises(errors.ResourceLimitError, match="got stuck: no picture came within 1 s"):
        attempt(impatient, file, name)
    assert_next_job_is_right(impatient)


@pytest.mark.parametrize("name", [*sorted(LIES.keys() - {"half", "lost_without_end"}), "too_large"])
def test_a_lie_fails_its_own_job(videos: SandboxedVideos, file: Path, name: str) -> None:
    with pytest.raises(errors.AnalysisCrashedError, match="gave impossible answers"):
        attempt(videos, file, name)
    assert_next_job_is_right(videos)


def test_a_decoder_ends_with_its_job(videos: SandboxedVideos) -> None:
    with videos.open(TINY) as video:
        next(iter(video.frames()))
        one, other = decoders(videos)
    (ahead,) = decoders(videos, wanted=1)
    assert ahead in (one, other)
    with pytest.raises(KeyError), videos.open(TINY) as video:  # noqa: PT012
        next(iter(video.frames()))
        raise KeyError
    assert decoders(videos, wanted=1) != [ahead]


def decoders(videos: SandboxedVideos, wanted: int = 2) -> list[psutil.Process]:
    """The decoders, when there are as many as wanted: one that waits is forked in the background."""
    videos.prepare()
    until = time.monotonic() + 20
    server = psutil.Process(videos.server_pid)
    while len(found := server.children()) != wanted and time.monotonic() < until:
        time.sleep(0.01)
    assert len(found) == wanted
    return found


# --- between jobs ----------------------------------------------------------------------------------


def test_nothing_of_one_job_is_in_the_memory_of_the_next(videos: SandboxedVideos, file: Path) -> None:
    # GIVEN a job, with pieces of its file and of its last picture
    content = TINY.read_bytes()
    pieces = [content[place : place + 64] for place in range(4096, len(content), 4096)]
    with videos.open(TINY) as video:
        image = list(video.frames())[-1].image
        assert image is not None
        row = image[100].tobytes()
        (holder,) = [process for process in decoders(videos) if found(process, row)]
        assert [process for process in decoders(videos) if found(process, *pieces)] == [holder]
    # WHEN the next job is under way
    file.write_bytes(MARK + b"nothing ")
    with videos.open(file) as video:
        first(video)
        # THEN neither its decoder nor the server that forked it has any of them
        everyone = [psutil.Process(videos.server_pid), *decoders(videos)]
        assert [process for process in everyone if found(process, row, *pieces)] == []


def found(process: psutil.Process, *pieces: bytes) -> bool:
    """Whether a process has any of these in its memory; only its parents and root can look."""
    with Path(f"/proc/{process.pid}/mem").open("rb") as memory:
        return any(piece in region for region in regions(process, memory) for piece in pieces)


def regions(process: psutil.Process, memory: BinaryIO) -> Iterator[bytes]:
    for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines():
        place, rights, *_ = line.split()
        start, end = (int(address, 16) for address in place.split("-"))
        if rights.startswith("r") and "[v" not in line and end - start < LARGEST_REGION:
            with suppress(OSError):
                memory.seek(start)
                yield memory.read(end - start)


ANALYSIS = """
from tests.integration.test_sandbox import *
with SandboxedVideos(limits(), Logger(), OPENER) as videos:
    with videos.open(TINY) as video:
        first(video)
        print(videos.server_pid, *(process.pid for process in decoders(videos)), flush=True)
        input()
"""


def test_decoders_die_with_a_killed_analysing_process() -> None:
    command = [sys.executable, "-c", ANALYSIS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as analysis:
        assert analysis.stdout is not None
        processes = [psutil.Process(int(pid)) for pid in analysis.stdout.readline().split()]
        assert len(processes) == 3
        analysis.kill()
        assert psutil.wait_procs(processes, timeout=20)[1] == []


def test_a_fork_server_that_was_killed_is_replaced() -> None:
    with SandboxedVideos(limits(), Logger(), OPENER) as videos:
        with videos.open(TINY) as video:
            next(iter(video.frames()))
            server, decoder = psutil.Process(videos.server_pid), decoders(videos)[0]
            server.kill()
            assert psutil.wait_procs([server, decoder], timeout=20)[1] == []
        assert_next_job_is_right(videos)


def test_a_server_that_cannot_start_is_told(tmp_path: Path) -> None:
    with (
        SandboxedVideos(limits(), Logger(), "tests.support.nowhere:nothing") as videos,
        pytest.raises(errors.TransientError, match="has ended"),
    ):
        videos.prepare()


# --- hosts with less -------------------------------------------------------------------------------


def test_what_a_host_lacks_is_logged_once_and_the_rest_holds(
    tmp_path: Path, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # GIVEN a host without libseccomp
    (tmp_path / "pyseccomp.py").write_text("raise RuntimeError('Unable to find libseccomp')")
    with SandboxedVideos(limits(), Logger(), OPENER, [str(tmp_path), *sys.path]) as videos:
        assert_next_job_is_right(videos)
        assert_next_job_is_right(videos)
        (told,) = (vars(one) for one in caplog.records if vars(one).get("action") == "sandbox_incomplete")
        assert SECCOMP in told["missing"]
        # THEN Landlock, where there is any, still refuses files
        if LANDLOCK in told["missing"]:
            pytest.skip("this kernel has no Landlock")
        with pytest.raises(errors.UnreadableVideoError, match="refused"):
            attempt(videos, file, "open_for_reading", TINY)
