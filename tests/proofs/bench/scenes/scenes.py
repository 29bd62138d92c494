"""The scenes of the benchmark. Their seeds were chosen before any engine read them and stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from gpu_worker_image.models.street_demo_training.clips import write_mp4
from gpu_worker_image.models.street_demo_training.drawing import Image
from tests.proofs.bench.clips import CARS, FULL_HD
from tests.proofs.bench.scenes import vocabulary
from tests.proofs.bench.scenes.panels import Panel, TextLine, lay_out
from tests.proofs.bench.scenes.shots import Backdrop, Shot, Size
from tests.proofs.bench.scenes.signs import Light, Paint, Pose, Sign
from tests.proofs.bench.scenes.streets import street_shot
from tests.proofs.bench.scenes.truth import FrameTruth, Stratum
from tests.support.model import PEOPLE

HD = (1280, 720)
_SEEDS_A_SCENE = 1000
_LAST_FIRST = {CARS: 350, PEOPLE: 1300}
_PAGE_WIDTH = 0.5
_CLOCK_STARTS_S = 9 * 3600 + 58 * 60 + 53


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip: ``shots`` views of ``frames`` frames each; ``make`` builds the shot of a number."""

    name: str
    path: Path
    size: Size
    fps: int
    shots: int
    frames: int
    make: Callable[[Scene, int], Shot]
    seed: int
    shake: float = 0.0

    def render(self, frames: int | None = None) -> Iterator[tuple[Image, FrameTruth]]:
        """The first frames and what is written on each."""
        shots = (self.make(self, number) for number in range(self.shots))
        return islice((pair for shot in shots for pair in shot.render()), frames)

    def backdrop(self, number: int) -> Backdrop:
        """The part of the footage for a shot, by chance."""
        first = np.random.default_rng((self.seed, number)).integers(_LAST_FIRST[self.path])
        return Backdrop(self.path, self.size, int(first), self.frames)


@dataclass(frozen=True, slots=True)
class SceneClip:
    """An encoded scene, and the truth of each of its frames."""

    name: str
    path: Path
    truth: tuple[FrameTruth, ...]


def write_scene(scene: Scene, folder: Path, frames: int | None = None) -> SceneClip:
    """Encode a scene, a frame at a time."""
    path, truth = folder / f"{scene.name.replace(' ', '_')}.mp4", []

    def images() -> Iterator[Image]:
        for image, words in scene.render(frames):
            truth.append(words)
            yield image

    write_mp4(path, images(), scene.fps, scene.size)
    return SceneClip(scene.name, path, tuple(truth))


def _street(scene: Scene, number: int) -> Shot:
    return street_shot(scene.backdrop(number), scene.seed + number, scene.shake)


def _plain(scene: Scene, number: int) -> Shot:
    """Footage as it is."""
    return Shot(scene.backdrop(number), (), Stratum.CLEAR, scene.seed + number, scene.shake)


def _captions(scene: Scene, number: int) -> Shot:
    """One second: a caption that changes every other second, and the time of day in a corner."""
    step = 5
    backdrop = Backdrop(scene.path, scene.size, 40 + number * scene.frames * step, scene.frames, step)
    width, height = scene.size
    text = vocabulary.CAPTIONS[number // 2 % len(vocabulary.CAPTIONS)]
    caption = lay_out([TextLine(text, "dejavu bold", 0.034 * height)], 0.5)
    clock = lay_out([TextLine(_time_of_day(number), "dejavu mono", 0.026 * height)], 0.5)
    at = _corner(clock, scene.size)
    signs = (
        _burnt_in(caption, (width / 2, 0.91 * height), Stratum.CAPTIONS),
        _burnt_in(clock, at, Stratum.CLOCK),
    )
    return Shot(backdrop, signs, Stratum.CAPTIONS, scene.seed + number)


def _time_of_day(second: int) -> str:
    minutes, seconds = divmod(_CLOCK_STARTS_S + second, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def _corner(panel: Panel, size: Size) -> tuple[float, float]:
    return size[0] - panel.size[0] / 2 - 20, 20 + panel.size[1] / 2


def _burnt_in(panel: Panel, centre: tuple[float, float], stratum: Stratum) -> Sign:
    return Sign(panel, Paint((240, 240, 240), edge=(12, 12, 12)), Pose(centre), stratum=stratum)


def _page(scene: Scene, number: int) -> Shot:
    """A sheet of paper in front of the camera."""
    face, capital = (("dejavu serif", 15.0), ("aileron", 17.0), ("stix", 16.0))[number % 3]
    words = vocabulary.PAGES[number % 3].split()
    lines = list(_wrapped(words, int(_PAGE_WIDTH * scene.size[0] / (1.05 * capital))))
    panel = lay_out([TextLine(line, face, capital) for line in lines], 3, is_centred=False)
    centre = (scene.size[0] / 2, scene.size[1] / 2)
    turned = Pose(centre, roll=(0.004, -0.006, 0.002)[number % 3])
    paint = Paint((38, 35, 34), (208, 212, 214))
    sign = Sign(panel, paint, turned, Light(0.1, 0.6 + number, 0.4), 0.3, stratum=Stratum.PAGE)
    return Shot(scene.backdrop(number), (sign,), Stratum.PAGE, scene.seed + number, scene.shake)


def _wrapped(words: list[str], letters: int) -> Iterator[str]:
    """Lines of at most so many letters."""
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > letters:
            yield line
            line = ""
        line = f"{line} {word}".lstrip()
    yield line


SCENES = (
    Scene("cars 720p", CARS, HD, 10, 5, 8, _street, 1 * _SEEDS_A_SCENE),
    Scene("people 720p", PEOPLE, HD, 10, 5, 8, _street, 2 * _SEEDS_A_SCENE, shake=1.2),
    Scene("cars 1080p", CARS, FULL_HD, 10, 5, 8, _street, 3 * _SEEDS_A_SCENE, shake=0.7),
    Scene("people 1080p", PEOPLE, FULL_HD, 10, 5, 8, _street, 4 * _SEEDS_A_SCENE),
    Scene("captions and clock", PEOPLE, HD, 2, 20, 2, _captions, 5 * _SEEDS_A_SCENE),
    Scene("page", PEOPLE, FULL_HD, 5, 3, 5, _page, 6 * _SEEDS_A_SCENE, shake=0.4),
)
PLAIN_SCENES = (
    Scene("plain cars 1080p", CARS, FULL_HD, 10, 10, 5, _plain, 7 * _SEEDS_A_SCENE, shake=0.7),
    Scene("plain people 720p", PEOPLE, HD, 10, 10, 5, _plain, 8 * _SEEDS_A_SCENE, shake=0.7),
)
