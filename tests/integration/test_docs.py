"""The documentation is true: what it links, cites, draws, lists and shows is there and works."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from awscli.clidriver import create_clidriver
from video_jobs.domain.job import ALLOWED_TRANSITIONS, JobStatus

from tests.support.job_changes import every_change
from tests.support.pages import Page, labels_of_flowchart, table_rows
from tools.local_stack.template import STORED_TYPES, Template
from tools.markdown_writer import table
from tools.reference.configuration import configuration_document

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [Page(path) for path in (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")))]
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))
FOLDERS = {
    "functions",
    "layers",
    "gpu_worker_image",
    "tests",
    "tools",
    "docs",
    "deploy",
    "clients",
    "events",
    ".ci",
    ".github",
}
LONGEST_DECISION = 30
QUESTIONS = 20
OUTSIDE = {"client", "event bus", "receiver", "source"}
"""What a diagram may show although it is neither ours nor in the template."""


def page(name: str) -> Page:
    return Page(DOCS / name)


# --- links, commands, citations --------------------------------------------------------------------


def test_every_link_leads_somewhere() -> None:
    broken = [f"{one.path.name}: {link}" for one in PAGES for link in one.links() if not leads(one, link)]
    assert broken == []


def leads(source: Page, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (source.path.parent / name).resolve() if name else source.path
    is_ours = target.exists() and target.is_relative_to(ROOT)
    return is_ours and (not anchor or anchor in Page(target).anchors())


def test_every_page_can_be_reached_from_the_index() -> None:
    reached, border = set(), {DOCS / "README.md"}
    while border:
        reached |= border
        links = {
            (path.parent / link.partition("#")[0]).resolve() for path in border for link in Page(path).links()
        }
        border = {path for path in links if path.suffix == ".md" and path.is_file()} - reached
    assert set(DOCS.rglob("*.md")) - reached == set()


def code_of(one: Page) -> Iterator[str]:
    for block in one.blocks():
        yield from block.content.splitlines()
    yield from one.inline_code()


def named_by(pattern: str) -> set[str]:
    """What the commands on all pages name."""
    return {name for one in PAGES for line in code_of(one) for name in re.findall(pattern, line)}


def test_every_make_target_and_every_module_that_is_to_be_run_exists() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    targets, modules = named_by(r"^make ([a-z-]+)"), named_by(r"python -m ([\w.]+)")
    assert {"demo", "local", "test", "docs", "simulate"} <= targets <= known
    assert "tools.governance.validate_plugins" in modules
    assert [name for name in sorted(modules) if not runs(name)] == []


AWS_COMMAND = re.compile(r"""\baws ([a-z0-9-]+) ([a-z0-9-]+)((?:'[^']*'|"[^"]*"|[^'"|#)\n])*)""")
COMMON_OPTIONS = {"--query", "--output"}
NOT_BY_NAME = {"--outfile"}
"""Of the AWS CLI's arguments, those that are given without their name."""


@cache
def cli_arguments(service: str, operation: str) -> dict[str, bool]:
    """The options that the AWS CLI knows for a command, and whether each is needed."""
    command = create_clidriver()._get_command_table()[service]
    # `aws s3` is no service, but a set of commands of the AWS CLI's own
    operations = command._build_subcommand_table() if service == "s3" else command._get_command_table()
    return {f"--{name}": own.required for name, own in operations[operation].arg_table.items()}


def test_the_aws_cli_takes_every_command_that_is_shown() -> None:
    texts = [block.content for one in PAGES for block in one.blocks() if block.language == "sh"]
    commands = [found for text in texts for found in AWS_COMMAND.findall(text.replace("\\\n", " "))]
    assert len(commands) > 30
    for service, operation, rest in commands:
        if service != "configure":
            known = cli_arguments(service, operation)
            given = set(re.findall(r" (--[a-z0-9-]+)", re.sub(r"'[^']*'|\"[^\"]*\"", "", rest)))
            needed = {name for name, is_needed in known.items() if is_needed} - NOT_BY_NAME
            assert needed <= given <= known.keys() | COMMON_OPTIONS, (service, operation, rest)


