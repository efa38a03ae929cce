"""The tables of docs/line-simulator.md match the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai_testing.line.platform.ext_keys import KEY_PATTERNS, KEYS, MENU_KEYS, UNDOCUMENTED
from yemot_ai_testing.line.platform.settings import LineSetting, line_settings
from yemot_ai_testing.line.platform.unsimulated import MENU_SETTINGS, UNSIMULATED, UnsimulatedSettings
from yemot_ai_testing.line.states import State

PAGE = (Path(__file__).parents[2] / "docs" / "line-simulator.md").read_text(encoding="utf-8")
EVERY_KEY = [*KEYS.values(), *MENU_KEYS.values(), *(key for _, key in KEY_PATTERNS)]


def switch_row(switch: LineSetting) -> str:
    default = '""' if switch.default == "" else switch.default
    return f"| `{switch.name}` | `{default}` | {switch.source} | {switch.meaning} |"


@pytest.mark.parametrize("name", line_settings())
def test_each_switch_is_documented_with_its_default_and_source(name: str) -> None:
    assert switch_row(line_settings()[name]) in PAGE


@pytest.mark.parametrize("key", EVERY_KEY, ids=lambda key: key.name)
def test_each_setting_of_ext_ini_is_documented(key: object) -> None:
    name, allowed, meaning = (getattr(key, part) for part in ("name", "allowed", "meaning"))
    assert f"| `{name}` | {allowed} | {meaning} |" in PAGE


@pytest.mark.parametrize("settings", [*UNSIMULATED, *MENU_SETTINGS], ids=lambda settings: settings.name)
def test_each_setting_that_is_not_simulated_is_documented(settings: UnsimulatedSettings) -> None:
    names = ", ".join(f"`{name}`" for name in settings.name.split(", "))
    assert f"| {names} | {settings.meaning} |" in PAGE


@pytest.mark.parametrize("key", sorted(UNDOCUMENTED))
def test_each_undocumented_setting_is_listed(key: str) -> None:
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("state", State.__args__, ids=lambda state: state.__name__)
def test_each_state_of_a_call_is_documented(state: type) -> None:
    assert f"| `{state.__name__}` |" in PAGE
