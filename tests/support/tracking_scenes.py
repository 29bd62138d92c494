"""Scenes with known tracks: boxes that move, and what a detector would make of them.

Nothing is drawn. A detector of this kind shakes each edge, misses some objects, reports some that are not
there, and is less sure of what is partly hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from video_worker.analysis import AnalysedFrame

Box = tuple[float, float, float, float]
WIDTH, HEIGHT = 1280, 720
CAMERA_FPS = 30


@dataclass(frozen=True)
class Actor:
    """Someone who moves evenly from ``start`` (centre, in pixels) with ``velocity`` (pixels a second).

    ``nearness`` tells who hides whom; ``growth`` is the share by which the size grows each second.
    """

    number: int
    start: tuple[float, float]
    velocity: tuple[float, float]
    size: tuple[float, float] = (56.0, 150.0)
    from_s: float = 0.0
    to_s: float = 1e9
    nearness: float = 0.0
    growth: float = 0.0
    kind: tuple[int, str] = (0, "person")

    def box_at(self, seconds: float) -> Box | None:
        """Where it is; None outside its time, or if most of it is outside the picture."""
        if not self.from_s <= seconds <= self.to_s:
            return None
        passed = seconds - self.from_s
        scale = 1 + self.growth * passed
        x, y = self.start[0] + self.velocity[0] * passed, self.start[1] + self.velocity[1] * passed
        half_width, half_height = self.size[0] * scale / 2, self.size[1] * scale / 2
        if not (0 <= x <= WIDTH and 0 <= y <= HEIGHT):
            return None
        return (
            max(0.0, x - half_width),
            max(0.0, y - half_height),
            min(float(WIDTH), x + half_width),
            min(float(HEIGHT), y + half_height),
        )


@dataclass(frozen=True)
class Detector:
    """How bad the detections are; ``shake`` is in shares of the box's size."""

    shake: float = 0.025
    misses: float = 0.03
    false_alarms: float = 0.05
    confidence: tuple[float, float] = (0.75, 0.1)


@dataclass(frozen=True)
class Scene:
    """Actors, and walls that hide what is behind them."""

    name: str
    actors: Sequence[Actor]
    seconds: float
    walls: Sequence[Box] = ()
    detector: Detector = field(default_factory=Detector)


@dataclass(frozen=True)
class TrueFrame:
    """Who is really there and can be seen, and what was detected."""

    truth: dict[int, Box]
    analysed: AnalysedFrame


def even_times(seconds: float, stride: int = 1) -> list[tuple[int, float]]:
    """Frame indexes and times in ms of a camera with `CAMERA_FPS`, at a stride."""
    count = int(seconds * CAMERA_FPS)
    return [(index, round(index * 1000 / CAMERA_FPS, 3)) for index in range(0, count, stride)]


def uneven_times(seconds: float, seed: int = 7, stride: int = 1) -> list[tuple[int, float]]:
    """The same of a camera whose pictures are 15 to 70 ms apart."""
    random, now_ms, times = Random(seed), 0.0, []
    while now_ms < seconds * 1000:
        times.append(round(now_ms, 3))
        now_ms += random.uniform(15, 70)
    return [(index, now_ms) for index, now_ms in enumerate(times) if index % stride == 0]


def filmed(scene: Scene, times: Sequence[tuple[int, float]], seed: int = 1) -> Iterator[TrueFrame]:
    """The scene as truth and as detections."""
    random = Random(f"{scene.name} {seed}")
    for frame_index, timestamp_ms in times:
        hidden = {actor.number: share for actor, _, share in _seen(scene, timestamp_ms / 1000)}
        boxes = {actor.number: box for actor, box, _ in _seen(scene, timestamp_ms / 1000)}
        kinds = {actor.number: actor.kind for actor in scene.actors}
        truth = {number: box for number, box in boxes.items() if hidden[number] < 0.7}
        found = [
            _detection(random, scene.detector, box, hidden[number], kinds[number])
            for number, box in truth.items()
            if random.random() >= scene.detector.misses
        ]
        if random.random() < scene.detector.false_alarms:
            found.append(_false_alarm(random, scene.actors[0].kind))
        found.sort(key=lambda one: (-one["confidence"], one["class_id"], one["xyxy"]))
        yield TrueFrame(truth, AnalysedFrame(frame_index, timestamp_ms, {"detections": found}))


