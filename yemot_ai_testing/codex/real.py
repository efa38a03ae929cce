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
import signal
import socketserver
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.codex.command_line import with_model_options
from yemot_ai_testing.codex.fake.program.argv import UsageError, parse
from yemot_ai_testing.codex.sandbox import (
    CodexRun,
    CodexSandbox,
    kill_processes,
    read_instructions,
    running_processes,
    write_launcher,
)
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE, ModelRequest, ModelServer
from yemot_ai_testing.doubles.script import (
    BusySession,
    FakeOnlyError,
    Malformed,
    ScriptableCodex,
    Transcription,
    UnknownSession,
)
from yemot_ai_testing.isolation.audit_hook import active_guard, allow_any_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from yemot_ai_testing.doubles.pauses import PausePoint
    from yemot_ai_testing.doubles.script import Step

__all__ = ["RealCodex"]

_TIMEOUT: Final = 20.0
_LAUNCHER_SCRIPT: Final = """\
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
class _StartedRun:
    """A run, as its process told it."""

    start_info: dict[str, Any]
    resumed_thread: str | None


class RealCodex(ScriptableCodex):
    """A real Codex binary, scripted; a context manager that puts it first on ``PATH``.

    Args:
        binary: the real executable; by default the one that ``locate("real")`` finds.

    Attributes:
        executable: what to run: it leads the binary to the model service.
        model: the service.
    """

    def __init__(self, binary: Path | str | None = None) -> None:
        self.binary = Path(binary).absolute() if binary else locate("real")
        self._sandbox = CodexSandbox()
        self.executable: Path = self._sandbox.executable
        self.model = ModelServer(self._kill)
        self._runs: list[_StartedRun] = []
        self._lock = threading.Lock()
        self._busy_threads: set[str] = set()
        self._thread_freed = threading.Condition()
        door = str(self._sandbox.folder / "door")
        self._launch_server = _LaunchServer(door, self)
        self._thread = threading.Thread(target=self._launch_server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        shim = _LAUNCHER_SCRIPT.format(door=door, key=CODEX_KEY_VARIABLE, binary=str(self.binary))
        write_launcher(self.executable, self._sandbox.folder / "shim.py", shim)

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
        return [self._codex_run(number, started) for number, started in runs]

    @property
    def processes(self) -> tuple[int, ...]:
        """The processes of runs that are still alive, what they have started included."""
        return running_processes(started.start_info["pid"] for started in self._runs)

    def processes_alive(self) -> int:
        """How many of them there are."""
        return len(self.processes)

    def hold(self) -> None:
        """Let every later call to the model wait until ``release``."""
        self.model.hold()

    def release(self) -> None:
        """Let the waiting calls through."""
        self.model.release()

    def pause_at(self, point: PausePoint) -> None:
        """Let every later call to the model stand still at a point, as ``ModelServer`` does."""
        self.model.pause_at(point)

    def resume(self) -> None:
        """Let everything go on that stands at the point."""
        self.model.resume()

    def wait_for_requests(self, count: int, timeout: float = 10.0) -> None:
        """Block until the model was asked ``count`` times; ``TimeoutError`` after ``timeout`` seconds."""
        self.model.wait_for_requests(count, timeout)

    def assert_complete(self) -> None:
        """Check that every step was used and every call had one.

        Raises:
            ScriptMismatchError: it was not so.
        """
        self.model.assert_complete()

    def close(self) -> None:
        """End what still runs, put ``PATH`` back, and remove the folder."""
        kill_processes((started.start_info["pid"] for started in self._runs), self._sandbox)
        self.model.close()
        self._launch_server.shutdown()
        self._launch_server.server_close()
        self._thread.join()
        self._sandbox.remove()

    def __enter__(self) -> Self:
        self._sandbox.activate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.assert_complete()
        finally:
            self.close()

    def model_options(self, started: _StartedRun | None) -> list[str]:
        """The options that lead one run to the model, under an address that tells which run it is."""
        number = self._register_run(started)
        own = self.model.base_url.replace("/v1", f"/run/{number}/v1")
        config = {
            name: value.replace(self.model.base_url, own) for name, value in self.model.codex_config().items()
        }
        return [part for name, value in config.items() for part in ("-c", f"{name}={value}")]

    def _register_run(self, started: _StartedRun | None) -> int | None:
        if started is None:
            return None
        if guard := active_guard():
            guard.count_real_codex_run()
        with self._lock:
            self._runs.append(started)
            return len(self._runs) - 1

    def apply_session_step(self, started: _StartedRun) -> contextlib.AbstractContextManager[object]:
        """Do to the session that a run resumes what the script says; undone when the run is over."""
        if started.resumed_thread is None:
            return contextlib.nullcontext()
        # Whoever tries again at once must not meet the second writer of the run before, who is dying.
        with self._thread_freed:
            self._thread_freed.wait_for(lambda: started.resumed_thread not in self._busy_threads, _TIMEOUT)
        step = self.model.script.take_if(UnknownSession, BusySession)
        if isinstance(step, UnknownSession):
            for path in Path(started.start_info["home"]).glob(
                f"sessions/*/*/*/rollout-*-{started.resumed_thread}.jsonl"
            ):
                path.unlink()
        if isinstance(step, BusySession):
            return self._occupied_thread(started, started.resumed_thread)
        return contextlib.nullcontext()

    @contextlib.contextmanager
    def _occupied_thread(self, started: _StartedRun, thread: str) -> Iterator[None]:
        self._busy_threads.add(thread)
        try:
            with _second_writer(self.binary, started):
                yield
        finally:
            with self._thread_freed:
                self._busy_threads.discard(thread)
                self._thread_freed.notify_all()

    def _kill(self, request: ModelRequest) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._runs[_run_number(request)].start_info["pid"], signal.SIGKILL)

    def _codex_run(self, number: int, started: _StartedRun) -> CodexRun:
        asked = [request for request in list(self.model.requests) if _run_number(request) == number]
        return CodexRun(
            argv=tuple(started.start_info["argv"]),
            prompt=asked[0].prompt if asked else "",
            cwd=started.start_info["cwd"],
            env_names=frozenset(started.start_info["env"]),
            pid=started.start_info["pid"],
            session=started.resumed_thread,
            thread_id=(asked[0].session or "") if asked else "",
            called_model=bool(asked),
            instructions=read_instructions(started.start_info["argv"]),
        )


class _LaunchServer(socketserver.ThreadingUnixStreamServer):
    """Where a starting process knocks, and is told how to go on."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, codex: RealCodex) -> None:
        self.codex = codex
        super().__init__(path, _LaunchHandler)


