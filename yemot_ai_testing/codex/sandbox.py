"""What the fake and the real Codex share as doubles: a private folder on ``PATH``, and their processes."""

from __future__ import annotations

import re
import shlex
import sys
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.doubles.scriptable import ScriptableCodex
from yemot_ai_testing.doubles.scripted_double import CheckedContext
from yemot_ai_testing.doubles.steps import Calls, Transcription
from yemot_ai_testing.executable import create_double_folder, write_executable
from yemot_ai_testing.processes.environment import set_variables
from yemot_ai_testing.processes.owned_folder import OwnedFolder
from yemot_ai_testing.processes.running import group_members, kill_if_mentions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from yemot_ai_testing.doubles.steps import Step

__all__ = [
    "CodexDouble",
    "CodexRun",
    "CodexSandbox",
    "read_instructions",
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
        prompt: the prompt that it read.
        cwd: its working folder.
        env_names: the names in its environment.
        pid: its process id.
        session: the thread to resume; None for a new one.
        thread_id: the thread of its answer; empty if it failed before it had one.
        called_model: whether it has called the model.
        instructions: the content of its instructions file; None without one.
        scripted: whether the script of a fake had a step for its call to the model.
        step: the name of that step, which begins with its number from 0; empty without one.
        at: when it called the model of a fake, in seconds since the epoch; 0 if that is not known.
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
    scripted: bool = True
    step: str = ""
    at: float = 0.0


class CodexSandbox:
    """A private folder whose ``codex`` is the first on ``PATH`` while the sandbox is active.

    While it is active, ``YEMOT_AI_HOME`` and ``CODEX_HOME`` point into the folder as well, so that no test
    writes into the user's folders or reads the user's login.

    Attributes:
        folder: the private folder.
        executable: the path of the sandbox's ``codex``; the double writes the file.
    """

    def __init__(self) -> None:
        self._owned = OwnedFolder.create("yemot-ai-codex-")
        self.folder = self._owned.path
        self.executable = self.folder / "bin" / "codex"
        (self.folder / "codex-home").mkdir()  # Codex refuses one that does not exist
        create_double_folder(self.executable.parent)
        self._saved_environment: dict[str, str | None] = {}

    def variables(self, *programs: str) -> dict[str, str]:
        """Return the environment variables of a process in the sandbox.

        Args:
            programs: folders that come second on ``PATH``.
        """
        return {
            "PATH": create_double_folder(self.executable.parent, *programs),
            "YEMOT_AI_HOME": str(self.folder / "home"),
            "CODEX_HOME": str(self.folder / "codex-home"),
        }

    def activate(self) -> None:
        """Put the sandbox first on ``PATH``."""
        self._saved_environment = set_variables(self.variables())

    def remove(self) -> None:
        """Restore the environment, and remove the folder."""
        set_variables(self._saved_environment)
        self._saved_environment = {}
        self._owned.remove()


class CodexDouble(ScriptableCodex, CheckedContext):
    """A scripted ``codex`` in a sandbox; a context manager that puts it first on ``PATH``.

    Attributes:
        executable: its path.
    """

    def __init__(self) -> None:
        self._sandbox = CodexSandbox()
        self.executable: Path = self._sandbox.executable

    def add(self, step: Step) -> None:
        """Append a step; the next process that calls the model takes it.

        Raises:
            TypeError: if the step is a transcription, or a call of a tool.
            FakeOnlyError: if the step is ``Malformed`` and the program is a real one.
        """
        if isinstance(step, Transcription):
            raise TypeError("Codex does not transcribe: script the step on the double of a transcriber")
        if isinstance(step, Calls):
            raise TypeError(
                "Codex calls no tools of an application: script the step on a ScriptedProvider, "
                "a ModelServer, an OpenAIMock or an AnthropicMock"
            )
        self._append(step)

    def add_shared(self, step: Step) -> None:
        """Append a step that a model service may take, which shares this script.

        A process that takes a step of such a service only finds nothing scripted.
        """
        self._append(step)

    @abstractmethod
    def _append(self, step: Step) -> None: ...

    @property
    @abstractmethod
    def requests(self) -> list[CodexRun]:
        """The processes and turns so far, oldest first, including those that still run."""

    @property
    def processes(self) -> tuple[int, ...]:
        """The processes of runs that are still alive, and their child processes."""
        return group_members(run.pid for run in self.requests)

    def processes_alive(self) -> int:
        """Return how many processes of runs are still alive."""
        return len(self.processes)

    def close(self) -> None:
        """Kill the processes that still run, restore ``PATH``, and remove the folder."""
        kill_if_mentions((run.pid for run in self.requests), str(self._sandbox.folder))
        self._sandbox.remove()

    def __enter__(self) -> Self:
        self._sandbox.activate()
        return self


def write_launcher(executable: Path, script: Path, body: str) -> None:
    """Make ``executable`` run the Python ``body``, with the shortest possible start of Python.

    Site-packages and ``PYTHON*`` variables are ignored. If the path of the interpreter is too long for a
    shebang or has a space, a shell script runs ``script``.
    """
    if line := shebang():
        write_executable(executable, f"{line}\n{body}")
    else:
        script.write_text(body, encoding="utf-8")
        command = f'exec {shlex.quote(_python())} -IS {shlex.quote(str(script))} "$@"'
        write_executable(executable, f"#!/bin/sh\n{command}\n")


def shebang() -> str:
    """Return the shebang for our interpreter; empty if its path is too long or has a space."""
    python = _python()
    return f"#!{python} -IS" if " " not in python and len(python) < _MAX_INTERPRETER_PATH else ""


def _python() -> str:
    return str(Path(sys.executable).resolve())


def read_instructions(argv: Iterable[str]) -> str | None:
    """Return the content of the instructions file that a command line names; None without one."""
    named = [found[1] for argument in argv if (found := _INSTRUCTIONS_OPTION.fullmatch(argument))]
    try:
        return Path(named[-1]).read_text(encoding="utf-8") if named else None
    except OSError:
        return None
