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

from yemot_ai_testing.codex.rules.process import MESSAGE, PATIENCE, Process, Run, Stdin
from yemot_ai_testing.conformance.rule import Breach, NotApplicable, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from yemot_ai_testing.codex.rules.backends import Stage
    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["EXEC", "Bench"]

EXEC: Final = ("exec", "--json", "--skip-git-repo-check")
"""How most cases begin."""

_NO_PRIVILEGES: Final = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override",
)


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
                ["thread.started", "turn.started", *[MESSAGE] * len(texts), "turn.completed"],
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
            out, err = process.popen.communicate(data, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kills()
            raise Breach(f"an end within {PATIENCE:g} s", "it still runs") from None
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
