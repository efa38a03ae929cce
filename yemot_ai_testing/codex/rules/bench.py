"""The bench for the rules of ``codex exec``: an executable, fresh folders, and a scripted model.

At the end of a rule, the process groups are killed and the folders removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.home import fresh_home
from yemot_ai_testing.codex.rules.backends import breaks_stream
from yemot_ai_testing.codex.rules.process import AGENT_MESSAGE, TIMEOUT, CompletedRun, Stdin, wait_completed
from yemot_ai_testing.conformance.rule import NotApplicable, expect_equal
from yemot_ai_testing.processes.child import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from yemot_ai_testing.codex.rules.backends import Backend, CodexModel
    from yemot_ai_testing.doubles.model_service.server import ModelServer

__all__ = ["EXEC", "ExecBench"]

EXEC: Final = ("exec", "--json", "--skip-git-repo-check")
"""The first arguments of most rules."""

_NO_PRIVILEGES: Final = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override",
)


class ExecBench:
    """One executable under test, with a fresh home and working folder; a context manager.

    Args:
        backend: the executable, and the model behind it.
        version: of the executable; empty if it is unknown.
        without_model: the executable answers without calling a model.

    Attributes:
        folder: all files of this bench.
        home: its ``CODEX_HOME``.
        work: its working folder, outside of any repository.
    """

    def __init__(self, backend: Backend, *, version: str, without_model: bool) -> None:
        self.backend = backend
        self.version = version
        self._without_model = without_model
        self._exit_stack = ExitStack()
        self._fresh = fresh = self._exit_stack.enter_context(fresh_home())
        self.folder, self.home, self.work, self.user = fresh.folder, fresh.home, fresh.work, fresh.user
        self._processes: list[ChildProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.backend.model.release()
        for process in self._processes:
            process.close()
        self.backend.model.close()
        self.home.chmod(0o700)
        self._exit_stack.close()

    def answers(self, *texts: str) -> None:
        """Script an answer for each of the next calls to the model."""
        for text in texts:
            self.backend.model.answers(text)

    @property
    def model(self) -> CodexModel:
        """The model, to script it; raise ``NotApplicable`` for an executable without a model."""
        self._require_model()
        return self.backend.model

    @property
    def service(self) -> ModelServer:
        """The model service; raise ``NotApplicable`` for an executable that calls none."""
        self._require_model()
        return self.backend.service

    def breaks_stream(self, text: str) -> None:
        """Script a stream that breaks off after ``text``, which Codex asks for again."""
        breaks_stream(self.model, text)

    def emits_recorded(self, case: str) -> tuple[str, ...]:
        """Script the model output of the recording ``case``; return the agent's messages in it."""
        self._require_model()
        return self.backend.emits_recorded(case)

    def prompts(self) -> list[str]:
        """Return the prompts that the model got."""
        self._require_model()
        return self.backend.prompts

    def wait_for_requests(self, count: int = 1) -> None:
        """Wait until the model was called ``count`` times; raise ``TimeoutError`` otherwise."""
        self.model.wait_for_requests(count)

    def expect_no_requests(self) -> None:
        """Expect that the model was not called; skip that check for an executable without a model."""
        if not self._without_model:
            expect_equal("prompts", self.backend.prompts, [])

    def expect_answered(self, run: CompletedRun, *texts: str) -> None:
        """Expect a completed turn with these messages of the agent."""
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
            raise NotApplicable("the executable calls no model, so none can be scripted")

    def start(
        self,
        *arguments: str,
        stdin: Stdin | None = None,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        wrapper: Sequence[str] = (),
    ) -> ChildProcess:
        """Start the executable.

        Args:
            arguments: its arguments; the options that select the model are added.
            stdin: standard input instead of an open pipe.
            env: changes of its environment; None removes a variable.
            cwd: its working folder; by default ``work``.
            wrapper: a command that starts it.
        """
        command = [*wrapper, *self.backend.command(arguments)]
        if stdin is Stdin.CLOSED:
            command = ["/bin/sh", "-c", 'exec "$0" "$@" <&-', *command]
        process = ChildProcess(
            command,
            stdin=subprocess.PIPE if stdin is None else subprocess.DEVNULL,
            cwd=cwd or self.work,
            env=self._environment(env or {}),
        )
        self._processes.append(process)
        return process

    def run(
        self,
        *arguments: str,
        stdin: str | bytes | Stdin = "",
        answer: str | None = None,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        wrapper: Sequence[str] = (),
    ) -> CompletedRun:
        """Start the executable, write ``stdin``, and wait for its end.

        Args:
            arguments: as of ``start``, like the others.
            stdin: standard input.
            answer: the model's answer, which the turn must end with; None: the rule scripts the model itself.
            env: changes of the environment.
            cwd: the working folder.
            wrapper: a command that starts it.
        """
        if answer is not None:
            self.answers(answer)
        if isinstance(stdin, Stdin):
            process = self.start(*arguments, stdin=stdin, env=env, cwd=cwd, wrapper=wrapper)
        else:
            process = self.start(*arguments, env=env, cwd=cwd, wrapper=wrapper).write_stdin(stdin)
        run = wait_completed(process.close_stdin(), TIMEOUT)
        if answer is not None:
            self.expect_answered(run, answer)
        return run

    def run_turn(self, text: str = "hello ✓", *options: str, answer: str | None = None) -> CompletedRun:
        """Run a turn of a new thread, with the prompt on standard input."""
        return self.run(*EXEC, *options, "-", stdin=text, answer=answer)

    def resume(
        self, thread: str, text: str = "again ✓", *options: str, answer: str | None = None
    ) -> CompletedRun:
        """Run another turn of a thread."""
        return self.run(*EXEC, *options, "resume", thread, "-", stdin=text, answer=answer)

    def answered_thread(self) -> str:
        """Run a thread's first turn; return its id."""
        return self.run_turn(answer="first ✓").thread_id

    def rollouts(self) -> list[Path]:
        """Return the files of the threads in the home."""
        return sorted(self.home.glob("sessions/*/*/*/rollout-*.jsonl"))

    def unprivileged_wrapper(self) -> tuple[str, ...]:
        """Return a wrapper command that makes the modes of folders effective for root too.

        Raises:
            NotApplicable: if this is root, and there is no ``setpriv``.
        """
        if os.geteuid() != 0:
            return ()
        if shutil.which("setpriv") is None:
            raise NotApplicable("root can write anywhere, and setpriv is not installed")
        return _NO_PRIVILEGES

    def _environment(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        variables = {**self._fresh.environment(os.environ.get("PATH", os.defpath)), **changes}
        return {name: value for name, value in variables.items() if value is not None}
