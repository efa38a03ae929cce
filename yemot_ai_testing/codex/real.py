"""The real Codex as a double: its own binary, answered by a scripted model service on this machine.

It takes the same script as ``FakeCodex`` and shows the same requests, so that one test can run with
both. No key and no network is needed::

    with RealCodex(locate("real")) as codex:
        codex.answers("שלום")
        ...

What cannot be done to a real program raises ``FakeOnlyError``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socketserver
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.codex.fake.program.argv import UsageError, parse
from yemot_ai_testing.codex.sandbox import (
    CodexRun,
    CodexStage,
    end,
    instructions_of,
    launcher,
    living,
)
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE, ModelRequest, ModelServer
from yemot_ai_testing.doubles.script import (
    BusySession,
    CodexVocabulary,
    FakeOnlyError,
    Malformed,
    Transcription,
    UnknownSession,
)
from yemot_ai_testing.isolation.audit_hook import active_guard, allow_any_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from yemot_ai_testing.doubles.pauses import Point
    from yemot_ai_testing.doubles.script import Step

__all__ = ["RealCodex", "led_to"]

_TIMEOUT: Final = 20.0

_SETTING: Final = re.compile(r"-c|--config(?:=|$)")
_SHIM: Final = """\
import json, os, socket, sys
door = socket.socket(socket.AF_UNIX)
door.connect({door!r})
told = dict(argv=sys.argv[1:], cwd=os.getcwd(), env=sorted(os.environ), pid=os.getpid(),
            home=os.environ.get("CODEX_HOME") or os.environ.get("HOME", "") + "/.codex")
door.sendall(json.dumps(told).encode() + b"\\n")
line = door.makefile().readline()
if not line:
    sys.exit("the test that set this stage is over")
argv = json.loads(line)
for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "https_proxy"):
    os.environ.pop(name, None)
