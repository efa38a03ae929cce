"""Imports go downwards: whoever reads a room has to know only those below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

FLOORS: Final = (
    ("errors", "privacy"),
    ("protocol",),
    ("providers",),
    ("sessions",),
    ("",),  # what works out and remembers the turns of a call: the modules beside the rooms
    ("ai",),
    ("web",),
    ("flow",),
    ("reference",),
    ("cli",),
)
"""The rooms of ``yemot_ai``, from the ground up; a room may use itself and what is below it."""


def modules(package: str) -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """The modules, or names in modules, that a file imports, wherever it does, hints included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def known(name: str, among: Mapping[str, Path]) -> str | None:
    """The module that a name stands in."""
    while name and name not in among:
        name = name.rpartition(".")[0]
    return name or None


def floor(module: str) -> int:
    room = module.removeprefix("yemot_ai").removeprefix(".").partition(".")[0]
    if not room:
        return len(FLOORS)  # the package itself names what is public
    named = (number for number, rooms in enumerate(FLOORS) if room in rooms)
    return next(named, FLOORS.index(("",)))


@pytest.mark.parametrize("module", modules("yemot_ai"))
def test_a_module_imports_only_from_its_own_floor_and_those_below(module: str) -> None:
    among = modules("yemot_ai")
    upwards = {
        name
        for name in imported(among[module])
        if (target := known(name, among)) and target != "yemot_ai" and floor(target) > floor(module)
    }
    assert not upwards


@pytest.mark.parametrize("module", modules("yemot_ai"))
def test_the_library_never_imports_its_tests_toolkit(module: str) -> None:
    found = {name for name in imported(modules("yemot_ai")[module]) if name.startswith("yemot_ai_testing")}
    assert not found


def test_no_modules_import_each_other_in_a_circle() -> None:
    among = modules("yemot_ai")
    graph = {
        module: {target for name in imported(path) if (target := known(name, among))} - {module, "yemot_ai"}
        for module, path in among.items()
        if path.name != "__init__.py"
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
