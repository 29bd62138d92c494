"""``python -m tests.proofs.bench.page``: write docs/performance.md from the last report, out/bench.json."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.proofs.bench.scenes.faces import FACES
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
- *tesserocr*, *ppocr*: the pipeline `yolo_ocr` with that `OCR_ENGINE`, as the worker runs it: analysed
  in a process of its own, decoded in another.
- *ppocr_f32*: ppocr with `OCR_DETECTION_MODEL=f32`.
"""
_WORDS_IN_SCENES = """## Words in scenes

Text put into real footage as it stands in the world: in perspective, in curved light, blurred, pale, light
on dark and dark on light, 14 to 80 pixels high, moving, partly hidden for some frames, in {faces} faces; and
captions, a clock that changes each second, a page of small print. What is written on each frame is known
(`tests/proofs/bench/scenes`, with its seeds). A word is *clear* if its capitals are at least 20 pixels high,
with a contrast of at least 60 grey levels and a blur of sigma 1 at most; otherwise the first fault names its
row. It is right if its text is the same after NFC and case folding, where it stands. A wrong reading counts
against the word that it covers, and in streets where it covers none, against *clear*. Words that are partly
hidden, or that a person could not be sure of, count neither way. Naive and tuned are the Tesseract of those
loops; ours is the pipeline `ocr_only` on the encoded files.
"""
_ONE_EDIT = """The same, with one letter more, less or other allowed in words of four letters and more:
"""
_MADE_UP = """Words read in 100 frames of the same footage without text:
"""
_START = """Until an analysing process is ready, with its models loaded: {times}.
"""
_LIMIT = """The limit, on clip a: decoding alone {decode_ms:.1f} ms a frame, detecting alone at full
throughput {detect_ms:.1f} ms, our whole pipeline with tesserocr {ours_ms:.1f} ms: \
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

Frames are worked on by two threads a core in a bounded window, so decoding, detection and reading
overlap, and the results come in order. Text whose pixels did not change since it was read is not read
again (`OCR_CHANGE_GATE=false` reads everything); what changed is decided in the order of the frames and
afresh at each part, so the bytes depend on neither threads nor resuming. With tesserocr at 1080p the
search for lines of text is the largest share, then Tesseract; with ppocr it is the model that finds lines.
A profile of ppocr shows that on clip a, where cars pass, text is searched on three frames of four, in half
of the picture in the mean, which costs nearly as much as finding objects. On clip c, text is searched on one
frame of twelve; what remains is decoding, finding objects, and 2 ms of comparing pictures.

On a GPU the frames of several threads go in batches of one size (`DETECTOR_BATCH`, 8); this was not
measured: there was no GPU.
"""


_LOOPS = ("naive", "tuned")
_LENGTH = {
    "clip": "{clip}",
    "engine": "{engine}",
    "frames": "{frames}",
    "peak memory MiB": "{peak_mib:.0f}",
    "ms a frame": "{ms_a_frame:.1f}",
    "result bytes a frame": "{bytes_a_frame:.0f}",
}
_STREETS = {
    "clip": "{clip}",
    "engine": "{engine}",
    "pipeline": "`{pipeline}`",
    "ms": "{ms:.1f}",
    "recall / precision": "{recall} / {precision}",
}


def performance_page(report: Report) -> str:
    """The page for one report of `tests.proofs.bench`."""
    speed, agreement = report["speed and words"], report["agreement"]
    least, boxes = min(row["share"] for row in agreement), sum(row["boxes"] for row in agreement)
    engines = _engines(speed[0])
    with_words = [row for row in speed if row["naive_recall"] is not None]
    sections = (
        _HEAD.format(**report["machine"]),
        _table(_speed_columns(engines), speed),
        "Words read, against the known truth (recall / precision):\n",
        _table(_word_columns({"clip": "{clip}"}, engines), with_words),
        _scene_words(report, engines),
        _LIMIT.format(**report["limits"][0]),
        _AGREEMENT.format(percent=100 * least, clips=len(agreement), boxes=boxes),
        "Whole frames against the regions of plates and signs, in generated streets (recall / precision):\n",
        _table(_STREETS, report["text pipelines"]),
        _table(_LENGTH, report["length"]),
        _start(report["start"][0], engines),
        _SEEKING.format(**report["seeking"][0]),
        _SERVICE.format(**report["service"][0]),
        _FOOT,
    )
    return "\n".join(sections)


def _engines(row: Row) -> list[str]:
    """Our ways, in the order in which they were measured."""
    ending = "_times_naive"
    return [name.removesuffix(ending) for name in row if name.endswith(ending)]


def _speed_columns(engines: Sequence[str]) -> dict[str, str]:
    columns = {
        "clip": "{clip}",
        "frames": "{frames}",
        "naive ms": "{naive_ms:.0f}",
        "tuned ms": "{tuned_ms:.0f}",
    }
    for name in engines:
        columns |= {
            f"{name} ms": f"{{{name}_ms:.1f}}",
            f"{name}: x naive": f"{{{name}_times_naive:.1f}}",
            f"{name}: x tuned": f"{{{name}_times_tuned:.1f}}",
        }
    return columns


def _word_columns(first: dict[str, str], engines: Sequence[str], ending: str = "") -> dict[str, str]:
    """Recall and precision of each way; ``ending`` stands after its name in the report."""
    names = (*_LOOPS, *engines)
    return first | {name: f"{{{name}{ending}_recall}} / {{{name}{ending}_precision}}" for name in names}


def _scene_words(report: Report, engines: Sequence[str]) -> str:
    first = {"words": "{stratum}", "how many": "{words}"}
    rows, plain = report["scenes"], report["made up"]
    clips = [name for name in plain[0] if name not in ("way", "frames")]
    sections = (
        _WORDS_IN_SCENES.format(faces=len(FACES)),
        _table(_word_columns(first, engines), rows),
        _ONE_EDIT,
        _table(_word_columns(first, engines, "_one_edit"), rows),
        _MADE_UP,
        _table({"way": "{way}"} | {name: f"{{{name}:.0f}}" for name in clips}, plain),
    )
    return "\n".join(sections)


def _start(row: Row, engines: Sequence[str]) -> str:
    return _START.format(times=", ".join(f"{name} {row[f'{name}_s']:.1f} s" for name in engines))


def _table(columns: Mapping[str, str], rows: Iterable[Row]) -> str:
    shown = ({key: _shown(key, value) for key, value in row.items()} for row in rows)
    return table(columns, ([cell.format(**row) for cell in columns.values()] for row in shown))


def _shown(key: str, value: Any) -> Any:
    """Recall and precision with three places, a dash where there was nothing to divide by."""
    if not key.endswith(("recall", "precision")):
        return value
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(write_page("bench", "performance.md", performance_page))