def _seen(scene: Scene, seconds: float) -> list[tuple[Actor, Box, float]]:
    """Each actor with its box and the share of it that is hidden."""
    there = [(actor, box) for actor in scene.actors if (box := actor.box_at(seconds))]
    return [
        (
            actor,
            box,
            max(
                [0.0]
                + [_covered(box, wall) for wall in scene.walls]
                + [_covered(box, other) for one, other in there if one.nearness > actor.nearness]
            ),
        )
        for actor, box in there
    ]


def _covered(box: Box, other: Box) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(0.0, width) * max(0.0, height) / ((box[2] - box[0]) * (box[3] - box[1]))


def _detection(
    random: Random, detector: Detector, box: Box, hidden: float, kind: tuple[int, str]
) -> dict[str, Any]:
    width, height = box[2] - box[0], box[3] - box[1]
    shaken = [
        edge + random.gauss(0, detector.shake) * side
        for edge, side in zip(box, (width, height, width, height), strict=True)
    ]
    sure = random.gauss(*detector.confidence) * (1 - 0.8 * hidden)
    return {
        "xyxy": [round(edge, 2) for edge in shaken],
        "confidence": round(min(0.98, max(0.12, sure)), 4),
        "class_id": kind[0],
        "class_name": kind[1],
    }


def _false_alarm(random: Random, kind: tuple[int, str]) -> dict[str, Any]:
    x, y = random.uniform(0, WIDTH - 80), random.uniform(0, HEIGHT - 160)
    return {
        "xyxy": [x, y, x + random.uniform(30, 80), y + random.uniform(60, 160)],
        "confidence": round(random.uniform(0.2, 0.45), 4),
        "class_id": kind[0],
        "class_name": kind[1],
    }


# --- the scenes -------------------------------------------------------------------------------------


def apart() -> Scene:
    """Six people on lanes of their own, at the pace of people; nobody hides anybody."""
    actors = [
        Actor(
            number=lane + 1,
            start=(60.0 if lane % 2 else 1220.0, 70.0 + 115 * lane),
            velocity=((50.0 + 9 * lane) * (1 if lane % 2 else -1), 0.0),
            size=(42.0, 100.0),
            from_s=0.7 * lane,
        )
        for lane in range(6)
    ]
    return Scene("apart", actors, 16)


def cars() -> Scene:
    """Cars on three lanes that come nearer and grow."""
    actors = [
        Actor(
            number=number + 1,
            start=(80.0, 120.0 + 200 * (number % 3)),
            velocity=(130.0 + 15 * (number % 3), 3.0),
            size=(120.0, 60.0),
            from_s=2.6 * number,
            growth=0.05,
            kind=(2, "car"),
        )
        for number in range(6)
    ]
    return Scene("cars", actors, 22)


def crossings() -> Scene:
    """Pairs of people who pass each other; the nearer one hides the other for a moment."""
    actors = []
    for pair in range(4):
        y, begin = 160.0 + 130 * pair, 0.5 * pair
        actors.append(Actor(2 * pair + 1, (80.0, y), (95.0, 0.0), from_s=begin, nearness=y))
        actors.append(Actor(2 * pair + 2, (1200.0, y + 24), (-80.0, 0.0), from_s=begin, nearness=y + 24))
    return Scene("crossings", actors, 14)


def occlusions() -> Scene:
    """People who walk behind pillars, which hide them for less than a second."""
    actors = [
        Actor(
            number=lane + 1,
            start=(60.0 if lane % 2 else 1220.0, 90.0 + 135 * lane),
            velocity=((105.0 + 8 * lane) * (1 if lane % 2 else -1), 0.0),
            size=(46.0, 110.0),
            from_s=0.4 * lane,
        )
        for lane in range(5)
    ]
    walls = [(380.0, 0.0, 480.0, 720.0), (800.0, 0.0, 900.0, 720.0)]
    return Scene("occlusions", actors, 13, walls)


def returning() -> Scene:
    """People who leave, and come back three seconds later: another track, as nobody knows that it is them."""
    actors = [
        Actor(
            number=10 * lane + visit,
            start=(150.0 + 300 * lane, 120.0 + 160 * lane),
            velocity=(60.0, 0.0),
            from_s=7.0 * visit + lane * 0.3,
            to_s=7.0 * visit + lane * 0.3 + 4.0,
        )
        for lane in range(4)
        for visit in range(2)
    ]
    return Scene("returning", actors, 13)


SCENES: tuple[Callable[[], Scene], ...] = (apart, cars, crossings, occlusions, returning)