def runs(module: str) -> bool:
    spec = importlib.util.find_spec(module)
    is_package = spec is not None and spec.submodule_search_locations is not None
    return spec is not None and (not is_package or importlib.util.find_spec(f"{module}.__main__") is not None)


def test_every_json_block_is_json_and_every_python_block_compiles() -> None:
    for block in (block for one in PAGES for block in one.blocks()):
        if block.language == "json":
            json.loads(block.content)
        if block.language == "python":
            ast.parse(textwrap.dedent(block.content))


def test_every_file_and_test_that_is_cited_exists() -> None:
    paths = {
        code for one in PAGES for code in one.inline_code() if re.fullmatch(r"[\w.-]+/[\w./-]*(::\w+)?", code)
    }
    cited = {path for path in paths if path.partition("/")[0] in FOLDERS}
    assert len(cited) > 50
    assert [path for path in sorted(cited) if not exists(path)] == []


def exists(cited: str) -> bool:
    path, _, test = cited.partition("::")
    return is_in_its_file(f"def {test}(", path) if test else (ROOT / path).exists()


def is_in_its_file(name: str, path: str) -> bool:
    return (ROOT / path).is_file() and name in (ROOT / path).read_text(encoding="utf-8")


def test_every_name_stands_in_the_file_that_is_said_to_hold_it() -> None:
    cited = [(one.path.name, *found) for one in PAGES for found in one.citations()]
    found = [one for one in cited if one[2].partition("/")[0] in {*FOLDERS, "template.yaml"}]
    assert len(found) > 60
    assert [one for one in found if not is_in_its_file(*one[1:])] == []


