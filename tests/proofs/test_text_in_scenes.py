"""ppocr reads text in scenes as well as is promised, with both detection models."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.bench.scenes.scenes import PLAIN_SCENES, SCENES, write_scene
from tests.proofs.bench.words import TextWay, made_up_words, scene_words, text_ways
from tests.proofs.report import Row
from tests.support.model import REAL_MODEL, needs_real_model

pytestmark = needs_real_model

MOST_LOST_BY_INT8 = 0.01
MOST_MADE_UP = 40
"""In 100 frames; a chair that looks like an X is read on some."""


@pytest.fixture(scope="module")
def ways() -> dict[str, TextWay]:
    return {name: way for name, way in text_ways(REAL_MODEL).items() if name.startswith("ppocr")}


@pytest.fixture(scope="module")
def rows(ways: dict[str, TextWay], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    folder = tmp_path_factory.mktemp("scenes")
    return {
        str(row["stratum"]): row for row in scene_words(ways, [write_scene(one, folder) for one in SCENES])
    }


def test_clear_words_are_read(rows: dict[str, Row]) -> None:
    assert rows["clear"]["ppocr_recall"] >= 0.95
    assert rows["clear"]["ppocr_precision"] >= 0.93


@pytest.mark.parametrize("stratum", ["captions", "clock", "page"])
def test_what_tesseract_reads_is_read(rows: dict[str, Row], stratum: str) -> None:
    assert rows[stratum]["ppocr_recall"] >= 0.98
    assert rows[stratum]["ppocr_precision"] >= 0.95


def test_the_int8_model_finds_what_the_other_one_finds(rows: dict[str, Row]) -> None:
    assert rows["all"]["ppocr_recall"] >= rows["all"]["ppocr_f32_recall"] - MOST_LOST_BY_INT8


def test_few_words_are_made_up(ways: dict[str, TextWay], tmp_path: Path) -> None:
    clips = [write_scene(scene, tmp_path) for scene in PLAIN_SCENES]
    for row in made_up_words(ways, clips):
        assert max(row[clip.name] for clip in clips) <= MOST_MADE_UP, row
