"""docs/scaling.md and its charts, written from the results of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from video_jobs.domain.prices import list_price, price_file, price_of_a_minute, service_file

from tools.fleet.arrivals import FLOOD_SHARE, LENGTHS, OWNERS, mean_job_s
from tools.fleet.figures import figures, read
from tools.fleet.outcome import REGION
from tools.fleet.plots import Axis, Line, chart
from tools.fleet.quotas import met
from tools.fleet.scenarios import LONG_HOURS, LOOKS_S, SIZES, WORKERS
from tools.markdown_writer import code, table

Row = dict[str, Any]
DOCS = Path(__file__).parents[2] / "docs"
_FOLDER = Path(__file__).parent
_PERCENTILES = ("p50", "p95", "p99")


def write(results: Row) -> None:
    """The page and its charts."""
    (DOCS / "scaling.md").write_text(page(results), encoding="utf-8")
    for name, svg in charts(results).items():
        (DOCS / "scaling" / name).write_text(svg, encoding="utf-8")


def page(results: Row) -> str:
    """The text, with all tables."""
    known, bench = figures(), read("bench.json")["machine"]
    text = (_FOLDER / "page.txt").read_text(encoding="utf-8")
    return text.format(
        cpu=bench["cpu"],
        cores=bench["cores"],
        job_s=f"{mean_job_s():.0f}",
        start_min=f"{known.start_s / 60:.1f}",
        lengths=", ".join(f"{share:.0%} of {minutes} min" for minutes, share in LENGTHS.items()),
        owners=table(["size", "share of the jobs", "jobs a day of each"], _owners()),
        flood=f"{FLOOD_SHARE:.0%}",
        rekognition=price_of_a_minute("rekognition_video", REGION),
        sizes=table(*_sizes(results["sizes"])),
        costs=table(*_costs(results["sizes"])),
        prices=table(["what", "USD", "date", "source"], _prices()),
        quotas=table(*_quotas(results["sizes"])),
        patterns=table(*_patterns(results["patterns"])),
        spot=table(*_spot(results["spot"])),
        long_hours=LONG_HOURS,
        one_h=f"{results['long']['one_s'] / 3600:.1f}",
        long=table(*_long(results["long"])),
        looks=table(*_looks(results["long"])),
        figures_fold=f"{1000 * known.fold_s:.2f} ms",
        at_50=f"{results['long']['booting'][WORKERS.index(50)]:.0f}",
        a=results["owners"],
        checked=table(*_checked(read("checked.json")["rows"])),
        figures=table(["figure", "value", "source"], _figures()),
    )


def charts(results: Row) -> dict[str, str]:
    """The SVG files by their names."""
    sizes, series = results["sizes"], {}
    for row in results["patterns"]:
        if row["pattern"] == "burst":
            series[row["policies"]] = [(at_s / 3600, waiting) for at_s, _, waiting in row["series"]]
    most = max(waiting for line in series.values() for _, waiting in line)
    hours = Axis(title="hour", low=0, high=max(at for line in series.values() for at, _ in line))
    usd = [(row["jobs_a_day"], row["usd_a_1000_minutes"]) for row in sizes]
    rekognition = 1000 * float(price_of_a_minute("rekognition_video", REGION))
    costs = [Line(name, [(jobs, value[name]) for jobs, value in usd]) for name in usd[0][1]]
    costs.append(Line("Rekognition Video, one kind of analysis", [(jobs, rekognition) for jobs, _ in usd]))
    speed = results["long"]
    fast = [Line(name, list(zip(WORKERS, speed[key], strict=True))) for name, key in _LONG_LINES.items()]
    return {
        "cost.svg": chart(
            "US dollars for 1,000 minutes of video",
            Axis(title="jobs a day", low=SIZES[0], high=SIZES[-1], is_log=True),
            Axis(title="USD", low=1, high=1000, is_log=True),
            costs,
        ),
        "burst.svg": chart(
            "Messages in the queue and jobs in the table that wait, on a day with a burst at noon",
            hours,
            Axis(title="messages and jobs", low=0, high=most),
            [Line(f"policies of {name}", line) for name, line in series.items()],
        ),
        "long.svg": chart(
            f"A video of {LONG_HOURS} hours: times as fast as with one worker",
            Axis(title="workers", low=0, high=WORKERS[-1]),
            Axis(title="times", low=0, high=WORKERS[-1]),
            fast,
        ),
    }


_LONG_LINES = {"workers are ready": "ready", "workers boot": "booting"}
Table = tuple[list[str], list[list[str]]]


def _owners() -> Iterator[list[str]]:
    for name, size in OWNERS.items():
        yield [name, f"{size.share:.0%}", f"about {size.jobs_a_day:,}"]


def _seconds(value: float) -> str:
    return (
        f"{value:.0f} s"
        if value < 300
        else f"{value / 60:.0f} min"
        if value < 18000
        else f"{value / 3600:.1f} h"
    )


def _waits(row: Row, size: str) -> str:
    waits = row["waits"].get(size)
    return "-" if waits is None else " / ".join(_seconds(waits[name]) for name in _PERCENTILES)


def _sizes(rows: Sequence[Row]) -> Table:
    head = ["jobs a day", "jobs played", "most workers", "all: p50 / p95 / p99", *OWNERS]
    cells = []
    for row in rows:
        played = f"{row['jobs']:,}" + (" (an hour)" if row["is_sampled"] else "")
        waits = [_waits(row, size) for size in ("all", *OWNERS)]
        cells.append([f"{row['jobs_a_day']:,}", played, f"{row['max_workers']:,}", *waits])
    return head, cells


def _costs(rows: Sequence[Row]) -> Table:
    machines = list(rows[0]["usd_a_1000_minutes"])
    head = ["jobs a day", "video minutes", "worker hours", "busy", *(f"USD, {name}" for name in machines)]
    cells = []
    for row in rows:
        usd = [f"{row['usd_a_1000_minutes'][name]:.2f}" for name in machines]
        needed = row["jobs"] * mean_job_s() / 3600
        counts = [f"{row[key]:,.0f}" for key in ("video_minutes", "worker_hours")]
        cells.append([f"{row['jobs_a_day']:,}", *counts, f"{needed / row['worker_hours']:.0%}", *usd])
    return head, cells


def _prices() -> Iterator[list[str]]:
    for name in ("g4dn.xlarge", "fargate"):
        entry = price_file()[REGION][name]
        yield [f"an hour of {code(name)}", str(list_price(name, REGION)), entry["date"], entry["source"]]
    entry = service_file()[REGION]["rekognition_video"]
    yield ["a minute of Rekognition Video", entry["usd_per_minute"], entry["date"], entry["source"]]


def _quotas(rows: Sequence[Row]) -> Table:
    head = ["quota", "limit", *(f"{jobs:,}" for jobs in SIZES), "met at jobs a day", "note", "source"]
    cells = []
    for quota in met(rows):
        at = f"{float(format(quota['met_at'], '.1g')):,.0f}" if quota["met_at"] else "not met"
        used = [f"{use:,.3g}" if use < 1000 else f"{use:,.0f}" for use in quota["used"]]
        limit = f"{quota['limit']:,} {quota['unit']}"
        cells.append([quota["name"], limit, *used, at, quota["note"], quota["source"]])
    return head, cells


def _patterns(rows: Sequence[Row]) -> Table:
    head = ["pattern", "policies", "few: p50 / p95 / p99", "some", "many", "flood", "worker hours"]
    sizes = (*OWNERS, "flood")
    return head, [
        [
            row["pattern"],
            row["policies"],
            *(_waits(row, size) for size in sizes),
            f"{row['worker_hours']:,.0f}",
        ]
        for row in rows
    ]


def _spot(rows: Sequence[Row]) -> Table:
    head = ["machines", "all: p50 / p95 / p99", "worker hours", "workers started"]
    cells = []
    for row in rows:
        kind = f"lost after {row['machine_hours']:.0f} h on average" if row["machine_hours"] else "stay"
        cells.append([kind, _waits(row, "all"), f"{row['worker_hours']:,.0f}", f"{row['starts']:,}"])
    return head, cells


def _long(row: Row) -> Table:
    lines = [[name, *(f"{times:.1f}" for times in row[key])] for name, key in _LONG_LINES.items()]
    return ["", *(str(workers) for workers in WORKERS)], lines


def _looks(row: Row) -> Table:
    return [f"{look} s" for look in LOOKS_S], [[f"{times:.1f}" for times in row["looks"]]]


def _checked(rows: Sequence[Row]) -> Table:
    head = ["workers", "time", "predicted", "seen", "difference"]
    cells = []
    for row in rows:
        for name, title in (
            ("total_s", "all jobs"),
            ("mean_wait_s", "mean wait"),
            ("p95_wait_s", "p95 wait"),
        ):
            predicted, seen = row["predicted"][name], row["seen"][name]
            shown = [f"{predicted:.1f} s", f"{seen:.1f} s", f"{predicted / seen - 1:+.0%}"]
            cells.append([str(row["workers"]), title, *shown])
    return head, cells


def _figures() -> Iterator[list[str]]:
    for name, entry in read("figures.json").items():
        yield [code(name), str(entry["value"]), entry["source"]]
    for clip, frame_s in figures().frame_s.items():
        yield [f"a frame of clip {clip}", f"{1000 * frame_s:.1f} ms", "docs/performance.md"]
    yield ["a job besides its frames", f"{figures().a_job_s:.2f} s", "docs/performance.md: jobs a minute"]
