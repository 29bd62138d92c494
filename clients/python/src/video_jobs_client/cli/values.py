"""What no value of an option or argument may be, whichever command it belongs to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from video_jobs_client.errors import SourceError
from video_jobs_client.options import is_text

NO_TEXT = "is not text in UTF-8"
_OF_FILES = "FILE"


def refuse_odd_values(ctx: typer.Context, values: Mapping[str, Any]) -> None:
    """Refuse nan and infinity, and bytes that are no text; only the name of a file may hold any bytes.

    Raises
    ------
    typer.BadParameter
        If there is one.
    """
    parameter: Any  # Typer's own kind, which the list of them does not promise
    for parameter in ctx.command.params:
        given = values.get(str(parameter.name))
        for value in given if isinstance(given, list) else [given]:
            if isinstance(value, float) and not math.isfinite(value):
                raise typer.BadParameter(f"{value} is not a finite number", ctx, parameter)
            if isinstance(value, str) and parameter.metavar != _OF_FILES and not is_text(value):
                raise typer.BadParameter(f"it {NO_TEXT}", ctx, parameter)


def refuse_missing(file: Path) -> None:
    """Refuse a file that is not there, before the service is asked about it."""
    if not file.is_file():
        raise SourceError(f"there is no file {file}")
