"""The benchmark measures what it says it does; its times are not tested."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gpu_worker_image.models.street_demo_training import SHIPPED
from gpu_worker_image.models.street_demo_training.clips import street_clip, write_clip
from gpu_worker_image.models.street_demo_training.measure import word_quality
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.proofs.bench.clips import BenchClip, footage, frames_of, still_clip
from tests.proofs.bench.measures import agreement, limits
from tests.proofs.bench.seeking import seeking
from tests.proofs.bench.ways import TUNED, HandLoop, our_pipeline, tesseract_words


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model under a name that Ultralytics knows an OpenVINO export by."""
    path = tmp_path_factory.mktemp("model") / "street_openvino_model"
    shutil.copytree(SHIPPED, path)
    return path


def test_recall_and_precision_count_words_frame_by_frame() -> None:
    quality = word_quality([["NORTH", "NORTH"], ["SOUTH"], ["ghost"]], [["NORTH", "EXIT"], ["SOUTH"], []])
    assert quality == {"recall": 2 / 3, "precision": 2 / 4}
    assert word_quality([[]], [[]]) == {"recall": None, "precision": None}


def test_footage_starts_again_at_its_end() -> None:
    frames = list(footage(TINY, (64, 36), 45))
    assert len(frames) == 45
    assert abs(frames[0].astype(int) - frames[40]).max() == 0


def test_the_hand_made_loop_reads_what_stands_there(model: Path, tmp_path: Path) -> None:
    clip = still_clip(TINY, tmp_path / "still.mp4", 2, (1280, 720))
    words = HandLoop(model, {"OMP_THREAD_LIMIT": "1"}).run(clip.path, 2)
    assert len(words) == 2
    assert set(words[0]) & set(clip.truth[0])


def test_the_words_of_the_loops_have_places(tmp_path: Path) -> None:
    clip = still_clip(TINY, tmp_path / "still.mp4", 2, (1280, 720))
    top_word, _ = clip.truth[0]
    readings = [reading for frame in tesseract_words(clip.path, TUNED) for reading in frame]
    known = [reading for reading in readings if reading.text in clip.truth[0]]
    assert known
    assert all((reading.box[3] < 360) == (reading.text == top_word) for reading in known)


def test_our_detector_agrees_with_plain_predict(model: Path, tmp_path: Path) -> None:
    street = write_clip(street_clip(), tmp_path / "street.mp4")
    row = agreement(street, model, frames=20)
    assert row["boxes"] > 50
    assert row["share"] >= 0.99


def test_the_limits_name_the_slower_stage(model: Path) -> None:
    clip = BenchClip("tiny", TINY, ((),) * 5)
    row = limits(clip, model, our_pipeline(model), frames=5, runs=1)
    assert row["times_the_slower"] == row["ours_ms"] / max(row["decode_ms"], row["detect_ms"])
    assert len(list(frames_of(TINY))) == 40


def test_seeking_reaches_its_picture(tmp_path: Path) -> None:
    row = seeking(tmp_path, minutes=1, runs=1)
    assert row["pictures"] == 1500
    assert row["share"] == row["start_ms"] / row["decode_ms"]
