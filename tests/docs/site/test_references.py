"""The references that are made from the code have all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import yemot_ai.errors
import yemot_ai_testing.errors
from tests.docs.test_public_names import PLACES
from yemot_ai.protocol.lint_rules import RULES
from yemot_ai_testing.pytest_plugin.option_table import INI_KEYS, OPTIONS
from yemot_ai_testing.scenario.format.descriptions import DESCRIPTIONS

OPTION = re.compile(r"--[a-z][a-z-]+")
ADDRESS = re.compile(r"0x[0-9a-f]{6,}|object at|<class|<function")


@pytest.fixture(scope="module")
def references() -> dict[str, str]:
    from site_builder.reference import reference_pages  # noqa: PLC0415 - needs the group docs

    return {Path(path).stem: text for path, text in reference_pages().items()}


def rows_of(text: str) -> set[str]:
    """Return the first pieces of code in the rows of the tables."""
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


def headings_of(text: str) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", text, re.MULTILINE))


def test_each_error_has_a_heading(references: dict[str, str]) -> None:
    assert {*yemot_ai.errors.__all__, *yemot_ai_testing.errors.__all__} <= headings_of(references["errors"])


def test_an_error_shows_its_message_with_the_way_out(references: dict[str, str]) -> None:
    message = "{package} is not installed: pip install 'yemot-ai[{extra}]'"
    assert "### MissingExtraError" in references["errors"].partition(message)[0]


def test_each_code_of_the_lint_has_a_heading(references: dict[str, str]) -> None:
    assert set(RULES) <= headings_of(references["lint-codes"])


def test_each_key_of_a_scenario_has_a_row(references: dict[str, str]) -> None:
    keys = {key for title, keys in DESCRIPTIONS.items() if title != "hears.read" for key in keys}
    assert keys <= rows_of(references["scenario-keys"])


def test_each_option_of_pytest_has_a_row(references: dict[str, str]) -> None:
    hidden = {"--yemot-guard"}
    assert set(OPTIONS) - hidden <= {row.partition(" ")[0] for row in rows_of(references["pytest"])}


def test_each_key_of_the_configuration_has_a_row(references: dict[str, str]) -> None:
    assert set(INI_KEYS) - {"yemot_guard"} <= rows_of(references["pytest"])


@pytest.mark.parametrize("option", ["--host", "--port", "--drain", "--web", "--step", "--secret"])
def test_options_of_the_command_have_rows(option: str, references: dict[str, str]) -> None:
    assert option in OPTION.findall("\n".join(rows_of(references["yemot-ai"])))


@pytest.mark.parametrize("command", ["lint", "codex install", "contract", "hunt", "scenario from-log"])
def test_commands_of_the_toolkit_have_headings(command: str, references: dict[str, str]) -> None:
    assert f"yemot-ai-testing {command}" in headings_of(references["yemot-ai-testing"])


def test_each_public_place_has_a_page(references: dict[str, str]) -> None:
    of_their_own = {"yemot_ai.errors", "yemot_ai_testing.errors"}
    assert {f"# {place}" for place in PLACES - of_their_own} <= {
        text.splitlines()[0] for text in references.values()
    }


def test_no_reference_shows_an_address_of_an_object(references: dict[str, str]) -> None:
    assert {name: found for name, text in references.items() if (found := ADDRESS.findall(text))} == {}
