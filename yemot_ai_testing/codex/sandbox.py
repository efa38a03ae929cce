"""What the fake and the real Codex share as doubles: a private place on ``PATH``, and what a run is."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.executable import DOUBLE_MARKER, write_executable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "CodexRun",
    "CodexSandbox",
    "kill_processes",
    "read_instructions",
    "running_processes",
    "shebang",
    "write_launcher",
]

_MAX_INTERPRETER_PATH: Final = 120
_INSTRUCTIONS_OPTION: Final = re.compile(r'model_instructions_file="?([^"]+)"?')


@dataclass(frozen=True, slots=True)
class CodexRun:
    """One ``codex exec`` process.

    Attributes:
        argv: its arguments, without the program.
        prompt: what it was asked, as it read it.
        cwd: its working folder.
        env_names: the names in its environment.
        pid: its process id.
        session: the thread that it was told to resume; None for a new one.
        thread_id: the thread that it answered in; empty if it came to none.
        called_model: whether it came so far as to ask the model.
        instructions: what stood in its file of instructions; None without one.
    """

    argv: tuple[str, ...]
    prompt: str
    cwd: str
    env_names: frozenset[str]
    pid: int
    session: str | None
    thread_id: str
    called_model: bool
    instructions: str | None = None


class CodexSandbox:
    """A private folder whose ``codex`` is the first on ``PATH`` while the stage is set.

    While it is set, ``YEMOT_AI_HOME`` and ``CODEX_HOME`` lead into the folder as well, so that no test
    writes into the user's own folders or reads the user's login.

    Attributes:
        folder: the private folder.
        executable: where the ``codex`` of the stage belongs.
    """

    def __init__(self) -> None:
        # The path is part of a line that the kernel reads, so links in it are resolved now.
        self.folder = Path(tempfile.mkdtemp(prefix="yemot-ai-codex-")).resolve()
        self.executable = self.folder / "bin" / "codex"
        self.executable.parent.mkdir()
        (self.executable.parent / DOUBLE_MARKER).touch()
        self._saved_environment: dict[str, str | None] = {}

    def activate(self) -> None:
        """Put the stage first on ``PATH``."""
        path = os.pathsep.join(filter(None, (str(self.executable.parent), os.environ.get("PATH"))))
        ours = {
            "PATH": path,
            "YEMOT_AI_HOME": str(self.folder / "home"),
            "CODEX_HOME": str(self.folder / "nobody"),
        }
        # Codex refuses a home that is named and not there.
        Path(ours["CODEX_HOME"]).mkdir(exist_ok=True)
        self._saved_environment = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)

    def remove(self) -> None:
        """Put the environment back as it was, and remove the folder."""
        for name, value in self._saved_environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._saved_environment = {}
        shutil.rmtree(self.folder, ignore_errors=True)


def write_launcher(executable: Path, script: Path, body: str) -> None:
    """Make ``executable`` run the Python ``body``, as quickly as Python can start.

    Neither site-packages nor the environment's settings are looked at. The kernel takes the path of an
    interpreter only if it is short and has no space; else a shell leads to ``script``.
    """
    if line := shebang():
        write_executable(executable, f"{line}\n{body}")
    else:
        script.write_text(body, encoding="utf-8")
        command = f'exec {shlex.quote(_python())} -IS {shlex.quote(str(script))} "$@"'
        write_executable(executable, f"#!/bin/sh\n{command}\n")


def shebang() -> str:
    """The first line of a script that the kernel starts with our interpreter; empty if it would not."""
    python = _python()
    return f"#!{python} -IS" if " " not in python and len(python) < _MAX_INTERPRETER_PATH else ""


def _python() -> str:
    return str(Path(sys.executable).resolve())


def read_instructions(argv: Iterable[str]) -> str | None:
    """What stands in the file of instructions that a command line names."""
    named = [found[1] for argument in argv if (found := _INSTRUCTIONS_OPTION.fullmatch(argument))]
    try:
        return Path(named[-1]).read_text(encoding="utf-8") if named else None
    except OSError:
        return None


def running_processes(pids: Iterable[int]) -> tuple[int, ...]:
    """The processes that still run of these, and in the groups that they lead."""
    wanted = set(pids)
    if not Path("/proc/self/stat").exists():
        return tuple(run for run in wanted if _is_alive(run))
    found = (process for process in _process_table() if wanted & {process[0], process[1]})
    return tuple(pid for pid, _group, state in found if state not in "ZX")


def kill_processes(pids: Iterable[int], sandbox: CodexSandbox) -> None:
    """Kill what still runs of these.

    A number may have been given to a stranger since, so only a process that bears the name of the
    stage's folder is killed.
    """
    mark = os.fsencode(sandbox.folder)
    for pid in running_processes(pids):
        with contextlib.suppress(OSError):
            place = Path("/proc") / str(pid)
            if mark in (place / "cmdline").read_bytes() + (place / "environ").read_bytes():
                os.kill(pid, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _process_table() -> Iterator[tuple[int, int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name may hold spaces and brackets; what follows it does not.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            yield int(folder.name), int(fields[2]), fields[0]
