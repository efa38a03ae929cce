from __future__ import annotations

import importlib.util

import pytest

from yemot_ai import cli, reference


def secret_of(printed: str) -> str:
    (line,) = [line for line in printed.splitlines() if line.startswith("api_add_0=secret=")]
    return line.removeprefix("api_add_0=secret=")


def test_a_secret_is_printed_as_a_constant_of_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ext-ini", "https://example.org/yemot", "--secret", "only-the-line-knows"]) == 0

    assert secret_of(capsys.readouterr().out) == "only-the-line-knows"


def test_without_a_value_a_new_one_is_made_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    made = set()
    for _ in range(3):
        assert cli.main(["ext-ini", "https://example.org/yemot", "--secret"]) == 0
        made.add(secret_of(capsys.readouterr().out))

    assert len(made) == 3
    assert all(len(secret) >= 32 for secret in made)


@pytest.mark.parametrize(
    "secret", ["short", "with a space", "a&b=c-too-odd", "סוד שרק הקו יודע", "new\nline-too"]
)
def test_what_may_not_travel_as_it_is_is_refused_and_not_repeated(
    capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    assert cli.main(["ext-ini", "https://example.org/yemot", f"--secret={secret}"]) == 2
    assert secret not in capsys.readouterr().err


def test_the_reference_agent_asks_for_the_secret_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YEMOT_AI_SECRET", "only-the-line-knows")
    assert reference.__spec__ is not None
    again = importlib.util.module_from_spec(reference.__spec__)
    assert reference.__spec__.loader is not None
    reference.__spec__.loader.exec_module(again)
    line = {"ApiCallId": "c1", "ApiExtension": ""}

    assert again.flow.handle_request(line).endswith("go_to_folder=hangup")
    assert "menu" in again.flow.handle_request({**line, "secret": "only-the-line-knows"})
