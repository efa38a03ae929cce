"""The real Codex as a double: the binary, with a scripted model service on this machine.

It has the interface of ``FakeCodex``, so that one test can run with both. No key and no network is
needed::

    with RealCodex(locate("real")) as codex:
        codex.answers("שלום")
        ...

Steps that only a fake can take raise ``FakeOnlyError``.
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
from yemot_ai_testing.codex.home import isolated_environment
from yemot_ai_testing.codex.sandbox import CodexDouble, CodexRun, read_instructions, write_launcher
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE, ModelRequest, ModelServer
from yemot_ai_testing.doubles.script import FakeOnlyError
from yemot_ai_testing.doubles.scripted_double import ScriptedDouble
from yemot_ai_testing.doubles.steps import (
    BusySession,
    Malformed,
    Reconnect,
    UnknownSession,
)
from yemot_ai_testing.isolation.audit_hook import active_guard, allow_any_program
from yemot_ai_testing.processes.child import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yemot_ai_testing.doubles.steps import Step

__all__ = ["RealCodex"]

_TIMEOUT: Final = 20.0
_LAUNCHER_SCRIPT: Final = """\
import json, os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect({socket_path!r})
start_info = dict(argv=sys.argv[1:], cwd=os.getcwd(), env=sorted(os.environ), pid=os.getpid(),
                  home=os.environ.get("CODEX_HOME") or os.environ.get("HOME", "") + "/.codex")
connection.sendall(json.dumps(start_info).encode() + b"\\n")
line = connection.makefile().readline()
if not line:
    sys.exit("the test that made this sandbox has ended")
argv = json.loads(line)
for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "https_proxy"):
    os.environ.pop(name, None)
