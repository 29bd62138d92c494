"""Settings come typed from the environment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from video_jobs.domain.errors import SettingError
from video_jobs.domain.pipelines import BUILT_IN
from video_jobs.domain.rules import Rules
from video_jobs.settings import EnvironmentSettings, ServiceSettings, WorkerSettings

NEEDED = {"TABLE_NAME": "jobs", "BUCKET_NAME": "media", "MODEL_PATH": "model"}


def test_defaults_and_values() -> None:
    settings = ServiceSettings.from_environment(NEEDED | {"MAX_BODY_BYTES": "1000"})
    assert (settings.table_name, settings.max_body_bytes, settings.queue_order) == ("jobs", 1000, "job")
    assert settings.rules.known_pipelines == set(BUILT_IN)


def test_the_rules_are_the_settings_and_by_default_their_own() -> None:
    assert ServiceSettings.from_environment(NEEDED).rules == Rules()
    environment = {"UPLOAD_EXPIRES_S": "60", "RETENTION_DAYS": "1", "WEBHOOK_NETWORKS": "10.0.0.0/8 fd00::/8"}
    environment |= {"OCR_LANGUAGES": "eng chi_sim script/Latin", "HELP_FROM_PARTS": "20"}
    rules = ServiceSettings.from_environment(NEEDED | environment).rules
    assert (rules.upload_expires, rules.keep) == (timedelta(seconds=60), timedelta(days=1))
    assert rules.known_languages == {"eng", "chi_sim", "script/Latin"}
    assert rules.help_from_parts == 20
    assert rules.webhook_networks == ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("environment", "price"),
    [
        ({}, None),
        ({"WORKER_INSTANCE_TYPE": "g4dn.xlarge"}, Decimal("0.526")),
        ({"WORKER_INSTANCE_TYPE": "g4dn.xlarge", "WORKER_PRICE_PER_HOUR": "0"}, Decimal("0.526")),
        ({"WORKER_INSTANCE_TYPE": "g4dn.xlarge", "WORKER_PRICE_PER_HOUR": "0.19"}, Decimal("0.19")),
        ({"WORKER_PRICE_PER_HOUR": "0.19"}, Decimal("0.19")),
        ({"WORKER_INSTANCE_TYPE": "x1.unknown"}, None),
        ({"WORKER_INSTANCE_TYPE": "g4dn.xlarge", "AWS_REGION": "eu-central-1"}, None),
    ],
)
def test_the_price_of_a_worker_is_the_given_one_or_that_of_the_list(
    environment: dict[str, str], price: Decimal | None
) -> None:
    assert ServiceSettings.from_environment(NEEDED | environment).rules.worker_usd_per_hour == price


@pytest.mark.parametrize(
    ("settings", "name", "value", "reason"),
    [
        (ServiceSettings, "TABLE_NAME", "", "Set the environment variable TABLE_NAME"),
        (ServiceSettings, "MAX_BODY_BYTES", "x", "a whole number of at least 1, not 'x'"),
        (ServiceSettings, "MAX_BODY_BYTES", "0", "a whole number of at least 1, not '0'"),
        (ServiceSettings, "QUEUE_ORDER", "any", "one of job, strict, not 'any'"),
        (ServiceSettings, "WEBHOOK_NETWORKS", "10.0.0.1/8", "host bits set"),
        (ServiceSettings, "OCR_LANGUAGES", "eng+deu", "'eng+deu' is no code; separate codes by spaces"),
        (ServiceSettings, "WORKER_PRICE_PER_HOUR", "x", "a number of at least 0 and at most 1000, not 'x'"),
        (ServiceSettings, "WORKER_PRICE_PER_HOUR", "-1", "a number of at least 0 and at most 1000, not '-1'"),
        (ServiceSettings, "WORKER_PRICE_PER_HOUR", "inf", "a number of at least 0 and at most 1000"),
        (WorkerSettings, "MODEL_PATH", "", "Set the environment variable MODEL_PATH"),
        (WorkerSettings, "IOU_THRESHOLD", "x", "a number, not 'x'"),
        (WorkerSettings, "OCR_CHANGE_GATE", "yes", "true or false, not 'yes'"),
        (WorkerSettings, "LEASE_S", "2", "a whole number of at least 3 and at most 900, not '2'"),
        (WorkerSettings, "LEASE_S", "901", "a whole number of at least 3 and at most 900, not '901'"),
    ],
)
def test_a_wrong_setting_is_named(
    settings: type[EnvironmentSettings], name: str, value: str, reason: str
) -> None:
    with pytest.raises(SettingError, match=name) as error:
        settings.from_environment(NEEDED | {name: value})
    assert reason in error.value.message
