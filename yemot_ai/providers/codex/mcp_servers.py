"""The MCP servers of a developer, which are the only tools that Codex gets.

Measured on the real binary (0.142 to 0.171), with ``codex exec`` and ``codex app-server``:

* A tool runs without a question only if its server calls it read-only, or if the setting
  ``default_tools_approval_mode`` is ``approve``; any other call is refused, because there is no one to ask.
* A server that does not start is left out without an error, unless it is ``required``.
* A server gets ``HOME``, ``PATH`` and the like, and its ``env``; no other variable of the process.
* Beside the tools the model is offered ``list_mcp_resources``, ``list_mcp_resource_templates`` and
  ``read_mcp_resource``, which ask these servers only.

>>> mcp_settings({"orders": {"command": "python", "args": ["-m", "orders"], "cwd": "/srv"}})
{'mcp_servers.orders': '{"default_tools_approval_mode" = "approve", "required" = true, "cwd" = "/srv", \
"command" = "python", "args" = ["-m", "orders"]}'}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Required, TypedDict

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.codex.home.settings_file import toml_value
from yemot_ai.validation import is_number

if TYPE_CHECKING:
    from yemot_ai.providers.codex.command import Setting

__all__ = ["MCPServer", "mcp_settings"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
"""The name is a part of the names of the tools, which have at most 64 characters."""


MAX_SECONDS: Final = 86_400
"""A longer time cannot be meant, and Codex cannot read every number."""


class MCPServer(TypedDict, total=False):
    """A server that Codex starts and talks to over standard input and output.

    Keys:
        command: the program; a name is looked up on the ``PATH`` of Codex.
        args: its arguments. Other users of the machine can read them: secrets belong into ``env``.
        env: variables to add to its environment.
        cwd: its working folder; the current one of the application by default.
        enabled_tools: the tools that the model may call; all by default.
        startup_timeout_sec: seconds in which it has to start; Codex's own time by default.
        tool_timeout_sec: seconds for one call of a tool; Codex's own time by default.
    """

    command: Required[str]
    args: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    enabled_tools: Sequence[str]
    startup_timeout_sec: float
    tool_timeout_sec: float


def mcp_settings(servers: Mapping[str, MCPServer] | None) -> dict[str, Setting]:
    """Return the settings of Codex for these servers, by name.

    Raises:
        ConfigurationError: a server, its name or one of its values cannot be meant.
    """
    if servers is None:
        return {}
    if not isinstance(servers, Mapping):
        raise ConfigurationError(
            f"mcp_servers is of type {type(servers).__name__}: give {{'name': {{'command': …}}}}"
        )
    return {f"mcp_servers.{name}": toml_value(_checked(name, server)) for name, server in servers.items()}


def _checked(name: object, server: object) -> dict[str, Any]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"mcp_servers={{{name!r}: …}}: name it with 1 to 32 letters, digits, '_' and '-'"
        )
    if not isinstance(server, Mapping) or "command" not in server:
        raise ConfigurationError(f"mcp_servers[{name!r}]: give {{'command': 'the program', 'args': […]}}")
    for key, value in server.items():
        if key not in _KINDS:
            raise ConfigurationError(f"mcp_servers[{name!r}] has {key!r}: it takes {', '.join(_KINDS)}")
        is_kind, kind = _KINDS[key]
        if not is_kind(value):  # the value may be a secret, so it is not shown
            raise ConfigurationError(
                f"mcp_servers[{name!r}][{key!r}] is of type {type(value).__name__}: give {kind}"
            )
    defaults = {"default_tools_approval_mode": "approve", "required": True, "cwd": str(Path.cwd())}
    return {**defaults, **{key: _plain(value) for key, value in server.items()}}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, list | tuple) else value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_name(value: object) -> bool:
    return _is_text(value) and value != ""


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _are_variables(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and all(_is_name(name) and "=" not in name for name in value)
        and all(map(_is_text, value.values()))
    )


def _is_time(value: object) -> bool:
    return is_number(value) and value <= MAX_SECONDS  # type: ignore[operator]  # a number


_KINDS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "command": (_is_name, "a text"),
    "args": (_are_texts, "a list of texts"),
    "env": (_are_variables, "a mapping from names of variables to texts"),
    "cwd": (_is_name, "a text"),
    "enabled_tools": (_are_texts, "a list of names"),
    "startup_timeout_sec": (_is_time, "a number of seconds, more than 0"),
    "tool_timeout_sec": (_is_time, "a number of seconds, more than 0"),
}
"""What each key takes."""
