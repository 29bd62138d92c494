"""What is searched and read again, and that it depends on neither threads nor earlier parts."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from video_worker.ordered_pool import ordered_results
from video_worker.plugins.ocr.change_gate import ChangeGate, Gate, OpenGate
from video_worker.plugins.ocr.engines import to_gray
from video_worker.plugins.ocr.places import Place, read_once
from video_worker.plugins.ocr.reading import Area, Box, Line, Words
from video_worker.turns import Turns, TurnsAbortedError
from video_worker.video.open_video import Image

from tests.support.bright_words import HEIGHT, WIDTH, BrightWords, picture

WHOLE: Area = (0, 0, WIDTH, HEIGHT)
CLOCK, SIGN = (40, 100), (500, 400)


def street(clock: str = "10:42:11", sign: str = "EXIT 12", seed: int | None = None) -> Image:
    return picture((CLOCK, clock), (SIGN, sign), seed=seed)


def texts(lines: Iterable[Words]) -> list[str]:
    return sorted(str(word["text"]) for words in lines for word in words)


def texts_of(gate: Gate, images: Sequence[Image]) -> list[list[str]]:
    return [texts(gate.lines_of_frame(position, image)) for position, image in enumerate(images)]


def truth_of(images: Sequence[Image]) -> list[list[str]]:
    """What a gate without memory reads."""
    return texts_of(OpenGate(BrightWords()), images)


def share_searched(reader: BrightWords) -> list[float]:
    """Of the frame, in each search."""
    return [
        sum((right - left) * (bottom - top) for left, top, right, bottom in areas) / (WIDTH * HEIGHT)
        for areas in reader.searched
    ]


def test_an_unchanged_frame_is_neither_searched_nor_read_again() -> None:
    reader = BrightWords()
    images = [street(seed=seed) for seed in range(4)]
    first, *others = texts_of(ChangeGate(reader), images)
    assert len(first) == 2
    assert others == [first] * 3
    assert reader.searched == [[WHOLE]]
    assert len(reader.read_boxes) == 1


def test_a_change_is_searched_where_it_is_and_only_the_changed_line_is_read() -> None:
    reader = BrightWords()
    images = [street(f"10:42:{second:02d}") for second in (11, 12, 33)]
    assert texts_of(ChangeGate(reader), images) == truth_of(images)
    assert [len(boxes) for boxes in reader.read_boxes] == [2, 1, 1]
    assert reader.searched[0] == [WHOLE]
    assert max(share_searched(reader)[1:]) < 0.15


def test_a_change_elsewhere_reads_nothing() -> None:
    reader = BrightWords()
    images = []
    for step in range(3):
        images.append(street())
        images[-1][300 : 320 + 20 * step, 100:140] = 20
    texts_of(ChangeGate(reader), images)
    assert reader.lines_read == 2


def test_all_new_lines_of_a_frame_are_read_in_one_call() -> None:
    reader = BrightWords()
    texts_of(ChangeGate(reader), [picture(), street()])
    assert [len(boxes) for boxes in reader.read_boxes] == [2]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("EXIT 12", "EXIT 124"),  # a letter added at the end
        ("EXIT 12", "EXIT 12 NORTH"),
        ("EXIT 12 NORTH", "EXIT 12"),
        ("EXIT 12", ""),
        ("", "EXIT 12"),
        ("EXIT 12 TO THE HARBOUR", "EXIT 13 TO THE HARBOUR"),  # far smaller than the line
        ("EXIT 12 TO THE HARBOUR", "EXIT    TO THE HARBOUR"),  # one line becomes two
    ],
)
def test_a_line_that_changes_in_part_is_read_as_a_whole(before: str, after: str) -> None:
    images = [street(sign=before), street(sign=after)]
    assert texts_of(ChangeGate(BrightWords()), images) == truth_of(images)


def test_a_word_that_joins_a_line_beyond_its_margin_is_read_with_it() -> None:
    first = street()
    (box,) = (line.box for line in BrightWords().find(first, [(450, 300, WIDTH, HEIGHT)]))
    second = picture((CLOCK, "10:42:11"), (SIGN, "EXIT 12"), ((int(box[2]) + 20, SIGN[1]), "NORTH"))
    assert len(BrightWords().find(second, [(450, 300, WIDTH, HEIGHT)])) == 1
    assert texts_of(ChangeGate(BrightWords()), [first, second]) == truth_of([first, second])


def test_a_reader_that_finds_only_in_whole_frames_is_given_whole_frames() -> None:
    reader = BrightWords(finds_in_areas=False)
    images = [street(), street("10:42:12")]
    assert texts_of(ChangeGate(reader), images) == truth_of(images)
    assert reader.searched == [[WHOLE], [WHOLE]]
    assert [len(boxes) for boxes in reader.read_boxes] == [2, 1]


def test_slow_changes_add_up() -> None:
    reader = BrightWords()
    images = [cv2.convertScaleAbs(street(), beta=3 * step).astype(np.uint8) for step in range(12)]
    texts_of(ChangeGate(reader), images)
    assert 1 < len(reader.read_boxes) < 12


def test_text_that_appears_slowly_beside_something_that_moves_is_noticed() -> None:
    images = []
    for step in range(40):
        image = street(sign="").astype(np.float32)
        image += (street().astype(np.float32) - image) * step / 39
        image[430:450, 500 + 4 * step : 520 + 4 * step] = 20
        images.append(image.astype(np.uint8))
    last = texts_of(ChangeGate(BrightWords()), images)[-1]
    assert len(last) == len(truth_of(images[-1:])[0]) == 2


def test_a_new_part_knows_nothing() -> None:
    reader = BrightWords()
    for _ in range(2):
        texts_of(ChangeGate(reader), [street()])
    assert reader.searched == [[WHOLE], [WHOLE]]
    assert reader.lines_read == 4


def test_what_is_remembered_does_not_grow() -> None:
    gate = ChangeGate(BrightWords())
    images = happenings(seed=3, frames=60)
    held = []
    for position, image in enumerate(images):
        gate.lines_of_frame(position, image)
        held.append(sum(place.pixels.nbytes for place in gate._places))
    assert max(held) < WIDTH * HEIGHT
    assert not any(place.pixels.base is not None for place in gate._places)


# --- the same text as without a gate, in any order of threads -------------------------------------------


def happenings(seed: int, frames: int) -> list[Image]:
    """A clock, words that come and go, and dark things that move, some of them over the words."""
    random_ = random.Random(seed)
    words = {SIGN: "EXIT 12", (60, 300): "HARBOUR", (300, 500): "MARKET STREET"}
    things = [
        [random_.randrange(WIDTH), random_.randrange(HEIGHT), random_.randrange(-9, 9)] for _ in range(3)
    ]
    images = []
    for number in range(frames):
        if random_.random() < 0.2:
            at = random_.choice(list(words))
            words[at] = random_.choice(["", "EXIT 12", "EXIT 13", "EXIT 13 NORTH", "NORTH", "Il", "l1"])
        image = picture((CLOCK, f"10:42:{number // 3:02d}"), *words.items())
        for thing in things:
            thing[0] += thing[2]
            cv2.rectangle(image, thing[:2], (thing[0] + 50, thing[1] + 30), (20, 20, 20), -1)
        images.append(image)
    return images


@pytest.mark.parametrize("seed", range(6))
def test_no_change_of_text_is_missed(seed: int) -> None:
    images = happenings(seed, frames=40)
    assert texts_of(ChangeGate(BrightWords()), images) == truth_of(images)


@pytest.mark.parametrize("seed", [0, 4, 5])
def test_most_of_what_stands_still_is_not_searched(seed: int) -> None:
    images, reader = happenings(seed, frames=40), BrightWords()
    texts_of(ChangeGate(reader), images)
    assert sum(share_searched(reader)) < 0.3 * len(images)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_decide_in_the_order_of_the_frames(threads: int) -> None:
    images = happenings(seed=7, frames=40)

    def run(threads: int) -> tuple[list[list[Words]], BrightWords]:
        reader = BrightWords()
        gate = ChangeGate(reader)
        work = lambda position: gate.lines_of_frame(position, images[position])  # noqa: E731
        return list(ordered_results(range(len(images)), work, threads)), reader

    expected, alone = run(1)
    given, together = run(threads)
    assert given == expected
    assert sorted(together.searched) == sorted(alone.searched)
    assert sorted(together.read_boxes) == sorted(alone.read_boxes)


# --- a page ------------------------------------------------------------------------------------------


class PageReader(BrightWords):
    """Reads the words while it searches the whole frame, as Tesseract does on a page."""

    def find(self, image: Image, areas: Sequence[Area]) -> list[Line]:
        lines = super().find(image, areas)
        if list(areas) != [WHOLE]:
            return lines
        words = BrightWords().read(image, lines)
        numbered = [[word | {"block_num": 7} for word in line] for line in words]
        return [Line(line.corners, words=one) for line, one in zip(lines, numbered, strict=True)]


def test_the_lines_of_a_page_are_known_and_only_those_that_change_are_read_again() -> None:
    reader = PageReader()
    gate = ChangeGate(reader)
    images = [street(), street(sign="EXIT 13")]
    first, second = (gate.lines_of_frame(position, image) for position, image in enumerate(images))
    assert [texts(first), texts(second)] == truth_of(images)
    assert [len(boxes) for boxes in reader.read_boxes] == [1]
    assert [word["block_num"] for line in first for word in line] == [7, 7]
    assert [word.get("block_num") for line in second for word in line] == [7, None]


def test_a_new_page_replaces_all_that_was_known() -> None:
    reader = PageReader()
    gate = ChangeGate(reader)
    white = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    lines = [gate.lines_of_frame(position, image) for position, image in enumerate((street(), white + 0))]
    assert [len(one) for one in lines] == [2, 0]
    assert reader.read_boxes == []


# --- regions -------------------------------------------------------------------------------------------

PLATE: Box = [490.0, 370.0, 640.0, 410.0]
OTHER: Box = [30.0, 70.0, 220.0, 110.0]


def test_a_region_that_looks_the_same_is_not_read_again() -> None:
    reader = BrightWords()
    gate = ChangeGate(reader)
    moved = [value + 2 for value in PLATE]
    frames = [(street(), [PLATE]), (street(seed=1), [moved]), (street(sign="EXIT 13"), [PLATE])]
    said = [gate.words_of_regions(position, *frame) for position, frame in enumerate(frames)]
    assert said[0] == said[1] != said[2]
    assert reader.read_boxes == [[PLATE], [PLATE]]


def test_all_new_regions_of_a_frame_are_read_in_one_call() -> None:
    reader = BrightWords()
    gate = ChangeGate(reader)
    assert [len(words) for words in gate.words_of_regions(0, street(), [PLATE, OTHER])] == [1, 1]
    gate.words_of_regions(1, street("10:42:12", "EXIT 13"), [OTHER, PLATE])
    assert reader.read_boxes == [[PLATE, OTHER], [OTHER, PLATE]]


# --- errors --------------------------------------------------------------------------------------------


class FailingReader(BrightWords):
    """Fails to read, when all that shall wait for it wait."""

    def __init__(self) -> None:
        super().__init__()
        self.may_fail = threading.Event()

    def read(self, image: Image, lines: Sequence[Line]) -> list[Words]:
        assert self.may_fail.wait(10)
        raise KeyError("unreadable")


def test_an_error_reaches_all_that_wait_for_the_text() -> None:
    reader = FailingReader()
    gate = ChangeGate(reader)
    with ThreadPoolExecutor(3) as pool:
        frames = [pool.submit(gate.lines_of_frame, position, street()) for position in range(3)]
        with gate._place_turns.turn(3):  # all three decided
            reader.may_fail.set()
        for frame in frames:
            with pytest.raises(KeyError):
                frame.result(timeout=10)


def test_lines_are_read_together_once_and_those_of_a_page_are_not_read() -> None:
    image, page_line = to_gray(street()), Line.upright(PLATE, words=[])
    places = [Place.of(line, image) for line in (Line.upright(PLATE), Line.upright(OTHER), page_line)]
    calls = []

    def read(lines: list[Line]) -> list[Words]:
        calls.append([line.box for line in lines])
        raise KeyError("unreadable")

    with pytest.raises(KeyError):
        read_once(places, read)
    read_once(places, read)
    assert calls == [[PLATE, OTHER]]
    assert [type(place.words.exception()) for place in places] == [KeyError, KeyError, type(None)]


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


def test_an_aborted_gate_lets_nobody_wait() -> None:
    gate = ChangeGate(BrightWords())
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(gate.lines_of_frame, 1, street())
        gate.abort()
        with pytest.raises(TurnsAbortedError):
            second.result(timeout=10)
