"""A fake Codex: a real executable named ``codex``, scripted, which answers in milliseconds.

Whatever runs ``codex`` runs this one while the context is open::

    >>> import subprocess
    >>> with FakeCodex().answers("שלום") as codex:
    ...     asked = ["codex", "exec", "--skip-git-repo-check", "-"]
    ...     print(subprocess.run(asked, input="מי שם?", capture_output=True, text=True).stdout)
    ...     print(codex.requests[0].prompt)
    שלום
    <BLANKLINE>
    מי שם?

It reads its arguments and its input as the real one does, keeps threads, refuses a second writer, and
speaks in the recorded words of the real one (``yemot_ai_testing.contract.recordings``).
"""

from __future__ import annotations

import json
import marshal
import os
import py_compile
import select
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.contract import recordings
from yemot_ai_testing.doubles.codex_stage import (
    CodexRun,
    CodexStage,
    end,
    instructions_of,
    launcher,
    living,
)
from yemot_ai_testing.doubles.script import (
    Answer,
    BusySession,
    CodexVocabulary,
    Crash,
    Drop,
    Failure,
    Hang,
    Malformed,
    ScriptMismatchError,
    Step,
    UnknownSession,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from yemot_ai_testing.contract.recordings import Recording

__all__ = ["FakeCodex"]

_FOLDERS: Final = ("steps", "taken", "runs", "drafts", "replies")
_KINDS: Final = {Hang: "hang", UnknownSession: "unknown_session", BusySession: "busy_session"}


@dataclass(frozen=True, slots=True)
class Replay:
    """The process ends its turn as a recorded one did, word for word.

    Attributes:
        case: the name of the recording.
    """

    case: str


class FakeCodex(CodexVocabulary):
    """A scripted executable; a context manager that puts it first on ``PATH``.

    Attributes:
        executable: where it lies.
    """

    def __init__(self) -> None:
        self._stage = CodexStage()
        self.executable: Path = self._stage.executable
        self._state = self._stage.folder / "state"
        self._steps: dict[str, Step | Replay] = {}
        self._recorded = recordings.newest()
        _install(self.executable, self._stage.folder / "program", self._state)
        _lay_out(self._state, self._recorded)
        self._bell = os.open(self._state / "bell", os.O_RDWR | os.O_NONBLOCK)
        self._released: list[int] = []

    def add(self, step: Step) -> None:
        """Append a step; the next process that comes to the model takes it."""
        self._queue(step)

    def replays(self, case: str) -> Self:
        """Let the next process end its turn as the recording ``case`` did.

        Raises:
            KeyError: there is no such recording.
        """
        if case not in self._recorded:
            raise KeyError(f"no recording {case!r}; there are: {', '.join(sorted(self._recorded))}")
        self._queue(Replay(case))
        return self

    def _queue(self, step: Step | Replay) -> None:
        name = f"{len(self._steps):06d}-{_KINDS.get(type(step), 'play')}"
        self._steps[name] = step
        draft = self._state / "drafts" / name
        draft.write_bytes(marshal.dumps(self._laid_out(step)))
        draft.rename(self._state / "steps" / name)

    @property
    def requests(self) -> list[CodexRun]:
        """The ``codex exec`` processes so far, oldest first; those that still run as well."""
        return [_run(note) for note in self._notes()]

    @property
    def processes(self) -> tuple[int, ...]:
        """The processes of runs that are still alive, what they have started included."""
        return living(note["pid"] for note in self._notes())

    def processes_alive(self) -> int:
        """How many of them there are."""
        return len(self.processes)

    def holds(self) -> None:
        """Let every later process wait, once it has taken its step, until ``releases``."""
        gate = self._state / "gate"
        if not gate.exists():
            os.mkfifo(gate)

    def releases(self) -> None:
        """Let the waiting processes go on."""
        gate = self._state / "gate"
        if gate.exists():
            # Readers and writers wake each other; kept open, it wakes one that was about to wait, too.
            self._released.append(os.open(gate, os.O_RDWR))
            gate.unlink()

    def wait_asked(self, count: int, timeout: float = 10.0) -> None:
        """Block until ``count`` processes have asked the model.

        Raises:
            TimeoutError: they had not, after ``timeout`` seconds.
        """
        ends = time.monotonic() + timeout
        while (asked := sum(1 for note in self._notes() if note["asked"])) < count:
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{asked} of {count} calls within {timeout:g} s")
            # Another waiter may have heard the bell for us: look again now and then.
            if select.select([self._bell], [], [], min(left, 0.05))[0]:
                os.read(self._bell, 4096)

    def assert_complete(self) -> None:
        """Check that every step was used and every process had one.

        Raises:
            ScriptMismatchError: it was not so.
        """
        left = sorted(path.name for path in (self._state / "steps").iterdir())
        unscripted = [_run(note).prompt for note in self._notes() if note["unscripted"]]
        if left or unscripted:
            asked = [_run(note).prompt for note in self._notes() if note["asked"]]
            raise ScriptMismatchError(
                unscripted=unscripted, unused=[self._steps[name] for name in left], asked=asked
            )

    def close(self) -> None:
        """End what still runs, put ``PATH`` back, and remove the folder."""
        self.releases()
        end((note["pid"] for note in self._notes()), self._stage)
        for handle in (self._bell, *self._released):
            os.close(handle)
        self._stage.strike()

    def __enter__(self) -> Self:
        self._stage.set()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _notes(self) -> list[dict[str, Any]]:
        paths = sorted((self._state / "runs").glob("*"))
        return [marshal.loads(path.read_bytes()) for path in paths]  # noqa: S302 - our own program wrote it

    def _laid_out(self, step: Step | Replay) -> tuple[float, int, str, str, str]:
        """What the program needs of a step: after, exit code, standard output, error, the answer."""
        match step:
            case Answer(after=after):
                return (after, 0, _answered(self._recorded["answer"], step.text), "", step.text)
            case Crash(exit=code, stderr=stderr):
                return (0.0, code, "", stderr if stderr.endswith("\n") or not stderr else f"{stderr}\n", "")
            case Malformed(text=text):
                return (0.0, 0, text, "", "")
        after = step.after if isinstance(step, Failure) else 0.0
        return (after, *_rest(self._recorded[_case(step)]), "")


def _case(step: object) -> str:
    """The recording that shows how a turn ends after this step."""
    match step:
        case Failure(kind=kind):
            return kind
        case Replay(case=case):
            return case
        case Drop():
            return "cut_stream"
    # About a session that is resumed, but come to a process that resumes none.
    return "unscripted"


def _install(executable: Path, program: Path, state: Path) -> None:
    """Lay the program ready, compiled, behind a launcher that the kernel can start."""
    package = program / "yemot_ai_testing" / "doubles"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    for module in ("fake_codex_argv.py", "fake_codex_program.py", "fake_codex_threads.py"):
        source = package / module
        shutil.copyfile(Path(__file__).with_name(module), source)
        py_compile.compile(str(source), doraise=True)
    body = "\n".join(
        (
            "import sys",
            f"sys.path.insert(0, {str(program)!r})",
            "from yemot_ai_testing.doubles.fake_codex_program import main",
            f"sys.exit(main({str(state)!r}, sys.argv[1:]))\n",
        )
    )
    launcher(executable, program / "start.py", body)


def _lay_out(state: Path, recorded: dict[str, Recording]) -> None:
    for name in _FOLDERS:
        (state / name).mkdir(parents=True)
    os.mkfifo(state / "bell")
    replies: dict[str, Any] = {case: _whole(recording) for case, recording in recorded.items()}
    replies["begun"] = _begun(recorded["answer"])
    replies["unscripted"] = _rest(recorded["unscripted"])
    replies["usage"] = _usage(recorded["answer"])
    names = {line.text.split()[0] for line in recorded["features"].stdout if line.text.strip()}
    replies["feature_names"] = frozenset(names)
    for case, reply in replies.items():
        (state / "replies" / case).write_bytes(marshal.dumps(reply))


def _whole(recording: Recording) -> tuple[int, str, str]:
    out = "".join(f"{line.text}\n" for line in recording.stdout)
    return recording.exit_code, out, "".join(f"{line}\n" for line in recording.stderr)


def _begun(recording: Recording) -> tuple[int, str, str]:
    """What is written before the model is asked."""
    lines = [f"{line.text}\n" for line in recording.stdout]
    return 0, "".join(lines[: _start(recording)]), "".join(f"{line}\n" for line in recording.stderr)


def _rest(recording: Recording) -> tuple[int, str, str]:
    """What is written after the model has answered."""
    lines = [f"{line.text}\n" for line in recording.stdout]
    return recording.exit_code, "".join(lines[_start(recording) :]), ""


def _start(recording: Recording) -> int:
    kinds = [json.loads(line.text)["type"] for line in recording.stdout]
    return kinds.index("turn.started") + 1


def _usage(recording: Recording) -> tuple[tuple[str, int], ...]:
    return tuple(json.loads(recording.stdout[-1].text)["usage"].items())


def _answered(recording: Recording, text: str) -> str:
    """The recorded end of an answered turn, with this text, and a place for the usage."""
    events = [json.loads(line.text) for line in recording.stdout[_start(recording) :]]
    return "".join(f"{_with(event, text)}\n" for event in events)


def _with(event: dict[str, Any], text: str) -> str:
    match event:
        case {"type": "item.completed", "item": {"type": "agent_message"} as item}:
            # A brace of the answer must not look like a place to fill in.
            said = json.dumps(text, ensure_ascii=False).replace("{", "\\u007b")
            shell = _compact({**event, "item": {**item, "text": 0}})
            return shell.replace('"text":0', f'"text":{said}')
        case {"type": "turn.completed"}:
            return _compact({**event, "usage": 0}).replace('"usage":0', '"usage":{usage}')
    return _compact(event)


def _compact(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _run(note: dict[str, Any]) -> CodexRun:
    return CodexRun(
        argv=tuple(note["argv"]),
        prompt=note["prompt"].decode("utf-8", "replace"),
        cwd=note["cwd"],
        env=frozenset(note["env"]),
        pid=note["pid"],
        session=note["resumes"] or None,
        thread_id=note["thread"],
        asked=note["asked"],
        instructions=instructions_of(note["argv"]),
    )