os.environ.update(HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1")
os.environ.update({key}="none", YEMOT_AI_SANDBOX={socket_path!r})
# The connection stays open until the last process of the run has ended.
os.set_inheritable(connection.fileno(), True)
os.execv({binary!r}, [{binary!r}, *argv])
"""


@dataclass(slots=True)
class _StartedRun:
    """A run that has started, with what its process sent about itself."""

    start_info: dict[str, Any]
    resumed_thread: str | None
    instructions: str | None


class RealCodex(CodexDouble, ScriptedDouble):
    """A real Codex binary with a scripted model; a context manager that puts it first on ``PATH``.

    Args:
        binary: the real executable; by default the one that ``locate("real")`` finds.

    Attributes:
        executable: the launcher to run; it starts the binary with the model service.
        model: the model service.
    """

    def __init__(self, binary: Path | str | None = None) -> None:
        self.binary = Path(binary).absolute() if binary else locate("real")
        super().__init__()
        self.model = ModelServer(self._kill)
        self.script, self.gate, self.pause = self.model.script, self.model.gate, self.model.pause
        self._runs: list[_StartedRun] = []
        self._lock = threading.Lock()
        self._busy_threads: set[str] = set()
        self._thread_freed = threading.Condition()
        socket_path = str(self._sandbox.folder / "launch")
        self._launch_server = _LaunchServer(socket_path, self)
        self._thread = threading.Thread(target=self._launch_server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        launcher = _LAUNCHER_SCRIPT.format(
            socket_path=socket_path, key=CODEX_KEY_VARIABLE, binary=str(self.binary)
        )
        write_launcher(self.executable, self._sandbox.folder / "launcher.py", launcher)

    def _append(self, step: Step) -> None:
        if isinstance(step, Malformed):
            raise FakeOnlyError("only the fake Codex can be malformed: the real one writes its protocol")
        self.script.add(step)

    @property
    def requests(self) -> list[CodexRun]:
        """The ``codex exec`` processes so far, oldest first, including those that still run."""
        with self._lock:
            runs = list(enumerate(self._runs))
        return [self._codex_run(number, started) for number, started in runs]

    def close(self) -> None:
        """Kill the processes that still run, restore ``PATH``, and remove the folder."""
        super().close()
        self.model.close()
        self._launch_server.shutdown()
        self._launch_server.server_close()
        self._thread.join()

    def model_options(self, started: _StartedRun | None) -> list[str]:
        """Return the options that select the model for one run; the URL contains the number of the run."""
        number = self._register_run(started)
        own = self.model.base_url.replace("/v1", f"/run/{number}/v1")
        options = self.model.codex_options(stream_retries=self.script.count_next(Reconnect))
        return [option.replace(self.model.base_url, own) for option in options]

    def _register_run(self, started: _StartedRun | None) -> int | None:
        if started is None:
            return None
        if guard := active_guard():
            guard.count_real_codex_run()
        with self._lock:
            self._runs.append(started)
            return len(self._runs) - 1

    def apply_session_step(self, started: _StartedRun) -> contextlib.AbstractContextManager[object]:
        """Apply the script's next session step to the thread that a run resumes, until the run has ended."""
        if started.resumed_thread is None:
            return contextlib.nullcontext()
        # A retry must not meet the second writer of the run before, which may still be ending.
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
        requests = [request for request in list(self.model.requests) if _run_number(request) == number]
        return CodexRun(
            argv=tuple(started.start_info["argv"]),
            prompt=requests[0].prompt if requests else "",
            cwd=started.start_info["cwd"],
            env_names=frozenset(started.start_info["env"]),
            pid=started.start_info["pid"],
            session=started.resumed_thread,
            thread_id=(requests[0].session or "") if requests else "",
            called_model=bool(requests),
            instructions=started.instructions,
        )


class _LaunchServer(socketserver.ThreadingUnixStreamServer):
    """The Unix socket from which a launcher gets its command line."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, codex: RealCodex) -> None:
        self.codex = codex
        super().__init__(path, _LaunchHandler)


class _LaunchHandler(socketserver.StreamRequestHandler):
    """One process, from its start to its end."""

    server: _LaunchServer

    def handle(self) -> None:
        """Send the command line to the launcher, and wait until its process has ended."""
        line = self.rfile.readline()
        if not line:
            return
        started = _parse_start(json.loads(line))
        codex = self.server.codex
        argv = with_model_options(codex.model_options(started), json.loads(line)["argv"])
        session_step = codex.apply_session_step(started) if started else contextlib.nullcontext()
        with session_step, contextlib.suppress(ConnectionError):
            self.wfile.write(json.dumps(argv).encode() + b"\n")
            self.rfile.read()


def _parse_start(start_info: dict[str, Any]) -> _StartedRun | None:
    """Return the run; None for ``--version``, ``--help`` and other commands than ``exec``."""
    argv = start_info["argv"]
    instructions = read_instructions(argv)  # now: the caller may delete the file after the turn
    try:
        arguments = parse(list(argv))
    except UsageError:
        return _StartedRun(start_info, None, instructions) if {"exec", "e"} & set(argv) else None
    if arguments.has("help") or arguments.has("version") or not {"exec", "e"} & set(argv):
        return None
    names_thread = arguments.command == "resume" and arguments.positionals and not arguments.has("last")
    return _StartedRun(start_info, arguments.positionals[0] if names_thread else None, instructions)


@contextlib.contextmanager
def _second_writer(binary: Path, started: _StartedRun) -> Iterator[None]:
    """Run a real process in the middle of a turn of the same thread."""
    with contextlib.closing(ModelServer().hangs()) as model:
        arguments = ["exec", "--json", "--skip-git-repo-check", "resume", str(started.resumed_thread), "-"]
        home = Path(started.start_info["home"])
        with allow_any_program():
            second = ChildProcess(
                [str(binary), *model.codex_options(), *arguments],
                cwd=started.start_info["cwd"],
                env=isolated_environment(home, home),
                output=subprocess.DEVNULL,
            )
        with second:
            second.write_stdin(b"busy").close_stdin()
            model.wait_for_requests(1, _TIMEOUT)
            yield


def _run_number(request: ModelRequest) -> int:
    """Return the number of the run that sent a request; -1 for none."""
    parts = request.path.split("/")
    return int(parts[2]) if parts[1:2] == ["run"] else -1
