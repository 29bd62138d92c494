"""What the rollback remembers from run to run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

State = dict[str, Any]
FILE_NAME = "record.json"


class RefusedError(Exception):
    """The rollback does not do this; the message says what to do instead."""


class UnfinishedError(Exception):
    """The rollback stopped on the way; running it again goes on."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the stack; ``physical_id`` is its name, its ARN or, of a queue, its URL."""

    logical_id: str
    kind: str
    physical_id: str


@dataclass(slots=True)
class Record:
    """``record.json`` in the folder that the rollback writes to; without a folder it is only kept in memory.

    Attributes
    ----------
    stack_name, stack_id, resources, retained
        The deployment when the rollback first changed it; ``retained`` are the logical ids of what
        stays when the stack is deleted.
    before
        What each switch stood on before it was turned off, in the order of turning.
    drained
        Whether the waiting for jobs and queues is over; what is left then does not end by itself.
    exported
        What was exported and compared: nothing, ``results`` or ``videos``.
    purge_started
        Whether data may be missing from now on, so that it cannot be compared with its export any more.
    """

    folder: Path | None = None
    stack_name: str = ""
    stack_id: str = ""
    resources: list[Resource] = field(default_factory=list)
    retained: list[str] = field(default_factory=list)
    before: dict[str, State] = field(default_factory=dict)
    drained: bool = False
    exported: str = ""
    purge_started: bool = False

    @classmethod
    def load(cls, folder: Path | None) -> Self:
        """Read the record of an earlier run, or start an empty one."""
        if folder is None or not (folder / FILE_NAME).is_file():
            return cls(folder)
        values = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        resources = [Resource(**resource) for resource in values.pop("resources")]
        return cls(folder=folder, resources=resources, **values)

    def save(self) -> None:
        """Write it in one step, so that a stop leaves the old or the new one."""
        if self.folder is None:
            return
        values = {name: value for name, value in asdict(self).items() if name != "folder"}
        write_whole(self.folder / FILE_NAME, json.dumps(values, indent=1))

    def forget_stop(self) -> None:
        """Everything is on again: the next rollback starts afresh."""
        self.before, self.drained = {}, False
        self.save()


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
