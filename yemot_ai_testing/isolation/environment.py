"""The environment of child processes: empty home directories, a ``codex`` stub, a refusing proxy."""

from __future__ import annotations

import os
import shlex
import site
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from yemot_ai_testing.executable import create_double_folder, write_executable
from yemot_ai_testing.isolation.guard import BIN, REFUSALS, IsolationGuard, hint
from yemot_ai_testing.isolation.proxy import refusing_proxy
from yemot_ai_testing.processes.environment import set_variables

__all__ = ["isolated_environment"]

_CODEX_STUB = """\
#!/bin/sh
printf 'refused the program codex (%s), called by a program that a test started; {hint}\\n' "$*" \\
    > {notes}/codex-$$.txt
echo 'codex: refused in an isolated test: {hint}' >&2
exit 97
"""
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
_OTHER_PROXIES = ("all_proxy", "ALL_PROXY")  # removed: each one set costs an HTTP client one more TLS context
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104 - hosts without a proxy; nothing is bound


@contextmanager
def isolated_environment(guard: IsolationGuard) -> Iterator[None]:
    """Set the environment variables that keep child processes on this machine, in this context."""
    path = _create_folders(guard.folder)
    with refusing_proxy(lambda address: guard.record_refusal(_refusal_text(address))) as proxy_url:
        variables = {
            "PATH": path,
            **_home_variables(guard.folder),
            **_proxy_variables(proxy_url, guard.allowed),
        }
        before = set_variables(variables)
        try:
            yield
        finally:
            set_variables(before)


def _create_folders(folder: Path) -> str:
    """Create the folders; return a ``PATH`` with the stub of Codex."""
    for name in ("home", "codex"):
        (folder / name).mkdir(exist_ok=True)
    path = create_double_folder(folder / BIN)
    stub = folder / BIN / "codex"
    notes = shlex.quote(str(folder / REFUSALS))
    write_executable(stub, _CODEX_STUB.format(notes=notes, hint=hint("codex")))
    return path


def _home_variables(folder: Path) -> dict[str, str]:
    home = Path.home()
    return {
        "HOME": str(folder / "home"),
        "CODEX_HOME": str(folder / "codex"),
        # The packages of the user, and the binaries in the cache, stay available.
        "PYTHONUSERBASE": site.getuserbase(),
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(home / ".cache"),
    }


def _proxy_variables(url: str, allowed: Iterable[str]) -> dict[str, str | None]:
    direct = ",".join([*_LOCAL_HOSTS, *sorted(name.partition(":")[0] for name in allowed)])
    return {
        **dict.fromkeys(_PROXIES, url),
        **dict.fromkeys(_OTHER_PROXIES),
        "no_proxy": direct,
        "NO_PROXY": direct,
    }


def _refusal_text(address: str) -> str:
    host = address.rpartition(":")[0] or address
    return f"refused a connection to {address}, through a proxy variable; {hint(host)}"
