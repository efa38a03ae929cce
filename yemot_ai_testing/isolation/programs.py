"""Which programs a test may start, decided by the resolved file, not by the name in the command.

Allowed are this Python and the scripts that it runs, the doubles of Codex, git, programs that only print
facts about the system, and the shell that ends Codex with its server.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from yemot_ai_testing.executable import DOUBLE_MARKER

__all__ = ["Program", "is_allowed", "program_of"]

_ALLOWED_PROGRAMS = frozenset({"git", "ldconfig", "lsb_release", "ps", "uname"})
_SHELLS = frozenset({"bash", "dash", "sh"})
_SHELL_CHARACTERS = frozenset("|&;<>()$`\\\"'*?[#~%{}\n")
"""A shell line with one of these characters can start more programs than its first word."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is about to be started.

    Attributes:
        name: as given in the command.
        path: the file; None if there is no such program.
        line: what a shell runs that is the program; empty for another program.
    """

    name: str
    path: Path | None
    line: str = ""


def program_of(event: str, arguments: tuple[Any, ...]) -> Program:
    """Return the program that an audit event is about to start.

    Args:
        event: one of ``audit_hook.EVENTS``, about a program.
        arguments: those of the event.
    """
    match event, arguments:
        case "os.system", (line, *_):
            return _from_shell_line(os.fsdecode(line), None)
        case "pty.spawn", (argv, *_):
            return _from_argv(argv[0], argv, None, None)
        case "subprocess.Popen", (executable, argv, cwd, env):
            return _from_argv(executable, argv, cwd, env)
        case "os.spawn", (_, path, argv, env):
            return _from_argv(path, argv, None, env)
        case _, (path, argv, env):
            return _from_argv(path, argv, None, env)
    raise AssertionError(
        f"{event} with {len(arguments)} arguments"
    )  # pragma: no cover - CPython has no other


def is_allowed(program: Program) -> bool:
    """Return whether a test may start this program."""
    path = program.path
    if path is None:
        return True  # starting it fails with "no such file"
    if program.line and program.line == _watch_line():
        return True
    if (path.parent / DOUBLE_MARKER).exists():
        return True
    if path.name == "codex":
        return False
    return path.resolve() in _pythons() or path.name in _ALLOWED_PROGRAMS or _interpreter(path) in _pythons()


def _from_argv(executable: object, argv: object, cwd: object, env: Mapping[Any, Any] | None) -> Program:
    words = [os.fsdecode(word) for word in _words(argv)]
    name = os.fsdecode(executable if isinstance(executable, str | bytes | os.PathLike) else words[0])
    if Path(name).name in _SHELLS and words[1:2] == ["-c"] and len(words) > 2:  # noqa: PLR2004 - sh -c line
        inner = _from_shell_line(words[2], env)
        if inner.path is not None and inner.name not in _SHELLS:
            return inner
        return replace(_lookup(name, cwd, env), line=words[2])
    return _lookup(name, cwd, env)


def _words(argv: object) -> Sequence[Any]:
    if isinstance(argv, str | bytes | os.PathLike):
        return [argv]
    return list(argv) if isinstance(argv, Sequence) else []


def _from_shell_line(line: str, env: Mapping[Any, Any] | None) -> Program:
    """Return the program of the first word, or the shell itself if the line is not a simple command."""
    if set(line) & _SHELL_CHARACTERS or not line.split():
        return _lookup("sh", None, env)
    return _lookup(shlex.split(line)[0], None, env)


def _lookup(name: str, cwd: object, env: Mapping[Any, Any] | None) -> Program:
    if os.sep in name:
        folder = os.fsdecode(cwd) if isinstance(cwd, str | bytes | os.PathLike) else ""
        file = Path(folder, name)
        return Program(name, file if file.exists() else None)
    # Popen and exec search the PATH of the environment that is passed to the program.
    variables = {os.fsdecode(key): value for key, value in (os.environ if env is None else env).items()}
    path = shutil.which(name, path=os.fsdecode(variables.get("PATH", os.defpath)))
    return Program(name, None if path is None else Path(path))


def _watch_line() -> str | None:
    """Return what the shell of yemot_ai's providers runs, which only kills; None if they are not imported."""
    module = sys.modules.get("yemot_ai.providers.codex.parent_watch")
    return getattr(module, "WATCH_LINE", None)


def _pythons() -> frozenset[Path]:
    base = getattr(sys, "_base_executable", None)  # of a virtual environment
    return frozenset(Path(path).resolve() for path in (sys.executable, base) if path)


def _interpreter(path: Path) -> Path | None:
    """Return the interpreter of a script; None if the file is not a script."""
    try:
        with path.open("rb") as file:
            first = file.readline(256)
    except OSError:
        return None
    words = os.fsdecode(first[2:]).split()
    return Path(words[0]).resolve() if first.startswith(b"#!") and words else None
