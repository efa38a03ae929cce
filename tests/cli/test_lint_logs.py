from __future__ import annotations

import json
from pathlib import Path

import pytest

from yemot_ai_testing.cli.main import main
from yemot_ai_testing.from_log.log_parsing import responses_in


@pytest.mark.parametrize(
    ("line", "responses"),
    [
        (
            "Folder#1%ApiSend#https://x/y?ApiCallId^a*ApiDID^077%ApiAnswer#read=t-מה=x^no^1^^7%Time#1",
            ["read=t-מה=x,no,1,,7"],
        ),
        ("ApiAnswer#read=t-מה=x^no^^^^^^^*/*", ["read=t-מה=x,no,,,,,,,*/&"]),
        ("ApiAnswer#read=t-מה=x^no^*^1", ["read=t-מה=x,no,*,1"]),
        (
            "ApiAnswer#api_log_no*id_list_message=t-100% כן*go_to_folder=/1*",
            ["api_log_no&id_list_message=t-100% כן&go_to_folder=/1&"],
        ),
        ("ApiSend#https://x/y?ApiCallId^a*hangup^yes%ApiAnswer#bye", []),
        ("ApiSend#https://x/y?ApiCallId^a%ApiAnswer#", [""]),
        (
            "12:00 -> id_list_message=t-שלום, לך&go_to_folder=/1  ",
            ["id_list_message=t-שלום, לך&go_to_folder=/1"],
        ),
        ('12:00 sent "read=t-מה שלומכם=x,no,voice" in 4 ms', ["read=t-מה שלומכם=x,no,voice"]),
        ("\x1b[32mgo_to_folder=hangup\x1b[0m", ["go_to_folder=hangup"]),
        ("a='go_to_folder=/1', b='noop=x'", ["go_to_folder=/1", "noop=x"]),
        ('a="go_to_folder=/1', ["go_to_folder=/1"]),
        ('{"answer": ["go_to_folder=1\\n", {"x": "noop=\\u05d0"}, 5]}', ["go_to_folder=1\n", "noop=א"]),
        ('INFO {"message": "answered go_to_folder=1"}', []),
        ('INFO {"go_to_folder=1"}', ["go_to_folder=1"]),
        ("GET /ivr?read=t-1&go_to_folder=2 HTTP/1.1", []),
        ("bytes_read=12 read=5ms", []),
        ("", []),
    ],
)
def test_responses_are_found_in_the_lines_of_logs(line: str, responses: list[str]) -> None:
    assert list(responses_in(line)) == responses


def test_problems_in_a_log_have_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "server.log"
    log.write_text("start\n-> go_to_folder=/1\n-> id_list_message=t-א-ב\n-> noop\n", encoding="utf-8")
    assert main(["lint", "--log", str(log)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == [f"{log}:3:", "id_list_message=t-א-ב"]
    assert printed[-1] == "2 answers in the log: 1 with errors, 0 with warnings only"


def test_json_has_all_responses_of_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(b"-> go_to_folder=/1\n\xff -> go_to_folder=\xff\n")
    assert main(["lint", "--json", "--log", str(log)]) == 1
    first, second = json.loads(capsys.readouterr().out)["answers"]
    assert (first["text"], first["source"], second["source"]) == ("go_to_folder=/1", f"{log}:1", f"{log}:2")


def test_a_log_without_responses_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.log").write_bytes(b"\x00\xff\n")
    assert main(["lint", "--log", str(tmp_path / "empty.log")]) == 0
    assert "no answers found" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing.log", "."])
def test_an_unreadable_log_is_an_error(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--log", str(tmp_path / name)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"cannot read {tmp_path / name}: " in printed.err
