"""Alarms, dashboard and docs/operations.md belong together, and miss nothing that can go wrong."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.local.memory_notify import MemoryEventBus
from video_jobs.application import VideoJobs
from video_jobs.domain.metrics import CLIENT_FAULTS, SERVICE_FAULTS, error_label

from functions.job_events import app as job_events
from tests.integration.conftest import EVENT_JOB_ID
from tests.integration.job_states import completed_job
from tests.support.aws import REGION, Resources
from tests.support.monitoring import alarms, dashboard, metrics_of, notifiers, properties
from tests.support.pages import Page, table_rows
from tools.local_stack.template import Template
from tools.markdown_writer import anchor_of
from tools.reference.errors import errors_document

ROOT = Path(__file__).parents[2]
PAGE = Page(ROOT / "docs" / "operations.md")
TOPIC = {"Ref": "AlarmTopic"}


def headings_under(title: str) -> list[str]:
    section = PAGE.prose.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^### (\w+)$", section, re.M)


def dead_letter_queues() -> set[str]:
    """Where queues and event sources put what failed."""
    redrives = [properties(name).get("RedrivePolicy") for name in Template().logical_ids("AWS::SQS::Queue")]
    targets = [redrive["deadLetterTargetArn"] for redrive in redrives if redrive]
    for name in Template().functions():
        for event in properties(name).get("Events", {}).values():
            on_failure = event["Properties"].get("DestinationConfig", {}).get("OnFailure")
            targets += [on_failure["Destination"]] if on_failure else []
    return {target["Fn::GetAtt"][0] for target in targets}


def watched(metric_name: str, dimension: str) -> dict[str, str]:
    """For each resource, the alarm that watches this metric of it."""
    return {
        one["Value"].get("Ref") or one["Value"]["Fn::GetAtt"][0]: alarm
        for alarm in alarms()
        for metric in metrics_of(alarm)
        if metric["MetricName"] == metric_name
        for one in metric["Dimensions"]
        if one["Name"] == dimension
    }


# --- what is watched -------------------------------------------------------------------------------


def test_every_dead_letter_queue_has_its_alarm_which_one_message_raises() -> None:
    found = watched("ApproximateNumberOfMessagesVisible", "QueueName")
    assert set(found) == dead_letter_queues()
    assert len(set(found.values())) == len(found) == 5
    for alarm in found.values():
        its = properties(alarm)
        assert (its["Threshold"], its["DatapointsToAlarm"]) == (1, 1)
        assert its["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_every_queue_that_feeds_a_function_has_an_alarm_on_its_age() -> None:
    fed = {one.source for one in Template().queue_sources()} - dead_letter_queues()
    assert set(watched("ApproximateAgeOfOldestMessage", "QueueName")) == fed
    # AND the jobs queue has none of that kind, because the message of a running job stays in it
    assert properties("JobsTooOldAlarm")["MetricName"] == "OldestWait"


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_is_watched(metric: str) -> None:
    assert set(watched(metric, "FunctionName")) == set(Template().functions())


def test_every_stream_has_an_alarm_on_its_age() -> None:
    fed = {one.function for one in Template().stream_sources()}
    assert set(watched("IteratorAge", "FunctionName")) == fed


def test_the_reasons_of_failed_jobs_are_either_the_service_s_or_the_client_s() -> None:
    reasons = {row[0].strip("`") for row in table_rows(errors_document().partition("## Why a job failed")[2])}
    assert reasons == SERVICE_FAULTS | CLIENT_FAULTS
    assert set() == SERVICE_FAULTS & CLIENT_FAULTS
    values = [
        one["Value"]
        for metric in metrics_of("JobsFailAlarm")
        for one in metric["Dimensions"]
        if one["Name"] == "error_code"
    ]
    assert sorted(values) == sorted(SERVICE_FAULTS)
    assert (error_label("cancelled"), error_label("made_up_by_a_plugin")) == ("cancelled", "other")


# --- who is told -----------------------------------------------------------------------------------


def test_every_alarm_tells_the_topic_of_its_begin_and_its_end() -> None:
    assert len(alarms()) == 17
    for name in alarms():
        assert properties(name)["AlarmActions"] == properties(name)["OKActions"] == [TOPIC]
    for name in Template().logical_ids("AWS::Events::Rule"):
        assert [target["Arn"] for target in properties(name)["Targets"]] == [TOPIC]
    (budget,) = Template().logical_ids("AWS::Budgets::Budget")
    for notification in properties(budget)["NotificationsWithSubscribers"]:
        assert notification["Subscribers"] == [{"SubscriptionType": "SNS", "Address": TOPIC}]


def test_whatever_notifies_may_publish_to_the_topic() -> None:
    statements = properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]
    allowed = [one["Principal"]["Service"] for one in statements if one["Effect"] == "Allow"]
    services = {name for one in allowed for name in ([one] if isinstance(one, str) else one)}
    assert services == {"cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"}
    assert "KmsMasterKeyId" not in Template().resources["AlarmTopic"].get("Properties", {})


def test_without_an_address_there_is_no_subscription_and_without_an_amount_no_budget() -> None:
    raw = Template()._raw
    assert Template().resources["AlarmSubscription"]["Condition"] == "AlarmsAreMailed"
    assert Template().resources["MonthlyBudget"]["Condition"] == "BudgetIsSet"
    assert raw["Conditions"]["AlarmsAreMailed"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]}
    assert raw["Conditions"]["BudgetIsSet"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "MonthlyBudgetUsd"}, 0]}]}
    assert (raw["Parameters"]["AlarmEmail"]["Default"], raw["Parameters"]["MonthlyBudgetUsd"]["Default"]) == (
        "",
        0,
    )


def test_every_alarm_says_what_missing_data_means() -> None:
    # Only the metric that is written each minute may not be missing. All others come when something happens.
    stated = {name: properties(name)["TreatMissingData"] for name in alarms()}
    assert {name for name, treatment in stated.items() if treatment == "breaching"} == {
        "ReconcileSilentAlarm"
    }
    assert set(stated.values()) == {"breaching", "notBreaching"}


def test_no_alarm_on_workers_goes_by_metrics_that_stop_with_them() -> None:
    namespaces = {json.dumps(one["Namespace"]) for name in alarms() for one in metrics_of(name)}
    assert not [name for name in namespaces if "ECS" in name]


def test_the_alarms_wait_as_long_as_they_say() -> None:
    for name, minutes in (("NoWorkerAlarm", 15), ("IdleWorkerAlarm", 30), ("ReconcileSilentAlarm", 15)):
        its = properties(name)
        period_s = its.get("Period") or its["Metrics"][1]["MetricStat"]["Period"]
        assert period_s * its["EvaluationPeriods"] == minutes * 60
        assert its["DatapointsToAlarm"] >= its["EvaluationPeriods"] * 0.9
        assert f"{minutes} minutes" in its["AlarmDescription"]


# --- events of ECS ---------------------------------------------------------------------------------


def matches(pattern: Any, value: Any) -> bool:
    """Whether EventBridge matches ``value``, by the rules that the patterns of the template use."""
    if isinstance(value, list):
        return any(matches(pattern, one) for one in value)
    if isinstance(pattern, list):
        return any(value != one["anything-but"] if isinstance(one, dict) else value == one for one in pattern)
    alternatives = pattern.get("$or")
    if alternatives and not any(matches(one, value) for one in alternatives):
        return False
    plain = {name: wanted for name, wanted in pattern.items() if name != "$or"}
    return all(name in value and matches(wanted, value[name]) for name, wanted in plain.items())


def pattern_of(rule: str) -> Any:
    """The events that a rule takes; the cluster of the stack is called ours."""
    cluster = json.dumps({"Fn::GetAtt": ["VideoWorkerCluster", "Arn"]})
    return json.loads(json.dumps(properties(rule)["EventPattern"]).replace(cluster, '"ours"'))


def stopped(code: str, exit_code: int | None, cluster: str = "ours") -> dict[str, Any]:
    container = {"name": "worker"} | ({} if exit_code is None else {"exitCode": exit_code})
    detail = {"clusterArn": cluster, "lastStatus": "STOPPED", "stopCode": code, "containers": [container]}
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": detail}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (stopped("TaskFailedToStart", None), True),  # the image cannot be pulled
        (stopped("EssentialContainerExited", 2), True),  # a setting is wrong
        (stopped("EssentialContainerExited", 137), True),  # no memory
        (stopped("EssentialContainerExited", 0), False),  # it has ended its work
        (stopped("ServiceSchedulerInitiated", 0), False),  # fewer workers are needed
        (stopped("SpotInterruption", 0), False),
        (stopped("TaskFailedToStart", None, cluster="another"), False),
    ],
)
def test_a_task_that_stops_by_itself_is_told(event: dict[str, Any], told: bool) -> None:
    assert matches(pattern_of("WorkerStoppedRule"), event) is told


def test_a_task_that_cannot_be_placed_is_told() -> None:
    for name, told in (("SERVICE_TASK_PLACEMENT_FAILURE", True), ("SERVICE_STEADY_STATE", False)):
        detail = {"eventName": name, "clusterArn": "ours"}
        event = {"source": "aws.ecs", "detail-type": "ECS Service Action", "detail": detail}
        assert matches(pattern_of("WorkerNotPlacedRule"), event) is told


# --- the page and the dashboard --------------------------------------------------------------------


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm() -> None:
    runbooks = headings_under("Runbooks")
    assert len(runbooks) == len(set(runbooks))
    assert set(runbooks) == set(notifiers())


def test_every_notification_leads_to_its_runbook() -> None:
    for name in notifiers():
        if name == "MonthlyBudget":
            continue  # AWS writes its text
        link = f"docs/operations.md#{anchor_of(name)}"
        assert (properties(name).get("AlarmDescription") or properties(name)["Description"]).endswith(link)
        for target in properties(name).get("Targets", []):
            assert link in target["InputTransformer"]["InputTemplate"]


def test_every_dead_letter_queue_has_a_section_on_what_to_do_with_its_messages() -> None:
    assert set(headings_under("Dead letters")) == dead_letter_queues()


def test_the_dashboard_shows_every_alarm_and_names_only_what_is_there() -> None:
    first, *others = dashboard()["widgets"]
    assert set(first["properties"]["alarms"]) == {f"${{{name}.Arn}}" for name in alarms()}
    assert len(others) == 14
    named = set(re.findall(r"\$\{(\w+)[.}]", json.dumps(dashboard())))
    assert named <= set(Template().resources)


def test_every_resource_that_a_command_asks_for_is_in_the_template() -> None:
    asked = set(re.findall(r"id_of (\w+)", PAGE.text))
    loops = re.findall(r"for \w+ in ((?:[A-Z]\w+ ?)+); do", PAGE.text)
    asked |= {name for names in loops for name in names.split()}
    assert len(asked) > 12
    assert asked <= set(Template().resources)


def test_the_ends_of_jobs_can_be_published_again_as_the_page_says(
    services: VideoJobs, resources: Resources, context: LambdaContext, tmp_path: Path
) -> None:
    # GIVEN a job that has ended, as the scan of the page gives it
    completed_job(services, tmp_path, frames=1)
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName=resources.id("JobsTable"))["Items"]
    (tmp_path / "ended.json").write_text(json.dumps(items), encoding="utf-8")
    # WHEN the page's command makes the event, and the function gets it
    (block,) = (one.content for one in PAGE.blocks() if "jq '" in one.content)
    command = re.search(r"^jq .*?event\.json$", block, re.M | re.S)
    assert command is not None
    subprocess.run(["bash", "-c", command[0]], cwd=tmp_path, check=True)
    event = json.loads((tmp_path / "event.json").read_text(encoding="utf-8"))
    bus = MemoryEventBus()
    vars(services.ports)["events"] = bus
    answer = job_events.lambda_handler(event, context)
    # THEN its end is published
    assert answer == {"batchItemFailures": []}
    assert [one.detail["job_id"] for one in bus.published] == [EVENT_JOB_ID]
