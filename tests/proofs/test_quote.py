"""How good quotes are, with a pipeline that takes the same time for each frame."""

from __future__ import annotations

from statistics import median

import pytest

from tests.proofs.quote.quoting import BURST, PACED, Outcomes, errors, run_quotes, share, stack_of


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    folder = tmp_path_factory.mktemp("quotes")
    with stack_of(folder, PACED) as stack:
        stack.wait_until_ready()
        return run_quotes(stack, folder, PACED)


def test_the_compute_time_is_about_what_was_quoted(outcomes: Outcomes) -> None:
    assert len(outcomes.alone) + len(outcomes.burst) >= 30
    assert median(errors(outcomes.alone + outcomes.burst)) < 0.5


def test_most_jobs_end_within_the_95th_percentile(outcomes: Outcomes) -> None:
    assert share(outcomes.alone, "p95_s") > 0.5


def test_a_burst_is_quoted_longer_and_longer(outcomes: Outcomes) -> None:
    ends = [one.p50_s - one.quoted_s for one in outcomes.burst]
    assert max(ends[BURST // 2 :]) > max(ends[:2])
