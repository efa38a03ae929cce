"""The bench that a case works at: an executable, fresh folders, and a model that answers what it is told.

Nothing of it outlives its case: processes are ended by their group, folders are removed.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yemot_ai_testing.contract.case import Breach, NotApplicable, same
from yemot_ai_testing.doubles.codex_stage import living

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from yemot_ai_testing.contract.stages import Stage
    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["EXEC", "Bench", "Process", "Run", "Stdin"]

EXEC: Final = ("exec", "--json", "--skip-git-repo-check")
"""How most cases begin."""

_PATIENCE: Final = 10.0
_NOTICEABLE: Final = 0.7
_NO_PRIVILEGES: Final = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override",
)


class Stdin(enum.Enum):
    """A standard input that is no pipe."""

    NULL = "/dev/null"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Run:
    """A process that has ended.

    Attributes:
        code: its exit code, as ``Popen`` sees it: negative for a signal.
        stdout: what it wrote.
        stderr: what it wrote there.
    """

    code: int
    stdout: bytes
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        r"""The events of standard output, split at ``\n`` only; ``Breach`` if a line is none."""
        return [_event(line) for line in self.stdout.split(b"\n")[:-1]]

    @property
    def kinds(self) -> list[str]:
        """The types of the events, ``type:item type`` for items, without the warnings before the turn."""
        kinds = [_kind(event) for event in self.events]
        begun = kinds.index("turn.started") if "turn.started" in kinds else 0
        return [kind for n, kind in enumerate(kinds) if n >= begun or kind != "item.completed:error"]

    @property
    def thread(self) -> str:
        """The thread that it says it is about; ``Breach`` if it says none."""
        events = self.events
        if not events or events[0].get("type") != "thread.started":
            raise Breach("a first event thread.started", self.summary)
        return str(events[0].get("thread_id"))

    @property
    def messages(self) -> list[str]:
        """The texts of the agent."""
        return [event["item"].get("text") for event in self.events if _kind(event) == _MESSAGE]

    @property
    def usage(self) -> Mapping[str, int]:
        """The counters of its last event; ``Breach`` if there are none."""
        events = self.events
        if not events or "usage" not in events[-1]:
            raise Breach("a last event with usage", self.summary)
        usage: Mapping[str, int] = events[-1]["usage"]
        return usage

    @property
    def summary(self) -> str:
        """What it did, in one line."""
        out = self.stdout.decode("utf-8", "replace")
        err = " / ".join(line for line in self.stderr.split("\n") if line and not line.startswith("WARNING"))
        return f"exit {self.code}, stdout {out[-300:]!r}, stderr {err[-300:]!r}"


_MESSAGE: Final = "item.completed:agent_message"


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise Breach("lines of standard output that are JSON objects", repr(line[:300]))
    return event


def _kind(event: Mapping[str, Any]) -> str:
    item = event.get("item")
    return f"{event.get('type')}:{item.get('type')}" if isinstance(item, dict) else str(event.get("type"))


class Process:
    """A process that runs.

    Attributes:
        popen: it.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self.popen = popen
        self._read = b""

    def tells(self, text: str | bytes) -> Self:
        """Write to its standard input, and leave it open."""
        if self.popen.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.popen.stdin.write(text.encode() if isinstance(text, str) else text)
                self.popen.stdin.flush()
        return self

    def hangs_up(self) -> Self:
        """Close its standard input."""
        if self.popen.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.popen.stdin.close()
            self.popen.stdin = None
        return self

    def closes_stdout(self) -> Self:
        """Stop reading what it writes."""
        if self.popen.stdout is not None:
            self.popen.stdout.close()
            self.popen.stdout = None
        return self

    def reads_until(self, word: bytes) -> bytes:
        """Read its standard output until ``word`` has come; ``Breach`` if it does not."""
        deadline = time.monotonic() + _PATIENCE
        while word not in self._read:
            chunk = self._chunk(deadline - time.monotonic())
            if not chunk:
                raise Breach(f"{word.decode()} on standard output", repr(self._read[-300:]))
            self._read += chunk
        return self._read

    def _chunk(self, seconds: float) -> bytes:
        """What it writes next; empty if that is nothing."""
        if self.popen.stdout is None or seconds <= 0:
            return b""
        # Past the buffer of the file object, so that nothing is hidden there from whoever reads next.
        pipe = self.popen.stdout.fileno()
        return os.read(pipe, 1 << 16) if select.select([pipe], [], [], seconds)[0] else b""

    def waits(self) -> bool:
        """Whether it is still there after a moment in which it could have ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.popen.wait(_NOTICEABLE)
        return self.popen.poll() is None

    def exits(self) -> None:
        """Wait for its end while its standard input is open; ``Breach`` if it does not come."""
        try:
            self.popen.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise Breach(
                f"an end within {_PATIENCE:g} s, with standard input open", "it still runs"
            ) from None

    def ends(self, within: float = _PATIENCE) -> Run:
        """Wait for its end.

        Args:
            within: seconds.

        Raises:
            Breach: it does not end.
        """
        try:
            out, err = self.popen.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self.kills()
            raise Breach(f"an end within {within:g} s", "it still runs") from None
        return Run(self.popen.returncode, self._read + (out or b""), (err or b"").decode("utf-8", "replace"))

    def kills(self) -> None:
        """End its whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)

    def leftovers(self) -> tuple[int, ...]:
        """Who of its group is still alive, after a moment to go."""
        deadline = time.monotonic() + _NOTICEABLE
        while (left := living([self.popen.pid])) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left


