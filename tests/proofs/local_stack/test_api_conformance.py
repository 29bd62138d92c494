"""Schemathesis plays clients of every kind against the gateway: no fault, and every answer as described."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import Api
from tools.reference.__main__ import OPENAPI

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
)


def test_every_answer_is_as_described(api: Api, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", str(OPENAPI), "--url", api.url, "--checks", ",".join(CHECKS)]
    bounds = ["--max-examples", "15", "--seed", "1", "--generation-database", "none", "--no-color"]
    done = subprocess.run([*command, *bounds], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
