"""The lines of the documentation's pages, as modules that can be hunted."""

from __future__ import annotations

from pathlib import Path

from tests.docs.test_examples import ROOT, blocks_of

__all__ = ["PAGES", "write_lines"]

PAGES = ("agents", "handlers", "testing", "scenarios", "hunt")
DECLARES = ("AIFlow(", "@flow.", "def line(pairs)")
CALLS = ("assert ", "with ", "Caller(", "play_scenario", "run_state_machine", "pytest", "FakeCodex")


def write_lines(page: str, folder: Path) -> list[str]:
    """Write a module for each flow of a page; return the targets.

    Args:
        page: the name of the page.
        folder: where the modules are written.
    """
    modules: list[str] = []
    for block in blocks_of(ROOT / "docs" / f"{page}.md", "python"):
        if not block.runs or "Machine)" in block.code or not any(one in block.code for one in DECLARES):
            continue
        if "flow = AIFlow(" in block.code or not modules:
            modules.append("")
        modules[-1] += _declarations(block.code)
    targets = []
    for number, source in enumerate(modules):
        name = f"doc_{page}_{number}"
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
        targets.append(f"{name}:{'flow' if 'flow = ' in source else 'line'}")
    return targets


def _declarations(code: str) -> str:
    """Return a block up to the first statement that calls its line."""
    kept: list[str] = []
    for line in code.splitlines():
        starts = line and not line[0].isspace() and not line.startswith(("from ", "import "))
        if starts and any(one in line for one in CALLS):
            break
        kept.append(line)
    return "\n".join([*kept, "", ""])
