"""``python -m tests.proofs.bench.page``: write docs/performance.md from the last report, out/bench.json."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.proofs.report import Report, Row, write_page
from tools.markdown_writer import table

_HEAD = """# Performance

Measured with `make bench` in one run, and written from its report by `python -m tests.proofs.bench.page`.
Times are medians of interleaved runs on the same frames, and the ratios are what to look at. The
benchmark needs the real footage and model that stand beside a checkout (`shared/`).

Machine: {cpu}, {cores} cores, Python {python}; YOLO11n int8 (OpenVINO). Float precision: naive
{naive_precision}, tuned {tuned_precision}, ours {our_precision}.

- *naive*: `VideoCapture.read()`, `YOLO("yolo11n.pt")(frame)`, `pytesseract.image_to_data(frame)`. Its
  weights are random, which does not change its time.
- *tuned*: the same with the OpenVINO export and `OMP_THREAD_LIMIT=1`.
- *ours*: the pipeline `yolo_ocr` as the worker runs it.
"""
_LIMIT = """The limit, on clip a: decoding alone {decode_ms:.1f} ms a frame, detecting alone at full
throughput {detect_ms:.1f} ms, our whole pipeline {ours_ms:.1f} ms: \
{times_the_slower:.2f} times the slower of the two.
"""
_AGREEMENT = """Detections agree with plain `predict` of the same model and precision (same class, IoU 0.5):
at least {percent:.1f} % on each of {clips} clips, {boxes} boxes in all.
"""
_SERVICE = """The local stack with one worker: {submit_to_running_ms:.0f} ms from submit to running, \
{jobs_a_minute:.0f} tiny jobs a minute ({jobs} jobs).
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


def performance_page(report: Report) -> str:
    """The page for one report of `tests.proofs.bench`."""
    return "\n".join(_sections(report))


def _sections(report: Report) -> Iterator[str]:
    yield _HEAD.format(**report["machine"])
    speed = report["speed and words"]
    head = ["clip", "frames", "naive ms", "tuned ms", "ours ms", "faster than naive", "than tuned"]
    yield table(head, map(_times, speed))
    yield "Words read, against the known truth (recall / precision):\n"
    read = (_words(row) for row in speed if row["ours_recall"] is not None)
    yield table(["clip", "naive", "tuned", "ours"], read)
    yield _LIMIT.format(**report["limits"][0])
    agreement = report["agreement"]
    least, boxes = min(row["share"] for row in agreement), sum(row["boxes"] for row in agreement)
    yield _AGREEMENT.format(percent=100 * least, clips=len(agreement), boxes=boxes)
    head = ["length", "frames", "peak memory MiB", "ms a frame", "result bytes a frame"]
    yield table(head, map(_length, report["length"]))
    yield _SERVICE.format(**report["service"][0])
    yield _FOOT


def _times(row: Row) -> list[str]:
    times = (f"{row['naive_ms']:.0f}", f"{row['tuned_ms']:.0f}", f"{row['ours_ms']:.1f}")
    ratios = (f"{row['times_naive']:.1f} x", f"{row['times_tuned']:.1f} x")
    return [row["clip"], str(row["frames"]), *times, *ratios]


def _words(row: Row) -> list[str]:
    ways = ("naive", "tuned", "ours")
    return [row["clip"], *(f"{row[f'{way}_recall']:.2f} / {row[f'{way}_precision']:.2f}" for way in ways)]


def _length(row: Row) -> list[str]:
    a_frame = (f"{row['ms_a_frame']:.1f}", f"{row['bytes_a_frame']:.0f}")
    return [f"{row['minutes']} min", str(row["frames"]), f"{row['peak_mib']:.0f}", *a_frame]


if __name__ == "__main__":
    sys.exit(write_page("bench", "performance.md", performance_page))
