"""Moving street scenes with a known truth, for fixtures, the demo and the measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tools.demo_model.scenes import Light, Scene, Thing, Truth, render
from tools.demo_model.textures import Image


@dataclass(frozen=True, slots=True)
class Clip:
    """A scene that moves for ``frames`` frames; the sign changes to the next of ``words`` at equal turns."""

    scene: Scene
    frames: int
    words: tuple[str, ...]

    def word_of(self, frame_index: int) -> str:
        """What the sign says on a frame."""
        return self.words[frame_index * len(self.words) // self.frames]

    def render(self, frame_index: int) -> tuple[Image, list[Truth]]:
        """One frame and what is on it."""
        word = self.word_of(frame_index)
        things = tuple(
            replace(thing, text=word) if thing.kind == "sign" else thing for thing in self.scene.things
        )
        return render(replace(self.scene, things=things), frame_index)

    def __iter__(self) -> Iterator[tuple[Image, list[Truth]]]:
        return (self.render(frame_index) for frame_index in range(self.frames))


def street_clip(size: tuple[int, int] = (960, 540), frames: int = 40) -> Clip:
    """A car and a bus that show their plates, a truck that passes, two people, and a sign."""
    width, height = size
    pace = 40 / frames

    def thing(kind: str, x: float, bottom: float, tall: float, **more: object) -> Thing:
        color = more.pop("color", (180, 120, 60))
        return Thing(kind, x * width, bottom * height, tall * height, color, **more)  # type: ignore[arg-type]

    things = (
        thing("tree", 0.06, 0.55, 0.40, color=(60, 120, 70)),
        thing("lamp_post", 0.93, 0.62, 0.50, color=(120, 110, 110)),
        thing("sign", 0.5, 0.52, 0.15, color=(150, 70, 20)),
        thing("truck_side", -0.25, 0.66, 0.24, color=(70, 150, 190), speed=0.034 * width * pace),
        thing("person", 0.92, 0.80, 0.30, color=(60, 130, 70), speed=-0.006 * width * pace),
        thing("person", 0.05, 0.90, 0.34, color=(150, 60, 120), speed=0.004 * width * pace),
        thing("car_rear", 0.27, 0.97, 0.40, color=(50, 50, 190), text="KXR742", speed=0.0015 * width * pace),
        thing("bus_rear", 0.70, 0.93, 0.52, color=(60, 170, 210), text="BTU395", speed=-0.001 * width * pace),
    )
    light = Light(brightness=1.0, contrast=1.0, blur=0.0, noise=2.0)
    words = ("HARBOUR", "STATION", "MARKET", "AIRPORT")
    return Clip(Scene(4711, size, 0.36 * height, things, light), frames, words)
