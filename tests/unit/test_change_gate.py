"""What is read again, and that it depends on neither threads nor earlier parts."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
from video_worker.ordered_pool import AHEAD, ordered_results
from video_worker.plugins.ocr.change_gate import Box, ChangeGate, Look, Words, has_changed
from video_worker.plugins.ocr.engines import GrayImage
from video_worker.turns import Turns, TurnsAbortedError

PLACE: Box = [40.0, 60.0, 160.0, 90.0]


def picture(text: str = "EXIT 12", seed: int | None = None, noise: float = 3.0) -> GrayImage:
    """White letters on grey, with the noise of a compressed video."""
    image = np.full((120, 240), 90, np.uint8)
    cv2.putText(image, text, (40, 86), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 230, 2, cv2.LINE_AA)
    if seed is None:
        return image
    return np.clip(image + np.random.default_rng(seed).normal(0, noise, image.shape), 0, 255).astype(np.uint8)


class Reader:
    """Says which frame it read a place on."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def frame(self, gate: ChangeGate, position: int, gray: GrayImage) -> Words:
        words = gate.words_of_frame(position, gray, lambda: Look([], [PLACE]), self._at(position))
        return [{"text": word["text"]} for word in words]

    def places(self, gate: ChangeGate, position: int, gray: GrayImage) -> Words:
        found = gate.words_of_places(position, gray, [PLACE], self._at(position))
        return [word for words in found for word in words]

    def _at(self, position: int) -> Callable[[Box], Words]:
        def read(_: Box) -> Words:
            self.read.append(position)
            return [{"text": f"read on {position}"}]

        return read


@pytest.mark.parametrize(
    ("other", "changed"),
    [
        (picture(), False),
        (picture(seed=1), False),
        (picture("EXIT 13"), True),
        (picture("EXIT 12."), True),
        (picture("EXlT 12"), True),
        (picture("EXIT"), True),
        (cv2.convertScaleAbs(picture(), beta=5).astype(np.uint8), False),
        (cv2.convertScaleAbs(picture(), beta=25).astype(np.uint8), True),
    ],
)
def test_noise_is_no_change_and_a_letter_is(other: GrayImage, changed: bool) -> None:
    assert has_changed(picture(), other) is changed


@pytest.mark.parametrize(("paper", "ink"), [(90, 230), (0, 255), (255, 0)])
def test_every_single_letter_that_changes_is_noticed(paper: int, ink: int) -> None:
    for scale in (0.4, 0.6):  # 9 and 12 pixels high
        images = []
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz":
            image = np.full((60, 60), paper, np.uint8)
            cv2.putText(image, letter, (10, 40), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
            images.append(image)
        for one, before in enumerate(images):
            unnoticed = [one for after in images[one + 1 :] if not has_changed(before, after)]
            assert unnoticed == []


def test_compression_noise_beside_a_strong_edge_is_no_change_and_on_a_flat_place_is() -> None:
    sign = np.full((60, 60), 10, np.uint8)
    sign[20:40, 20:40] = 240
    for at, changed in (((18, 18), False), ((2, 2), True)):
        noisy = sign.copy()
        noisy[at[0] : at[0] + 4, at[1] : at[1] + 4] += 14
        assert has_changed(sign, noisy) is changed


def test_faint_text_that_appears_beside_a_strong_edge_is_noticed() -> None:
    sign = np.full((60, 160), 10, np.uint8)
    sign[30:] = 240
    written = sign.copy()
    cv2.putText(written, "EXIT", (20, 27), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 80, 1, cv2.LINE_AA)
    assert has_changed(sign, written)


def test_an_unchanged_frame_is_not_read_again() -> None:
    gate, reader = ChangeGate(), Reader()
    frames = [picture(seed=seed) for seed in range(4)] + [picture("EXIT 13"), picture("EXIT 13", seed=9)]
    said = [reader.frame(gate, position, gray)[0]["text"] for position, gray in enumerate(frames)]
    assert said == ["read on 0"] * 4 + ["read on 4"] * 2
    assert reader.read == [0, 4]


def test_a_change_elsewhere_reads_only_what_changed() -> None:
    gate, reader = ChangeGate(), Reader()
    for position in range(3):
        gray = picture()
        gray[0:20, 0 : 20 * (position + 1)] = 255
        reader.frame(gate, position, gray)
    assert reader.read == [0]


def test_a_letter_added_at_the_end_of_a_line_is_noticed() -> None:
    gate, reader = ChangeGate(), Reader()
    reader.frame(gate, 0, picture("EXIT 12"))
    reader.frame(gate, 1, picture("EXIT 124"))
    assert reader.read == [0, 1]


def test_slow_changes_add_up() -> None:
    gate, reader = ChangeGate(), Reader()
    for position in range(12):
        gray = cv2.convertScaleAbs(picture(), beta=3 * position).astype(np.uint8)
        reader.frame(gate, position, gray)
    assert 1 < len(reader.read) < 12


def test_a_new_part_knows_nothing() -> None:
    reader = Reader()
    for _ in range(2):
        reader.frame(ChangeGate(), 0, picture())
    assert reader.read == [0, 0]


def test_threads_decide_in_the_order_of_the_frames() -> None:
    frames = [picture(f"EXIT {position // 3}", seed=position) for position in range(40)]
    expected = [f"read on {position - position % 3}" for position in range(40)]
    for threads in (2, 5):
        gate, reader = ChangeGate(), Reader()

        def work(position: int, gate: ChangeGate = gate, reader: Reader = reader) -> str:
            gray = frames[position] if random.random() < 0.5 else frames[position].copy()
            return str(reader.frame(gate, position, gray)[0]["text"])

        assert list(ordered_results(range(40), work, threads)) == expected


def test_a_frame_that_fails_holds_nobody_up() -> None:
    turns = Turns()
    with ThreadPoolExecutor(2) as pool:

        def wait() -> None:
            with turns.turn(1):
                pass

        waiting = pool.submit(wait)
        with pytest.raises(KeyError), turns.turn(0):
            raise KeyError
        with pytest.raises(TurnsAbortedError):
            waiting.result(timeout=10)


# --- the pool ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_results_come_in_order_from_a_bounded_window(threads: int) -> None:
    taken = 0

    def items() -> Any:
        nonlocal taken
        for number in range(50):
            taken += 1
            yield number

    for given, result in enumerate(ordered_results(items(), lambda number: number * number, threads)):
        assert result == given * given
        assert taken <= given + threads + AHEAD


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_in_its_turn(threads: int) -> None:
    def work(number: int) -> int:
        if number == 5:
            raise KeyError(number)
        return number

    results = ordered_results(range(100), work, threads)
    assert [next(results) for _ in range(5)] == list(range(5))
    with pytest.raises(KeyError):
        next(results)


def test_a_consumer_that_stops_ends_the_threads() -> None:
    before = threading.active_count()
    results = ordered_results(range(100), lambda number: number, 4)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
