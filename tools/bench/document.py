"""``python -m tools.bench.document``: write docs/performance.md from the last report, out/bench.json."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.bench.__main__ import REPORT

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"

_HEAD = """# Performance

Measured with `make bench` in one run, and written from its report by `python -m tools.bench.document`.
Times are medians of interleaved runs on the same frames, and the ratios are what to look at. The
benchmark needs the real footage and model that stand beside a checkout (`shared/`).

Machine: {cpu}, {cores} cores, Python {python}; YOLO11n int8 (OpenVINO). Float precision: naive
{naive_precision}, tuned {tuned_precision}, ours {our_precision}.

- *naive*: `VideoCapture.read()`, `YOLO("yolo11n.pt")(frame)`, `pytesseract.image_to_data(frame)`. Its
  weights are random, which does not change its time.
- *tuned*: the same with the OpenVINO export and `OMP_THREAD_LIMIT=1`.
- *ours*: the pipeline `yolo_ocr` as the worker runs it.
"""
_FOOT = """## Where the time goes

Frames are worked on by one thread a core in a bounded window, so decoding, detection and reading
overlap, and the results come in order. Text whose pixels did not change since it was read is not read
again (`OCR_CHANGE_GATE=false` reads everything); what changed is decided in the order of the frames and
afresh at each part, so the bytes depend on neither threads nor resuming. At 1080p the search for lines
of text is the largest share, then Tesseract.

On a GPU the frames of several threads go in batches of one size (`DETECTOR_BATCH`, 8); this was not
measured: there was no GPU.
"""


def performance_document(report: dict[str, Any]) -> str:
    """The page for one report of `tools.bench`."""
    return "\n".join(_sections(report))


def _sections(report: dict[str, Any]) -> Iterator[str]:
    yield _HEAD.format(**report["machine"])
    speed = report["speed and words"]
    yield _table(
        "clip | frames | naive ms | tuned ms | ours ms | faster than naive | than tuned", map(_times, speed)
    )
    yield "Words read, against the known truth (recall / precision):\n"
    yield _table(
        "clip | naive | tuned | ours", (_words(row) for row in speed if row["ours_recall"] is not None)
    )
    limit = report["limits"][0]
    yield (
        f"The limit, on clip a: decoding alone {limit['decode_ms']:.1f} ms a frame, detecting alone at full\n"
        f"throughput {limit['detect_ms']:.1f} ms, our whole pipeline {limit['ours_ms']:.1f} ms: "
        f"{limit['times_the_slower']:.2f} times the slower of the two.\n"
    )
    agreement = report["agreement"]
    yield (
        "Detections agree with plain `predict` of the same model and precision (same class, IoU 0.5):\n"
        f"at least {100 * min(row['share'] for row in agreement):.1f} % on each of {len(agreement)} clips, "
        f"{sum(row['boxes'] for row in agreement)} boxes in all.\n"
    )
    yield _table(
        "length | frames | peak memory MiB | ms a frame | result bytes a frame",
        map(_length, report["length"]),
    )
    (service,) = report["service"]
    yield (
        f"The local stack with one worker: {service['submit_to_running_ms']:.0f} ms from submit to running, "
        f"{service['jobs_a_minute']:.0f} tiny jobs a minute ({service['jobs']} jobs).\n"
    )
    yield _FOOT


def _table(head: str, rows: Iterator[str]) -> str:
    rule = "|".join("---" for _ in head.split("|"))
    return "".join(f"{line}\n" for line in (f"| {head} |", f"|{rule}|", *(f"| {row} |" for row in rows)))


def _times(row: dict[str, Any]) -> str:
    times = f"{row['naive_ms']:.0f} | {row['tuned_ms']:.0f} | {row['ours_ms']:.1f}"
    return (
        f"{row['clip']} | {row['frames']} | {times} | {row['times_naive']:.1f} x | {row['times_tuned']:.1f} x"
    )


def _words(row: dict[str, Any]) -> str:
    found = (
        f"{row[f'{way}_recall']:.2f} / {row[f'{way}_precision']:.2f}" for way in ("naive", "tuned", "ours")
    )
    return " | ".join([row["clip"], *found])


def _length(row: dict[str, Any]) -> str:
    return (
        f"{row['minutes']} min | {row['frames']} | {row['peak_mib']:.0f} | {row['ms_a_frame']:.1f} | "
        f"{row['bytes_a_frame']:.0f}"
    )


def main() -> int:
    """Write the page."""
    if not REPORT.is_file():
        print(f"There is no {REPORT}: run make bench first", file=sys.stderr)
        return 1
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(performance_document(report), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
