"""The Codex of a provider: found, its version, its login, and whether it takes the settings of a turn.

The program is run with what a turn gives it, but never asked anything, so no model is called.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from yemot_ai.doctor.finding import Finding, error, ok, warning
from yemot_ai.errors import ProviderError
from yemot_ai.providers.codex.home.folders import new_key
from yemot_ai.providers.codex.home.settings_file import toml_text
from yemot_ai.providers.codex.process import ProcessResult, run_process
from yemot_ai.providers.codex.secrets import redact_secrets
from yemot_ai.providers.codex.settings import CodexSettings

__all__ = ["check_codex"]

SECONDS: Final = 20.0
"""For each run of the program."""

CHECK: Final = "model codex"

LOGIN: Final = "run: codex login"


def check_codex(provider: Any) -> Iterator[Finding]:  # noqa: ANN401 - one of the two Codex providers
    """Check the Codex of ``provider``."""
    settings: CodexSettings = provider._settings  # noqa: SLF001 - what its processes get
    try:
        executable = settings.check()
    except ProviderError as failure:
        yield error(CHECK, str(failure))
        return
    yield from asyncio.run(_examine(settings, executable))


async def _examine(settings: CodexSettings, executable: Path) -> list[Finding]:
    home, key = settings.home, new_key()
    try:
        await asyncio.to_thread(home.prepare, key)
        program = await settings.program(executable, key)
        run = _Run(settings, executable, home.work_dir(key))
        version = await run("--version")
        if version.exit_code:
            return [error(CHECK, f"{executable} does not run: {_reason(version, settings)}")]
        if "codex" not in run.first_line.lower():
            return [error(CHECK, f"{executable} is no Codex; --version prints {run.first_line!r}")]
        private = await asyncio.to_thread(home.profile, toml_text(settings.private_settings))
        profile = ["--profile", private] if private else []
        # Of the commands that ask no model, only this one takes a profile (measured, 0.142 to 0.171).
        accepted = await run(*program.options(), *profile, "mcp", "list", "--json")
        login = await run("login", "status")
    except (OSError, TimeoutError) as failure:
        message = f"{executable} does not run: {str(failure) or f'no end after {SECONDS:g} s'}"
        return [error(CHECK, message, "is it a Codex for this machine? codex --version")]
    finally:
        await asyncio.to_thread(home.delete_conversation, "", key)
    found = ok(CHECK, f"{run.first_line or 'Codex'} at {executable}")
    return [found, _settings_finding(accepted, settings), _login_finding(login, settings)]


class _Run:
    """Runs the program as a turn does.

    Attributes:
        first_line: what the first run has printed first.
    """

    def __init__(self, settings: CodexSettings, executable: Path, folder: Path) -> None:
        self._settings = settings
        self._executable = executable
        self._folder = folder
        self.first_line = ""

    async def __call__(self, *arguments: str) -> ProcessResult:
        async with asyncio.timeout(SECONDS):
            return await run_process(
                [str(self._executable), *arguments],
                stdin=b"",
                receive=self._receive,
                env=self._settings.environment,
                cwd=self._folder,
            )

    def _receive(self, line: bytes) -> None:
        self.first_line = self.first_line or line.decode("utf-8", "replace").strip()


def _settings_finding(accepted: ProcessResult, settings: CodexSettings) -> Finding:
    if accepted.exit_code == 0:
        return ok(f"{CHECK} settings", "accepted")
    if _is_unknown(accepted):
        return warning(f"{CHECK} settings", "not known: this Codex cannot list MCP servers")
    return error(
        f"{CHECK} settings",
        f"refused: {_reason(accepted, settings)}",
        "remove what it names from CodexCLIProvider(config=…), or install another version of Codex",
    )


def _login_finding(login: ProcessResult, settings: CodexSettings) -> Finding:
    check = f"{CHECK} login"
    if "model_provider" in settings.further_settings or "CODEX_API_KEY" in settings.variables:
        return ok(check, "a key of this project is used")
    if login.exit_code == 0:
        return ok(check, "logged in; whether the service takes it is not tried")
    if "not logged in" in login.stderr_tail.lower():
        return error(check, "not logged in", LOGIN)
    reason = "this Codex has no login status" if _is_unknown(login) else _reason(login, settings)
    return warning(check, f"not known: {reason}", LOGIN)


def _is_unknown(result: ProcessResult) -> bool:
    """Return whether the program took the name of a command for a prompt (measured, 0.142 to 0.171)."""
    return "stdin is not a terminal" in result.stderr_tail


def _reason(result: ProcessResult, settings: CodexSettings) -> str:
    """Return why the program failed, in its words, without the secrets of the settings."""
    output, _, _ = result.stderr_tail.partition("Stack backtrace:")
    lines = [line.strip() for line in output.splitlines()]
    texts = [line for line in lines if line and not line.startswith("WARNING:")]
    failure = ProviderError(" ".join(texts) or f"exit code {result.exit_code}")
    with contextlib.suppress(ProviderError), redact_secrets(settings.environment, settings.further_settings):
        raise failure
    return str(failure)
