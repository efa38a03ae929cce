from __future__ import annotations

import importlib.util

import pytest

from yemot_ai import reference
from yemot_ai.cli.main import main


def secret_of(printed: str) -> str:
    (line,) = [line for line in printed.splitlines() if line.startswith("api_add_0=secret=")]
    return line.removeprefix("api_add_0=secret=")


def test_a_secret_is_printed_as_a_constant_of_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ext-ini", "https://example.org/yemot", "--secret", "only-the-line-knows"]) == 0

    assert secret_of(capsys.readouterr().out) == "only-the-line-knows"


def test_without_a_value_a_new_secret_is_generated(capsys: pytest.CaptureFixture[str]) -> None:
    secrets = set()
    for _ in range(3):
        assert main(["ext-ini", "https://example.org/yemot", "--secret"]) == 0
        secrets.add(secret_of(capsys.readouterr().out))

    assert len(secrets) == 3
    assert all(len(secret) >= 32 for secret in secrets)


@pytest.mark.parametrize(
    "secret", ["short", "with a space", "a&b=c-too-odd", "סוד שרק הקו יודע", "new\nline-too"]
)
def test_an_unsafe_secret_is_an_error_that_does_not_repeat_it(
    capsys: pytest.CaptureFixture[str], secret: str
) -> None:
    assert main(["ext-ini", "https://example.org/yemot", f"--secret={secret}"]) == 2
    assert secret not in capsys.readouterr().err


def test_the_reference_agent_requires_the_secret_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YEMOT_AI_SECRET", "only-the-line-knows")
    assert reference.__spec__ is not None
    module = importlib.util.module_from_spec(reference.__spec__)
    assert reference.__spec__.loader is not None
    reference.__spec__.loader.exec_module(module)
    line = {"ApiCallId": "c1", "ApiExtension": ""}

    assert module.flow.handle_request(line).endswith("go_to_folder=hangup")
    assert "menu" in module.flow.handle_request({**line, "secret": "only-the-line-knows"})
