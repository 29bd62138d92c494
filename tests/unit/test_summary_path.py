"""A path has few points, and its error is what it says."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from video_worker.summary.frames import Box
from video_worker.summary.path import MOST_POINTS, Path, Point
from video_worker.summary.times import path_points


@st.composite
def walks(draw: st.DrawFn) -> list[Point]:
    """Boxes that stand, move, turn or jump, at uneven times."""
    random = Random(draw(st.integers(0, 10**6)))
    jump = draw(st.sampled_from([0.5, 5.0, 50.0, 1000.0]))
    turns = draw(st.sampled_from([0.05, 0.3, 1.0]))
    box, speed, now_us, points = [100.0, 100.0, 200.0, 300.0], [0.0] * 4, 0, []
    for frame_index in range(draw(st.integers(1, 150))):
        now_us += random.choice([1, 33_367, random.randint(1, 5_000_000)])
        if random.random() < turns:
            speed = [random.uniform(-jump, jump) for _ in box]
        box = [edge + moved for edge, moved in zip(box, speed, strict=True)]
        points.append(Point(frame_index, now_us, (box[0], box[1], box[2], box[3])))
    return points


def path_of(points: list[Point]) -> Path:
    path = Path()
    for point in points:
        path.add(point)
    return path


def farthest(points: list[Point], path: Path) -> float:
    """The greatest distance of an edge from the path, as a client computes it from the summary."""
    told = [(point.timestamp_ms * 1000, point.xyxy) for point in path_points(path)]
    return max(
        abs(edge - on_path)
        for point in points
        for edge, on_path in zip(point.box, box_on_path(told, point.at_us), strict=True)
    )


def box_on_path(told: list[tuple[float, Box]], at_us: int) -> list[float]:
    after = next(number for number, (time, _) in enumerate(told) if time >= at_us - 0.5)
    if after == 0:
        return list(told[0][1])
    (from_us, start), (to_us, end) = told[after - 1], told[after]
    share = (at_us - from_us) / (to_us - from_us)
    return [of + share * (to - of) for of, to in zip(start, end, strict=True)]


@given(walks())
def test_no_box_is_farther_from_the_path_than_it_says_and_the_points_are_few(points: list[Point]) -> None:
    path = path_of(points)
    assert farthest(points, path) <= path.error_px + 1e-3
    assert len(path.points()) <= MOST_POINTS


@given(walks(), walks())
def test_the_error_covers_what_was_absorbed(before: list[Point], other: list[Point]) -> None:
    after = [point._replace(at_us=point.at_us + before[-1].at_us) for point in other]
    path = path_of(before)
    path.absorb(path_of(after))
    assert farthest([*before, *after], path) <= path.error_px + 1e-3
    assert len(path.points()) <= MOST_POINTS


def test_what_moves_evenly_or_stands_has_two_points() -> None:
    evenly = [Point(n, 40_000 * n, (n * 3.0, 10.0, 100 + n * 3.0, 90.0)) for n in range(5000)]
    assert [point.frame_index for point in path_of(evenly).points()] == [0, 4999]
    assert path_of(evenly).error_px < 6


def test_a_turn_is_a_point() -> None:
    there = [Point(n, 40_000 * n, (n * 3.0, 10.0, 100 + n * 3.0, 90.0)) for n in range(100)]
    back = [Point(200 - n, 40_000 * (200 - n), there[n].box) for n in reversed(range(100))]
    turns = [point.frame_index for point in path_of([*there, *back]).points()]
    assert len(turns) <= 4
    assert any(95 <= frame_index <= 105 for frame_index in turns)
