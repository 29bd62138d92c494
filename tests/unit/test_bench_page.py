"""docs/performance.md shows what a report of the benchmark says, whatever engines it measured."""

from __future__ import annotations

from typing import Any

from tests.proofs.bench.page import performance_page

WAYS = ("naive", "tuned", "quick", "exact int8")
ENGINES = WAYS[2:]


def shares(value: float | None) -> dict[str, float | None]:
    names = [way + edits for way in WAYS for edits in ("", "_one_edit")]
    return {f"{name}_{share}": value for name in names for share in ("recall", "precision")}


def report() -> dict[str, Any]:
    times = {f"{way}_ms": 100.0 for way in WAYS}
    ratios = {f"{name}_times_{loop}": 7.25 for name in ENGINES for loop in ("naive", "tuned")}
    precisions = {f"{way}_precision": "f32" for way in ("naive", "tuned", "our")}
    street = {
        "clip": "s",
        "engine": "quick",
        "pipeline": "yolo_ocr",
        "ms": 1.0,
        "recall": 0.5,
        "precision": None,
    }
    length = {"clip": "long", "frames": 9, "peak_mib": 797.0, "ms_a_frame": 13.9, "bytes_a_frame": 173.0}
    seeking = {"minutes": 20, "start_ms": 1.0, "decode_ms": 2.0, "share": 0.5}
    return {
        "machine": {"cpu": "CPU", "cores": 2, "python": "3.11", **precisions},
        "speed and words": [
            {"clip": "a", "frames": 30, **times, **ratios, **shares(None)},
            {"clip": "b", "frames": 30, **times, **ratios, **shares(0.75)},
        ],
        "start": [{f"{name}_s": 2.0 for name in ENGINES}],
        "scenes": [{"stratum": "clear", "words": 1560, **shares(0.9537)}],
        "made up": [{"way": way, "frames": 100, "plain street": 4.0} for way in WAYS],
        "limits": [{"decode_ms": 1.0, "detect_ms": 2.0, "ours_ms": 3.0, "times_the_slower": 1.5}],
        "agreement": [{"share": 1.0, "boxes": 9}],
        "text pipelines": [street],
        "length": [{"engine": "quick", **length}],
        "seeking": [seeking],
        "service": [{"submit_to_running_ms": 92.0, "jobs": 50, "jobs_a_minute": 414.0}],
    }


def test_each_engine_has_its_columns() -> None:
    lines = performance_page(report()).splitlines()
    assert "| a | 30 | 100 | 100 | 100.0 | 7.2 | 7.2 | 100.0 | 7.2 | 7.2 |" in lines
    assert "| words | how many | naive | tuned | quick | exact int8 |" in lines
    assert lines.count("| clear | 1560 |" + " 0.954 / 0.954 |" * 4) == 2
    assert "| exact int8 | 4 |" in lines
    assert (
        "Until an analysing process is ready, with its models loaded: quick 2.0 s, exact int8 2.0 s." in lines
    )


def test_only_clips_with_words_are_in_the_table_of_words() -> None:
    lines = performance_page(report()).splitlines()
    assert "| b |" + " 0.750 / 0.750 |" * 4 in lines
    assert not any(line.startswith("| a | None") or line.startswith("| a | -") for line in lines)
    assert "| s | quick | `yolo_ocr` | 1.0 | 0.500 / - |" in lines
