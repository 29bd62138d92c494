"""What is printed: tables and colours on a terminal, lines with tabs in a pipe, JSON where it is wanted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from video_jobs_client.cli.tables import drawn
from video_jobs_client.cli.text import shown

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Output:
    """Standard output and standard error.

    Attributes
    ----------
    is_json
        Standard output has JSON only.
    is_quiet
        Standard error has errors only, and there are no progress bars.
    is_terminal
        None finds it out.
    print_above
        While progress bars are drawn, what prints a line above them.
    """

    is_json: bool = False
    is_quiet: bool = False
    is_terminal: bool | None = None
    print_above: Callable[[str], None] | None = field(default=None, repr=False)

    @property
    def has_tables(self) -> bool:
        """Whether a person reads standard output."""
        return sys.stdout.isatty() if self.is_terminal is None else self.is_terminal

    def write(self, text: str) -> None:
        """Write text as it is; on a terminal, what it would obey is escaped."""
        if self.has_tables:
            text = shown(text.replace("\r\n", "\n"), keep="\n\t")
        sys.stdout.write(text)

    def line(self, text: str) -> None:
        """A line for whoever reads standard output."""
        self.write(f"{shown(text)}\n")

    def json(self, value: Any) -> None:
        """A JSON document, on one line; models are written with the names of the API."""
        self.write(json.dumps(_plain(value), ensure_ascii=False) + "\n")

    def note(self, text: str) -> None:
        """A sentence beside the output, on standard error."""
        if self.is_quiet:
            return
        if self.print_above is not None:
            self.print_above(shown(text))
        else:
            print(shown(text), file=sys.stderr)  # noqa: T201 - the command line prints

    def hint(self, text: str) -> None:
        """What to do next; only for people."""
        if self.has_tables and not self.is_json:
            self.note(text)

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, is_dense: bool = False
    ) -> None:
        """Rows under headings; without headings and with tabs where no person reads.

        Parameters
        ----------
        is_dense
            Each row is one line: there is little space between the columns, and names of files are shortened.
        """
        texts = [[_cell(value) for value in row] for row in rows]
        if not self.has_tables:
            self.write("".join("\t".join(row) + "\n" for row in texts))
            return
        if texts:
            console = self.console()
            console.print(drawn(columns, texts, console.width if is_dense else None), crop=False)

    def facts(self, facts: Iterable[tuple[str, object]]) -> None:
        """Names and values, each on a line; those without a value are left out."""
        told = [(name, _cell(value)) for name, value in facts if value not in (None, "", ())]
        if not self.has_tables:
            self.write("".join(f"{name}\t{value}\n" for name, value in told))
            return
        width = max(len(name) for name, _ in told) + 2
        for name, value in told:
            self.line(f"{name:<{width}}{value}")

    def console(self, *, is_error: bool = False) -> Console:
        """Rich's console; it obeys NO_COLOR, TERM and COLUMNS, and no markup in texts."""
        from rich.console import Console

        return Console(stderr=is_error, markup=False, emoji=False, highlight=False)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(one) for one in value)
    return shown(str(value))


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    import msgspec

    return msgspec.to_builtins(value)
