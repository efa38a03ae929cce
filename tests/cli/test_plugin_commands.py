"""Commands of ``yemot-ai`` that other packages have."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

import yemot_ai.cli.main as main_module
from yemot_ai.cli.main import PLUGIN_GROUP, main


def points(value: str) -> object:
    return lambda **_: EntryPoints([EntryPoint("phone", value, PLUGIN_GROUP)] if value else [])


@pytest.mark.parametrize("value", ["", "no_such_package.phone"])
def test_a_command_that_is_not_installed_says_what_to_install(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main_module, "entry_points", points(value))
    assert main(["phone", "line:flow"]) == 2
    assert "pip install 'yemot-ai[phone]'" in capsys.readouterr().err


def test_the_commands_of_other_packages_are_listed_without_their_import(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "yemot_ai_testing.cli.phone", raising=False)
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "call a line by hand" in capsys.readouterr().out
    assert "yemot_ai_testing.cli.phone" not in sys.modules


@pytest.mark.parametrize("arguments", [[], ["--web"], ["--step", "dial"]])
@pytest.mark.parametrize("package", ["bidi", "starlette", "textual", "uvicorn"])
def test_a_phone_without_a_package_says_what_to_install(
    package: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    assert main(["phone", *arguments]) == 2
    assert f"{package} is not installed: pip install 'yemot-ai[phone]'" in capsys.readouterr().err


def test_the_phone_has_its_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["phone", "--help"])
    assert "--step" in capsys.readouterr().out
