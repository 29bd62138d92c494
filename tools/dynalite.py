"""dynalite on this machine: an independent DynamoDB on LevelDB, beside moto's."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from tools.local_stack.aws_server import REGION
from tools.local_stack.template import Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

VERSION = "4.0.0"
PACKAGE = Path(__file__).parents[1] / ".cache" / f"dynalite-{VERSION}" / "node_modules" / "dynalite"
_START_TIMEOUT_S = 30
_TABLE_PROPERTIES = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")

# Its own command cannot take a free port; the end of the input tells it that its parent is gone.
_SERVE = """
const server = require(process.argv[1])({createTableMs: 0});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
"""


class DynaliteMissingError(Exception):
    """dynalite is not installed."""


def find_node(package: Path = PACKAGE) -> str:
    """The program that runs dynalite.

    Raises
    ------
    DynaliteMissingError
        Where it, or dynalite itself, is not there.
    """
    node = shutil.which("node")
    if node is None:
        raise DynaliteMissingError("There is no Node.js, which dynalite runs on: install node and npm")
    if not package.is_dir():
        raise DynaliteMissingError(f"There is no dynalite {VERSION}: make test installs it with npm")
    return node


class Dynalite(AbstractContextManager["Dynalite"]):
    """A process on a free port of the loopback interface, its tables in memory.

    Raises
    ------
    DynaliteMissingError
        On entering, where it is not there.
    """

    def __init__(self, package: Path = PACKAGE) -> None:
        self._package = package
        self._process: subprocess.Popen[bytes]
        self.url = ""

    def __enter__(self) -> Dynalite:
        self._process = subprocess.Popen(
            [find_node(self._package), "-e", _SERVE, str(self._package)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", ""), "AWS_REGION": REGION},
        )
        try:
            self.url = f"http://127.0.0.1:{self._read_port()}"
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to use it; every other service is left where it is."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def client(self, config: Config | None = None) -> DynamoDBClient:
        """A boto3 client of it."""
        return boto3.client(
            "dynamodb",
            config=config,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - it takes any
        )

    def _read_port(self) -> int:
        output = self._process.stdout
        if output is None or not select.select([output], [], [], _START_TIMEOUT_S)[0]:
            raise TimeoutError(f"dynalite did not start within {_START_TIMEOUT_S} s")
        line = output.readline()
        if not line:
            raise OSError("dynalite ended as soon as it started; its reason stands above")
        return int(line)

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def create_jobs_table(client: DynamoDBClient, table_name: str) -> None:
    """The jobs table of template.yaml, without what has no bearing on its items; ready when this returns."""
    template = Template()
    (table,) = template.logical_ids("AWS::DynamoDB::Table")
    properties = template.resources[table]["Properties"]
    client.create_table(TableName=table_name, **{name: properties[name] for name in _TABLE_PROPERTIES})
    client.get_waiter("table_exists").wait(
        TableName=table_name, WaiterConfig={"Delay": 0, "MaxAttempts": 1000}
    )
