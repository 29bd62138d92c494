"""Which parts of a frame Tesseract is given, and in which of its modes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pytest
from video_jobs.settings import WorkerSettings
from video_worker.plugins.ocr.engines import GrayImage
from video_worker.plugins.ocr.reading import Area
from video_worker.plugins.ocr.regions import ONE_LINE
from video_worker.plugins.ocr.tesseract_reader import TesseractReader
from video_worker.video.open_video import Image

WIDTH, HEIGHT = 1280, 720
WHOLE: Area = (0, 0, WIDTH, HEIGHT)
ROW = "5\t1\t{block}\t{paragraph}\t{line}\t1\t10\t20\t30\t40\t95.0\tword"


class FakeEngine:
    """Says that it reads the same rows whatever it is given; the mode None stands for a page."""

    language = "eng"

    def __init__(self, *rows: str) -> None:
        self.modes: list[int | None] = []
        self._tsv = "\n".join(rows)

    def read_tsv(self, image: GrayImage, page_segmentation: int | None = None) -> str:
        self.modes.append(page_segmentation)
        return self._tsv

    def facts(self) -> Mapping[str, Any]:
        return {"engine": "fake"}


def reader_of(engine: FakeEngine, layout: str = "auto") -> TesseractReader:
    return TesseractReader(
        engine, WorkerSettings.from_environment({"MODEL_PATH": "none", "OCR_LAYOUT": layout})
    )


def written(*texts: tuple[str, tuple[int, int]]) -> Image:
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for text, at in texts:
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (0, 0, 0), 2)
    return image


PAGE = written(*(("every word of this dense page must be found", (15, 40 + 48 * row)) for row in range(14)))
MANY_WORDS = [
    ROW.format(block=block, paragraph=paragraph, line=line)
    for block in (1, 2)
    for paragraph in (1, 2)
    for line in (1, 1, 1, 1, 2, 2, 2, 2)
]


def test_a_frame_full_of_text_is_read_as_a_page_while_it_is_searched() -> None:
    engine = FakeEngine(*MANY_WORDS)
    lines = reader_of(engine).find(PAGE, [WHOLE])
    assert engine.modes == [None]
    assert [len(line.words or []) for line in lines] == [4] * 8
    numbers = [(line.words[0]["block_num"], line.words[0]["line_num"]) for line in lines if line.words]
    assert numbers == [(1, 1), (1, 2)] * 2 + [(2, 1), (2, 2)] * 2


@pytest.mark.parametrize(
    ("layout", "areas", "rows"),
    [
        ("auto", [WHOLE], MANY_WORDS[:29]),  # too few words
        ("auto", [(0, 0, WIDTH, HEIGHT - 1)], MANY_WORDS),  # not the whole frame
        ("lines", [WHOLE], MANY_WORDS),
    ],
)
def test_otherwise_lines_are_found_and_not_read(layout: str, areas: list[Area], rows: list[str]) -> None:
    lines = reader_of(FakeEngine(*rows), layout).find(PAGE, areas)
    assert len(lines) >= 14
    assert {line.words is None for line in lines} == {True}


def test_the_layout_page_leaves_every_frame_to_tesseract() -> None:
    engine = FakeEngine(MANY_WORDS[0])
    reader = reader_of(engine, "page")
    assert not reader.finds_in_areas
    assert [len(line.words or []) for line in reader.find(written(), [WHOLE])] == [1]
    assert reader_of(engine).finds_in_areas


def test_many_short_lines_are_no_page() -> None:
    street = written(*(("Milk", (20 + 210 * (n % 6), 50 + 65 * (n // 6))) for n in range(60)))
    engine = FakeEngine()
    reader = reader_of(engine)
    lines = reader.find(street, [WHOLE])
    assert reader.read(street, lines) == [[]] * len(lines)
    assert set(engine.modes) == {ONE_LINE}


def test_an_area_is_searched_as_the_whole_frame_is() -> None:
    image = written(("EXIT 12", (100, 200)), ("HARBOUR", (700, 500)))
    noise = np.random.default_rng(1).integers(0, 30, image.shape)
    image = np.clip(image - noise, 0, 255).astype(np.uint8)
    reader = reader_of(FakeEngine())
    first, second = (line.box for line in reader.find(image, [WHOLE]))
    around: list[Area] = [(71, 153, 333, 241), (651, 433, 1001, 557)]
    assert [line.box for line in reader.find(image, around[:1])] == [first]
    assert [line.box for line in reader.find(image, around)] == [first, second]


def test_large_letters_are_found_in_an_area_and_the_pixels_around_it_count() -> None:
    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    cv2.putText(image, "EXIT", (300, 300), cv2.FONT_HERSHEY_SIMPLEX, 4, (255, 255, 255), 9, cv2.LINE_AA)
    cv2.putText(image, "NORTH", (300, 400), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (150, 150, 150), 1, cv2.LINE_AA)
    reader = reader_of(FakeEngine())
    lines = [line.box for line in reader.find(image, [WHOLE])]
    assert len(lines) == 2
    for x1, y1, x2, y2 in lines:
        area = (int(x1), int(y1), int(x2), int(y2))
        assert [x1, y1, x2, y2] in [line.box for line in reader.find(image, [area])]


def test_the_words_of_a_line_have_no_numbers_and_those_of_a_region_have_lines() -> None:
    image = written(("EXIT 12", (100, 200)), ("NORTH", (100, 240)))
    reader = reader_of(FakeEngine(ROW.format(block=1, paragraph=1, line=1)))
    ((word,),) = reader.read(image, reader.find(image, [WHOLE])[:1])
    assert not {"block_num", "line_num"} & word.keys()
    (words,) = reader.read_regions(image, [[90.0, 170.0, 300.0, 250.0]])
    assert [word["line_num"] for word in words] == [1, 2]


def test_the_layout_is_one_of_the_facts() -> None:
    assert reader_of(FakeEngine(), "lines").facts() == {"engine": "fake", "layout": "lines"}
