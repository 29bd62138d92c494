"""Frames are worked on by several threads at once, and nobody can tell from the results."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from video_jobs.domain.object_choice import ObjectChoice
from video_jobs.domain.region import Region
from video_jobs.settings import WorkerSettings
from video_worker.analysis import AnalysedFrame, RunRequest
from video_worker.pipeline_service import VideoFilePipelineService
from video_worker.plugins.ocr.engines import TesserocrEngine
from video_worker.results_serializer import part_line

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.proofs.bench.clips import BenchClip, still_clip
from tests.proofs.bench.ways import random_weights
from tests.support.worker_world import hazard_folders

PART_FRAMES, FRAMES = 7, 21
CHOICE = {"objects": ObjectChoice(("sign", "plate"), 0.1), "region": Region(0.1, 0.05, 0.95, 0.9)}


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> BenchClip:
    """A camera that stands still; its words change every second."""
    return still_clip(TINY, tmp_path_factory.mktemp("still") / "still.mp4", 60, (640, 360))


def settings(**further: str) -> WorkerSettings:
    return WorkerSettings.from_environment({"MODEL_PATH": str(SHIPPED), "OCR_ENGINE": "tesserocr", **further})


def service(**further: str) -> VideoFilePipelineService:
    return VideoFilePipelineService.from_settings(settings(**further))


def lines(
    made: VideoFilePipelineService, path: Path, pipeline_id: str, first_part: int = 0, **chosen: Any
) -> list[bytes]:
    request = RunRequest(
        path,
        pipeline_id,
        max_frames=FRAMES,
        first_part=first_part,
        frames_before=first_part * PART_FRAMES,
        part_frames=PART_FRAMES,
        **chosen,
    )
    return [part_line(item) for item in made.run(request) if isinstance(item, AnalysedFrame)]


@pytest.mark.parametrize(
    ("pipeline_id", "chosen"),
    [("yolo_ocr", {}), ("yolo_ocr_regions", CHOICE)],
)
def test_the_bytes_do_not_depend_on_threads_or_resuming(pipeline_id: str, chosen: dict[str, Any]) -> None:
    """With Tesseract; tests/proofs does the same with PP-OCR."""
    check_bytes("tesserocr", TINY, pipeline_id, chosen)


def check_bytes(engine: str, path: Path, pipeline_id: str, chosen: dict[str, Any]) -> None:
    """One, two and five threads, and each part that a run may begin with, give the same lines."""
    alone = lines(service(OCR_ENGINE=engine, FRAME_THREADS="1"), path, pipeline_id, **chosen)
    assert len(alone) == FRAMES
    assert any(b'"class_name"' in line for line in alone)
    assert any(b'"bbox"' in line for line in alone)
    for threads in ("2", "5"):
        made = service(OCR_ENGINE=engine, FRAME_THREADS=threads)
        assert lines(made, path, pipeline_id, **chosen) == alone
        for part in (1, 2):
            assert lines(made, path, pipeline_id, first_part=part, **chosen) == alone[part * PART_FRAMES :]


def test_the_gate_keeps_the_text_and_reads_less(still: BenchClip, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    read = TesserocrEngine.read_tsv

    def counted(*args: Any) -> Any:
        reads.append(1)
        return read(*args)

    monkeypatch.setattr(TesserocrEngine, "read_tsv", counted)
    texts, counts = {}, {}
    for gate in ("true", "false"):
        reads.clear()
        run = service(OCR_CHANGE_GATE=gate).run_on_file(still.path, "ocr_only")
        texts[gate] = [sorted(frame["result"]["text"].split()) for frame in run]
        counts[gate] = len(reads)
    truth = [sorted(words) for words in still.truth]
    assert texts["true"] == texts["false"] == truth
    assert 0 < counts["true"] < counts["false"] / 5


def test_the_gate_is_part_of_the_fingerprint() -> None:
    gated, open_ = service(), service(OCR_CHANGE_GATE="false")
    assert gated.fingerprint("ocr_only")["id"] != open_.fingerprint("ocr_only")["id"]
    assert gated.fingerprint("ocr_only")["id"] == service(FRAME_THREADS="3").fingerprint("ocr_only")["id"]


def test_an_error_in_one_frame_ends_the_run_at_once() -> None:
    made = service(FRAME_THREADS="4", **hazard_folders())
    run = iter(made.run_on_file(TINY, "fail"))
    assert [next(run)["frame_index"] for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError):
        next(run)


def test_a_batch_gives_the_same_bytes_whatever_shares_it(tmp_path: Path) -> None:
    model = random_weights(tmp_path)
    alone, together = (
        lines(
            service(
                MODEL_PATH=str(model),
                FRAME_THREADS=threads,
                DETECTOR_BATCH="3",
                CONFIDENCE_THRESHOLD="0.0001",
            ),
            TINY,
            "yolo_only",
            first_part=2,
        )
        for threads in ("1", "4")
    )
    assert alone == together
    assert b'"class_id"' in alone[0]


FIRST_CALLS = """
import threading
import numpy as np
from tests.integration.test_overlap import SHIPPED, settings
from video_worker.plugins.yolo.openvino_detector import OpenVinoDetector
detector = OpenVinoDetector(SHIPPED, settings(FRAME_THREADS="4"))
together = threading.Barrier(4)
def detect():
    together.wait()
    detector.detect(np.zeros((360, 640, 3), np.uint8))
threads = [threading.Thread(target=detect) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_threads_may_make_the_first_call_together() -> None:
    """Without the detector's own first call, one in five waits for ever; tests/proofs tries more often."""
    subprocess.run([sys.executable, "-c", FIRST_CALLS], timeout=60, check=True)
