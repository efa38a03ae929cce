"""Attacks on a Codex process: who reads its arguments, whom it talks to, what it leaves running."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.asking import ask_provider
from tests.support.codex import run_async
from tests.support.not_run import not_run
from tests.support.raw_responses import RawResponses, whole
from tests.support.waiting import until
from yemot_ai.errors import ProviderError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.codex.descendants import MARK, begins_program, kill_marked, marked
from yemot_ai.providers.codex.home.settings_file import nested_settings, toml_text
from yemot_ai_testing import FakeCodex
from yemot_ai_testing.executable import write_executable
from yemot_ai_testing.isolation.proxy import refusing_proxy

PROVIDERS = [CodexCLIProvider, CodexAppServerProvider]
SECRET = "only-the-service-knows"  # noqa: S105 - it is none

SETTINGS = {
    "http_headers": f'{{ "X-Key" = "{SECRET}" }}',
    "http_headers.X-Key": f'"{SECRET}"',
    "experimental_bearer_token": f'"{SECRET}"',
    "query_params": f'{{ key = "{SECRET}" }}',
    "base_url": f'"http://user:{SECRET}@127.0.0.1:9/v1"',
    "name": SECRET,
}
OTHER_SETTINGS = {
    "mcp_servers.shop.env": f'{{ KEY = "{SECRET}" }}',
    "mcp_servers": f'{{ shop = {{ command = "shop", args = ["{SECRET}"] }} }}',
    "otel.exporter": f'{{ otlp-http = {{ endpoint = "x", headers = {{ k = "{SECRET}" }} }} }}',
    "otel": f'{{ exporter = {{ otlp-http = {{ headers = {{ k = "{SECRET}" }} }} }} }}',
    "developer_instructions": f"say {SECRET}",
    "an_unknown.setting": SECRET,
}


async def turns(provider: Any, number: int = 1) -> None:  # noqa: ANN401 - any provider
    try:
        for _ in range(number):
            await ask_provider(provider, "שלום")
    finally:
        if isinstance(provider, CodexAppServerProvider):
            await provider.aclose()


def recording_codex(folder: Path, executable: Path) -> tuple[Path, Path]:
    """Return a program that writes down its arguments and runs Codex, and its notes."""
    program, notes = folder / "codex", folder / "arguments"
    command = f'printf "%s\\n" "$@" >> {shlex.quote(str(notes))}\nexec {shlex.quote(str(executable))} "$@"'
    write_executable(program, f"#!/bin/sh\n{command}\n")
    return program, notes


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("name", "value"),
    [*((f"model_providers.own.{name}", value) for name, value in SETTINGS.items()), *OTHER_SETTINGS.items()],
)
def test_no_text_of_a_setting_is_an_argument(
    provider: Any,  # noqa: ANN401 - a class of providers
    name: str,
    value: str,
    fake_codex: FakeCodex,
    tmp_path: Path,
) -> None:
    program, notes = recording_codex(tmp_path, fake_codex.executable)
    fake_codex.answers("כן")
    run_async(turns(provider(program, config={name: value, "model_verbosity": '"low"'})))

    arguments = notes.read_text()
    assert 'model_verbosity="low"' in arguments
    assert SECRET not in arguments


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", sorted(SETTINGS.keys() - {"name"}))
def test_no_error_quotes_a_secret_setting(
    provider: Any,  # noqa: ANN401 - a class of providers
    name: str,
    fake_codex: FakeCodex,
) -> None:
    fake_codex.crashes(exit=3, stderr=f"cannot send to http://user:{SECRET}@127.0.0.1")
    with pytest.raises(ProviderError) as caught:
        run_async(turns(provider(config={f"model_providers.own.{name}": SETTINGS[name]})))

    assert f"user:{SECRET}" not in f"{caught.value} {caught.value.stderr_tail}"


def test_the_file_with_the_settings_is_closed_to_other_users(fake_codex: FakeCodex, tmp_path: Path) -> None:
    home = tmp_path / "users"
    home.mkdir()
    for number in range(2):
        fake_codex.answers("כן")
        run_async(turns(CodexCLIProvider(codex_home=home, config={"model_providers.own.name": SECRET})))
        (file,) = home.glob("yemot-ai-*.config.toml")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, number
        assert tomllib.loads(file.read_text()) == {"model_providers": {"own": {"name": SECRET}}}
        # Restored from a backup, or changed by somebody.
        file.write_text("notify = ['/bin/true']")
        file.chmod(0o666)


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_real_codex_obeys_settings_that_are_no_arguments(
    provider: Any,  # noqa: ANN401 - a class of providers
    real_binary: Path,
    tmp_path: Path,
) -> None:
    program, notes = recording_codex(tmp_path, real_binary)
    with HeadersOfResponses(whole("שלום")) as service:
        options = service.codex_options()
        options["config"]["model_providers.raw.http_headers"] = SETTINGS["http_headers"]
        run_async(turns(provider(program, timeout=20.0, codex_home=None, **options)))

    assert any(SECRET in head for head in service.heads)
    assert SECRET not in notes.read_text()


class HeadersOfResponses(RawResponses):
    """A model service that keeps the heads of its requests."""

    heads: list[str]

    def response_to(self, head: bytes, request: bytes) -> tuple[bytes, bytes]:
        self.heads = [*getattr(self, "heads", []), head.decode()]
        return super().response_to(head, request)


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_codex_talks_to_the_model_only(provider: Any, real_binary: Path) -> None:  # noqa: ANN401 - a class
    hosts: list[str] = []
    with RawResponses(whole("שלום")) as service, refusing_proxy(hosts.append) as url:
        options = service.codex_options()
        options["env"] |= dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), url)
        run_async(turns(provider(real_binary, timeout=20.0, **options), 2))

    assert hosts == []


FOREIGN = {
    "config.toml": "notify = ['{notify}']",
    "AGENTS.md": SECRET,
    "AGENTS.override.md": SECRET,
    "yemot-ai-0.config.toml": "notify = ['{notify}']\ndeveloper_instructions = '" + SECRET + "'",
    "prompts/x.md": SECRET,
    "skills/x/SKILL.md": f"---\nname: x\ndescription: {SECRET}\n---\n{SECRET}",
    "rules/x.rules": SECRET,
    "hooks.json": '{{"hooks": {{"Stop": [{{"hooks": [{{"type": "command", "command": "{notify}"}}]}}]}}}}',
    "managed_config.toml": "developer_instructions = '" + SECRET + "'",
}


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_real_codex_obeys_no_file_of_its_private_home(
    provider: Any,  # noqa: ANN401 - a class of providers
    real_binary: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    notified, notify = tmp_path / "notified", tmp_path / "notify"
    write_executable(notify, f"#!/bin/sh\ntouch {notified}\n")
    for name, content in FOREIGN.items():
        file = tmp_path / "codex" / "home" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content.replace("{notify}", str(notify)).replace("{{", "{").replace("}}", "}"))

    with RawResponses(whole("שלום")) as service:
        run_async(turns(provider(real_binary, timeout=20.0, **service.codex_options())))

    assert SECRET not in str(service.sent)
    assert not notified.exists()


ESCAPES = """\
#!{python}
import os, subprocess, sys, time
{escape}
print('{{"type": "thread.started", "thread_id": "t"}}', flush=True)
{then}
"""
DAEMON = """
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(3):
        os.close(number)
    os.execvp("sleep", ["sleep", "300"])
