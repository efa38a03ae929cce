"""Run the examples of the documentation.

The ```python blocks of a page run in order, in one namespace and a new folder, exactly as they are printed:
what a model answers is in the block. The ``test_`` functions of a block run as in pytest. Scenarios are
loaded and played. HTML comments before a block configure it, and no other comment is allowed there:

* ``<!-- file: line.py -->`` the file name under which later blocks import it; a second block is appended
* ``<!-- check: assert … -->`` further assertions, to run after the block
* ``<!-- not run: why -->`` only compile the block, or load the scenario
* ``<!-- printed -->`` compare the output of a console command with the rest of the block
* ``<!-- ci -->`` the commands of a CI job: ``test_in_your_project.py`` runs them
"""

from __future__ import annotations

import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from yemot_ai.protocol.lint_rules import RULES
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import RunSettings, open_target
from yemot_ai_testing.scenario.report.call_record import render_result

Namespace = dict[str, Any]

ROOT = Path(__file__).parents[2]
KNOWN_NOTES = {"ci", "file", "check", "not run", "printed"}
SCRIPTS = re.compile(r"answers\(|Fake|Scripted|Mock|ModelServer")
"""What gives a model its answers: a reader does not see it in a comment."""
_COMMENT = re.compile(r"<!-- (?P<word>[a-z ]+?)(?:: (?P<value>.*?))? -->")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: the file.
        line: the line of its first line of code, from 1.
        language: the word after the fence.
        code: its content.
        notes: the comments directly before it, ``{"file": "line.py"}``.
    """

    page: Path
    line: int
    language: str
    code: str
    notes: dict[str, str]

    @property
    def runs(self) -> bool:
        return "not run" not in self.notes

    @property
    def source(self) -> str:
        """The code, at the same line numbers as in the page."""
        return "\n" * (self.line - 1) + self.code


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(page: Path, *languages: str) -> list[Block]:
    return [block for block in _blocks(page) if block.language in languages]


def _blocks(page: Path) -> Iterator[Block]:
    notes: dict[str, str] = {}
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if line.startswith("```"):
            code = []
            for _, inside in lines:
                if inside == "```":
                    break
                code.append(inside)
            yield Block(page, number + 1, line[3:], "\n".join(code) + "\n", notes)
            notes = {}
        elif comment := _COMMENT.fullmatch(line):
            notes = {**notes, comment["word"]: comment["value"] or ""}
        elif line:
            notes = {}


PAGES = [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages()]
LINK = re.compile(r"\]\((?!https?://)(?P<path>[^)#\s]*)(?:#(?P<anchor>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
EXPLICIT_ANCHOR = re.compile(r'^<a id="([^"]+)"></a>$', re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Change to a folder whose modules can be imported; unload them afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES)
def test_each_python_block_compiles(page: Path) -> None:
    for block in blocks_of(page, "python"):
        compile(block.source, str(page), "exec")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_each_python_block_runs(page: Path, folder: Path, request: pytest.FixtureRequest) -> None:
    namespace: Namespace = {"__name__": "page"}  # no folder of this checkout, which Flask would look into
    for block in blocks_of(page, "python"):
        if block.runs:
            _run(block, namespace, folder, request)


@pytest.mark.parametrize("page", PAGES)
def test_no_comment_hides_what_a_reader_needs(page: Path) -> None:
    for block in _blocks(page):
        assert set(block.notes) <= KNOWN_NOTES, f"{page.name}:{block.line}"
        assert not SCRIPTS.search(block.notes.get("check", "")), f"{page.name}:{block.line}"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_each_scenario_loads_and_passes(page: Path, folder: Path) -> None:
    for block in blocks_of(page, "python"):
        _keep(block, folder)
    for block in blocks_of(page, "yaml"):
        if "ci" in block.notes:
            continue
        loaded = loads(block.code, page)
        for scenario in loaded.scenarios if block.runs else ():
            with open_target(RunSettings(), scenario.app) as target:
                outcome = play_scenario(scenario, target)
            assert outcome.failure is None, f"{outcome.failure}\n{render_result(outcome)}"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_each_marked_console_block_shows_the_real_output(page: Path) -> None:
    for block in blocks_of(page, "console"):
        if "printed" in block.notes:
            command, _, printed = block.code.partition("\n")
            assert _printed_by(command.removeprefix("$ ")) == printed


@pytest.mark.parametrize("page", PAGES)
def test_the_target_of_each_local_link_exists(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for link in LINK.finditer(text):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        assert target.exists(), f"{page.name}: {link[0]}"
        if link["anchor"]:
            assert link["anchor"] in _anchors(target), f"{page.name}: {link[0]}"


@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_linked_from_the_index(page: Path) -> None:
    if page.parent.name == "docs" and page.name != "index.md":
        assert f"({page.name})" in (ROOT / "docs" / "index.md").read_text(encoding="utf-8")


def test_the_readme_has_exactly_two_commands_each_on_one_line() -> None:
    commands = blocks_of(ROOT / "README.md", "sh")
    assert [block.code.count("\n") for block in commands] == [1, 1]


def test_each_lint_rule_is_documented_with_its_source() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    for rule in RULES.values():
        assert f"| `{rule.code}` | {rule.source} | {rule.hint} |" in text


def test_each_block_has_a_known_language() -> None:
    known = {"python", "yaml", "sh", "js", "console", "text", "ini", "toml"}
    fences = [line for page in pages() for line in page.read_text(encoding="utf-8").splitlines()]
    assert {line[3:] for line in fences if line.startswith("```")} <= {*known, ""}
    opened = [block for page in pages() for block in blocks_of(page, "")]
    assert opened == []


def _run(block: Block, namespace: Namespace, folder: Path, request: pytest.FixtureRequest) -> None:
    _keep(block, folder)
    before = dict(namespace)
    exec(compile(block.source, str(block.page), "exec"), namespace)  # noqa: S102 - our own documentation
    for name, value in list(namespace.items()):
        if before.get(name) is not value and name.startswith("test_"):
            _run_test(value, request)
    if "check" in block.notes:
        exec(block.notes["check"], namespace)  # noqa: S102 - our own documentation


def _keep(block: Block, folder: Path) -> None:
    if "file" in block.notes:
        path = folder / block.notes["file"]
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n\n{block.code}")


def _run_test(function: Callable[..., None], request: pytest.FixtureRequest) -> None:
    """Run a test of a page with the fixtures that its parameters name."""
    for mark in getattr(function, "pytestmark", []):
        request.node.add_marker(getattr(pytest.mark, mark.name)(**mark.kwargs))
    parameters = inspect.signature(function).parameters
    function(**{name: request.getfixturevalue(name) for name in parameters})


def _printed_by(command: str) -> str:
    program, *arguments = shlex.split(command)
    scripts = Path(sys.executable).parent
    result = subprocess.run(
        [scripts / Path(program).name, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    return result.stdout + result.stderr


def anchors_of_headings(page: Path) -> list[str]:
    """Return the anchors of a page's headings in their order, as GitHub makes them."""
    headings = HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    return [re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings]


def _anchors(page: Path) -> set[str]:
    """Return the anchors to which a link can lead."""
    return {*anchors_of_headings(page), *EXPLICIT_ANCHOR.findall(page.read_text(encoding="utf-8"))}
