"""The README shows what the project is in its first screen, and stays short."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = re.compile(r'<img src="([^"]+)"')

MOST_LINES = 150
FIRST_SCREEN = 10
MOST_BYTES = 150_000


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_the_phone_and_the_report_are_in_the_first_screen() -> None:
    first_lines = "\n".join(README.splitlines()[:FIRST_SCREEN])
    assert PICTURE.findall(first_lines) == ["docs/images/phone.png", "docs/images/report.png"]


def test_the_pictures_of_the_readme_load_quickly() -> None:
    sizes = {name: (ROOT / name).stat().st_size for name in PICTURE.findall(README)}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
