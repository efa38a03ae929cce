"""Records what a real Codex binary does, case by case, against a scripted model service.

``yemot-ai-testing record --codex PATH --out DIR`` runs it. No key and no network is needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.contract.recordings import Line, Recording, problems
from yemot_ai_testing.doubles import responses_api as api
from yemot_ai_testing.doubles.model_server import CODEX_KEY_VARIABLE, ModelServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["CASES", "UnpublishableError", "record"]

_EXEC: Final = ("exec", "--json", "--skip-git-repo-check", "--sandbox", "read-only")
_NO_TOOLS: Final = ("--disable", "shell_tool", "--disable", "unified_exec")
_UNKNOWN: Final = "00000000-0000-7000-8000-000000000000"
_TIMEOUT: Final = 30.0


class UnpublishableError(ValueError):
    """A recording still holds something of this machine or of this run."""


@dataclass(slots=True)
class _Run:
    """One process, and what it has written so far."""

    process: subprocess.Popen[bytes]
    started: float
    lines: list[Line] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    readers: list[threading.Thread] = field(default_factory=list)

    def wait(self) -> int:
        """The exit code, once everything is read."""
        code = self.process.wait(_TIMEOUT)
        for reader in self.readers:
            reader.join(_TIMEOUT)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()  # type: ignore[union-attr]  # a pipe was asked for
        return code

    @property
    def thread_id(self) -> str:
        """The thread that the stream is about."""
        for line in self.lines:
            event = json.loads(line.text)
            if event.get("type") == "thread.started":
                return str(event["thread_id"])
        raise LookupError("the run has not named its thread")


@dataclass(frozen=True, slots=True)
class _Studio:
    """A fresh home and a model for one case."""

    executable: Path
    folder: Path
    model: ModelServer

    def start(self, *arguments: str, stdin: str = "") -> _Run:
        """Start the binary, give it ``stdin``, and listen."""
        settings = [part for item in self.model.codex_config().items() for part in ("-c", "=".join(item))]
        process = subprocess.Popen(  # noqa: S603 - the binary that is recorded
            [str(self.executable), *settings, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder / "work",
            env=self._environment(),
            start_new_session=True,
        )
        run = _Run(process, time.monotonic())
        for read, pipe in ((self._hear, process.stdout), (self._overhear, process.stderr)):
            reader = threading.Thread(target=read, args=(run, pipe), daemon=True)
            reader.start()
            run.readers.append(reader)
        process.stdin.write(stdin.encode())  # type: ignore[union-attr]  # a pipe was asked for
        process.stdin.close()  # type: ignore[union-attr]
        return run

    def run(self, *arguments: str, stdin: str = "") -> _Run:
        """Start the binary and wait for its end."""
        run = self.start(*arguments, stdin=stdin)
        run.wait()
        return run

    def recording(
        self, case: str, version: str, arguments: Sequence[str], stdin: str, run: _Run
    ) -> Recording:
        """What is published of a run."""
        code = run.wait()
        data = stdin.encode()
        return Recording(
            case,
            version,
            tuple(self._scrubbed(argument) for argument in arguments),
            {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)},
            tuple(Line(line.at, self._scrubbed(line.text)) for line in run.lines),
            tuple(self._scrubbed(line) for line in run.errors),
            code,
        )

    def _environment(self) -> Mapping[str, str]:
        home = {"HOME": str(self.folder / "user"), "CODEX_HOME": str(self.folder / "home")}
        return {"PATH": os.defpath, "LANG": "C.UTF-8", CODEX_KEY_VARIABLE: "none", **home}

    def _hear(self, run: _Run, pipe: Iterator[bytes]) -> None:
        for line in pipe:
            text = line.decode().removesuffix("\n")
            run.lines.append(Line(round(time.monotonic() - run.started, 2), text))

    def _overhear(self, run: _Run, pipe: Iterator[bytes]) -> None:
        run.errors.extend(line.decode("utf-8", "replace").removesuffix("\n") for line in pipe)

    def _scrubbed(self, text: str) -> str:
        text = text.replace(self.model.base_url, "{model_server}").replace(str(self.folder), "{folder}")
        text = text.replace(tempfile.gettempdir(), "{temporary}")
        text = re.sub(r"/\S*/(bash|zsh|sh)\b", r"\1", text)
        text = re.sub(r"^\d{4}-\d\d-\d\dT[\d:.]+Z", "{time}", text)
        text = text.replace(_UNKNOWN, "{unknown_thread_id}")
        return re.sub(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "{thread_id}", text)


@dataclass(frozen=True, slots=True)
class _Take:
    """What one case has to show: the arguments, what was read, and the run."""

    arguments: tuple[str, ...]
    stdin: str
    run: _Run


def _said(studio: _Studio, *arguments: str, stdin: str = "מה השעה?") -> _Take:
    return _Take(arguments, stdin, studio.run(*arguments, stdin=stdin))


def _first_thread(studio: _Studio) -> str:
    studio.model.answers("שלום, כאן הנציג.")
    return studio.run(*_EXEC, "-", stdin="שלום").thread_id


def _answer(studio: _Studio) -> _Take:
    studio.model.answers("עכשיו שלוש וחצי.")
    return _said(studio, *_EXEC, "-")


def _resumed(studio: _Studio) -> _Take:
    thread = _first_thread(studio)
    studio.model.answers("עכשיו שלוש וחצי.")
    return _said(studio, *_EXEC, "resume", thread, "-")


def _reasoning(studio: _Studio) -> _Take:
    studio.model.emits(api.reasoning("**Looking at the clock**"), text="עכשיו שלוש וחצי.")
    return _said(studio, *_EXEC, "-")


def _two_messages(studio: _Studio) -> _Take:
    studio.model.emits(api.message("רגע, אני בודק.", item_id="msg_0"), text="עכשיו שלוש וחצי.")
    return _said(studio, *_EXEC, "-")


def _no_message(studio: _Studio) -> _Take:
    studio.model.emits()
    return _said(studio, *_EXEC, "-")


def _web_search(studio: _Studio) -> _Take:
    studio.model.emits(api.web_search_call("השעה בירושלים"), text="עכשיו שלוש וחצי.")
    return _said(studio, *_EXEC, "-")


def _tool_call(studio: _Studio) -> _Take:
    studio.model.emits(api.function_call("exec_command", {"cmd": "echo hello"}))
    studio.model.answers("כתוב שם שלום.")
    return _said(studio, *_EXEC, "-", stdin="קרא קובץ")


def _tool_refused(studio: _Studio) -> _Take:
    studio.model.emits(api.function_call("exec_command", {"cmd": "touch refused"}))
    studio.model.answers("אי אפשר.")
    return _said(studio, *_EXEC, "-", stdin="צור קובץ")


def _tool_unknown(studio: _Studio) -> _Take:
    studio.model.emits(api.function_call("exec_command", {"cmd": "touch refused"}))
    studio.model.answers("אי אפשר.")
    return _said(studio, *_EXEC, *_NO_TOOLS, "-", stdin="צור קובץ")


def _failing(kind: FailureKind) -> Callable[[_Studio], _Take]:
    def play(studio: _Studio) -> _Take:
        studio.model.fails(kind)
        return _said(studio, *_EXEC, "-")

    return play


def _cut(studio: _Studio) -> _Take:
    studio.model.drops("עכשיו ש")
    return _said(studio, *_EXEC, "-")


def _reconnected(studio: _Studio) -> _Take:
    studio.model.drops("עכשיו ש").answers("עכשיו שלוש וחצי.")
    retries = "model_providers.yemot_ai_testing.stream_max_retries=1"
    return _said(studio, *_EXEC, "-c", retries, "-")


def _unscripted(studio: _Studio) -> _Take:
    return _said(studio, *_EXEC, "-")


def _unknown_session(studio: _Studio) -> _Take:
    return _said(studio, *_EXEC, "resume", _UNKNOWN, "-")


def _busy_session(studio: _Studio) -> _Take:
    thread = _first_thread(studio)
    studio.model.hangs()
    first = studio.start(*_EXEC, "resume", thread, "-", stdin="ראשון")
    studio.model.wait_asked(2)
    try:
        return _said(studio, *_EXEC, "resume", thread, "-")
    finally:
        first.process.kill()
        first.wait()


def _not_a_uuid(studio: _Studio) -> _Take:
    studio.model.answers("אני לא זוכר דבר.")
    return _said(studio, *_EXEC, "resume", "not-a-uuid", "-")


def _terminated(studio: _Studio) -> _Take:
    studio.model.hangs()
    run = studio.start(*_EXEC, "-", stdin="מה השעה?")
    studio.model.wait_asked(1)
    run.process.send_signal(signal.SIGTERM)
    run.wait()
    return _Take((*_EXEC, "-"), "מה השעה?", run)


def _plain(*arguments: str, stdin: str = "מה השעה?") -> Callable[[_Studio], _Take]:
    return lambda studio: _said(studio, *arguments, stdin=stdin)


CASES: Final[Mapping[str, Callable[[_Studio], _Take]]] = {
    "answer": _answer,
    "resumed": _resumed,
    "reasoning": _reasoning,
    "two_messages": _two_messages,
    "no_message": _no_message,
    "web_search": _web_search,
    "tool_call": _tool_call,
    "tool_refused": _tool_refused,
    "tool_unknown": _tool_unknown,
    "unauthorized": _failing("unauthorized"),
    "rate_limited": _failing("rate_limited"),
    "overloaded": _failing("overloaded"),
    "context_overflow": _failing("context_overflow"),
    "quota_exceeded": _failing("quota_exceeded"),
    "unknown_model": _failing("unknown_model"),
    "cut_stream": _cut,
    "reconnected": _reconnected,
    "unscripted": _unscripted,
    "unknown_session": _unknown_session,
    "busy_session": _busy_session,
    "not_a_uuid": _not_a_uuid,
    "terminated": _terminated,
    "untrusted_folder": _plain("exec", "--json", "-"),
    "no_prompt": _plain(*_EXEC, "-", stdin=""),
    "review": _plain(*_EXEC, "review"),
    "unknown_option": _plain("exec", "--frobnicate", "-"),
    "unknown_option_resume": _plain("exec", "resume", "--sandbox", "read-only", _UNKNOWN, "-"),
    "unknown_feature": _plain(*_EXEC, "--disable", "frobnication", "-"),
    "missing_value": _plain("exec", "--model"),
    "version": _plain("--version", stdin=""),
    "features": _plain("features", "list", stdin=""),
    "help": _plain("exec", "--help", stdin=""),
}
"""How each case is played; the names are those of the files."""


def record(executable: Path | str, out_dir: Path | str) -> list[Path]:
    """Play every case with a real binary and write ``<case>.json`` into ``out_dir``.

    Args:
        executable: the real Codex.
        out_dir: made if missing; recordings of the same name are replaced.

    Returns:
        The files, in the order of ``CASES``.

    Raises:
        UnpublishableError: a recording still holds a path, an address, an id or a secret.
    """
    binary, folder = Path(executable).absolute(), Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    version = _version(binary)
    return [_recorded(case, binary, version, folder / f"{case}.json") for case in CASES]


def _recorded(case: str, binary: Path, version: str, path: Path) -> Path:
    with _studio(binary) as studio:
        take = CASES[case](studio)
        recording = studio.recording(case, version, take.arguments, take.stdin, take.run)
    recording.write(path)
    found = problems(path.read_text(encoding="utf-8"))
    if found:
        path.unlink()
        raise UnpublishableError(f"{case} of Codex {version} holds {'; '.join(found)}")
    return path


@contextmanager
def _studio(binary: Path) -> Iterator[_Studio]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, ModelServer() as model:
        folder = Path(name).resolve()
        for part in ("home", "user", "work"):
            (folder / part).mkdir()
        yield _Studio(binary, folder, model)


def _version(binary: Path) -> str:
    said = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603 - the binary to record
    return said.split()[-1]
