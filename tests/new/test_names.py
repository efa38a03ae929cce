"""The names that a new project can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai.errors import ConfigurationError
from yemot_ai.new import ProjectName


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("library", "library"),
        ("my-line", "my_line"),
        ("My_Line2", "my_line2"),
        ("x", "x"),
        ("match", "match"),
        ("line", "line"),
    ],
)
def test_a_name_becomes_the_name_of_a_module(name: str, module: str) -> None:
    assert ProjectName.parse(name) == ProjectName(name, module)


@pytest.mark.parametrize(
    "name", ["", "1line", "הקו", "a b", "a.b", "a/b", "../a", "-x", "x-", "_x", "a\n", "שלום-line"]
)
def test_what_cannot_be_a_module_is_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(ConfigurationError, match="such as library; --into FOLDER"):
        ProjectName.parse(name)


@pytest.mark.parametrize("name", ["class", "import", "None", "async", "True"])
def test_a_word_of_python_is_refused_with_another_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"word of Python itself.*{name.lower()}-line"):
        ProjectName.parse(name)


@pytest.mark.parametrize(
    "name", ["json", "pytest", "yemot-ai", "yemot_flow", "YAML", "test", "tests", "calls", "conftest", "sys"]
)
def test_the_name_of_another_module_is_refused_with_another_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"would hide.*{name.lower()}-line"):
        ProjectName.parse(name)


def test_a_folder_of_that_name_in_the_working_directory_is_no_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_line").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert ProjectName.parse("some-line").module == "some_line"
