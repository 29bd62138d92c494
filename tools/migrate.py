"""``make migrate``: run the data migrations on the table that TABLE_NAME names."""

from __future__ import annotations

import argparse
import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from video_jobs.migrations.runner import migrate, migration_names


def main() -> int:
    """Migrate, and say how many items changed."""
    parser = argparse.ArgumentParser(prog="migrate", description=__doc__)
    parser.add_argument("--table", default=os.environ.get("TABLE_NAME", ""))
    table = parser.parse_args().table
    if not table:
        print("Name the table: make migrate TABLE_NAME=…", file=sys.stderr)
        return 2
    print(f"Migrations: {', '.join(migration_names())}")
    try:
        changed = migrate(boto3.client("dynamodb"), table)
    except (BotoCoreError, ClientError) as error:
        print(f"Not migrated: {error}", file=sys.stderr)
        return 1
    print(f"Items changed: {changed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
