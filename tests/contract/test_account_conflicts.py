"""What becomes of a move while others change the same account: moto has no such conflicts."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from video_jobs.adapters.aws.account_item import AccountItem, DynamoDbAccountRepository
from video_jobs.adapters.aws.account_moves import TRIES, AccountMoves
from video_jobs.adapters.aws.dynamodb import DynamoDbJobRepository
from video_jobs.adapters.aws.state_item import bound_model
from video_jobs.domain.accounts import Place
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import Job
from video_jobs.domain.turns import move_of

from tests.contract.jobs import make_job

REGION = "us-east-1"


class Conflicts:
    """So many transactions meet another one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: str = "TransactionConflict") -> None:
        self.left = self.seen = 0
        self._call, self._code = BaseClient._make_api_call, code  # type: ignore[attr-defined]
        monkeypatch.setattr(BaseClient, "_make_api_call", lambda *call: self._on_call(*call))

    def _on_call(self, client: Any, operation: str, arguments: Any) -> Any:
        if operation == "TransactWriteItems" and self.left:
            self.left, self.seen = self.left - 1, self.seen + 1
            others = [{"Code": "None"} for _ in arguments["TransactItems"][1:]]
            reasons = [*others, {"Code": self._code, "Message": "m"}]
            error = {"Code": "TransactionCanceledException", "Message": "m"}
            answer: Any = {"Error": error, "CancellationReasons": reasons}
            raise ClientError(answer, operation)
        return self._call(client, operation, arguments)


@pytest.fixture
def repository(moto_table: str) -> DynamoDbJobRepository:
    bound_model(AccountItem, "state", REGION).create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    jobs = DynamoDbJobRepository(moto_table, REGION, "state")
    jobs._moves = AccountMoves("state", REGION, pause=lambda _: None)
    return jobs


def save(repository: DynamoDbJobRepository) -> Job:
    job = make_job(place=Place.AWAITING)
    repository.save(job, move_of(make_job(), Place.AWAITING))
    return job


def test_a_move_that_meets_another_one_is_tried_again(
    repository: DynamoDbJobRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicts = Conflicts(monkeypatch)
    conflicts.left = TRIES - 1
    job = save(repository)
    assert repository.get_by_id(job.job_id) == job
    assert conflicts.seen == TRIES - 1


def test_a_move_that_always_meets_others_may_be_asked_for_later(
    repository: DynamoDbJobRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    Conflicts(monkeypatch).left = TRIES
    with pytest.raises(TransientError):
        save(repository)
    assert DynamoDbAccountRepository("state", REGION).read("ann").open_jobs == 0


def test_what_cannot_pass_is_not_tried_again(
    repository: DynamoDbJobRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicts = Conflicts(monkeypatch, "ValidationError")
    conflicts.left = TRIES
    with pytest.raises(Exception, match="ValidationError"):
        save(repository)
    assert conflicts.seen == 1
