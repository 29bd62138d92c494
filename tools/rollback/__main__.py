"""``python -m tools.rollback``: the part of the rollback that works on an AWS account."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from botocore.exceptions import BotoCoreError, ClientError

from tools.rollback.actions import run_steps
from tools.rollback.deployment import Aws, find_deployment
from tools.rollback.plan import Options, Plan
from tools.rollback.queues import Pause
from tools.rollback.record import Record, RefusedError, UnfinishedError

UNFINISHED, REFUSED, STOPPED = 1, 2, 130


def main(arguments: Sequence[str] | None = None, pause: Pause = time.sleep) -> int:
    """Run or show the plan, and name what is left."""
    chosen = _parser().parse_args(arguments)
    try:
        _check(chosen)
        with TemporaryDirectory(prefix="rollback-") as nowhere:
            return _run(chosen, chosen.export_to or Path(nowhere), pause)
    except RefusedError as error:
        print(f"Refused: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return STOPPED
    except (UnfinishedError, BotoCoreError, ClientError) as error:
        print(f"Not finished: {error}", file=sys.stderr)
        return UNFINISHED


def _run(chosen: argparse.Namespace, folder: Path, pause: Pause) -> int:
    aws, record = Aws(), Record.load(folder)
    deployment = find_deployment(aws, chosen.stack, record)
    account = aws.client("sts").get_caller_identity()["Account"]
    region = aws.client("cloudformation").meta.region_name
    print(f"Stack {chosen.stack}, account {account}, {region}: {deployment.status or 'not there'}")
    plan = Plan(aws, deployment, record, _options(chosen, folder), pause)
    steps = plan.way_back() if chosen.mode == "go-back" else plan.steps()
    if chosen.mode != "dry-run":
        deployment.remember(record)
    run_steps(steps, apply=chosen.mode != "dry-run")
    if chosen.mode == "go-back":
        record.forget_stop()
    print("What is there now:")
    now = Plan(aws, find_deployment(aws, chosen.stack, record), record, _options(chosen, folder), pause)
    for line in list(now.what_is_there()) or ["nothing"]:
        print(f"    {line}")
    return 0


def _check(chosen: argparse.Namespace) -> None:
    if chosen.mode != "dry-run" and chosen.export_to is None:
        raise RefusedError("name a folder for open jobs, messages and the record: --export-to DIR")
    if chosen.data == "purge" and chosen.mode == "apply" and not chosen.yes_delete_everything:
        raise RefusedError("--data purge deletes all videos, results and jobs: add --yes-delete-everything")


def _options(chosen: argparse.Namespace, folder: Path) -> Options:
    return Options(
        folder=folder,
        infrastructure=chosen.only != "data",
        data=chosen.data if chosen.only != "infrastructure" else "keep",
        with_videos=chosen.with_videos,
        may_leave_open=chosen.open_jobs == "export",
        wait_s=chosen.wait_s,
        poll_s=chosen.poll_s,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rollback", description=__doc__, allow_abbrev=False)
    parser.add_argument("mode", choices=["dry-run", "apply", "go-back"])
    parser.add_argument("--only", choices=["infrastructure", "data"])
    parser.add_argument("--stack", required=True, metavar="NAME")
    parser.add_argument("--data", choices=["keep", "export", "purge"], default="keep")
    parser.add_argument("--export-to", type=Path, metavar="DIR")
    parser.add_argument("--with-videos", action="store_true")
    parser.add_argument("--open-jobs", choices=["wait", "export"], default="wait")
    parser.add_argument("--yes-delete-everything", action="store_true")
    parser.add_argument("--wait-s", type=float, default=3600, metavar="N")
    parser.add_argument("--poll-s", type=float, default=5, metavar="N")
    return parser


if __name__ == "__main__":
    sys.exit(main())
