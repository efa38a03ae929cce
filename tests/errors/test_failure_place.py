"""The place in the developer's code that has raised an exception while a module is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from yemot_ai.cli.main import main
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.scenario.play.target import import_attribute

MODULE = "line_that_fails"
TARGET = f"{MODULE}:flow"

FLOW = "from yemot_ai import AIFlow, YemotAI\n"

MISTAKES = {
    "a name of another library": ("from yemot_ai import Flow", 1, "'yemot_ai' has no 'Flow'"),
    "a module that is missing": ("import no_such_module", 1, "No module named 'no_such_module'"),
    "a wrong syntax": ("flow = (", 1, "'(' was never closed"),
    "an exception": ("\nflow = 1 / 0", 2, "ZeroDivisionError: division by zero"),
    "an exception of a library": (
        "import json\nflow = json.loads('')",
        2,
        "JSONDecodeError: Expecting value",
    ),
    "an exit": ("\n\nraise SystemExit('no settings')", 3, "SystemExit: no settings"),
    "an unknown mode": (f"{FLOW}flow = AIFlow(YemotAI('opanai'))", 2, "unknown mode 'opanai'"),
    "a missing key": (f"{FLOW}flow = AIFlow(YemotAI('anthropic'))", 2, "needs a key"),
    "a text for the AI": (f"{FLOW}flow = AIFlow('codex')", 2, "YemotAI"),
    "a decorator without parentheses": (
        f"{FLOW}flow = AIFlow(YemotAI('codex'))\n\n\n@flow.get\ndef shop(call): ...",
        5,
        "shop is where the extension belongs",
    ),
}

FOREIGN = ("site-packages", "contextlib.py", "declaration.py", "Traceback")


@pytest.fixture(params=MISTAKES, name="mistake")
def _mistake(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """Write a module with a mistake; return the place, and what is said of it."""
    source, line, said = MISTAKES[request.param]
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = tmp_path / f"{MODULE}.py"
    path.write_text(f"{source}\n", encoding="utf-8")
    yield f"{path}:{line}", said
    sys.modules.pop(MODULE, None)


@pytest.mark.parametrize(
    "arguments", [["serve", "--port", "0", TARGET], ["ext-ini", TARGET, "http://127.0.0.1/"]], ids=" ".join
)
def test_a_command_names_the_line_of_a_module_that_fails(
    mistake: tuple[str, str], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    place, said = mistake
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"yemot-ai: {place}: ")
    assert said in printed
    assert not [one for one in FOREIGN if one in printed]


def test_doctor_names_the_line_of_a_module_that_fails(
    mistake: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (file, _, line), said = mistake[0].rpartition(":"), mistake[1]
    assert main(["doctor", TARGET, "--json"]) == 1
    printed = capsys.readouterr().out
    assert f"{TARGET} cannot be imported: {Path(file).name}:{line}: " in printed
    assert said in printed
    assert "contextlib.py" not in printed


def test_a_test_names_the_line_of_a_module_that_fails(mistake: tuple[str, str]) -> None:
    place, said = mistake
    if "needs a key" in said:  # tests need none
        assert import_attribute(TARGET)
        return
    with pytest.raises(AppError) as raised:
        import_attribute(TARGET)
    assert said in str(raised.value)
    assert Path(place).name in str(raised.value).replace(", line ", ":")
    assert not [one for one in FOREIGN if one in str(raised.value)]


def test_a_name_like_that_of_a_module_is_suggested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["ext-ini", "yemot_ai.reference:flwo", "http://127.0.0.1/"]) == 2
    assert "has no 'flwo'; did you mean 'flow'?" in capsys.readouterr().err
