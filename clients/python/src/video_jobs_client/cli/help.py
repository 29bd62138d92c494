"""How the help of commands is laid out: the options of every command stand below those of its own."""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from video_jobs_client.cli.exits import ending_without_reader

SHARED = ("profile", "url", "json", "quiet", "help")
"""The names of the options that every command has."""


class Command(TyperCommand):
    """A command whose help shows its arguments as the user writes them, without the types of Python."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Arguments without braces; those that may be left out stand in brackets."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, the options of this command, and those of every command."""
        arguments: dict[str, str] = {}
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            if isinstance(parameter, TyperArgument):
                arguments[str(parameter.metavar)] = parameter.help or ""
            elif record := parameter.get_help_record(ctx):
                (shared if parameter.name in SHARED else own).append(record)
        _write(formatter, "Arguments", list(arguments.items()))
        _write(formatter, "Options", own)
        _write(formatter, "Options of every command", shared)


class Group(TyperGroup):
    """A command that has commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "subcommand_metavar": "COMMAND ..."})

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        """Understand the arguments; --help and --version write here already."""
        with ending_without_reader():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with ending_without_reader():
            return super().invoke(ctx)


def _write(formatter: Any, title: str, records: list[tuple[str, str]]) -> None:
    if records:
        with formatter.section(title):
            formatter.write_dl(records)
