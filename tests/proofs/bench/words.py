"""How well each way reads scenes of a known truth, and how much it makes up where there is no text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from video_worker.pipeline_service import VideoFilePipelineService

from tests.proofs.bench.scenes.scenes import SceneClip
from tests.proofs.bench.scenes.scoring import Reading, Score, made_up, score, total
from tests.proofs.bench.scenes.truth import FrameTruth, Stratum
from tests.proofs.bench.ways import ENGINES, TUNED, our_pipeline, tesseract_words
from tests.proofs.report import Row

TextWay = Callable[[Path], list[list[Reading]]]
"""Reads all frames of a file."""

EDITS = {"": 0, "_one_edit": 1}
"""Endings of the names of the measures, and how many edits each allows in a word."""


def text_ways(model: Path) -> dict[str, TextWay]:
    """The loops' Tesseract, and our pipeline ``ocr_only`` with each engine."""
    loops: dict[str, TextWay] = {
        "naive": partial(tesseract_words, environment={}),
        "tuned": partial(tesseract_words, environment=TUNED),
    }
    ours = {name: partial(_read_by, our_pipeline(model, **further)) for name, further in ENGINES.items()}
    return loops | ours


def _read_by(service: VideoFilePipelineService, path: Path) -> list[list[Reading]]:
    return [
        [Reading.from_block(block) for block in frame["result"]["blocks"]]
        for frame in service.run_on_file(path, "ocr_only")
    ]


def scene_words(ways: Mapping[str, TextWay], clips: Sequence[SceneClip]) -> Iterator[Row]:
    """Recall and precision of each way: a row for each stratum, then one for all words."""
    truth = [frame for clip in clips for frame in clip.truth]
    columns: dict[str, dict[str, Score]] = {}
    for name, way in ways.items():
        read = [readings for clip in clips for readings in way(clip.path)]
        columns |= {name + ending: _scores(read, truth, edits) for ending, edits in EDITS.items()}
    for stratum in (*map(str, Stratum), "all"):
        words = next(iter(columns.values()))[stratum].there
        row: Row = {"stratum": stratum, "words": words}
        for name, scores in columns.items():
            row[f"{name}_recall"], row[f"{name}_precision"] = (
                scores[stratum].recall,
                scores[stratum].precision,
            )
        yield row


def _scores(read: Sequence[Sequence[Reading]], truth: Sequence[FrameTruth], edits: int) -> dict[str, Score]:
    """By stratum, and of all words."""
    scores = score(read, truth, edits)
    return {str(name): one for name, one in scores.items()} | {"all": total(scores)}


def made_up_words(ways: Mapping[str, TextWay], clips: Sequence[SceneClip]) -> Iterator[Row]:
    """Words that each way reads in 100 frames without text."""
    for name, way in ways.items():
        row: Row = {"way": name, "frames": sum(len(clip.truth) for clip in clips)}
        for clip in clips:
            read = zip(way(clip.path), clip.truth, strict=True)
            count = sum(made_up(readings, frame) for readings, frame in read)
            row[clip.name] = 100 * count / len(clip.truth)
        yield row