class _LaunchHandler(socketserver.StreamRequestHandler):
    """One process, from its start to its end."""

    server: _LaunchServer

    def handle(self) -> None:
        """Admit the process, and wait until it is gone."""
        line = self.rfile.readline()
        if not line:
            return
        started = _parse_start(json.loads(line))
        codex = self.server.codex
        argv = with_model_options(codex.model_options(started), json.loads(line)["argv"])
        staged = codex.apply_session_step(started) if started else contextlib.nullcontext()
        with staged, contextlib.suppress(ConnectionError):
            self.wfile.write(json.dumps(argv).encode() + b"\n")
            self.rfile.read()


def _parse_start(start_info: dict[str, Any]) -> _StartedRun | None:
    """The run, if it is one: not a question about version, features or options."""
    argv = start_info["argv"]
    try:
        found = parse(list(argv))
    except UsageError:
        return _StartedRun(start_info, None) if {"exec", "e"} & set(argv) else None
    if found.has("help") or found.has("version") or not {"exec", "e"} & set(argv):
        return None
    resumes = (
        found.positionals[0]
        if found.command == "resume" and found.positionals and not found.has("last")
        else None
    )
    return _StartedRun(start_info, resumes)


@contextlib.contextmanager
def _second_writer(binary: Path, started: _StartedRun) -> Iterator[None]:
    """A real process that is in the middle of a turn of the same thread."""
    with contextlib.closing(ModelServer().hangs()) as model:
        settings = [part for item in model.codex_config().items() for part in ("-c", "=".join(item))]
        arguments = ["exec", "--json", "--skip-git-repo-check", "resume", str(started.resumed_thread), "-"]
        with allow_any_program():
            rival = subprocess.Popen(  # noqa: S603 - the binary under test
                [binary, *settings, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=started.start_info["cwd"],
                env={**_second_writer_environment(started), CODEX_KEY_VARIABLE: "none"},
            )
        try:
            rival.stdin.write(b"busy")  # type: ignore[union-attr]  # a pipe was asked for
            rival.stdin.close()  # type: ignore[union-attr]  # a pipe was asked for
            model.wait_for_requests(1, _TIMEOUT)
            yield
        finally:
            rival.kill()
            rival.wait(_TIMEOUT)


def _second_writer_environment(started: _StartedRun) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": started.start_info["home"],
        "CODEX_HOME": started.start_info["home"],
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }


def _run_number(request: ModelRequest) -> int:
    """Which run asked: its address says so."""
    parts = request.path.split("/")
    return int(parts[2]) if parts[1:2] == ["run"] else -1
