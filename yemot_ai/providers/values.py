"""The values that providers take and return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

__all__ = [
    "JSON",
    "AnswerPart",
    "Exchange",
    "Reply",
    "ToolCall",
    "ToolCalls",
    "ToolRequest",
    "ToolRound",
    "ToolSpec",
    "Usage",
]

JSON: TypeAlias = "None | bool | int | float | str | Sequence[JSON] | Mapping[str, JSON]"
"""A value that survives ``json.dumps`` and ``json.loads``; the type of a session."""

MAX_TOKENS: Final = 2**40
"""More than any turn uses; sums of many such counts still fit into every store."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one turn (never a running total)."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0

    @classmethod
    def from_counts(
        cls, input_tokens: object, cached: object, output_tokens: object, reasoning: object
    ) -> Self:
        """Create it from the counts of a service; a value that is not a token count becomes 0."""
        return cls(
            _token_count(input_tokens),
            _token_count(cached),
            _token_count(output_tokens),
            _token_count(reasoning),
        )

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_input_tokens + other.cached_input_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_output_tokens + other.reasoning_output_tokens,
        )


def _token_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value <= MAX_TOKENS else 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One earlier turn of a conversation, to rebuild a lost session."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer.

    Attributes:
        text: the text as the model wrote it.
        session: to continue the conversation with; opaque to all other code.
        usage: the tokens of the turn, if the provider reports them.
        cut: why the model stopped before its answer was whole, in the service's word, such as ``length`` or
            ``content_filter``; empty for a whole answer.
    """

    text: str
    session: JSON
    usage: Usage | None = None
    cut: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function that the model may call.

    Attributes:
        name: its name: letters, digits, ``_`` and ``-``, at most 64, as all services take it.
        description: what it does, for the model.
        parameters: the JSON schema of its arguments, of the type ``object``.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool, as the model has written it.

    Attributes:
        id: the service's id of the call.
        name: the tool; a model may name one that does not exist.
        arguments: the arguments, as JSON; a model may write what is none.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolRound:
    """One message of the model that called tools in this turn, and the results.

    Attributes:
        calls: the calls, at least one.
        results: the result of each call, as text for the model.
        text: what the model said in the same message.
        state: ``ToolCalls.state``; None if another process has made the calls, or another provider.
    """

    calls: tuple[ToolCall, ...]
    results: tuple[str, ...]
    text: str = ""
    state: JSON = None


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The tools of a turn, and what they have returned so far.

    Attributes:
        specs: the tools.
        rounds: the calls of this turn, oldest first; the model has to get them after the prompt.
        may_call: whether the model may call more of them; otherwise it has to answer.
    """

    specs: tuple[ToolSpec, ...]
    rounds: tuple[ToolRound, ...] = ()
    may_call: bool = True


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """What an answer ends with in the place of a ``Reply``: the model waits for results.

    The caller of ``Provider.ask`` runs the calls and asks again, with the same prompt and session, and with
    one more ``ToolRound``.

    Attributes:
        calls: the calls, at least one.
        text: what the model has said before them.
        state: what the provider needs to continue; opaque to all other code.
        usage: the tokens of this part of the turn, if the provider reports them.
    """

    calls: tuple[ToolCall, ...]
    text: str = ""
    state: JSON = None
    usage: Usage | None = None


AnswerPart: TypeAlias = str | Reply | ToolCalls
"""What ``Provider.ask`` yields."""
