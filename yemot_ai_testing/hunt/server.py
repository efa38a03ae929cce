"""Hunt a server in real time, by several callers at once; if it is started here, its model is an echo."""

from __future__ import annotations

import contextlib
import itertools
import random
import shlex
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.doubles.scripted_double import unchecked
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.history import History, Violation
from yemot_ai_testing.hunt.caller_path import CallerPath
from yemot_ai_testing.hunt.hunt import NoAgentError
from yemot_ai_testing.hunt.machine import KINDS_WITHOUT_MODEL, Judgement
from yemot_ai_testing.hunt.progress import OnProgress, no_progress
from yemot_ai_testing.hunt.report import HuntReport, SearchReport
from yemot_ai_testing.hunt.search import Bounds
from yemot_ai_testing.hunt.server_calls import CALLERS, EchoScript, RecordedServer, ServerEvening
from yemot_ai_testing.hunt.start_points import NoAgent, OpenedApp, StartPoint, find_start_point
from yemot_ai_testing.line.clock import WallClock
from yemot_ai_testing.line.transports.detect import transport_for
from yemot_ai_testing.line.transports.transport import RequestEncoding
from yemot_ai_testing.property.counterexample import ReplayTarget, write_counterexample
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.servers.startup import Servers

__all__ = ["ServerHunt"]

NAME: Final = f"{CALLERS} callers"

CODEX_ANSWERS: Final = 50
"""Answers of the Codex of a server for one evening."""

CONNECT_SECONDS: Final = 5.0

REAL_TIME: Final = (
    "in real time, with a model that the hunt does not see: what the model was asked and has answered is not "
    "judged"
)


@dataclass(frozen=True, slots=True)
class _OpenedServer:
    """A running server.

    Attributes:
        url: what the line calls.
        script: the model of the server; None if it is its own.
        codex: the Codex of the server, if it is replaced.
    """

    url: str
    script: EchoScript | None = None
    codex: FakeCodex | None = None

    @property
    def prompts(self) -> list[str]:
        """What the model was asked; empty if it is the server's own."""
        return [] if self.script is None else self.script.prompts

    def renew_answers(self) -> None:
        """Let Codex answer all that is asked in an evening; the other models need no script."""
        if self.codex is not None:
            for _ in range(CODEX_ANSWERS):
                self.codex.answers("תשובה")


@dataclass(frozen=True, slots=True)
class ServerHunt:
    """What is hunted, and how.

    Attributes:
        target: the URL of a server, or a command that starts it.
        bounds: the seconds of all searches together, or the evenings of each.
        judgement: what counts as a violation.
        extensions: the extensions that callers dial; () for the root.
        path: what callers do until the server listens; None tries keys and words.
        into: the folder of the scenarios.
        remote: whether a URL may be that of another machine.
        on_progress: shows what is done.
    """

    target: str | ServerCommand
    bounds: Bounds
    judgement: Judgement = field(default_factory=Judgement)
    extensions: Sequence[str] = ()
    path: CallerPath | None = None
    into: Path = Path("found-calls")
    remote: bool = False
    on_progress: OnProgress = no_progress

    def run(self, report: HuntReport) -> None:
        """Search, and add what was done and found to ``report``, also if it is interrupted.

        Raises:
            AppError: the URL cannot be called, or nothing listens there.
            ServerFailedError: the server does not start.
            NoAgentError: no caller reaches a question for words.
            OSError: the folder of the scenarios cannot be written.
        """
        report.notes.append(REAL_TIME)
        with self._open() as server:
            points = self._start_points(server, report)
            started_at = time.monotonic()
            for number, start in enumerate(points):
                left = self.bounds.seconds - (time.monotonic() - started_at)
                self._search(server, start, left / (len(points) - number), report)

    @contextlib.contextmanager
    def _open(self) -> Iterator[_OpenedServer]:
        if isinstance(self.target, str):
            _check_reachable(self.target, remote=self.remote)
            yield _OpenedServer(self.target)
            return
        with contextlib.closing(Servers()) as servers, unchecked(FakeCodex()) as codex:
            running = servers.get_or_start(self.target)
            with running.use_codex(codex):
                script = running.model.script = EchoScript()
                yield _OpenedServer(running.server.url, script, codex)

    def _start_points(self, server: _OpenedServer, report: HuntReport) -> Sequence[StartPoint]:
        def open_() -> OpenedApp:
            before = len(server.prompts)
            recorded = RecordedServer(server.url, History(), method=self.judgement.methods[0])
            return OpenedApp(recorded, lambda: server.prompts[before:])

        tried = [
            find_start_point(open_, one, self.judgement.phones[0], self.path)
            for one in self.extensions or ("",)
        ]
        points = [one for one in tried if isinstance(one, StartPoint)]
        dead_ends = [one for one in tried if isinstance(one, NoAgent)]
        if not points:
            raise NoAgentError(dead_ends)
        report.notes += map(str, dead_ends)
        return points

    def _search(self, server: _OpenedServer, start: StartPoint, seconds: float, report: HuntReport) -> None:
        kinds, budget = KINDS_WITHOUT_MODEL & {*self.judgement.kinds}, self.judgement.budget()
        started_at, calls = time.monotonic(), []
        found: tuple[ServerEvening, Violation] | None = None
        try:
            for evening in self._evenings(server, start, seconds):
                evening.run()
                calls.append(len(evening.calls))
                if violations := evening.violations(kinds, budget):
                    found = evening, violations[0]
                    break
        finally:
            search = SearchReport(
                machine=NAME,
                extension=start.extension,
                path=start.path,
                examples=len(calls),
                calls=sum(calls),
                seconds=time.monotonic() - started_at,
                violation=None if found is None else found[1],
                file=None if found is None else self._write(*found, start),
                url=self.target if isinstance(self.target, str) else "",
            )
            report.searches.append(search)

    def _evenings(self, server: _OpenedServer, start: StartPoint, seconds: float) -> Iterator[ServerEvening]:
        """Iterate over evenings until the time or the examples are over."""
        rng = random.Random(f"{self.bounds.seed} {start.extension}")  # noqa: S311 - not for security
        started_at = time.monotonic()
        for number in itertools.count():
            elapsed = time.monotonic() - started_at
            if elapsed > seconds or number == self.bounds.examples:
                return
            self.on_progress(f"{NAME} /{start.extension}", elapsed / seconds)
            server.renew_answers()
            judged = self.judgement
            yield ServerEvening(
                server.url, start.extension, start.path, judged.phones, judged.methods, rng, server.script
            )

    def _write(self, evening: ServerEvening, violation: Violation, start: StartPoint) -> Path:
        app = None if isinstance(self.target, str) else self.target
        replay = ReplayTarget(app, start.extension, has_provider=False)
        path = write_counterexample(
            self.into, f"server-{start.extension or 'root'}", violation, evening.calls, replay
        )
        if isinstance(self.target, str):
            text = path.read_text(encoding="utf-8")
            url = f"--yemot-url={shlex.quote(self.target)}"
            path.write_text(text.replace("--yemot-app=MODULE:FACTORY", url, 1), encoding="utf-8")
        return path


def _check_reachable(url: str, *, remote: bool) -> None:
    transport_for(url, RequestEncoding(), clock=WallClock(), remote=remote)  # checks the URL
    parts = urlsplit(url)
    default_port = {"http": 80, "https": 443}[parts.scheme]
    try:
        socket.create_connection((parts.hostname or "", parts.port or default_port), CONNECT_SECONDS).close()
    except OSError as error:
        raise AppError(f"{url} cannot be reached: {error}; start it first, or use --serve COMMAND") from error
