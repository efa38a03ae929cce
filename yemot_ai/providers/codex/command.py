"""Build the command lines of ``codex exec`` and ``codex app-server``.

The caller's words are never part of them: they are data, and a prompt ``review`` would start a
subcommand. They go through standard input (``-``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from yemot_ai.providers.codex.capabilities import Capabilities

__all__ = ["Program", "Setting", "exec_command", "is_private", "safety_settings", "server_command"]

Setting: TypeAlias = "str | int | float | bool"
"""A value for ``-c``: a string is passed unchanged; Codex reads it as TOML, else as plain text."""

_SUBCOMMAND: Final = ("exec", "--json", "--skip-git-repo-check")
"""One turn, as JSON lines, in a folder that does not have to be a Git repository."""

_DISABLED: Final = (
    "shell_tool",
    "unified_exec",
    "shell_snapshot",
    "apps",
    "plugins",
    "goals",
    "multi_agent",
    "image_generation",
    "hooks",
    "view_image",
    "skill_search",
    "tool_suggest",
)
"""Features that a phone call does not need, or that a caller could use against the machine."""

_SETTINGS: Final[Mapping[str, Setting]] = {
    "web_search": "disabled",
    "include_environment_context": False,
    "include_permissions_instructions": False,
    "skills.include_instructions": False,
    "skills.bundled.enabled": False,
    # There is no user to answer: Codex refuses the tool anyway, and it costs 1.4 kB a turn.
    "tools.experimental_request_user_input.enabled": False,
    # Otherwise a .git above the working folder adds the AGENTS.md and skills beside it to every call.
    "project_root_markers": "[]",
    "project_doc_max_bytes": 0,
}
"""Settings against other instructions and tools for the model; Codex ignores an unknown setting."""

_NO_TELEMETRY: Final[Mapping[str, Setting]] = {
    # Otherwise each `codex exec` connects to ab.chatgpt.com (measured, 0.171).
    "analytics.enabled": False,
    "feedback.enabled": False,
    "check_for_update_on_startup": False,
    "otel.exporter": '"none"',
    "otel.trace_exporter": '"none"',
    "otel.metrics_exporter": '"none"',
}
"""Settings with which Codex connects to the model only."""

_PUBLIC_TEXTS: Final = frozenset(
    {
        *_SETTINGS,
        "model",
        "model_reasoning_effort",
        "model_reasoning_summary",
        "model_verbosity",
        "model_catalog_json",
        "personality",
        "service_tier",
    }
)
"""Settings of the user whose texts may be seen by all users of the machine, as arguments of a process."""

_SERVICES: Final = ("model_providers.", "mcp_servers.")


@dataclass(frozen=True, slots=True)
class Program:
    """An executable, and what all its commands get.

    Attributes:
        executable: the program.
        capabilities: the names that the program accepts; no others are used.
        databases: the folder for its databases; None for Codex's own choice.
        models: the catalogue of models without their tools; None for the one in the binary.
        config: further ``-c`` settings; they override the defaults.
        private: names of settings that Codex gets in another way than ``-c``.
        profile: the profile with the private settings; empty if there is none.
    """

    executable: str
    capabilities: Capabilities
    databases: Path | None
    models: Path | None
    config: Mapping[str, Setting]
    private: frozenset[str] = frozenset()
    profile: str = ""

    def options(self, **paths: Path) -> list[str]:
        """Return the options of a command; ``paths`` are further settings."""
        own = {**paths, "model_catalog_json": self.models, "sqlite_home": self.databases}
        settings = _settings(own, self.config)
        arguments = [f"{name}={_toml(value)}" for name, value in settings.items() if not self._is_set(name)]
        return [*_disable_options(self.capabilities), *(part for one in arguments for part in ("-c", one))]

    def _is_set(self, name: str) -> bool:
        """Return whether a private setting has this name, or one above or below it: an argument overrides it.

        The MCP servers of the machine are switched off beside those of the user.
        """
        others = (f"{other}." for other in self.private if name != "mcp_servers")
        return any(other.startswith(f"{name}.") or f"{name}.".startswith(other) for other in others)


def exec_command(
    program: Program, *, instructions: Path, sandbox: str, model: str | None, thread_id: str = ""
) -> list[str]:
    """Return the program and its arguments for one turn.

    Args:
        program: the program.
        instructions: the file that replaces Codex's own prompt.
        sandbox: ``read-only`` …
        model: the model's name, or None for Codex's own choice.
        thread_id: the thread to resume; empty for a new one.
    """
    return [
        program.executable,
        *_SUBCOMMAND,
        *_sandbox_options(sandbox),
        *(["--ignore-rules"] if "ignore-rules" in program.capabilities.options else []),
        *program.options(model_instructions_file=instructions),
        *(["--profile", program.profile] if program.profile else []),
        *(["--model", model] if model else []),
        *_resume_arguments(thread_id),
        "-",
    ]


def server_command(program: Program) -> list[str]:
    """Return the program and its arguments for a server; each thread has its own further options."""
    return [program.executable, "app-server", *program.options()]


def safety_settings() -> dict[str, object]:
    """Return the settings that keep callers safe, with their values; False for a disabled feature."""
    parsed: dict[str, object] = {name: [] if value == "[]" else value for name, value in _SETTINGS.items()}
    return {**parsed, **{f"features.{name}": False for name in _DISABLED}}


def is_private(name: str, value: Setting) -> bool:
    """Return whether a setting of the user may be a secret, and so must not be an argument of a process.

    Every text may be one, except those of some names: a header, a token, a URL with a password. The whole
    table of a service goes the same way, because Codex refuses half of it.
    """
    return name not in _PUBLIC_TEXTS and (isinstance(value, str) or name.startswith(_SERVICES))


def _sandbox_options(sandbox: str) -> list[str]:
    return ["--sandbox", sandbox]


def _resume_arguments(thread_id: str) -> list[str]:
    return ["resume", thread_id] if thread_id else []


def _settings(paths: Mapping[str, Path | None], config: Mapping[str, Setting]) -> dict[str, Setting]:
    quoted = {name: json.dumps(str(path), ensure_ascii=False) for name, path in paths.items() if path}
    return {**_SETTINGS, **_NO_TELEMETRY, **quoted, **config}


def _disable_options(capabilities: Capabilities) -> list[str]:
    """Return the options that switch off ``_DISABLED``.

    Codex refuses to start with an unknown ``--disable``, but only warns of an unknown setting (measured,
    0.169). So if the binary's features are not known, all are switched off as settings.
    """
    if capabilities.features:
        return [part for name in _DISABLED if name in capabilities.features for part in ("--disable", name)]
    return [part for name in _DISABLED for part in ("-c", f"features.{name}=false")]


def _toml(value: Setting) -> str:
    return value if isinstance(value, str) else json.dumps(value)
