"""``make docs``: write what is generated from code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tools.reference.codecs import codecs_document
from tools.reference.configuration import configuration_document
from tools.reference.door import door_cases, door_tables
from tools.reference.endpoints import endpoints_document
from tools.reference.errors import errors_document
from tools.reference.openapi import openapi_document

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT / "functions" / "video_api" / "openapi.json"
DOCS = ROOT / "docs"
CONSOLE = ROOT / "clients" / "web"


def generated() -> dict[Path, str]:
    """Each file with the text that it should hold."""
    api = openapi_document()
    return {
        OPENAPI: json.dumps(api, indent=1, ensure_ascii=False) + "\n",
        CONSOLE / "src" / "upload" / "door_tables.json": door_tables(),
        CONSOLE / "tests" / "door_cases.json": door_cases(),
        DOCS / "errors.md": errors_document(),
        DOCS / "endpoints.md": endpoints_document(api),
        DOCS / "codecs.md": codecs_document(),
        DOCS / "configuration.md": configuration_document(),
    }


def main() -> int:
    """Write all of them."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