os.environ.update(HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1")
os.environ.update({key}="none", YEMOT_AI_STAGE={door!r})
# Left open, it tells the test when the last process of the run is gone.
os.set_inheritable(door.fileno(), True)
os.execv({binary!r}, [{binary!r}, *argv])
"""


@dataclass(slots=True)
class _Started:
    """A run, as its process told it."""

    told: dict[str, Any]
    resumes: str | None


class RealCodex(CodexVocabulary):
    """A real Codex binary, scripted; a context manager that puts it first on ``PATH``.

    Args:
        binary: the real executable; by default the one that ``locate("real")`` finds.

    Attributes:
        executable: what to run: it leads the binary to the model service.
        model: the service.
    """

    def __init__(self, binary: Path | str | None = None) -> None:
        self.binary = Path(binary).absolute() if binary else locate("real")
        self._stage = CodexStage()
        self.executable: Path = self._stage.executable
        self.model = ModelServer(self._kill)
        self._runs: list[_Started] = []
        self._lock = threading.Lock()
        self._rivals: set[str] = set()
        self._rival_gone = threading.Condition()
        door = str(self._stage.folder / "door")
        self._door = _Door(door, self)
        self._thread = threading.Thread(target=self._door.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        shim = _SHIM.format(door=door, key=CODEX_KEY_VARIABLE, binary=str(self.binary))
        launcher(self.executable, self._stage.folder / "shim.py", shim)

    def add(self, step: Step) -> None:
        """Append a step.

        Raises:
            FakeOnlyError: nobody can make a real program write nonsense.
            TypeError: Codex hears nothing.
        """
        if isinstance(step, Transcription):
            raise TypeError("Codex transcribes nothing: script that on the double of who does")
        if isinstance(step, Malformed):
            raise FakeOnlyError("only the fake Codex can be malformed: the real one writes its protocol")
        self.model.script.add(step)

    @property
    def requests(self) -> list[CodexRun]:
        """The ``codex exec`` processes so far, oldest first; those that still run as well."""
        with self._lock:
            runs = list(enumerate(self._runs))
        return [self._run(number, started) for number, started in runs]

    @property
    def processes(self) -> tuple[int, ...]:
        """The processes of runs that are still alive, what they have started included."""
        return living(started.told["pid"] for started in self._runs)

    def processes_alive(self) -> int:
        """How many of them there are."""
        return len(self.processes)

    def holds(self) -> None:
        """Let every later call to the model wait until ``releases``."""
        self.model.holds()

    def releases(self) -> None:
        """Let the waiting calls through."""
        self.model.releases()

    def pause_at(self, point: Point) -> None:
        """Let every later call to the model stand still at a point, as ``ModelServer`` does."""
        self.model.pause_at(point)

    def goes_on(self) -> None:
        """Let everything go on that stands at the point."""
        self.model.goes_on()

    def wait_asked(self, count: int, timeout: float = 10.0) -> None:
        """Block until the model was asked ``count`` times; ``TimeoutError`` after ``timeout`` seconds."""
        self.model.wait_asked(count, timeout)

    def assert_complete(self) -> None:
        """Check that every step was used and every call had one.

        Raises:
            ScriptMismatchError: it was not so.
        """
        self.model.assert_complete()

    def close(self) -> None:
        """End what still runs, put ``PATH`` back, and remove the folder."""
        end((started.told["pid"] for started in self._runs), self._stage)
        self.model.close()
        self._door.shutdown()
        self._door.server_close()
        self._thread.join()
        self._stage.strike()

    def __enter__(self) -> Self:
        self._stage.set()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def settings_of(self, started: _Started | None) -> list[str]:
        """The options that lead one run to the model, under an address that tells which run it is."""
        number = self._admitted(started)
        own = self.model.base_url.replace("/v1", f"/run/{number}/v1")
        config = {
            name: value.replace(self.model.base_url, own) for name, value in self.model.codex_config().items()
        }
        return [part for name, value in config.items() for part in ("-c", f"{name}={value}")]

    def _admitted(self, started: _Started | None) -> int | None:
        if started is None:
            return None
        if guard := active_guard():
            guard.count_real_codex_run()
        with self._lock:
            self._runs.append(started)
            return len(self._runs) - 1

    def play_before(self, started: _Started) -> contextlib.AbstractContextManager[object]:
        """Do to the session that a run resumes what the script says; undone when the run is over."""
        if started.resumes is None:
            return contextlib.nullcontext()
        # Whoever tries again at once must not meet the second writer of the run before, who is dying.
        with self._rival_gone:
            self._rival_gone.wait_for(lambda: started.resumes not in self._rivals, _TIMEOUT)
        step = self.model.script.take_if(UnknownSession, BusySession)
        if isinstance(step, UnknownSession):
            for path in Path(started.told["home"]).glob(f"sessions/*/*/*/rollout-*-{started.resumes}.jsonl"):
                path.unlink()
        if isinstance(step, BusySession):
            return self._with_rival(started, started.resumes)
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def _with_rival(self, started: _Started, thread: str) -> Iterator[None]:
        self._rivals.add(thread)
        try:
            with _second_writer(self.binary, started):
                yield
        finally:
            with self._rival_gone:
                self._rivals.discard(thread)
                self._rival_gone.notify_all()

    def _kill(self, request: ModelRequest) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._runs[_number(request)].told["pid"], signal.SIGKILL)

    def _run(self, number: int, started: _Started) -> CodexRun:
        asked = [request for request in list(self.model.requests) if _number(request) == number]
        return CodexRun(
            argv=tuple(started.told["argv"]),
            prompt=asked[0].prompt if asked else "",
            cwd=started.told["cwd"],
            env=frozenset(started.told["env"]),
            pid=started.told["pid"],
            session=started.resumes,
            thread_id=(asked[0].session or "") if asked else "",
            asked=bool(asked),
            instructions=instructions_of(started.told["argv"]),
        )


def led_to(settings: Sequence[str], argv: Sequence[str]) -> list[str]:
    """The command line ``argv`` with the settings that lead to the model.

    Up to 0.163 a ``-c`` of a subcommand takes back every one before it (measured), so the settings stand
    beside the last ``-c`` there is.
    """
    ends = argv.index("--") if "--" in argv else len(argv)
    given = [place for place in range(ends) if _SETTING.match(argv[place])]
    place = given[-1] if given else 0
    return [*argv[:place], *settings, *argv[place:]]


class _Door(socketserver.ThreadingUnixStreamServer):
    """Where a starting process knocks, and is told how to go on."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, codex: RealCodex) -> None:
        self.codex = codex
        super().__init__(path, _Visit)


class _Visit(socketserver.StreamRequestHandler):
    """One process, from its start to its end."""

    server: _Door

    def handle(self) -> None:
        """Admit the process, and wait until it is gone."""
        line = self.rfile.readline()
        if not line:
            return
        started = _started(json.loads(line))
        codex = self.server.codex
        argv = led_to(codex.settings_of(started), json.loads(line)["argv"])
        staged = codex.play_before(started) if started else contextlib.nullcontext()
        with staged, contextlib.suppress(ConnectionError):
            self.wfile.write(json.dumps(argv).encode() + b"\n")
            self.rfile.read()


def _started(told: dict[str, Any]) -> _Started | None:
    """The run, if it is one: not a question about version, features or options."""
    argv = told["argv"]
    try:
        found = parse(list(argv))
    except UsageError:
        return _Started(told, None) if {"exec", "e"} & set(argv) else None
    if found.has("help") or found.has("version") or not {"exec", "e"} & set(argv):
        return None
    resumes = found.words[0] if found.command == "resume" and found.words and not found.has("last") else None
    return _Started(told, resumes)


@contextlib.contextmanager
def _second_writer(binary: Path, started: _Started) -> Iterator[None]:
    """A real process that is in the middle of a turn of the same thread."""
    with ModelServer().hangs() as model:
        settings = [part for item in model.codex_config().items() for part in ("-c", "=".join(item))]
        arguments = ["exec", "--json", "--skip-git-repo-check", "resume", str(started.resumes), "-"]
        with allow_any_program():
            rival = subprocess.Popen(  # noqa: S603 - the binary under test
                [binary, *settings, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=started.told["cwd"],
                env={**_rival_environment(started), CODEX_KEY_VARIABLE: "none"},
            )
        try:
            rival.stdin.write(b"busy")  # type: ignore[union-attr]  # a pipe was asked for
            rival.stdin.close()  # type: ignore[union-attr]  # a pipe was asked for
            model.wait_asked(1, _TIMEOUT)
            yield
        finally:
            rival.kill()
            rival.wait(_TIMEOUT)


def _rival_environment(started: _Started) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": started.told["home"],
        "CODEX_HOME": started.told["home"],
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }


def _number(request: ModelRequest) -> int:
    """Which run asked: its address says so."""
    parts = request.path.split("/")
    return int(parts[2]) if parts[1:2] == ["run"] else -1
