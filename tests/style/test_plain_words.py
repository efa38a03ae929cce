"""Names, comments, messages and docs are plain technical English.

``odd_words.txt`` lists archaic or vague words. Each folder can contain two of them in 1,000 lines, because
some quote a name of another project.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LIMIT: Final = 2.0
"""Maximum number of odd words in 1,000 lines."""

WORDS: Final = (Path(__file__).parent / "odd_words.txt").read_text(encoding="utf-8").splitlines()
"""In a separate file: a list in this module would count itself."""

_FOUND: Final = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(WORDS)})(?![A-Za-z])", re.IGNORECASE)

_KEY: Final = "meanwhile"
_SCENARIO_KEY: Final = re.compile(rf"(?<=[\"'`]){_KEY}(?=[\"'`])|{_KEY}(?=:)")
"""The key of scenario files, quoted or followed by a colon; it is part of a public format."""

FOLDERS: Final = ("yemot_ai", "yemot_ai_testing", "tests", "benchmarks")
SUBFOLDERS: Final = sorted(
    str(path.relative_to(ROOT))
    for top in ("yemot_ai", "yemot_ai_testing", "tests")
    for path in (ROOT / top).iterdir()
    if path.is_dir() and any(path.rglob("*.py"))
)
PAGES: Final = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def odd_words(path: Path) -> list[tuple[int, str]]:
    """Return the odd words in a file, each with its line."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return [
        (number, word)
        for number, line in lines
        for word in _FOUND.findall(_SCENARIO_KEY.sub("", line).replace("_", " "))
    ]


def check(paths: list[Path]) -> None:
    places = [
        f"{path.relative_to(ROOT)}:{number}: {word}" for path in paths for number, word in odd_words(path)
    ]
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in paths)
    # In a short folder one word already exceeds the limit.
    assert len(places) <= max(1, int(LIMIT * lines / 1000)), "\n".join(places)


@pytest.mark.slow
@pytest.mark.parametrize("folder", [*FOLDERS, *SUBFOLDERS])
def test_code_is_written_in_plain_words(folder: str) -> None:
    check(sorted((ROOT / folder).rglob("*.py")))


def test_docs_are_written_in_plain_words() -> None:
    check([*sorted((ROOT / "docs").rglob("*.md")), *(ROOT / page for page in PAGES)])


def test_a_word_is_found_in_a_name_and_in_a_sentence(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(
        f"def is_{WORDS[5]}(): ...  # {WORDS[2].title()}, {WORDS[14]}\nuntold = 1\n", encoding="utf-8"
    )

    assert odd_words(page) == [(1, WORDS[5]), (1, WORDS[2].title()), (1, WORDS[14])]


def test_the_scenario_key_is_not_counted(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(f'{{says: a, {_KEY}: {{}}}}  # "{_KEY}"\n# {_KEY.title()}, go\n', encoding="utf-8")

    assert odd_words(page) == [(2, _KEY.title())]
