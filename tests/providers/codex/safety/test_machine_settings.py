"""The settings in ``/etc/codex`` and in the private home reach no caller.

The real Codex runs in a mount namespace that has its own ``/etc``.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.asking import ask_provider
from tests.support.codex import run_async
from tests.support.not_run import not_run
from tests.support.raw_responses import RawResponses, whole
from yemot_ai.errors import ProviderError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.codex import system_settings
from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from typing import Any

    from yemot_ai.providers.provider import Reply

PROVIDERS = [CodexCLIProvider, CodexAppServerProvider]
ORDERS_SERVER = Path(__file__).with_name("orders_server.py")
NAMESPACE = ("unshare", "--mount", "--map-root-user")
MCP_SERVER = """\
import json, pathlib, sys
pathlib.Path({log!r}).touch()
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    protocol = message.get("params", {{}}).get("protocolVersion")
    result = {{
        "initialize": {{
            "protocolVersion": protocol,
            "capabilities": {{"tools": {{}}}},
            "serverInfo": {{"name": "spy", "version": "1"}},
        }},
        "tools/list": {{"tools": [{{"name": "peek", "inputSchema": {{"type": "object"}}}}]}},
    }}.get(message["method"], {{}})
    print(json.dumps({{"jsonrpc": "2.0", "id": message["id"], "result": result}}), flush=True)