# --- decisions, exam, configuration ----------------------------------------------------------------


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_has_its_four_parts(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_DECISION
    titles = [line for line in lines if line.startswith("#")]
    assert re.fullmatch(rf"# {int(path.stem[:4])}\. .+", titles[0])
    assert titles[1:] == ["## Context", "## Choice", "## Price", "## How to undo"]
    assert all(Page(path).section(title.removeprefix("## ")).strip() for title in titles[1:])


def test_the_list_of_decisions_is_whole_and_calls_them_by_their_titles() -> None:
    listed = [row[1] for row in table_rows(page("decisions/README.md").text)]
    titles = {path.name: path.read_text(encoding="utf-8").partition("\n")[0] for path in DECISIONS}
    assert [int(name[:4]) for name in titles] == list(range(1, len(titles) + 1))
    assert listed == [f"[{title.partition('. ')[2]}]({name})" for name, title in titles.items()]


def numbered(text: str) -> dict[int, str]:
    parts = re.split(r"^(\d+)\. ", text, flags=re.M)[1:]
    return dict(zip(map(int, parts[::2]), parts[1::2], strict=True))


def test_the_exam_has_twenty_questions_and_an_answer_that_cites_a_name_in_a_file_to_each() -> None:
    exam = page("contributor-exam.md")
    questions, answers = numbered(exam.section("Questions")), numbered(exam.section("Answers"))
    assert list(questions) == list(answers) == list(range(1, QUESTIONS + 1))
    assert [number for number, text in questions.items() if "?" not in text] == []
    named = re.compile(r"`([^`\n]+)`\s+in\s+`([^`\n]+)`")
    cited = {number: named.findall(text) for number, text in answers.items()}
    assert [number for number, found in cited.items() if not any(is_in_its_file(*one) for one in found)] == []


def test_the_configuration_page_tells_default_choices_and_who_is_given_it() -> None:
    rows = {row[0]: row[1:] for row in table_rows(configuration_document())}
    assert rows["`MODEL_PATH`"][1] == "needed"
    assert rows["`QUEUE_ORDER`"][1:3] == ["`job`", "`job`, `strict`"]
    assert rows["`LEASE_S`"][:3] == ["whole number", "`60`", "at least 3, at most 900"]
    assert rows["`TABLE_NAME`"][4] == "every function, the worker"
    assert rows["`WorkerMaxCount`"][:3] == ["`Number`", "`4`", "at least 1"]


def test_a_bar_in_a_cell_of_a_generated_table_is_escaped() -> None:
    assert table(["a", "b"], [["x|y", 1]]) == "| a | b |\n|---|---|\n| x\\|y | 1 |\n"


# --- diagrams, states, imports ---------------------------------------------------------------------


def diagrams(one: Page) -> list[str]:
    return [block.content for block in one.blocks() if block.language == "mermaid"]


def test_every_node_of_a_flowchart_is_a_resource_or_a_file_and_none_is_missing() -> None:
    drawn = [text for one in PAGES for text in diagrams(one) if not text.startswith("stateDiagram")]
    labels = [label.split("<br/>") for text in drawn for label in labels_of_flowchart(text).values()]
    shown = {head for head, *_ in labels}
    assert len(labels) > 20
    known = {*Template().resources, *OUTSIDE}
    names = [*shown, *(line for _, *rest in labels for line in rest if "/" in line)]
    assert [name for name in names if name not in known and not (ROOT / name).exists()] == []
    kinds = (*STORED_TYPES, "AWS::Serverless::Function", "AWS::ECS::Service", "AWS::Serverless::HttpApi")
    assert {name for kind in kinds for name in Template().logical_ids(kind)} - shown == set()


def test_a_diagram_that_would_not_render_is_refused() -> None:
    node, block = 'a["x"]', 'subgraph s ["t"]'
    lines = [f"{node} --> b", f"{node}\na --> a)", f"{node}\na --> a(", 'a["x] --> a', 'a["x]', 'a[("x"])']
    lines += [f"{block}\n{node}", f"{node}\nend", f"end\n{node}\n{block}"]
    for text in ("pie\n a", *(f"flowchart LR\n{line}" for line in lines)):
        with pytest.raises(ValueError, match="render"):
            labels_of_flowchart(text)


def test_the_states_are_drawn_as_the_code_allows_them() -> None:
    (states,) = (text for text in diagrams(page("architecture.md")) if text.startswith("stateDiagram-v2\n"))
    drawn = re.findall(r"^ +(\S+) --> (\S+)(?: : .+)?$", states, re.M)
    assert len(drawn) == states.count("\n") - 1
    allowed = {(before, after) for before, all_ in ALLOWED_TRANSITIONS.items() for after in all_}
    ended = {(status, "[*]") for status in JobStatus if not status.is_open}
    assert set(drawn) == allowed | ended | {("[*]", "pending")}


def test_the_table_of_changes_is_that_of_the_code() -> None:
    rows = table_rows(page("architecture.md").section("Every change"))
    listed = [(row[0].strip("`"), row[1], row[2]) for row in rows]
    assert len(listed) == len(set(listed))
    assert set(listed) == {(one.name, one.before, one.after) for one in every_change()}


PORTS = {"ports", "fleet_ports", "source_ports", "help_ports", "account_ports", "speed_ports", "notify_ports"}
MAY_IMPORT: Mapping[str, set[str]] = {
    "domain": {"domain"},
    **{ports: {"domain"} for ports in PORTS},
    "bindings": PORTS | {"adapters"},
    "use_cases": PORTS | {"domain", "bindings", "use_cases"},
    "application": {"domain", "bindings", "use_cases"},
    "adapters": PORTS | {"domain", "adapters"},
}


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_imports_point_one_way_as_the_architecture_says(part: str) -> None:
    package = ROOT / "layers" / "common" / "python" / "video_jobs"
    files = list((package / part).rglob("*.py")) or [package / f"{part}.py"]
    imported = {name for path in files for name in imports(path) if name.startswith("video_jobs.")}
    assert {name.split(".")[1] for name in imported} - MAY_IMPORT[part] == set()


def test_the_worker_imports_no_function_and_the_functions_no_worker() -> None:
    for folder, others in (("gpu_worker_image/src", "functions"), ("functions", "video_worker")):
        imported = {name for path in (ROOT / folder).rglob("*.py") for name in imports(path)}
        assert [name for name in imported if name.startswith((others, "tools"))] == []


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
