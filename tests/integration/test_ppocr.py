"""The engine ppocr reads what is written, where it is written, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings
from video_worker.inference.openvino_session import CpuUse
from video_worker.plugins.ocr.ppocr import detection, second_look
from video_worker.plugins.ocr.ppocr.detection import ScaledFrame, TextMapper
from video_worker.plugins.ocr.ppocr.model_files import detection_file, recognition_file
from video_worker.plugins.ocr.ppocr.reader import PpocrReader
from video_worker.plugins.ocr.ppocr.text_map import TextMap, lines_of_map
from video_worker.plugins.ocr.reading import Area, Line, TextReader, Words
from video_worker.video.open_video import Image

from tests.fixtures.text_pictures import Written, box_after, picture_of, texts, turned

SIGNS = (
    Written("Harbour Station 12", (60, 60), 44),
    Written("Lisbon CASA", (620, 80), 36),
    Written("KXR742", (300, 300), 60),
    Written("please keep left", (700, 420), 28, ink=90),
)
WORDS = sorted(word for sign in SIGNS for word in sign.text.split())


def settings(**more: str) -> WorkerSettings:
    return WorkerSettings.from_environment({"MODEL_PATH": "unused", **more})


@pytest.fixture(scope="module")
def reader() -> PpocrReader:
    return PpocrReader(settings())


@pytest.fixture(scope="module")
def street() -> Image:
    return picture_of((1024, 576), *SIGNS)


def whole(image: Image) -> list[Area]:
    return [(0, 0, image.shape[1], image.shape[0])]


def read(reader: TextReader, image: Image, areas: list[Area] | None = None) -> list[Words]:
    return reader.read(image, reader.find(image, whole(image) if areas is None else areas))


def far(word: dict[str, Any], box: list[float]) -> float:
    """The largest distance between the sides of a word's box and of another, in pixels."""
    found = word["bbox"]
    sides = (found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"])
    return float(max(abs(one - other) for one, other in zip(sides, box, strict=True)))


def test_words_are_read_where_they_stand(reader: PpocrReader, street: Image) -> None:
    found = {word["text"]: word for words in read(reader, street) for word in words}
    assert sorted(found) == WORDS
    for sign in SIGNS:
        for text, box in sign.words():
            assert far(found[text], box) <= 0.2 * sign.size, text
            assert found[text]["level"] == 5
            assert 90 < found[text]["confidence"] <= 100


@pytest.mark.parametrize("degrees", [-20, -7, 12, 25])
def test_rotated_lines_are_read(reader: PpocrReader, degrees: float) -> None:
    sign = Written("Harbour Station", (140, 260), 48)
    image, matrix = turned(picture_of((700, 600), sign), degrees)
    found = {word["text"]: word for words in read(reader, image) for word in words}
    assert sorted(found) == ["Harbour", "Station"]
    for text, box in sign.words():
        assert far(found[text], box_after(matrix, box)) <= 0.4 * sign.size


@pytest.mark.parametrize("turn", [1, 3])
def test_a_line_may_run_downwards_or_upwards(reader: PpocrReader, turn: int) -> None:
    image = np.rot90(picture_of((600, 400), Written("HOTEL GARNI", (120, 180), 48)), turn).copy()
    words = [word for line in read(reader, image) for word in line]
    assert [word["text"] for word in words] == ["HOTEL", "GARNI"]
    assert all(word["bbox"]["height"] > 2 * word["bbox"]["width"] for word in words)


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (64, 64), (33, 700), (20, 20)])
def test_a_blank_frame_has_no_words(reader: PpocrReader, size: tuple[int, int]) -> None:
    assert texts(read(reader, picture_of(size))) == []


