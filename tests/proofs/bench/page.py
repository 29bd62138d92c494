"""``python -m tests.proofs.bench.page``: write docs/performance.md from the last report, out/bench.json."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

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
_SEEKING = """Starting at 90 % of a video of {minutes} minutes with keyframes 250 pictures apart takes \
{start_ms:.0f} ms with opening it, {share:.3f} of the {decode_ms:.0f} ms of decoding up to there.
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


_SPEED = {
    "clip": "{clip}",
    "frames": "{frames}",
    "naive ms": "{naive_ms:.0f}",
    "tuned ms": "{tuned_ms:.0f}",
    "ours ms": "{ours_ms:.1f}",
    "faster than naive": "{times_naive:.1f} x",
    "than tuned": "{times_tuned:.1f} x",
}
_WORDS = {"clip": "{clip}"} | {
    way: f"{{{way}_recall:.2f}} / {{{way}_precision:.2f}}" for way in ("naive", "tuned", "ours")
}
_LENGTH = {
    "length": "{minutes} min",
    "frames": "{frames}",
    "peak memory MiB": "{peak_mib:.0f}",
    "ms a frame": "{ms_a_frame:.1f}",
    "result bytes a frame": "{bytes_a_frame:.0f}",
}


def performance_page(report: Report) -> str:
    """The page for one report of `tests.proofs.bench`."""
    speed, agreement = report["speed and words"], report["agreement"]
    least, boxes = min(row["share"] for row in agreement), sum(row["boxes"] for row in agreement)
    sections = (
        _HEAD.format(**report["machine"]),
        _table(_SPEED, speed),
        "Words read, against the known truth (recall / precision):\n",
        _table(_WORDS, [row for row in speed if row["ours_recall"] is not None]),
        _LIMIT.format(**report["limits"][0]),
        _AGREEMENT.format(percent=100 * least, clips=len(agreement), boxes=boxes),
        _table(_LENGTH, report["length"]),
        _SEEKING.format(**report["seeking"][0]),
        _SERVICE.format(**report["service"][0]),
        _FOOT,
    )
    return "\n".join(sections)


def _table(columns: Mapping[str, str], rows: Iterable[Row]) -> str:
    return table(columns, ([cell.format(**row) for cell in columns.values()] for row in rows))


if __name__ == "__main__":
    sys.exit(write_page("bench", "performance.md", performance_page))
