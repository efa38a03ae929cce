from __future__ import annotations

import json

import pytest

from yemot_ai_testing.cli.main import main


def explained(text: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    main(["explain", text])
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_each_part_is_explained_by_its_position(capsys: pytest.CaptureFixture[str]) -> None:
    printed = explained("read=t-שלום.n-5=size,no,1,,,,,,,123", capsys)
    assert printed[1:5] == [
        "read: take a value by keys",
        "message 1, text, spoken: שלום",
        "message 2, a number: 5",
        "field 1, name of the value: size",
    ]
    assert "field 10, allowed keys: 1, 2, 3" in printed


def test_defaults_are_marked_where_fields_are_empty_or_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    printed = explained("read=t-מה=x,no,2,,5", capsys)
    assert "field 3, the most digits: 2" in printed
    assert "field 4, the fewest digits: 1 (default)" in printed
    assert "field 15, the caller approves what was typed: yes (default)" in printed


def test_problems_are_printed_below_their_part(capsys: pytest.CaptureFixture[str]) -> None:
    printed = explained("read=t-א-ב=x,maybe", capsys)
    after = {line: printed[index + 1] for index, line in enumerate(printed[:-1])}
    assert after["message 1, text, spoken: t-א-ב  (cannot be read)"].startswith(
        "! error text-character at 8:"
    )
    reuse = "field 2, uses a value that the call has already: maybe  (cannot be read)"
    assert after[reuse].startswith("! error choice at 13:")


def test_problems_without_a_part_are_printed_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained("<html>", capsys)[1].startswith("! error not-plain-text at 0:")


def test_a_response_without_logging_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert "api_log_no: the line does not log this exchange" in explained("api_log_no&noop=x", capsys)


def test_the_exit_code_says_whether_all_responses_are_valid() -> None:
    assert main(["explain", "OK", "noop"]) == 0
    assert main(["explain", "OK", "hangup=yes"]) == 1


def test_json_has_the_same_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--json", "read=t-א=x,yes,voice"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert answer.keys() == {"text", "valid", "log", "actions", "problems"}
    (action,) = answer["actions"]
    message, name, reuse, *_ = action["parts"]
    keys = {"kind", "number", "name", "title", "text", "position", "value", "default", "problems", "parts"}
    assert action.keys() == keys
    assert (message["name"], message["value"], name["name"], name["value"]) == ("t", "א", "name", "x")
    assert reuse["problems"][0]["code"] == "reuse"


def test_a_text_is_needed() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["explain"])
