from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from yemot_ai_testing.cli.main import main

COMMAND = Path(sys.executable).with_name("yemot-ai-testing")


def stdin_of(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


def test_an_error_is_printed_with_its_position(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["lint", "go_to_folder=1&hangup=yes"]) == 1
    heading, problem, excerpt = capsys.readouterr().out.splitlines()
    assert heading == "go_to_folder=1&hangup=yes"
    assert problem.split()[:3] == ["error", "15", "unknown-action:"]
    assert excerpt.strip() == "go_to_folder=1&>>h<<angup=yes"


def test_a_valid_response_is_ok(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "go_to_folder=hangup"]) == 0
    assert capsys.readouterr().out == "go_to_folder=hangup\n  ok\n"


def test_one_invalid_response_of_several_fails() -> None:
    assert main(["lint", "go_to_folder=hangup", "hangup=yes"]) == 1


def test_warnings_fail_only_with_strict() -> None:
    assert main(["lint", "noop"]) == 0
    assert main(["lint", "--strict", "noop"]) == 1


def test_with_lenient_what_is_not_understood_in_optional_fields_is_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = "read=t-מה=x,no,1,1,7,No,no,no,,,,Ok,True,True"  # C6 [?]
    assert main(["lint", old]) == 1
    assert main(["lint", "--lenient", old]) == 0
    assert main(["lint", "--lenient", "hangup=yes"]) == 1
    assert "warning    38  lock-keyboard" not in capsys.readouterr().out


def test_standard_input_has_one_response_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of(b"go_to_folder=/1\r\n\nOK\n", monkeypatch)
    assert main(["lint", "-"]) == 0
    assert capsys.readouterr().out == "go_to_folder=/1\n  ok\nOK\n  ok\n"


def test_with_whole_standard_input_is_one_response_and_its_line_end_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of(b"go_to_folder=/1\n", monkeypatch)
    assert main(["lint", "--whole", "-"]) == 0
    assert "line-end" in capsys.readouterr().out


def test_an_empty_standard_input_is_an_empty_response(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of(b"\n", monkeypatch)
    assert main(["lint", "-"]) == 1
    assert "empty-answer" in capsys.readouterr().out


def test_bytes_that_are_not_utf8_are_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of("id_list_message=t-שלום&go_to_folder=/".encode("windows-1255"), monkeypatch)
    assert main(["lint", "-"]) == 1
    assert "answer in UTF-8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-answer"),
        ("   ", "empty-answer"),
        ('{"a": 1}', "not-plain-text"),
        ("<!doctype html><p>", "not-plain-text"),
        ("\ufeff<p>", "not-plain-text"),
        ("\udcff\x00", "character"),
    ],
)
def test_a_text_that_is_not_a_response_has_a_code(
    text: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lint", text]) == 1
    assert f"  {code}: " in capsys.readouterr().out


@pytest.mark.slow
def test_a_long_response_is_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "id_list_message=t-" + "א ב " * 250_000]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 200


def test_only_the_first_of_many_problems_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "&".join(["x=1"] * 1000)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "  … and 980 more; --json prints all"


def test_json_is_one_document_with_stable_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--json", "OK", "read=t-ב-3=x,yes,voice", "\udcff"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"answers", "errors", "warnings"}
    assert (document["errors"], document["warnings"]) == (2, 0)
    good, bad, _ = document["answers"]
    assert good == {"text": "OK", "source": "argument 1", "valid": True, "problems": []}
    assert bad["problems"][0].keys() == {"level", "code", "message", "position", "source"}


def test_a_call_without_input_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint"]) == 2
    assert "--log FILE" in capsys.readouterr().err


def on_a_terminal(*arguments: str) -> str:
    """Return what the command prints on a pseudo-terminal."""
    reader, terminal = pty.openpty()
    with subprocess.Popen([COMMAND, *arguments], stdout=terminal, env={**os.environ, "TERM": "xterm"}) as run:
        os.close(terminal)
        printed = b""
        while chunk := _read(reader):
            printed += chunk
        run.wait()
    os.close(reader)
    return printed.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # on Linux: the other end is closed
        return b""


@pytest.mark.slow
def test_a_terminal_gets_a_table() -> None:
    printed = on_a_terminal("lint", "id_list_message=t-ב[/]-3&go_to_folder=/", "OK")
    assert "┏━" in printed
    assert "text-character" in printed
    assert "ב[/]>>-<<3" in printed


def test_without_rich_a_terminal_gets_plain_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert main(["lint", "OK"]) == 0
    assert capsys.readouterr().out == "OK\n  ok\n"


@pytest.mark.slow
def test_a_terminal_without_hebrew_shows_it_escaped() -> None:
    done = subprocess.run(
        [COMMAND, "lint", "שלום=1"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 1
    assert done.stdout.startswith(rb"\u05e9")


@pytest.mark.slow
def test_a_log_can_be_standard_input() -> None:
    log = 'GET /yemot 200 "read=t-מה=x,no,voice"\nGET /yemot 200 "go_to_folder=/.."\n'
    command = [sys.executable, "-m", "yemot_ai_testing.cli.main", "lint", "--log", "-"]
    ran = subprocess.run(command, input=log.encode(), capture_output=True, check=False)

    assert ran.returncode == 1
    assert "standard input:2" in ran.stdout.decode()
    assert "2 answers in the log: 1 with errors" in ran.stdout.decode()


@pytest.mark.slow
def test_a_closed_pipe_is_not_an_error() -> None:
    command = f"{sys.executable} -m yemot_ai_testing.cli.main explain 'read=t-a=b,no,1' | true"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, check=False)

    assert ran.stderr == b""
