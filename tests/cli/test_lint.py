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


def test_what_the_line_would_not_understand_is_told_with_its_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["lint", "go_to_folder=1&hangup=yes"]) == 1
    heading, problem, place = capsys.readouterr().out.splitlines()
    assert heading == "go_to_folder=1&hangup=yes"
    assert problem.split()[:3] == ["error", "15", "unknown-action:"]
    assert place.strip() == "go_to_folder=1&>>h<<angup=yes"


def test_a_good_answer_is_ok(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "go_to_folder=hangup"]) == 0
    assert capsys.readouterr().out == "go_to_folder=hangup\n  ok\n"


def test_one_bad_answer_of_several_is_enough_to_fail() -> None:
    assert main(["lint", "go_to_folder=hangup", "hangup=yes"]) == 1


def test_warnings_fail_only_where_they_shall() -> None:
    assert main(["lint", "noop"]) == 0
    assert main(["lint", "--strict", "noop"]) == 1


def test_standard_input_holds_one_answer_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of(b"go_to_folder=/1\r\n\nOK\n", monkeypatch)
    assert main(["lint", "-"]) == 0
    assert capsys.readouterr().out == "go_to_folder=/1\n  ok\nOK\n  ok\n"


def test_standard_input_can_be_one_whole_answer_whose_line_end_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of(b"go_to_folder=/1\n", monkeypatch)
    assert main(["lint", "--whole", "-"]) == 1
    assert "line-end" in capsys.readouterr().out


def test_nothing_on_standard_input_is_an_empty_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of(b"\n", monkeypatch)
    assert main(["lint", "-"]) == 1
    assert "empty-answer" in capsys.readouterr().out


def test_bytes_that_are_no_utf8_are_an_error_of_the_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin_of("id_list_message=t-שלום&go_to_folder=/".encode("windows-1255"), monkeypatch)
    assert main(["lint", "-"]) == 1
    assert "text-character" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty-answer"),
        ("   ", "empty-answer"),
        ('{"a": 1}', "not-plain-text"),
        ("<!doctype html><p>", "not-plain-text"),
        ("\ufeffgo_to_folder=1", "not-plain-text"),
        ("\udcff\x00", "character"),
    ],
)
def test_junk_is_told_for_what_it_is(text: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", text]) == 1
    assert f"  {code}: " in capsys.readouterr().out


def test_a_long_answer_is_shown_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "id_list_message=t-" + "א ב " * 250_000]) == 1
    assert max(map(len, capsys.readouterr().out.splitlines())) < 200


def test_of_very_many_problems_the_first_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "&".join(["x=1"] * 1000)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "  … and 980 more; --json tells them all"


def test_json_is_one_document_with_stable_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--json", "OK", "read=t-ב-3=x,yes,voice", "\udcff"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"answers", "errors", "warnings"}
    assert (document["errors"], document["warnings"]) == (2, 0)
    good, bad, _ = document["answers"]
    assert good == {"text": "OK", "source": "argument 1", "valid": True, "problems": []}
    assert bad["problems"][0].keys() == {"level", "code", "message", "position", "source"}


def test_nothing_to_read_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint"]) == 2
    assert "--log FILE" in capsys.readouterr().err


def on_a_terminal(*arguments: str) -> str:
    """What the command prints on a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([COMMAND, *arguments], stdout=theirs, env={**os.environ, "TERM": "xterm"}) as run:
        os.close(theirs)
        printed = b""
        while chunk := _read(ours):
            printed += chunk
        run.wait()
    os.close(ours)
    return printed.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux tells that nobody is left on the other side
        return b""


def test_on_a_terminal_the_problems_are_a_table() -> None:
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


def test_a_terminal_without_hebrew_shows_it_escaped() -> None:
    done = subprocess.run(
        [COMMAND, "lint", "שלום=1"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 1
    assert done.stdout.startswith(rb"\u05e9")


def test_a_log_can_come_by_standard_input() -> None:
    log = 'GET /yemot 200 "read=t-מה=x,no,voice"\nGET /yemot 200 "go_to_folder=/.."\n'
    command = [sys.executable, "-m", "yemot_ai_testing.cli.main", "lint", "--log", "-"]
    ran = subprocess.run(command, input=log.encode(), capture_output=True, check=False)

    assert ran.returncode == 1
    assert "standard input:2" in ran.stdout.decode()
    assert "2 answers in the log: 1 with errors" in ran.stdout.decode()


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m yemot_ai_testing.cli.main explain 'read=t-a=b,no,1' | true"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, check=False)

    assert ran.stderr == b""