class Bench:
    """One executable under trial, with a fresh home and working folder; a context manager.

    Args:
        stage: the executable, and who answers behind it.
        version: of the executable; empty if it does not tell.
        canned: it answers out of itself, and asks no model.

    Attributes:
        folder: everything of this case.
        home: its ``CODEX_HOME``.
        work: its working folder, outside of any repository.
    """

    def __init__(self, stage: Stage, *, version: str, canned: bool) -> None:
        self.stage = stage
        self.version = version
        self._canned = canned
        self.folder = Path(tempfile.mkdtemp(prefix="yemot-ai-bench-")).resolve()
        self.home, self.work, self.user = (self.folder / name for name in ("home", "work", "user"))
        for folder in (self.home, self.work, self.user):
            folder.mkdir()
        self._started: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stage.releases()
        for process in self._started:
            process.kills()
            process.popen.communicate()
        self.stage.close()
        self.home.chmod(0o700)
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self, *texts: str) -> None:
        """Script an answer for each call to the model."""
        for text in texts:
            self.stage.script.answers(text)

    def fails(self, kind: FailureKind) -> None:
        """Let the next call to the model fail."""
        self._need_model()
        self.stage.script.fails(kind)

    def drops(self) -> None:
        """Let the connection break in the middle of the next answer."""
        self._need_model()
        self.stage.script.drops("חצי")

    def hangs(self, saying: str = "") -> None:
        """Let the next call hang, after a first message if one is given."""
        self._need_model()
        self.stage.script.hangs(saying=saying)

    def plays(self, what: str) -> None:
        """Let the model put out what a recording of this name shows."""
        self._need_model()
        self.stage.plays(what)

    def emits(self, *items: Mapping[str, object], text: str) -> None:
        """Let the model put out items of its own, and a text."""
        self._need_model()
        self.stage.emits(*items, text=text)

    def holds(self) -> None:
        """Let the model wait with its answers."""
        self._need_model()
        self.stage.holds()

    def releases(self) -> None:
        """Let the model go on."""
        self.stage.releases()

    def prompts(self) -> list[str]:
        """What the model was asked."""
        self._need_model()
        return self.stage.prompts

    def said(self) -> tuple[str, ...]:
        """All that the user said, as the model was told it last."""
        self._need_model()
        return self.stage.said()

    def wait_asked(self, count: int = 1) -> None:
        """Wait until the model was asked so often; ``Breach`` if it is not."""
        self._need_model()
        try:
            self.stage.wait_asked(count)
        except TimeoutError as error:
            raise Breach(f"{count} calls to the model", str(error)) from None

    def never_asked(self) -> None:
        """Expect that the model was not asked; an executable that asks none cannot be held to it."""
        if not self._canned:
            same("what the model was asked", self.stage.prompts, [])

    def answered(self, run: Run, *texts: str) -> None:
        """Expect a turn that succeeded with these messages of the agent, each a scripted answer."""
        same("exit code", run.code, 0)
        if self._canned:
            same("the last event", run.kinds[-1:], ["turn.completed"])
        else:
            same(
                "events",
                run.kinds,
                ["thread.started", "turn.started", *[_MESSAGE] * len(texts), "turn.completed"],
            )
            same("messages", run.messages, list(texts))

    def _need_model(self) -> None:
        if self._canned:
            raise NotApplicable("it answers out of itself: no model was asked, so none can be scripted")

    def start(
        self,
        *arguments: str,
        stdin: Stdin | None = None,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        before: Sequence[str] = (),
    ) -> Process:
        """Start the executable.

        Args:
            arguments: its arguments; what leads it to the model is added.
            stdin: what stands there instead of an open pipe.
            env: what differs in its environment; None removes a variable.
            cwd: its working folder; ``work`` without.
            before: a command that starts it.
        """
        command = [*before, *self.stage.command(arguments)]
        if stdin is Stdin.CLOSED:
            command = ["/bin/sh", "-c", 'exec "$0" "$@" <&-', *command]
        popen = subprocess.Popen(  # noqa: S603 - the executable on trial
            command,
            stdin=subprocess.PIPE if stdin is None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd or self.work,
            env=self._environment(env or {}),
            start_new_session=True,
        )
        self._started.append(Process(popen))
        return self._started[-1]

    def run(
        self,
        *arguments: str,
        stdin: str | bytes | Stdin = "",
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        before: Sequence[str] = (),
    ) -> Run:
        """Start the executable, give it ``stdin``, and wait for its end."""
        given = stdin if isinstance(stdin, Stdin) else None
        process = self.start(*arguments, stdin=given, env=env, cwd=cwd, before=before)
        try:
            data = None if isinstance(stdin, Stdin) else stdin.encode() if isinstance(stdin, str) else stdin
            out, err = process.popen.communicate(data, timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kills()
            raise Breach(f"an end within {_PATIENCE:g} s", "it still runs") from None
        return Run(process.popen.returncode, out, err.decode("utf-8", "replace"))

    def turn(self, text: str = "שלום", *options: str) -> Run:
        """A turn of a new thread, asked through standard input."""
        return self.run(*EXEC, *options, "-", stdin=text)

    def resume(self, thread: str, text: str = "שוב", *options: str) -> Run:
        """A further turn of a thread."""
        return self.run(*EXEC, *options, "resume", thread, "-", stdin=text)

    def first_thread(self) -> str:
        """A thread with one answered turn."""
        self.answers("ראשונה")
        run = self.turn()
        self.answered(run, "ראשונה")
        return run.thread

    def rollouts(self) -> list[Path]:
        """The files of the threads in the home."""
        return sorted(self.home.glob("sessions/*/*/*/rollout-*.jsonl"))

    def unprivileged(self) -> tuple[str, ...]:
        """What to start it with so that it cannot write where the folder's mode forbids it.

        Raises:
            NotApplicable: this is the superuser, and there is no ``setpriv``.
        """
        if os.geteuid() != 0:
            return ()
        if shutil.which("setpriv") is None:
            raise NotApplicable("the superuser may write anywhere, and there is no setpriv here")
        return _NO_PRIVILEGES

    def _environment(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        # The black hole keeps a real binary from calling home, whatever it is told.
        fixed = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1", "LANG": "C.UTF-8"}
        home = {
            "HOME": str(self.user),
            "CODEX_HOME": str(self.home),
            "PATH": os.environ.get("PATH", os.defpath),
        }
        whole = {**fixed, **home, **self.stage.environment, **changes}
        return {name: value for name, value in whole.items() if value is not None}
