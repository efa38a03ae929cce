from __future__ import annotations

import json
import sys

import pytest

import yemot_ai
from yemot_ai_testing.cli.main import main


def test_which_prints_the_path_of_a_codex(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codex", "which", sys.executable]) == 0
    assert capsys.readouterr().out == f"{sys.executable}\n"


def test_which_says_how_to_install_a_missing_codex(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codex", "which", "/no/codex"]) == 2
    assert "codex install" in capsys.readouterr().err


def test_install_takes_a_version_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["codex", "install", "newest"]) == 2
    assert "not a version" in capsys.readouterr().err


def test_record_needs_a_real_codex(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "--codex", "/no/codex", "--out", "out"]) == 2
    assert "codex install" in capsys.readouterr().err


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["scenarios"]["type"] == "array"


def test_a_command_is_needed() -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])


def test_the_version_is_that_of_yemot_ai(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"yemot-ai-testing {yemot_ai.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["codex", "which", "0.169.0"], "real@0.169.0"),
        (["codex", "which", "real:0.169.0"], "real@0.169.0"),
        (["record", "--codex", "0.169.0", "--out", "out"], "real@0.169.0"),
        (["drift", "--codex", "0.169.0"], "real@0.169.0"),
        (["contract", "--codex", "0.169.0"], "fake@0.169.0"),
    ],
)
def test_a_former_name_of_a_codex_is_an_error_with_the_new_name(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--face", "--case"])
def test_former_options_of_contract_are_errors(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["contract", option, "exec"])
    assert f"unrecognized arguments: {option}" in capsys.readouterr().err
