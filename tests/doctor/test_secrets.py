"""``yemot-ai doctor``: no key and no secret is in what it prints."""

from __future__ import annotations

import pytest

from tests.doctor.conftest import FLOW, WriteModule
from yemot_ai.cli.main import main

VALUE = "a-value-that-is-private-1234"


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "YEMOT_TOKEN", "LINE_SECRET", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY"]
)
@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["table", "json"])
def test_a_value_of_the_environment_that_the_module_raises_is_hidden(
    write_module: WriteModule,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    arguments: list[str],
) -> None:
    monkeypatch.setenv(name, VALUE)
    module = write_module(f"import os\nraise ValueError('refused: ' + os.environ[{name!r}])\n")
    assert main(["doctor", module, *arguments]) == 1
    printed = capsys.readouterr().out
    assert "ValueError: refused: …" in printed
    assert VALUE not in printed


def test_the_secret_of_the_flow_is_hidden_in_what_a_server_answers(
    write_module: WriteModule, capsys: pytest.CaptureFixture[str]
) -> None:
    module = write_module(
        f"{FLOW}flow.access = AccessPolicy(secret={VALUE!r})\n"
        f"flow.add_route('', lambda call: None)\nimport logging\n"
        f"logging.getLogger('yemot_ai').warning('the secret is {VALUE}')\n"
    )
    main(["doctor", module, "--url", f"http://127.0.0.1:1/{VALUE}\n"])
    printed = capsys.readouterr().out
    assert "the secret is …" in printed
    assert VALUE not in printed


def test_a_short_value_hides_no_words(
    write_module: WriteModule, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "flow")
    main(["doctor", write_module(FLOW)])
    assert ":flow is imported" in capsys.readouterr().out
