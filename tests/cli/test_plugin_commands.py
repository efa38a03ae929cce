"""Commands of ``yemot-ai`` that other packages have."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from yemot_ai import cli


def points(value: str) -> object:
    return lambda **_: EntryPoints([EntryPoint("phone", value, cli.PLUGIN_GROUP)] if value else [])


@pytest.mark.parametrize("value", ["", "no_such_package.phone"])
def test_a_command_that_is_not_installed_says_what_to_install(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "entry_points", points(value))
    assert cli.main(["phone", "line:flow"]) == 2
    assert "pip install 'yemot-ai[phone]'" in capsys.readouterr().err


def test_the_commands_of_other_packages_are_listed_without_their_import(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "yemot_ai_testing.cli.phone", raising=False)
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    assert "call a line by hand" in capsys.readouterr().out
    assert "yemot_ai_testing.cli.phone" not in sys.modules


def test_the_phone_has_its_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["phone", "--help"])
    assert "--step" in capsys.readouterr().out
