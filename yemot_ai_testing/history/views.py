"""What an index knows of one request, one model call, one utterance, one run of a tool and one call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from yemot_ai_testing.history.correlation import SpokenSentence
from yemot_ai_testing.history.events import (
    EffectRecorded,
    KeyPressed,
    ModelAnswered,
    ModelAsked,
    RequestSent,
    ResponseReceived,
    SessionSaved,
    ToolCalled,
    ToolReturned,
)
from yemot_ai_testing.history.questions import AskedFor

__all__ = ["CallView", "ModelCallView", "RequestView", "Subject", "ToolRunView", "UtteranceView"]

Subject: TypeAlias = tuple[str, str]
"""What a violation is about: the name of the call and the ID of the utterance; "" for none."""


@dataclass(slots=True)
class RequestView:
    """A request; ``sent_index`` and ``received_index`` are positions in the history, or -1."""

    event: RequestSent
    sent_index: int
    received_index: int = -1
    response: ResponseReceived | None = None

    @property
    def subject(self) -> Subject:
        """Its call, and no utterance."""
        return self.event.call, ""


@dataclass(slots=True)
class ModelCallView:
    """A model call; ``asked_index`` and ``ended_index`` are positions in the history, or -1."""

    event: ModelAsked
    asked_index: int
    utterance: UtteranceView | None = None
    ended_index: int = -1
    result: ModelAnswered | None = None
    pieces: list[str] = field(default_factory=list)
    tool_runs: list[ToolRunView] = field(default_factory=list)

    @property
    def completed(self) -> bool:
        """Whether the model has answered, or called tools."""
        return self.result is not None and not self.result.error

    @property
    def answered(self) -> bool:
        """Whether there is an answer."""
        return self.completed and not self.tool_calls

    @property
    def tool_calls(self) -> tuple[tuple[str, str, str], ...]:
        """The tools that it has called: (ID, name, arguments)."""
        return self.result.tool_calls if self.result else ()

    @property
    def result_ids(self) -> tuple[str, ...]:
        """The IDs of the calls of tools whose results the model gets."""
        return tuple(tool_call_id for tool_call_id, _ in self.event.tool_results)

    def runs_of(self, tool_call_id: str) -> list[ToolRunView]:
        """Return the runs for one of the calls of tools in it."""
        return [run for run in self.tool_runs if run.tool_call_id == tool_call_id]

    def continues(self, prior: ModelCallView) -> bool:
        """Whether it tells the model the results of the tools that ``prior`` has called."""
        called = {tool_call_id for tool_call_id, _, _ in prior.tool_calls}
        return bool(called) and called.issubset(self.result_ids)

    @property
    def subject(self) -> Subject:
        """Its utterance, and the call of that."""
        return self.utterance.subject if self.utterance else ("", self.event.utterance_id)

    def is_running_at(self, position: int) -> bool:
        """Whether it had not ended before ``position``."""
        return self.asked_index < position and not 0 <= self.ended_index < position


@dataclass(slots=True)
class UtteranceView:
    """An utterance, its model calls, and the answers that were spoken; it answers what was ``asked_for``."""

    utterance_id: str
    call: str
    spoken_index: int
    model_calls: list[ModelCallView] = field(default_factory=list)
    spoken_answers: list[tuple[RequestView, str]] = field(default_factory=list)
    spoken_sentences: list[tuple[RequestView, SpokenSentence]] = field(default_factory=list)
    interrupted_index: int = -1
    typed: bool = False
    asked_for: AskedFor = ""

    @property
    def subject(self) -> Subject:
        """Its call and its ID."""
        return self.call, self.utterance_id


@dataclass(slots=True)
class ToolRunView:
    """A run of a tool; ``model_call`` has called it, by the ID ``tool_call_id``, if that is known."""

    event: ToolCalled
    called_index: int
    model_call: ModelCallView | None = None
    tool_call_id: str = ""
    returned_index: int = -1
    returned: ToolReturned | None = None

    @property
    def result(self) -> str:
        """What it has returned; "" if that is nothing, or not known."""
        return self.returned.result if self.returned else ""

    @property
    def subject(self) -> Subject:
        """Its call, and the utterance in which the model has called it."""
        return self.event.call, self.model_call.event.utterance_id if self.model_call else ""

    def returned_before(self, position: int) -> bool:
        """Whether it returned before a position."""
        return 0 <= self.returned_index < position


@dataclass(slots=True)
class CallView:
    """A call and all that belongs to it; ``asked_for`` is what its newest response asks for."""

    name: str
    utterances: list[UtteranceView] = field(default_factory=list)
    requests: list[RequestView] = field(default_factory=list)
    model_calls: list[ModelCallView] = field(default_factory=list)
    saves: list[tuple[int, SessionSaved]] = field(default_factory=list)
    resets: list[int] = field(default_factory=list)
    keys: list[tuple[int, KeyPressed]] = field(default_factory=list)
    effects: list[tuple[int, EffectRecorded]] = field(default_factory=list)
    tool_runs: list[ToolRunView] = field(default_factory=list)
    asked_for: AskedFor = ""

    @property
    def subject(self) -> Subject:
        """Its name, and no utterance."""
        return self.name, ""
