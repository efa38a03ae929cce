from __future__ import annotations

import json
import sys

import pytest

from yemot_ai_testing.cli.main import main


def test_which_says_where_a_codex_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codex", "which", sys.executable]) == 0
    assert capsys.readouterr().out == f"{sys.executable}\n"


def test_which_says_how_to_get_a_codex_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codex", "which", "/no/codex"]) == 1
    assert "codex install" in capsys.readouterr().err


def test_install_refuses_what_is_no_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codex", "install", "newest"]) == 1
    assert "not a version" in capsys.readouterr().err


def test_recording_needs_a_real_codex(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--codex", "/no/codex", "--out", "out"]) == 1
    assert "codex install" in capsys.readouterr().err


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["scenarios"]["type"] == "array"


def test_a_command_is_needed() -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
