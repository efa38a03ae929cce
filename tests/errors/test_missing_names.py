"""A name that is imported from the wrong module: the error says where it is."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys

import pytest
import yemot_flow

import yemot_ai
import yemot_ai_testing
from yemot_ai.errors.missing_names import PUBLIC_MODULES, closest, missing_name


@pytest.mark.parametrize(
    ("module", "name", "hint"),
    [
        ("yemot_ai", "Caller", "write `from yemot_ai_testing import Caller`"),
        ("yemot_ai", "FakeCodex", "write `from yemot_ai_testing import FakeCodex`"),
        ("yemot_ai", "OpenAIProvider", "write `from yemot_ai.providers import OpenAIProvider`"),
        ("yemot_ai", "MemoryStore", "write `from yemot_ai.sessions import MemoryStore`"),
        ("yemot_ai", "File", "write `from yemot_ai.protocol import File`"),
        ("yemot_ai", "ProviderError", "write `from yemot_ai.errors import ProviderError`"),
        ("yemot_ai", "LineError", "write `from yemot_ai_testing.errors import LineError`"),
        ("yemot_ai", "Scenario", "write `from yemot_ai_testing.scenario import Scenario`"),
        ("yemot_ai", "AIflow", "did you mean 'AIFlow'? Write `from yemot_ai import AIFlow`"),
        ("yemot_ai", "YemotAi", "did you mean 'YemotAI'? Write `from yemot_ai import YemotAI`"),
        ("yemot_ai", "Dialogsetting", "did you mean 'DialogSettings'?"),
        ("yemot_ai", "Flow", "write `from yemot_ai import AIFlow, YemotAI` and, for Flow(…), `AIFlow("),
        ("yemot_ai", "serve", "serve a flow with `yemot-ai serve module:flow`"),
        ("yemot_ai_testing", "AIFlow", "write `from yemot_ai import AIFlow`"),
        ("yemot_ai_testing", "caller", "did you mean 'Caller'? Write `from yemot_ai_testing import Caller`"),
    ],
)
def test_the_error_of_an_import_says_what_to_write(module: str, name: str, hint: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(f"from {module} import {name}")  # noqa: S102 - the statement is the subject
    assert str(caught.value).startswith(f"{module!r} has no {name!r}: ")
    assert hint in str(caught.value)


@pytest.mark.parametrize("module", [yemot_ai, yemot_ai_testing], ids=["yemot_ai", "yemot_ai_testing"])
def test_a_missing_attribute_is_an_attribute_error_with_the_same_words(module: object) -> None:
    with pytest.raises(AttributeError, match=r"has no 'ProviderError': write `from yemot_ai\.errors import"):
        module.ProviderError  # type: ignore[attr-defined]  # noqa: B018 - the mistake
    assert not hasattr(module, "ProviderError")


@pytest.mark.parametrize("name", ["qqqqqq", "__wrapped__", "_private"])
def test_a_name_that_is_like_no_other_gets_pythons_own_error(name: str) -> None:
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from 'yemot_ai'"):
        exec(f"from yemot_ai import {name}")  # noqa: S102 - the statement is the subject


def test_a_module_of_the_package_can_be_imported_from_it() -> None:
    code = "from yemot_ai import reference, cli; print(reference.__name__, cli.__name__)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.split() == ["yemot_ai.reference", "yemot_ai.cli"]


def test_the_help_costs_nothing_at_import() -> None:
    code = "import sys, yemot_ai; print('yemot_ai.errors.missing_names' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "False"


@pytest.mark.parametrize("module", [module for module in PUBLIC_MODULES if module != "yemot_ai"])
def test_each_name_of_a_public_module_is_found(module: str) -> None:
    elsewhere = set(yemot_ai.__all__)
    for name in set(importlib.import_module(module).__all__) - elsewhere:
        message = str(missing_name("yemot_ai", name))
        assert re.search(rf"write `from [\w.]+ import {name}`", message), message


@pytest.mark.parametrize(
    ("name", "names", "expected"),
    [
        ("ajent", ("agent", "order"), "agent"),
        ("AGENT", ("order", "Agent"), "Agent"),
        ("1", ("2", "3"), ""),
        ("שעת", ("שעות", "order"), "שעות"),
        ("x", (), ""),
    ],
)
def test_the_closest_name_is_found_in_any_case(name: str, names: tuple[str, ...], expected: str) -> None:
    assert closest(name, names) == expected


def test_the_call_of_yemot_flows_handlers_can_be_imported_from_here() -> None:
    assert yemot_ai.Call is yemot_flow.Call
    assert issubclass(yemot_ai.AICall, yemot_ai.Call)
    assert issubclass(yemot_ai.AsyncAICall, yemot_ai.Call)
