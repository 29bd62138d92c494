"""What is made of the simulated runs: waits, costs, quotas and charts."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

import pytest
from video_jobs.domain.prices import price_of_a_minute, service_file

from tools.fleet.arrivals import Load
from tools.fleet.figures import figures, read
from tools.fleet.jobs import Job
from tools.fleet.model import FleetModel, Policies
from tools.fleet.outcome import cost, outcome, percentile
from tools.fleet.plots import Axis, Line, chart
from tools.fleet.quotas import met, uses
from tools.fleet.scenarios import limits_for


@pytest.fixture(scope="module")
def day() -> FleetModel:
    load = Load(pattern="wave", jobs_a_day=500)
    return FleetModel(load.jobs(), Policies(limits=limits_for(load))).run()


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99)] == [50.0, 95.0, 99.0]
    assert percentile([7.0], 0.99) == 7.0


def test_a_minute_of_video_costs_its_share_of_the_hours(day: FleetModel) -> None:
    numbers = outcome(day)
    minutes = sum(job.frames for job in day.jobs) / 1500
    assert numbers["video_minutes"] == pytest.approx(minutes)
    usd = (0.526 + 0.016) * day.worker_s / 3600 + 0.0001 * len(day.jobs)
    assert numbers["usd_a_1000_minutes"]["g4dn.xlarge"] == pytest.approx(1000 * usd / minutes)
    assert cost("fargate", 2.0, 0) == pytest.approx(2 * 0.23748)


def test_workers_are_paid_for_more_than_they_compute(day: FleetModel) -> None:
    computed_s = sum(job.frames * job.frame_s for job in day.jobs)
    assert computed_s + day.started * 0.8 * figures().start_s < day.worker_s < 2 * computed_s


def test_a_run_needs_four_vcpus_a_worker_and_a_write_for_each_heartbeat(day: FleetModel) -> None:
    used = uses(day)
    assert used["vcpus"] == 4 * used["workers"] > 0
    assert used["shard_writes_a_second"] > used["in_flight"] / 10
    assert used["requests_a_second"] == used["submits_a_second"] + used["polls_a_second"]


def test_a_quota_is_met_between_the_run_that_is_below_it_and_the_one_above() -> None:
    names = {quota["use"] for quota in read("quotas.json")}
    rows = [
        {"jobs_a_day": jobs, "uses": dict.fromkeys(names, float(jobs) / 100)} for jobs in (1_000, 100_000)
    ]
    found = met(rows)
    assert [quota["met_at"] for quota in found[:2]] == pytest.approx([1600.0, 2000.0])
    assert [quota["name"] for quota in found if quota["met_at"] is None]
    assert found[0]["limit"] < found[1]["limit"]


@pytest.mark.parametrize("entry", read("quotas.json"), ids=lambda entry: entry["name"])
def test_every_quota_has_a_source(entry: dict[str, str]) -> None:
    assert entry["source"].startswith(("https://docs.aws.amazon.com/", "docs/", "template.yaml"))


def test_the_price_of_the_other_service_has_a_date_and_a_source() -> None:
    entry = service_file()["us-east-1"]["rekognition_video"]
    assert 0 < price_of_a_minute("rekognition_video", "us-east-1") < 1
    assert date.fromisoformat(entry["date"]) >= date(2026, 1, 1)
    assert "aws.amazon.com" in entry["source"]


def test_the_figures_are_those_of_the_files() -> None:
    known, bench = figures(), read("bench.json")
    assert known.frame_s["a: cars 768x432"] * 1000 == bench["speed and words"][0]["ppocr_ms"]
    assert 300 < known.start_s < 400
    assert known.fetch_s(1500) == pytest.approx(30 / 131)


def test_a_chart_is_xml_and_has_its_points_where_they_belong() -> None:
    x = Axis(title="x <&>", low=1, high=100, is_log=True)
    y = Axis(title="y", low=0, high=10)
    svg = chart("title", x, y, [Line("line", [(1, 0), (10, 5), (100, 10)])])
    root = ElementTree.fromstring(svg)
    (line,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    assert line.get("points") == "70.0,310.0 385.0,180.0 700.0,50.0"
    assert "x <&>" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert x.ticks() == [1, 10, 100]
    assert y.ticks() == [0, 2, 4, 6, 8, 10]


def test_a_job_has_parts_of_about_the_same_size() -> None:
    job = Job("a", "few", 0.0, 1500, 0.02, 256)
    assert job.parts == 6
    assert job.parts * job.part_s == pytest.approx(1500 * 0.02)
