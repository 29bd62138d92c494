"""The answers of a job and what the Python package exports from them, for the tests of the console's exports.

``python -m tests.support.console_exports`` writes them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from video_jobs_client import Results, exports

from tests.support.sample_results import CLASSES, job, job_answer, pages
from tests.support.sample_summary import sample_summary, summary

FOLDER = Path(__file__).parents[2] / "clients" / "web" / "tests" / "fixtures" / "exports"

_OF_RESULTS: dict[str, Callable[[Results, Any], None]] = {
    "detections.csv": exports.write_detections_csv,
    "words.csv": exports.write_words_csv,
    "frames.jsonl": exports.write_jsonl,
    "coco.json": exports.write_coco,
    "cvat.xml": exports.write_cvat,
    "texts.vtt": exports.write_webvtt,
    "texts.srt": exports.write_srt,
    "objects.vtt": lambda results, target: exports.write_webvtt(results, target, "objects"),
    "tracks.srt": lambda results, target: exports.write_srt(results, target, "tracks"),
}
_ODD_NUMBERS = [0.0625, 0.1875, 1.0, 0.00001, 123456.0005, 2.5, -0.0625, 1e-7]
_ODD_TEXT = "a\u0085b \u00a0c\x1cd\n\ufeffe\u3000f\r\n\U0001f600 \uff5e\n\uff5e"


def files() -> dict[str, bytes]:
    """The content of each file, by its name."""
    asked = [_text(page) for page in [*pages(), _odd_page()]]
    results = Results.of_job(job(), [json.loads(page) for page in asked])
    made = {name: _made(write, results) for name, write in _OF_RESULTS.items()}
    told = sample_summary()
    of_summary = {
        "summary_tracks.csv": _made(exports.write_tracks_csv, told),
        "summary_texts.csv": _made(exports.write_texts_csv, told),
        **{
            f"summary_{content}.{ending}": _made(_subtitles(write, content), told)
            for ending, write in (("vtt", exports.write_webvtt), ("srt", exports.write_srt))
            for content in ("texts", "objects", "tracks")
        },
    }
    answers = {"job.json": _text(job_answer()), "summary.json": _text(summary())}
    answers |= {f"page_{number}.json": page for number, page in enumerate(asked, start=1)}
    return {name: text.encode() for name, text in (answers | made | of_summary).items()}


def _odd_page() -> dict[str, Any]:
    """Numbers that are written or rounded differently elsewhere, and text that is taken apart differently."""
    places = range(0, len(_ODD_NUMBERS), 2)
    found = [
        {
            "xyxy": [_ODD_NUMBERS[place], place, 60 + _ODD_NUMBERS[place + 1], 70.0],
            "confidence": _ODD_NUMBERS[2 + place % 2],
            "class_id": 2 + place,
            "class_name": f"{CLASSES[2]} '{place}'" if place else CLASSES[2],
        }
        for place in places
    ]
    result = {
        "text": _ODD_TEXT,
        "detections": found,
        "ä": [True, None, 1e22, 1e15, -0.0],
        "z": {"b": 1, "a": {}},
        "\U0001f600": 1,
        "\uff5e": 2,
    }
    tracks = [[7, 10, None, 9]]
    return {
        "results": [{"frame_index": 12, "result": result}],
        "timestamps_ms": [1200.0625],
        "track_ids": tracks,
    }


def _subtitles(write: Callable[..., None], content: str) -> Callable[[Any, Any], None]:
    return lambda seen, target: write(seen, target, content)


def _made(write: Callable[[Any, Any], None], seen: Any) -> str:
    target = io.StringIO(newline="")
    write(seen, target)
    return target.getvalue()


def _text(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)
