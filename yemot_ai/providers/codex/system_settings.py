"""Keep the settings of the machine away from callers.

Besides its home Codex reads ``/etc/codex``, and its settings there hold for every home. Measured (0.142,
0.163, 0.169, 0.171) on the real binary:

* ``config.toml`` has a lower precedence than ``-c``, and tables are merged. So each of its MCP servers is
  switched off by name; its ``developer_instructions``, its ``notify`` and its features are overridden.
  Its model and effort stay, unless the provider sets others.
* ``managed_config.toml`` and ``requirements.toml`` have a higher precedence than ``-c``. What they enforce
  cannot be switched off, and is not meant to be: with a setting in them that reaches callers, such as
  ``features.shell_tool = true``, no caller is answered, and the error says which one it is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.errors import ProviderError
from yemot_ai.providers.codex.capabilities import output_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yemot_ai.providers.codex.command import Setting

__all__ = ["check_enforced_settings", "machine_overrides"]

_FOLDER: Final = Path("/etc/codex")
_SETTINGS_FILES: Final = ("config.toml", "managed_config.toml")
_ENFORCED_FILES: Final = ("managed_config.toml", "requirements.toml")
_REPLACED: Final = ("developer_instructions", "notify", "model_instructions_file", "model_catalog_json")
"""Settings that reach callers with any value."""

_UNSAFE_FEATURES: Final = ("code_mode", "memories", "multi_agent_v2")
"""Features that are off by default, and give the model tools or texts (measured, 0.171)."""

_cache: dict[tuple[object, ...], tuple[str, ...]] = {}


async def machine_overrides(
    executable: str, *, env: Mapping[str, str], cwd: Path, own: Collection[str] = ()
) -> dict[str, Setting]:
    """Return the settings that override those of the machine.

    Codex is only asked for the names of its MCP servers where ``/etc/codex`` exists, once for each state
    of the executable and of the files.

    Args:
        executable: the program.
        env: the environment of its processes, with the private home.
        cwd: the working folder.
        own: the names of the provider's MCP servers.

    Raises:
        ProviderError: the machine has a server of the same name; Codex would merge their settings.
    """
    overrides: dict[str, Setting] = {"developer_instructions": '""', "notify": "[]"}
    if not _FOLDER.is_dir():
        return overrides
    settings = [_read(_FOLDER / name) for name in _SETTINGS_FILES]
    for parsed in settings:
        overrides |= {
            f"features.{name}": False for name, value in _table(parsed, "features") if _is_on(value)
        }
    names = {name for parsed in settings for name, _ in _table(parsed, "mcp_servers")}
    names.update(await _listed_servers(executable, env=env, cwd=cwd))
    if same := names & set(own):
        raise ProviderError(
            f"mcp_servers: {_FOLDER} has a server named {min(same)!r}, too: choose another name",
            provider="codex",
        )
    if names:
        # A dotted key cannot have a name in quotes; an inline table can.
        servers = ", ".join(f"{json.dumps(name)} = {{enabled = false}}" for name in sorted(names))
        overrides["mcp_servers"] = f"{{{servers}}}"
    return overrides


def check_enforced_settings(ours: Mapping[str, object]) -> None:
    """Check that no enforced setting of the machine overrides one that keeps callers safe.

    Args:
        ours: the settings by dotted name, as in ``-c name=value``; False for a disabled feature.

    Raises:
        ProviderError: there is one; the message has the file and the names.
    """
    for path in (_FOLDER / name for name in _ENFORCED_FILES):
        names = sorted(set(_conflicts(_read(path), ours)))
        if names:
            raise ProviderError(
                f"{path} enforces {', '.join(names)}, which would reach callers and cannot be overridden: "
                "remove it there, or run the line on a machine without it",
                provider="codex",
            )


def _conflicts(enforced: Mapping[str, Any], ours: Mapping[str, object]) -> Iterator[str]:
    yield from (name for name in _REPLACED if enforced.get(name))
    yield from (
        f"mcp_servers.{name}"
        for name, server in _table(enforced, "mcp_servers")
        if isinstance(server, Mapping) and server.get("enabled") is True
    )
    unsafe = {f"features.{name}": False for name in _UNSAFE_FEATURES}
    for name, value in {**ours, **unsafe}.items():
        found: Any = enforced
        for key in name.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        if name.startswith("features."):
            found = _is_on(found) if found is not None else None
        if found is not None and found != value:
            yield name


async def _listed_servers(executable: str, *, env: Mapping[str, str], cwd: Path) -> tuple[str, ...]:
    """Return the names of the MCP servers that Codex itself lists."""
    files = [Path(executable), *(_FOLDER / name for name in _SETTINGS_FILES)]
    key = (executable, *map(_state, files))
    if key not in _cache:
        _cache[key] = _server_names(
            await output_lines([executable, "mcp", "list", "--json"], env=env, cwd=cwd)
        )
    return _cache[key]


def _server_names(lines: Sequence[str]) -> tuple[str, ...]:
    try:
        listed = json.loads("\n".join(lines) or "[]")
    except ValueError:
        return ()
    servers = listed if isinstance(listed, list) else []
    names = (server.get("name") for server in servers if isinstance(server, dict))
    return tuple(name for name in names if isinstance(name, str))


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _is_on(feature: object) -> bool:
    """Return whether a value switches a feature on: ``true``, or a table without ``enabled = false``."""
    if isinstance(feature, Mapping):
        return feature.get("enabled") is not False
    return feature is True


def _table(settings: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    table = settings.get(name)
    return list(table.items()) if isinstance(table, Mapping) else []


def _read(path: Path) -> Mapping[str, Any]:
    """Return the settings of a file; empty if there is none that Codex could read.

    Raises:
        ProviderError: the file is not TOML; Codex refuses to start with it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    import tomllib  # noqa: PLC0415 - most machines have no such file

    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise ProviderError(f"{path} is not TOML: {error}", provider="codex") from error