"""


class Machine:
    """A machine with its own ``/etc/codex``.

    Attributes:
        etc: its ``/etc/codex``.
        codex: an executable that starts the real Codex on this machine.
        spy: an MCP server that creates the file ``started``.
        notify: a program that creates the file ``notified``.
        started: the file.
        notified: the file.
    """

    def __init__(self, folder: Path, binary: Path) -> None:
        self.etc = folder / "etc" / "codex"
        self.etc.mkdir(parents=True)
        self.started, self.notified = folder / "started", folder / "notified"
        self.codex, self.spy, self.notify = (folder / name for name in ("codex", "spy", "notify"))
        mount = f'mount --bind {shlex.quote(str(self.etc.parent))} /etc && exec {binary} "$@"'
        write_executable(
            self.codex, f'#!/bin/sh\nexec {shlex.join(NAMESPACE)} sh -c {shlex.quote(mount)} sh "$@"\n'
        )
        write_executable(self.spy, f"#!{sys.executable} -IS\n{MCP_SERVER.format(log=str(self.started))}")
        write_executable(self.notify, f"#!/bin/sh\ntouch {self.notified}\n")

    @property
    def settings(self) -> str:
        """Settings that would reach callers."""
        server = f"command = {json.dumps(str(self.spy))}"
        return (
            'developer_instructions = "the settings of the machine"\n'
            f"notify = [{json.dumps(str(self.notify))}]\n"
            f'[mcp_servers.spy]\n{server}\n[mcp_servers."a. name"]\n{server}\n'
        )


@pytest.fixture
def machine(tmp_path: Path, real_binary: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    if subprocess.run([*NAMESPACE, "true"], check=False, capture_output=True).returncode:
        refused = OSError("this machine allows no mount namespaces (unshare --mount)")
        not_run("the tests of the machine's settings of Codex", refused, installable=False)
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))
    machine = Machine(tmp_path, real_binary)
    monkeypatch.setattr(system_settings, "_FOLDER", machine.etc)
    return machine


def ask(
    machine: Machine,
    provider: type,
    *,
    config: dict[str, str] | None = None,
    **options: Any,  # noqa: ANN401 - options of the provider
) -> dict[str, Any]:
    """Return the first request to the model."""

    async def turn() -> Reply:
        asked = provider(machine.codex, timeout=20.0, **(served | options))
        try:
            return await ask_provider(asked, "שלום", instructions="ענה בקצרה")
        finally:
            if isinstance(asked, CodexAppServerProvider):
                await asked.aclose()

    with RawResponses(whole("שלום")) as service:
        served = service.codex_options()
        served["config"] |= config or {}
        assert run_async(turn()).text == "שלום"
    (request,) = service.sent
    return request


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_settings_of_the_machine_reach_no_caller(machine: Machine, provider: type) -> None:
    features = "memories = true\ncode_mode = {enabled = true}\n[features.multi_agent_v2]\nenabled = true\n"
    (machine.etc / "config.toml").write_text(f"{machine.settings}[features]\n{features}")
    request = ask(machine, provider)

    assert request.get("tools", []) == []
    assert "the settings of the machine" not in json.dumps(request)
    assert not machine.started.exists()
    assert not machine.notified.exists()


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_servers_of_the_provider_are_offered_without_those_of_the_machine(
    machine: Machine, provider: type, tmp_path: Path
) -> None:
    (machine.etc / "config.toml").write_text(machine.settings)
    variables = {"ORDERS_LOG": str(tmp_path / "log")}
    server = {"command": sys.executable, "args": [str(ORDERS_SERVER)], "env": variables}
    request = ask(machine, provider, mcp_servers={"orders": server})

    tools = json.dumps(request["tools"])
    assert "mcp__orders" in tools
    assert "spy" not in tools
    assert not machine.started.exists()


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_settings_in_the_private_home_reach_no_caller(
    machine: Machine, tmp_path: Path, provider: type
) -> None:
    home = tmp_path / "own" / "codex" / "home"
    (home / "memories").mkdir(parents=True)
    (home / "config.toml").write_text(f"{machine.settings}[features]\nmemories = true\ncode_mode = true\n")
    (home / "AGENTS.md").write_text("the settings of the machine")
    (home / "memories" / "memory_summary.md").write_text("the settings of the machine")
    (home / ".env").write_text("HTTP_PROXY=http://127.0.0.1:9\nNO_PROXY=\n")
    request = ask(machine, provider)

    assert request.get("tools", []) == []
    assert "the settings of the machine" not in json.dumps(request)
    assert not machine.started.exists()
    assert not machine.notified.exists()


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_enforced_server_that_is_not_enforced_to_run_reaches_no_caller(
    machine: Machine, provider: type
) -> None:
    server = f"[mcp_servers.spy]\ncommand = {json.dumps(str(machine.spy))}\n"
    (machine.etc / "managed_config.toml").write_text(server)

    assert ask(machine, provider).get("tools", []) == []
    assert not machine.started.exists()


@pytest.mark.slow
def test_the_effort_of_the_machine_holds_unless_the_provider_sets_one(machine: Machine) -> None:
    (machine.etc / "config.toml").write_text('model_reasoning_effort = "high"\n')
    assert ask(machine, CodexAppServerProvider)["reasoning"]["effort"] == "high"

    low = {"model_reasoning_effort": '"low"'}
    assert ask(machine, CodexAppServerProvider, config=low)["reasoning"]["effort"] == "low"


@pytest.mark.slow
def test_in_a_home_of_the_user_the_settings_of_the_machine_hold(machine: Machine, tmp_path: Path) -> None:
    (machine.etc / "config.toml").write_text(machine.settings)
    request = ask(machine, CodexCLIProvider, codex_home=tmp_path / "mine")

    assert "the settings of the machine" in json.dumps(request)


ENFORCED = {
    "managed_config.toml": {
        'developer_instructions = "x"': "developer_instructions",
        'notify = ["x"]': "notify",
        'model_instructions_file = "x"': "model_instructions_file",
        'web_search = "live"': "web_search",
        "[features]\nshell_tool = true": "features.shell_tool",
        "[features]\nmemories = true": "features.memories",
        "[features.multi_agent_v2]\nenabled = true": "features.multi_agent_v2",
        '[mcp_servers.spy]\ncommand = "x"\nenabled = true': "mcp_servers.spy",
        "[skills]\ninclude_instructions = true": "skills.include_instructions",
        "project_doc_max_bytes = 10": "project_doc_max_bytes",
    },
    "requirements.toml": {
        "[features]\nunified_exec = true\nhooks = true": "features.hooks, features.unified_exec",
    },
}


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    "enforced", [(file, *case) for file, cases in ENFORCED.items() for case in cases.items()]
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_line_is_refused_where_an_enforced_setting_would_reach_callers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, provider: type, enforced: tuple[str, str, str]
) -> None:
    file, text, names = enforced
    monkeypatch.setattr(system_settings, "_FOLDER", tmp_path)
    (tmp_path / file).write_text(text)

    with pytest.raises(ProviderError, match="cannot be overridden") as caught:
        provider().check()
    assert str(caught.value).startswith(f"{tmp_path / file} enforces {names}, ")
    assert not caught.value.transient
    with pytest.raises(ProviderError, match="cannot be overridden"):
        run_async(ask_provider(provider(), "שלום"))


@pytest.mark.parametrize(
    "text",
    [
        'model = "gpt-5.5"\nweb_search = "disabled"\nproject_root_markers = []',
        "[features]\nshell_tool = false\nfast_mode = true\ncode_mode = {enabled = false}",
        'allowed_sandbox_modes = ["read-only"]\n[mcp_servers.spy.identity]\ncommand = "x"',
    ],
)
@pytest.mark.parametrize("file", ENFORCED)
@pytest.mark.usefixtures("fake")
def test_other_enforced_settings_are_the_machines_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, text: str
) -> None:
    monkeypatch.setattr(system_settings, "_FOLDER", tmp_path)
    (tmp_path / file).write_text(text)

    assert CodexCLIProvider().check().name == "codex"


@pytest.mark.usefixtures("fake")
def test_a_file_that_is_not_toml_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(system_settings, "_FOLDER", tmp_path)
    (tmp_path / "requirements.toml").write_text("[")

    with pytest.raises(ProviderError, match=r"requirements\.toml is not TOML"):
        CodexCLIProvider().check()


def test_codex_is_asked_for_its_servers_once_and_only_where_the_machine_has_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log, etc = tmp_path / "log", tmp_path / "etc"
    program = tmp_path / "codex"
    write_executable(program, f'#!/bin/sh\necho "$@" >> {log}\necho \'[{{"name": "from the cloud"}}]\'\n')
    monkeypatch.setattr(system_settings, "_FOLDER", etc)

    def overrides() -> object:
        return run_async(system_settings.machine_overrides(str(program), env={}, cwd=tmp_path)).get(
            "mcp_servers"
        )

    assert overrides() is None
    assert not log.exists()
    etc.mkdir()
    (etc / "config.toml").write_text("[mcp_servers.spy]\n")
    expected = '{"from the cloud" = {enabled = false}, "spy" = {enabled = false}}'
    assert [overrides(), overrides()] == [expected] * 2
    assert log.read_text().splitlines() == ["mcp list --json"]
    (etc / "config.toml").write_text("[mcp_servers.other]\n")
    overrides()
    assert len(log.read_text().splitlines()) == 2
