"""dynalite on this machine: an independent DynamoDB on LevelDB, beside moto's."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from tools.local_stack.aws_server import REGION
from tools.local_stack.template import Template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

VERSION = "4.0.0"
PACKAGE = Path(__file__).parents[2] / ".cache" / f"dynalite-{VERSION}" / "node_modules" / "dynalite"
_TABLE_PROPERTIES = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")

# Its own command cannot take a free port. It ends at the end of its input, which comes when its parent ends.
_SERVE = """
const server = require(process.argv[1])({createTableMs: 0});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
"""


class DynaliteMissingError(Exception):
    """dynalite, or the Node.js that runs it, is not installed."""


def find_node(package: Path = PACKAGE) -> str:
    """The program that runs dynalite; raises `DynaliteMissingError`."""
    node = shutil.which("node")
    if node is None:
        raise DynaliteMissingError("There is no Node.js, which dynalite runs on: install node and npm")
    if not package.is_dir():
        raise DynaliteMissingError(f"There is no dynalite {VERSION}: make test installs it with npm")
    return node


class Dynalite(AbstractContextManager["Dynalite"]):
    """A process on a free port of the loopback interface, its tables in memory.

    Entering it raises `DynaliteMissingError` if it is not installed.
    """

    def __init__(self, package: Path = PACKAGE) -> None:
        self._package = package
        self._exits = ExitStack()
        self.url = ""

    def __enter__(self) -> Dynalite:
        command = [find_node(self._package), "-e", _SERVE, str(self._package)]
        own = {"PATH": os.environ.get("PATH", ""), "AWS_REGION": REGION}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=own)
        self._exits.enter_context(process)
        self._exits.callback(process.kill)
        port = process.stdout.readline() if process.stdout else b""
        if not port:
            self._exits.close()
            raise OSError("dynalite ended as soon as it started; the reason is printed above")
        self.url = f"http://127.0.0.1:{int(port)}"
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to use it; every other service is left where it is."""
        access = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        regions = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
        return {"AWS_ENDPOINT_URL_DYNAMODB": self.url, **regions, **access}

    def client(self, config: Config | None = None) -> DynamoDBClient:
        """A boto3 client of it."""
        session = boto3.Session("local", "local", region_name=REGION)
        return session.client("dynamodb", config=config, endpoint_url=self.url)


def create_table(client: DynamoDBClient, table_name: str, logical_id: str) -> None:
    """A table of template.yaml, without what does not affect its items; ready when this returns."""
    properties = Template().resources[logical_id]["Properties"]
    chosen = {name: properties[name] for name in _TABLE_PROPERTIES if name in properties}
    client.create_table(TableName=table_name, **chosen)
    is_there = client.get_waiter("table_exists")
    is_there.wait(TableName=table_name, WaiterConfig={"Delay": 0, "MaxAttempts": 1000})
