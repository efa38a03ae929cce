"""What the model was asked during a load test, seen from its side: a model service, or a fake Codex."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.sandbox import CodexRun
from yemot_ai_testing.doubles.model_service.server import ModelServer
from yemot_ai_testing.doubles.scripted_double import unchecked
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.history import History, HistoryEvent, ModelAnswered, ModelAsked, ResponseReceived
from yemot_ai_testing.history.correlation import latest_utterance_id
from yemot_ai_testing.load.model_script import LoadScript
from yemot_ai_testing.load.result import LineHistory
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.servers.startup import Servers

__all__ = ["ModelSide", "serve_model", "start_server"]

ANSWER: Final = "תשובה"
_ANSWER_NUMBER: Final = re.compile(rf"{ANSWER} (\d+)")
CODEX_NUMBERS: Final = 50_000_000
"""Answers of Codex have numbers above those of the model service."""


@dataclass(frozen=True, slots=True)
class ModelSide:
    """The doubles of the models of a server.

    Attributes:
        way: how the server reaches them, for messages.
        script: the model service's.
        seconds: how long a model takes for an answer.
        codex: the server's Codex; None if it is not replaced.
    """

    way: str
    script: LoadScript
    seconds: float
    codex: FakeCodex | None = None
    _codex_answers: list[None] = field(default_factory=list)

    def prepare(self, answers: int) -> None:
        """Let Codex, whose answers are files, have that many."""
        if self.codex is None:
            return
        for _ in range(answers):
            self._codex_answers.append(None)
            number = CODEX_NUMBERS + len(self._codex_answers)
            self.codex.answers(f"{ANSWER} {number}", after=self.seconds)

    def forget(self) -> None:
        """Forget what was asked until now."""
        history = self.script.history
        if isinstance(history, LineHistory):
            history.take()
        self.script.asked = 0

    @property
    def runs(self) -> Sequence[CodexRun]:
        """The turns of Codex so far."""
        return () if self.codex is None else [run for run in self.codex.requests if run.called_model]

    def merge(self, callers: str, *, codex_before: int = 0) -> tuple[History, int]:
        """Return the history of callers and models.

        Args:
            callers: the events of the callers, as ``History.loads`` reads them.
            codex_before: turns of Codex that were before the callers.

        Returns:
            The history, and how often a model was asked.
        """
        history = self.script.history
        own = history.take() if isinstance(history, LineHistory) else history.dumps()
        merged, runs = History.loads(callers + own), self.runs[codex_before:]
        asked = [(run, latest_utterance_id(run.prompt)) for run in runs]
        of_codex = History()
        utterances: dict[str, str] = {}
        for run, utterance_id in asked:
            number = str(CODEX_NUMBERS + 1 + int(run.step.partition("-")[0])) if run.step else ""
            if utterance_id and number:
                utterances[number] = utterance_id
                of_codex.add(ModelAsked(run.at, number, run.prompt, utterance_id))
                of_codex.add(ModelAnswered(run.at + self.seconds, number))
        heard = History()
        for event in merged.events:
            heard.add(_with_codex_answers(event, utterances))
        return History.merge([heard, of_codex]), self.script.asked + len(runs)


def _with_codex_answers(event: HistoryEvent, utterances: dict[str, str]) -> HistoryEvent:
    """Return an event with the answers of Codex in a response, which name no utterance themselves."""
    if not isinstance(event, ResponseReceived) or not utterances:
        return event
    numbers = [number for number in _ANSWER_NUMBER.findall(event.body) if number in utterances]
    answers = tuple((utterances[number], number) for number in numbers)
    return replace(event, spoken_answers=answers or event.spoken_answers)


@contextlib.contextmanager
def serve_model(port: int, seconds: float) -> Iterator[ModelSide]:
    """Serve a model at a port, for a server that runs already; a context manager.

    Raises:
        AppError: the port is in use, or is none.
    """
    try:
        model = ModelServer(port=port)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise AppError(f"the model cannot listen at port {port}: {why}: take another --model-port") from error
    with unchecked(model):
        script = LoadScript(LineHistory(), seconds)
        model.script = script
        way = f"OPENAI_BASE_URL={model.base_url} or ANTHROPIC_BASE_URL={model.root_url} and any key"
        yield ModelSide(f"start the server with {way}", script, seconds)


@contextlib.contextmanager
def start_server(command: ServerCommand, seconds: float) -> Iterator[tuple[str, ModelSide]]:
    """Start a server whose environment leads to doubles; a context manager.

    Raises:
        ServerFailedError: it does not start.
    """
    with contextlib.closing(Servers()) as servers, unchecked(FakeCodex()) as codex:
        running = servers.get_or_start(command)
        with running.use_codex(codex):
            script = LoadScript(LineHistory(), seconds)
            running.model.script = script
            way = (
                "the server has another model; those of this test are found by OPENAI_BASE_URL, "
                "ANTHROPIC_BASE_URL and codex on PATH"
            )
            yield running.server.url, ModelSide(way, script, seconds, codex)
