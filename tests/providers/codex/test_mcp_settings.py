"""What ``mcp_servers=`` of the Codex providers takes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.codex import run_async
from yemot_ai.errors import ConfigurationError, ProviderError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.codex import system_settings
from yemot_ai.providers.codex.mcp_servers import mcp_settings

WHOLE: dict[str, Any] = {
    "command": "python",
    "args": ("-m", 'orders "new"', "\\", "א"),
    "env": {"ORDERS_WORD": "line\nbreak"},
    "cwd": "/srv/orders",
    "enabled_tools": ["status"],
    "startup_timeout_sec": 2,
    "tool_timeout_sec": 7.5,
}


def parsed(servers: Any) -> Any:  # noqa: ANN401 - what a user may give; the settings
    (setting,) = mcp_settings(servers).values()
    return tomllib.loads(f"server = {setting}")["server"]


def test_a_server_reaches_codex_as_it_was_given() -> None:
    server = parsed({"orders": WHOLE})

    assert {name: server[name] for name in WHOLE} == {**WHOLE, "args": list(WHOLE["args"])}


def test_the_tools_of_a_server_run_without_a_question_and_it_has_to_start() -> None:
    server = parsed({"orders": {"command": "orders"}})

    assert server["default_tools_approval_mode"] == "approve"
    assert server["required"] is True


def test_relative_paths_are_those_of_the_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert parsed({"orders": {"command": "./orders"}})["cwd"] == str(tmp_path)


@pytest.mark.parametrize("none", [None, {}])
def test_without_servers_there_are_no_settings(none: Any) -> None:  # noqa: ANN401 - two kinds of nothing
    assert mcp_settings(none) == {}


@pytest.mark.parametrize(
    ("servers", "why"),
    [
        (["orders"], "mcp_servers is of type list"),
        ({"": {"command": "x"}}, "name it with"),
        ({"a.b": {"command": "x"}}, "name it with"),
        ({"orders status": {"command": "x"}}, "name it with"),
        ({"o" * 33: {"command": "x"}}, "name it with"),
        ({"orders\n": {"command": "x"}}, "name it with"),
        ({7: {"command": "x"}}, "name it with"),
        ({"orders": "python"}, "give {'command'"),
        ({"orders": {"args": ["x"]}}, "give {'command'"),
        ({"orders": {"command": ""}}, r"\['command'\] is of type str: give a text"),
        ({"orders": {"command": ["python"]}}, "type list: give a text"),
        ({"orders": {"command": "a\0b"}}, "give a text"),
        ({"orders": {"command": "x", "args": "-m orders"}}, "type str: give a list of texts"),
        ({"orders": {"command": "x", "args": [1]}}, "give a list of texts"),
        ({"orders": {"command": "x", "env": ["A=b"]}}, "give a mapping from names"),
        ({"orders": {"command": "x", "env": {"A": 1}}}, "give a mapping from names"),
        ({"orders": {"command": "x", "env": {"A=B": "c"}}}, "give a mapping from names"),
        ({"orders": {"command": "x", "tool_timeout_sec": 0}}, "give a number of seconds"),
        ({"orders": {"command": "x", "tool_timeout_sec": float("inf")}}, "give a number of seconds"),
        ({"orders": {"command": "x", "startup_timeout_sec": 10**400}}, "give a number of seconds"),
        ({"orders": {"command": "x", "url": "http://127.0.0.1"}}, "has 'url': it takes command, args"),
        ({"orders": {"command": "x", "default_tools_approval_mode": "auto"}}, "it takes command, args"),
        ({"orders": {"command": "x", "enabled": False}}, "it takes command, args"),
    ],
    ids=lambda value: value[:24].strip() if isinstance(value, str) else None,
)
@pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
def test_what_is_no_server_is_refused(
    provider: type[CodexCLIProvider | CodexAppServerProvider],
    servers: Any,  # noqa: ANN401 - what a user may give
    why: str,
) -> None:
    with pytest.raises(ConfigurationError, match=why):
        provider(mcp_servers=servers)


def test_no_error_shows_a_value() -> None:
    with pytest.raises(ConfigurationError) as caught:
        CodexCLIProvider(mcp_servers={"orders": {"command": "x", "env": {"WORD": b"private"}}})  # type: ignore[dict-item]

    assert "private" not in str(caught.value)


def test_a_server_with_the_name_of_one_of_the_machine_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text("[mcp_servers.orders]\n")
    monkeypatch.setattr(system_settings, "_FOLDER", tmp_path)
    overrides = system_settings.machine_overrides("/bin/true", env={}, cwd=tmp_path, own=["orders"])

    with pytest.raises(ProviderError, match="has a server named 'orders', too"):
        run_async(overrides)
