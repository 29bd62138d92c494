"""The summary and the tracks are the same bytes, whoever computed which part when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from video_jobs.domain.keys import part_key
from video_jobs.domain.parts import run_id
from video_worker.analysis import PartEnd, RunRequest
from video_worker.job_worker import Outcome
from video_worker.results_serializer import notes_line, part_line

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.function_plugin import FunctionPlugin
from tests.support.noisy_readings import Line, text_frames, times
from tests.support.numbered_video import NumberedVideo
from tests.support.stored_files import contents_of
from tests.support.tracking_scenes import Scene, crossings, even_times, filmed
from tests.support.worker_world import World

VIDEO = NumberedVideo(300, lost={5, 64, 65, 200})
WHOLE = 256
"""So many candidates in a part that they are a part and the rest."""


@cache
def found() -> Sequence[dict[str, Any]]:
    """What is found on each picture: people who cross, and a sign that is sometimes misread."""
    people = filmed(Scene("crossings", crossings().actors, 10), even_times(10))
    signs = text_frames([Line("EXIT 12")], times(300), errors=0.05)
    return [{**sign.result, **seen.analysed.result} for seen, sign in zip(people, signs, strict=True)]


@pytest.fixture(scope="module", autouse=True)
def _fake_tool() -> Iterator[None]:
    tool = SimpleNamespace(run=lambda payload: found()[payload["frame_index"]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FunctionPlugin, "tool", lambda *_: tool)
        yield


def made_parts(world: World, parts: range, frames_before: int) -> None:
    """Another attempt computes and stores these parts; it may know nothing of those before them."""
    job = world.job
    request = RunRequest(
        TINY,
        "count",
        job.options.sampling,
        first_part=parts.start,
        frames_before=frames_before,
        part_frames=job.part_frames,
    )
    name = run_id(job, world.pipelines.fingerprint("count", job.options.text)["id"])
    lines: list[bytes] = []
    for item in world.pipelines.run(request):
        if not isinstance(item, PartEnd):
            lines.append(part_line(item))
            continue
        if item.number in parts and item.is_complete:
            path = world.temporary / "part"
            path.write_bytes(b"".join([*lines, notes_line(item.notes)]))
            world.storage.save_file(part_key(job.job_id, name, item.number), path, "x/y")
            path.unlink()
        lines = []


def files(
    folder: Path,
    threads: int = 1,
    part_frames: int = WHOLE,
    made_before: Iterable[range] = (),
    max_frames: int | None = None,
) -> list[bytes]:
    """All files of a job, some of whose parts were made by earlier attempts, in this order."""
    world = World(folder)
    world.settings = msgspec.structs.replace(world.settings, frame_threads=threads)
    world.open_with(VIDEO)
    world.submit(TINY, "count", part_frames=part_frames, max_frames=max_frames)
    for parts in made_before:
        made_parts(world, parts, frames_before=parts.start)
    VIDEO.started_at.clear()
    assert world.worker().run_once() is Outcome.COMPLETED
    contents = contents_of(world.job, world.storage)
    assert len(contents) == 5
    return contents


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[int | None, list[bytes]]:
    """The files of jobs that nothing happens to, by ``max_frames``."""
    return {most: files(tmp_path_factory.mktemp("undisturbed"), max_frames=most) for most in (None, 100)}


RESUMED = [
    *((7, [range(parts)]) for parts in (1, 10, 42)),
    *((64, [range(parts)]) for parts in range(1, 5)),
    (WHOLE, [range(1)]),
]
IN_ANY_ORDER = [
    (64, [range(2, 4), range(0, 2)]),
    (64, [range(3, 4), range(1, 2), range(0, 1)]),
    (64, [range(1, 4)]),
    (7, [range(30, 42), range(3, 9), range(0, 4)]),
]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("part_frames", [7, 64, WHOLE])
def test_threads_and_lengths_of_parts_make_no_difference(
    tmp_path: Path, undisturbed: dict[int | None, list[bytes]], threads: int, part_frames: int
) -> None:
    assert files(tmp_path, threads, part_frames) == undisturbed[None]


@pytest.mark.parametrize("max_frames", [None, 100])
@pytest.mark.parametrize(("part_frames", "made_before"), [*RESUMED, *IN_ANY_ORDER])
def test_who_computed_which_part_when_makes_no_difference(
    tmp_path: Path,
    undisturbed: dict[int | None, list[bytes]],
    part_frames: int,
    made_before: list[range],
    max_frames: int | None,
) -> None:
    assert files(tmp_path, 2, part_frames, made_before, max_frames) == undisturbed[max_frames]
    # AND the worker took the leading parts as they were
    made = {number for parts in made_before for number in parts}
    leading = next(number for number in count() if number not in made)
    assert max_frames or VIDEO.started_at[:1] == [leading * part_frames]