def test_a_frame_of_one_color_is_not_searched(reader: PpocrReader, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[Image] = []
    map_of = TextMapper.map_of

    def noted(mapper: TextMapper, picture: Image) -> TextMap:
        searched.append(picture)
        return map_of(mapper, picture)

    monkeypatch.setattr(TextMapper, "map_of", noted)
    black = picture_of((640, 360))
    assert reader.find(black, whole(black)) == []
    assert searched == []
    black[-1, -1] = (0, 0, 90)
    assert reader.find(black, whole(black)) == []
    assert len(searched) == 1


def test_textures_are_no_words(reader: PpocrReader) -> None:
    noise = np.random.default_rng(1).integers(60, 200, (360, 640, 3), np.uint8)
    fence = np.full((360, 640, 3), 180, np.uint8)
    fence[:, ::16] = fence[:, 1::16] = fence[::60] = 40
    assert [texts(read(reader, picture)) for picture in (noise, fence)] == [[], []]


def test_only_lines_that_touch_an_area_are_found(reader: PpocrReader, street: Image) -> None:
    assert texts(read(reader, street, [(300, 290, 420, 380)])) == ["KXR742"]
    assert texts(read(reader, street, [(600, 60, 1000, 140), (690, 410, 960, 470)])) == sorted(
        ["Lisbon", "CASA", "please", "keep", "left"]
    )
    assert reader.find(street, []) == []


@pytest.mark.parametrize(("size", "top"), [(12, 600), (10, 576)])
def test_small_print_beside_large_is_found_by_a_second_look(
    monkeypatch: pytest.MonkeyPatch, size: int, top: int
) -> None:
    """In full precision, the larger print leaves faint patches in the map of the scaled frame."""
    reader = PpocrReader(settings(OCR_DETECTION_MODEL="f32"))
    sign = Written("SALE", (700, 420), 120), Written("winter sweaters coffee", (704, top), size)
    image = picture_of((1920, 1080), *sign)
    assert texts(read(reader, image)) == ["SALE", "coffee", "sweaters", "winter"]
    with monkeypatch.context() as without_looks:
        without_looks.setattr(second_look, "MOST_LOOKS", 0)
        assert texts(read(reader, image)) == ["SALE"]
    monkeypatch.setattr(second_look, "LOST_SHARE", 2.0)
    assert ("winter" in texts(read(reader, image))) is (size == 12)


def test_small_print_beside_large_is_found_in_int8_too(reader: PpocrReader) -> None:
    sign = Written("SALE", (700, 420), 120), Written("winter sweaters coffee", (704, 600), 12)
    assert texts(read(reader, picture_of((1920, 1080), *sign))) == ["SALE", "coffee", "sweaters", "winter"]


def test_a_frame_that_is_not_scaled_is_looked_at_once(
    reader: PpocrReader, street: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = street[:500, :900]
    found = reader.find(small, whole(small))
    monkeypatch.setattr(detection, "parts_to_look_at", None)
    assert reader.find(small, whole(small)) == found


def test_regions_are_read_line_by_line(reader: PpocrReader) -> None:
    image = picture_of((1280, 720), Written("BTU 395", (300, 300), 24), Written("ONE", (800, 200), 30))
    image = np.maximum(image, 0)
    image = np.minimum(image, picture_of((1280, 720), Written("WAY", (795, 240), 30)))
    plate, sign, empty = reader.read_regions(
        image, [[295, 298, 395, 332], [785, 195, 870, 280], [100.0, 500.0, 180.0, 540.0]]
    )
    assert [(word["text"], word["line_num"]) for word in plate] == [("BTU", 1), ("395", 1)]
    assert [(word["text"], word["line_num"]) for word in sign] == [("ONE", 1), ("WAY", 2)]
    assert empty == []
    assert far(plate[0], [*Written("BTU", (300, 300), 24).words()[0][1]]) <= 4


@pytest.mark.parametrize("box", [[0, 0, 4, 3], [-50, -50, -10, -20], [1000, 560, 1100, 600], [5, 5, 5, 5]])
def test_regions_outside_of_the_frame_have_no_words(
    reader: PpocrReader, street: Image, box: list[float]
) -> None:
    assert reader.read_regions(street, [box]) == [[]]


def test_the_scripts_wanted_leave_latin_texts_the_same(reader: PpocrReader, street: Image) -> None:
    every = PpocrReader(settings(OCR_SCRIPTS="all"))
    assert texts(read(every, street)) == texts(read(reader, street)) == WORDS
    assert reader.language == "Latn"
    assert every.language == "Latn+Hani+Kana+Hira+Grek"
    assert reader.facts()["scripts"] != every.facts()["scripts"]


def test_accents_are_read(reader: PpocrReader) -> None:
    image = np.full((120, 500, 3), 225, np.uint8)
    cv2.putText(image, "Zürich Café", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, (20, 20, 20), 3, cv2.LINE_AA)
    assert texts(read(reader, image)) == ["Café", "Zürich"]


def test_bytes_do_not_depend_on_threads_or_on_what_else_is_read(street: Image) -> None:
    images = [street, picture_of((1920, 1080), *SIGNS), street[::-1].copy()]

    def everything(reader: PpocrReader, image: Image) -> tuple[list[Line], list[Words], list[Words]]:
        lines = reader.find(image, whole(image))
        return lines, reader.read(image, lines), reader.read_regions(image, [[300, 290, 560, 370]])

    reader = PpocrReader(settings(FRAME_THREADS="1"))
    alone = [everything(reader, image) for image in images]
    for threads in (2, 5):
        reader = PpocrReader(settings(FRAME_THREADS=str(threads)))
        with ThreadPoolExecutor(threads) as pool:
            assert list(pool.map(lambda image, one=reader: everything(one, image), images * 2)) == alone * 2
    lines, words, _ = alone[0]
    assert [reader.read(street, [line])[0] for line in lines] == words


def test_lines_are_those_of_rapidocr() -> None:
    """Its post-processing rounds to whole pixels, and expands polygons in general."""
    from rapidocr.ch_ppocr_det.utils import DBPostProcess

    mapper = TextMapper(detection_file(settings()), CpuUse.in_f32(settings()))
    picture = ScaledFrame.of(turned(picture_of((1024, 576), *SIGNS), 9)[0], 960).pixels
    text_map = mapper.map_of(picture)
    theirs, scores = DBPostProcess(0.3, 0.5, 1000, 1.6, "fast", True)(text_map[None, None], text_map.shape)
    ours = lines_of_map(text_map)
    assert len(ours) == len(theirs) == 4
    for line, corners, score in zip(ours, theirs, scores, strict=True):
        assert np.abs(np.array(line.corners) - corners).max() <= 2.5
        assert line.score == pytest.approx(score, abs=0.02)


def test_another_model_is_taken_with_its_characters_beside_it(
    reader: PpocrReader, street: Image, tmp_path: Path
) -> None:
    import openvino

    source = openvino.Core().read_model(recognition_file(settings()))
    known = source.get_rt_info(["framework", "character"]).astype(str)
    del source.rt_info["framework"]
    openvino.save_model(source, tmp_path / "own.xml", compress_to_fp16=False)
    named = settings(OCR_RECOGNITION_MODEL=str(tmp_path / "own.xml"))
    with pytest.raises(SettingError, match=r"names no characters; put them into own\.txt beside it"):
        PpocrReader(named)
    (tmp_path / "own.txt").write_text(known + "\n", encoding="utf-8")
    own = PpocrReader(named)
    assert read(own, street) == read(reader, street)
    assert own.facts()["recognition_sha256"] != reader.facts()["recognition_sha256"]
    (tmp_path / "own.txt").write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(SettingError, match="gives 18710 numbers a step, but has 2 characters"):
        PpocrReader(named)


@pytest.mark.parametrize("name", ["OCR_DETECTION_MODEL", "OCR_RECOGNITION_MODEL"])
def test_a_model_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    for file, reason in (("a.onnx", "there is no file"), ("a.pdmodel", "neither an .onnx file nor an .xml")):
        with pytest.raises(SettingError, match=f"^{name}: .*{reason}"):
            PpocrReader(settings(**{name: str(tmp_path / file)}))


def test_facts_name_all_that_the_text_depends_on(reader: PpocrReader) -> None:
    facts = reader.facts()
    assert facts["engine"] == "ppocr"
    assert facts["precision"] == "f32"
    assert (facts["detection_side"], facts["scripts"]) == (960, "latin")
    assert {"detection_sha256", "recognition_sha256", "device", "instruction_set"} <= set(facts)
    assert {"openvino", "rapidocr", "line_score", "smallest_shape"} <= set(facts)


QUIET = """
import socket, sys
class NoSocket(socket.socket):
    def __init__(self, *_, **__):
        raise RuntimeError("a socket was opened")
socket.socket = NoSocket
import numpy as np
from video_jobs.settings import WorkerSettings
from video_worker.plugins.ocr.ppocr.reader import PpocrReader
reader = PpocrReader(WorkerSettings.from_environment({"MODEL_PATH": "unused"}))
image = np.load(sys.argv[1])
words = reader.read(image, reader.find(image, [(0, 0, image.shape[1], image.shape[0])]))
assert sum(map(len, words)) == 9, words
assert "rapidocr" not in sys.modules
"""


def test_nothing_is_downloaded_said_or_written(street: Image, tmp_path: Path) -> None:
    np.save(tmp_path / "street.npy", street)
    places = [tmp_path / "home", tmp_path / "tmp", tmp_path / "here"]
    for place in places:
        place.mkdir()
        place.chmod(0o555)
    environment = {"PATH": os.environ["PATH"], "HOME": str(places[0]), "TMPDIR": str(places[1])}
    done = subprocess.run(
        [sys.executable, "-c", QUIET, str(tmp_path / "street.npy")],
        cwd=places[2],
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert sorted(tmp_path.rglob("*")) == sorted([*places, tmp_path / "street.npy"])
