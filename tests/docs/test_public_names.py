"""The documentation imports from the public places of docs/architecture.md, and names files that exist."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docs.test_examples import FENCED, PAGES, ROOT, blocks_of, pages
from yemot_ai import YemotAI
from yemot_ai_testing import ScriptedProvider

PLACES: Final = frozenset(
    {
        "yemot_ai",
        "yemot_ai.errors",
        "yemot_ai.observability",
        "yemot_ai.protocol",
        "yemot_ai.providers",
        "yemot_ai.sessions",
        "yemot_ai.transcription",
        "yemot_ai_testing",
        "yemot_ai_testing.contract",
        "yemot_ai_testing.errors",
        "yemot_ai_testing.history",
        "yemot_ai_testing.line",
        "yemot_ai_testing.property",
        "yemot_ai_testing.scenario",
    }
)
CURRENT_PAGES: Final = [
    pytest.param(page, id=str(page.relative_to(ROOT)))
    for page in [*pages(), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
    if page.name != "CHANGELOG.md"  # it has names of earlier versions
]
ARCHITECTURE: Final = ROOT / "docs" / "architecture.md"
CODE: Final = re.compile(r"`([^`\n]+)`")
REPOSITORY_PATH: Final = re.compile(
    r"(?:yemot_ai|yemot_ai_testing|tests|docs|fixtures|benchmarks)/[\w./-]*|tox\.ini|pyproject\.toml"
)


def imports(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Return each imported module of this project, with the imported name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def tree_of(package: str) -> list[str]:
    """Return the modules and folders in the first column of a package's tree."""
    section = ARCHITECTURE.read_text(encoding="utf-8").partition(f"## The tree of `{package}`")[2]
    rows = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return [name for row in rows for name in CODE.findall(row.split(" | ")[0])]


@pytest.mark.parametrize("page", PAGES)
def test_each_import_is_from_a_public_place(page: Path) -> None:
    for block in blocks_of(page, "python"):
        for module, name in imports(ast.parse(block.code)):
            if module.partition(".")[0] in {"yemot_ai", "yemot_ai_testing"}:
                assert module in PLACES, f"{page.name}:{block.line}: {module}"
                public = importlib.import_module(module).__all__
                assert name is None or name in public, f"{page.name}:{block.line}: {module}.{name}"


@pytest.mark.parametrize("place", sorted(PLACES))
def test_each_public_place_is_in_the_architecture(place: str) -> None:
    section = ARCHITECTURE.read_text(encoding="utf-8").partition("## What is public")[2].partition("\n## ")[0]

    assert f"`{place}`" in section


def test_the_public_names_of_the_ai_are_those_that_the_handbook_lists() -> None:
    text = (ROOT / "docs/handlers.md").read_text(encoding="utf-8")
    (sentence,) = re.findall("^All of `YemotAI`: (.*)$", text, re.MULTILINE)
    ai = YemotAI(provider=ScriptedProvider())
    ai.close()

    assert set(CODE.findall(sentence)) == {name for name in dir(ai) if not name.startswith("_")}


@pytest.mark.parametrize("package", ["yemot_ai", "yemot_ai_testing"])
def test_each_module_and_folder_of_the_tree_exists(package: str) -> None:
    names = tree_of(package)
    assert names

    for name in names:
        path = ROOT / package / name
        exists = path.is_dir() if name.endswith("/") else path.with_suffix(".py").is_file()
        assert exists, f"{package}/{name}"


@pytest.mark.parametrize("page", CURRENT_PAGES)
def test_each_path_of_the_repository_exists(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    paths = [path for path in CODE.findall(text) if REPOSITORY_PATH.fullmatch(path)]

    assert [path for path in paths if not (ROOT / path).exists()] == []
