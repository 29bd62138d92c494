"""What a rollback has written into its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def exported_items(path: Path) -> list[Any]:
    return [entry["Item"] for entry in lines(path)]


def exported_messages(folder: Path) -> dict[str, list[str]]:
    """As `tests.support.deployed.messages` gives those in the queues, by the queues' logical ids."""
    found: dict[str, list[str]] = {}
    for entry in lines(folder / "messages.jsonl"):
        message = entry["message"]
        group = message["Attributes"].get("MessageGroupId")
        generation = message.get("MessageAttributes", {}).get("generation", {}).get("StringValue")
        found.setdefault(entry["queue"], []).append(f"{message['Body']} {group} {generation}")
    return {queue: sorted(texts) for queue, texts in found.items()}


def exported_files(folder: Path, part: str = "objects") -> dict[str, bytes]:
    """Name and content of the files in a part of the folder."""
    return {path.name: path.read_bytes() for path in (folder / part).rglob("*") if path.is_file()}
