"""``yemot-ai doctor``: keys and Codex."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.doctor.conftest import WriteModule
from yemot_ai.cli.main import main
from yemot_ai.doctor import Finding, examine
from yemot_ai_testing import FakeCodex

KEY = "the-key-of-a-test-1234567890"

FLOW = """\
from yemot_ai import AIFlow, YemotAI
from yemot_ai.providers import *
flow = AIFlow(YemotAI({arguments}))
flow.ai_agent("", greeting="שלום")(lambda call, text: None)
"""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders of Codex: empty, without a login."""
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "login"))
    (tmp_path / "login").mkdir()
    return tmp_path / "login"


def models(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings if finding.check.startswith("model")}


def program(folder: Path, script: str) -> Path:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def test_no_key_is_printed(
    write_module: WriteModule, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    providers = "FallbackProvider([OpenAIProvider(), AnthropicProvider()])"
    module = write_module(FLOW.format(arguments=f"provider={providers}"))
    main(["doctor"])
    main(["doctor", module])
    printed = capsys.readouterr().out
    assert "OPENAI_API_KEY is set" in printed
    assert printed.count("there is a key") == 2
    assert all(KEY[start : start + 6] not in printed for start in range(len(KEY) - 6))


def test_a_missing_key_is_an_error_of_the_flow(
    write_module: WriteModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    module = write_module(FLOW.format(arguments="'openai'"))
    (finding,) = [each for each in examine(module) if each.check == "flow"]
    assert finding.message.startswith(f"{module}:flow cannot be imported: {module}.py:3: ")
    assert "OpenAI needs a key" in finding.message


def test_what_the_machine_lacks_is_no_error_without_a_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YEMOT_AI_CODEX", "no-such-codex")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    found = models(examine())
    assert found["model openai"].message == "OPENAI_API_KEY is not set"
    assert found["model codex"].level == "warning"
    assert found["model codex"].remedy == "only needed by YemotAI('codex')"
    assert [finding for finding in examine() if finding.level == "error"] == []


def test_a_codex_that_is_not_found_is_an_error_of_a_flow_that_asks_it(write_module: WriteModule) -> None:
    module = write_module(FLOW.format(arguments="provider=CodexCLIProvider('no-such-codex')"))
    finding = models(examine(module))["model codex"]
    assert finding.level == "error"
    assert "npm install -g @openai/codex" in finding.message


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["CodexCLIProvider", "CodexAppServerProvider"])
def test_the_real_codex_is_found_takes_the_settings_and_lacks_a_login(
    write_module: WriteModule, real_binary: Path, kind: str
) -> None:
    module = write_module(FLOW.format(arguments=f"provider={kind}({str(real_binary)!r})"))
    found = models(examine(module))
    assert found["model codex"].message.startswith("codex-cli ")
    assert found["model codex settings"] == Finding("model codex settings", "ok", "accepted")
    assert found["model codex login"] == Finding(
        "model codex login", "error", "not logged in", "run: codex login"
    )


@pytest.mark.slow
def test_the_real_codex_sees_a_login(write_module: WriteModule, real_binary: Path, own_home: Path) -> None:
    (own_home / "auth.json").write_text('{"OPENAI_API_KEY": "test"}')
    module = write_module(FLOW.format(arguments=f"provider=CodexCLIProvider({str(real_binary)!r})"))
    assert models(examine(module))["model codex login"].level == "ok"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_verbosity", "loud"),
        ("approval_policy", "foo"),
        ("sandbox_workspace_write.network_access", "maybe"),
    ],
)
def test_a_setting_that_the_real_codex_refuses_is_named(
    write_module: WriteModule, real_binary: Path, name: str, value: str
) -> None:
    arguments = f"provider=CodexCLIProvider({str(real_binary)!r}, config={{{name!r}: {value!r}}})"
    finding = models(examine(write_module(FLOW.format(arguments=arguments))))["model codex settings"]
    assert finding.level == "error"
    assert f"`{name}`" in finding.message
    assert "backtrace" not in finding.message


@pytest.mark.slow
def test_a_secret_among_the_settings_is_not_printed(write_module: WriteModule, real_binary: Path) -> None:
    config = {"model_providers.x.http_headers": KEY}
    arguments = f"provider=CodexCLIProvider({str(real_binary)!r}, config={config!r})"
    finding = models(examine(write_module(FLOW.format(arguments=arguments))))["model codex settings"]
    assert finding.level == "error"
    assert KEY not in finding.message


def test_a_fake_codex_that_has_no_login_status_is_no_error(
    write_module: WriteModule, fake_codex: FakeCodex
) -> None:
    found = models(examine(write_module(FLOW.format(arguments="'codex'"))))
    assert found["model codex"].level == "ok"
    assert {finding.level for finding in found.values()} == {"ok", "warning"}


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo ls 1.0", "is no Codex; --version prints 'ls 1.0'"),
        ("echo 'cannot start' >&2; exit 3", "does not run: cannot start"),
        ("exit 3", "does not run: exit code 3"),
        ("kill -9 $$", "does not run: exit code -9"),
    ],
)
def test_a_program_that_is_no_codex_is_an_error(
    write_module: WriteModule, tmp_path: Path, script: str, reason: str
) -> None:
    arguments = f"provider=CodexCLIProvider({str(program(tmp_path, script))!r})"
    finding = models(examine(write_module(FLOW.format(arguments=arguments))))["model codex"]
    assert finding.level == "error"
    assert reason in finding.message


def test_a_file_that_is_no_program_is_an_error(write_module: WriteModule, tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF of another machine")
    path.chmod(0o700)
    finding = models(
        examine(write_module(FLOW.format(arguments=f"provider=CodexCLIProvider({str(path)!r})")))
    )["model codex"]
    assert finding.level == "error"
    assert "Exec format error" in finding.message


def test_the_check_leaves_no_conversation(write_module: WriteModule, tmp_path: Path) -> None:
    path = program(tmp_path, "echo codex-cli 1.0")
    examine(write_module(FLOW.format(arguments=f"provider=CodexCLIProvider({str(path)!r})")))
    state = tmp_path / "state" / "codex"
    assert [*(state / "work").iterdir(), *(state / "databases").iterdir()] == []


def test_a_provider_of_the_project_is_named(write_module: WriteModule) -> None:
    module = write_module(
        "from yemot_ai_testing import ScriptedProvider\n"
        + FLOW.format(arguments="provider=ScriptedProvider()")
    )
    assert models(examine(module))["model scripted"].level == "ok"


def test_python_is_named_with_its_place() -> None:
    (finding,) = [finding for finding in examine() if finding.check == "python"]
    assert sys.executable in finding.message
