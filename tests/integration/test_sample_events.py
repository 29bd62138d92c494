"""The files in events/: each finds its function, which answers as its source needs it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from video_jobs.application import VideoJobs

from tests.support.every_call import handle
from tests.support.sample_events import NAMES, SAMPLES, function_of, outcome_of, prepared_event
from tools.local_stack.template import Template

LOCAL = (Path(__file__).parents[2] / "docs" / "local.md").read_text(encoding="utf-8")


def test_every_function_has_a_sample_event() -> None:
    assert {function_of(name) for name in NAMES} == set(Template().functions())


def test_the_commands_that_are_shown_name_the_same_functions() -> None:
    commands = re.findall(r"sam local invoke (\w+) --event events/(\w+)\.json", LOCAL)
    assert {function for function, _ in commands} == set(Template().functions())
    assert [(function_of(name), name) for _, name in commands] == commands


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_event_is_answered(name: str, services: VideoJobs, tmp_path: Path) -> None:
    event = prepared_event(name, services, tmp_path)
    outcome = outcome_of(event, handle(event, name, "request 1"), "request 1")
    assert outcome == SAMPLES[name].outcome
