"""The bench that a case works at: an executable, fresh folders, and a model that answers what it is told.

Nothing of it outlives its case: processes are ended by their group, folders are removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.process import AGENT_MESSAGE, TIMEOUT, CompletedRun, ExecProcess, Stdin
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, expect_equal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from yemot_ai_testing.codex.rules.backends import ModelBackend
    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["EXEC", "ExecBench"]

EXEC: Final = ("exec", "--json", "--skip-git-repo-check")
"""How most cases begin."""

_NO_PRIVILEGES: Final = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override",
)


class ExecBench:
    """One executable under trial, with a fresh home and working folder; a context manager.

    Args:
        backend: the executable, and who answers behind it.
        version: of the executable; empty if it does not tell.
        without_model: it answers out of itself, and asks no model.

    Attributes:
        folder: everything of this case.
        home: its ``CODEX_HOME``.
        work: its working folder, outside of any repository.
    """

    def __init__(self, backend: ModelBackend, *, version: str, without_model: bool) -> None:
        self.backend = backend
        self.version = version
        self._without_model = without_model
        self.folder = Path(tempfile.mkdtemp(prefix="yemot-ai-bench-")).resolve()
        self.home, self.work, self.user = (self.folder / name for name in ("home", "work", "user"))
        for folder in (self.home, self.work, self.user):
            folder.mkdir()
        self._processes: list[ExecProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.backend.release()
        for process in self._processes:
            process.kill()
            process.popen.communicate()
        self.backend.close()
        self.home.chmod(0o700)
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self, *texts: str) -> None:
        """Script an answer for each call to the model."""
        for text in texts:
            self.backend.script.answers(text)

    def fails(self, kind: FailureKind) -> None:
        """Let the next call to the model fail."""
        self._require_model()
        self.backend.script.fails(kind)

    def drops(self) -> None:
        """Let the connection break in the middle of the next answer."""
        self._require_model()
        self.backend.script.drops("חצי")

    def hangs(self, saying: str = "") -> None:
        """Let the next call hang, after a first message if one is given."""
        self._require_model()
        self.backend.script.hangs(saying=saying)

    def emits_recorded(self, case: str) -> None:
        """Let the model put out what a recording of this name shows."""
        self._require_model()
        self.backend.emits_recorded(case)

    def emits(self, *items: Mapping[str, object], text: str) -> None:
        """Let the model put out items of its own, and a text."""
        self._require_model()
        self.backend.emits(*items, text=text)

    def hold(self) -> None:
        """Let the model wait with its answers."""
        self._require_model()
        self.backend.hold()

    def release(self) -> None:
        """Let the model go on."""
        self.backend.release()

    def prompts(self) -> list[str]:
        """What the model was asked."""
        self._require_model()
        return self.backend.prompts

    def user_messages(self) -> tuple[str, ...]:
        """All that the user said, as the model was told it last."""
        self._require_model()
        return self.backend.user_messages()

    def wait_for_requests(self, count: int = 1) -> None:
        """Wait until the model was asked so often; ``Breach`` if it is not."""
        self._require_model()
        try:
            self.backend.wait_for_requests(count)
        except TimeoutError as error:
            raise Breach(f"{count} calls to the model", str(error)) from None

    def expect_no_requests(self) -> None:
        """Expect that the model was not asked; an executable that asks none cannot be held to it."""
        if not self._without_model:
            expect_equal("what the model was asked", self.backend.prompts, [])

    def expect_answered(self, run: CompletedRun, *texts: str) -> None:
        """Expect a turn that succeeded with these messages of the agent, each a scripted answer."""
        expect_equal("exit code", run.exit_code, 0)
        if self._without_model:
            expect_equal("the last event", run.event_types[-1:], ["turn.completed"])
        else:
            expect_equal(
                "events",
                run.event_types,
                ["thread.started", "turn.started", *[AGENT_MESSAGE] * len(texts), "turn.completed"],
            )
            expect_equal("messages", run.agent_messages, list(texts))

    def _require_model(self) -> None:
        if self._without_model:
            raise NotApplicable("it answers out of itself: no model was asked, so none can be scripted")

    def start(
        self,
        *arguments: str,
        stdin: Stdin | None = None,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        wrapper: Sequence[str] = (),
    ) -> ExecProcess:
        """Start the executable.

        Args:
            arguments: its arguments; what leads it to the model is added.
            stdin: what stands there instead of an open pipe.
            env: what differs in its environment; None removes a variable.
            cwd: its working folder; ``work`` without.
            wrapper: a command that starts it.
        """
        command = [*wrapper, *self.backend.command(arguments)]
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
        self._processes.append(ExecProcess(popen))
        return self._processes[-1]

    def run(
        self,
        *arguments: str,
        stdin: str | bytes | Stdin = "",
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        wrapper: Sequence[str] = (),
    ) -> CompletedRun:
        """Start the executable, give it ``stdin``, and wait for its end."""
        given = stdin if isinstance(stdin, Stdin) else None
        process = self.start(*arguments, stdin=given, env=env, cwd=cwd, wrapper=wrapper)
        try:
            data = None if isinstance(stdin, Stdin) else stdin.encode() if isinstance(stdin, str) else stdin
            out, err = process.popen.communicate(data, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Breach(f"an end within {TIMEOUT:g} s", "it still runs") from None
        return CompletedRun(process.popen.returncode, out, err.decode("utf-8", "replace"))

    def run_turn(self, text: str = "שלום", *options: str) -> CompletedRun:
        """A turn of a new thread, asked through standard input."""
        return self.run(*EXEC, *options, "-", stdin=text)

    def resume(self, thread: str, text: str = "שוב", *options: str) -> CompletedRun:
        """A further turn of a thread."""
        return self.run(*EXEC, *options, "resume", thread, "-", stdin=text)

    def answered_thread(self) -> str:
        """A thread with one answered turn."""
        self.answers("ראשונה")
        run = self.run_turn()
        self.expect_answered(run, "ראשונה")
        return run.thread_id

    def rollouts(self) -> list[Path]:
        """The files of the threads in the home."""
        return sorted(self.home.glob("sessions/*/*/*/rollout-*.jsonl"))

    def unprivileged_wrapper(self) -> tuple[str, ...]:
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
        whole = {**fixed, **home, **self.backend.environment, **changes}
        return {name: value for name, value in whole.items() if value is not None}