os.wait()
"""
SESSION = """
subprocess.Popen(["sleep", "300"], start_new_session=True, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""


@pytest.mark.parametrize("escape", [DAEMON, SESSION], ids=["daemon", "session"])
@pytest.mark.parametrize("then", ["sys.exit(1)", "time.sleep(300)"], ids=["ends", "hangs"])
def test_what_codex_starts_in_another_session_ends_with_the_turn(
    escape: str, then: str, tmp_path: Path
) -> None:
    if sys.platform != "linux":
        unknown = OSError("only Linux shows the environment of a process")
        not_run("the test of processes that leave the group", unknown, installable=False)
    program = tmp_path / "codex"
    write_executable(program, ESCAPES.format(python=sys.executable, escape=escape, then=then))

    with pytest.raises(ProviderError):
        run_async(
            turns(CodexCLIProvider(program, timeout=3.0, codex_home=tmp_path, env={"TEST": str(tmp_path)}))
        )

    until(lambda: not any(is_of(str(tmp_path), process) for process in psutil.process_iter()), within=20)


def test_a_program_that_just_begins_ends_too() -> None:
    if sys.platform != "linux":
        unknown = OSError("only Linux shows the environment of a process")
        not_run("the test of processes that leave the group", unknown, installable=False)
    for _ in range(100):
        env = marked(os.environ)
        with subprocess.Popen(["sleep", "300"], env=env, start_new_session=True) as program:
            try:
                if not Path(f"/proc/{program.pid}/environ").read_bytes():  # within ``execve``
                    assert begins_program(program.pid)
                kill_marked(env[MARK])
                assert program.wait(10) == -signal.SIGKILL
            finally:
                program.kill()


def test_a_process_without_an_environment_is_not_waited_for() -> None:
    if sys.platform != "linux":
        unknown = OSError("only Linux shows the environment of a process")
        not_run("the test of processes that leave the group", unknown, installable=False)
    with subprocess.Popen(["/bin/sleep", "300"], env={}) as bare:
        until(lambda: Path(f"/proc/{bare.pid}/cmdline").read_bytes())
        assert not begins_program(bare.pid)
        bare.kill()
        until(lambda: psutil.Process(bare.pid).status() == psutil.STATUS_ZOMBIE)
        assert not begins_program(bare.pid)


def is_of(test: str, process: psutil.Process) -> bool:
    try:
        return process.environ().get("TEST") == test
    except psutil.Error:
        return False


tables = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.recursive(
        st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(tables)
def test_every_setting_survives_its_file(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(table)) == table


def test_settings_of_one_table_are_merged() -> None:
    settings = {"a.b": "{ c = 1 }", "a.b.d": 2, "a": "{ e = 'x' }", "f": "1\ng = 2", "a.b.c": "3"}

    assert nested_settings(settings) == {"a": {"b": {"c": 3, "d": 2}, "e": "x"}, "f": "1\ng = 2"}
