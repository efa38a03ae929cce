"""A mutation: one realistic fault, and where it is planted.

A fault is a function; its docstring is what a caller would notice, and its name becomes the id.

>>> from yemot_ai_testing.line.transports.transport import TransportResponse
>>> @application("calls")
... def never_answers(turn, send):
...     '''A caller hears nothing.'''
...     return TransportResponse()
>>> never_answers.id, never_answers.effect, never_answers.seam
('never-answers', 'A caller hears nothing.', 'application')
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from inspect import cleandoc
from types import ModuleType
from typing import Any, Literal, TypeAlias

from yemot_ai.providers import JSON, AnswerPart, Exchange, ToolRequest
from yemot_ai.sessions import Session
from yemot_ai_testing.mutation.turn import ApplicationFault

__all__ = [
    "Ask",
    "Kind",
    "ModelQuestion",
    "Mutation",
    "ProviderFault",
    "Seam",
    "StoreFault",
    "application",
    "mutations_of",
    "provider",
    "store_mutation",
]

Kind: TypeAlias = Literal["words", "answers", "questions", "input", "calls", "failures", "memory", "tools"]
"""What a fault is about."""

Seam: TypeAlias = Literal["application", "provider", "store"]
"""Where it is planted: between the line and the application, at the model, at the session store."""


@dataclass(frozen=True, slots=True)
class ModelQuestion:
    """The arguments of one ``Provider.ask``.

    Attributes:
        prompt: what the caller said.
        session: the conversation; None for its first utterance.
        instructions: how to answer.
        history: earlier exchanges, if a lost conversation is rebuilt.
        stream: whether pieces are wanted.
        tools: the tools, and what they have returned in this turn; None without tools.
        number: how many questions this provider got before.
    """

    prompt: str
    session: JSON = None
    instructions: str | None = None
    history: Sequence[Exchange] = ()
    stream: bool = False
    tools: ToolRequest | None = None
    number: int = field(default=0, compare=False)


Ask: TypeAlias = Callable[[ModelQuestion], AsyncIterator[AnswerPart]]
"""Asks the healthy provider."""

ProviderFault: TypeAlias = Callable[[ModelQuestion, Ask], AsyncIterator[AnswerPart]]
"""An async generator that yields what a provider with a fault would yield."""


def _same_id(call_id: str) -> str:
    return call_id


def _same_session(session: Session) -> Session:
    return session


@dataclass(frozen=True, slots=True)
class StoreFault:
    """What a session store with a fault does.

    Attributes:
        key: the id under which it keeps a call.
        load: the session that it returns for the stored one; None: it has lost the session.
        save: the session that it stores instead of the one that it gets; None: it stores nothing that lasts.
    """

    key: Callable[[str], str] = _same_id
    load: Callable[[Session], Session | None] = _same_session
    save: Callable[[Session], Session | None] = _same_session


@dataclass(frozen=True, slots=True)
class Mutation:
    """One fault.

    Attributes:
        id: its stable name.
        kind: what it is about.
        effect: what a caller would notice, in one sentence.
        seam: where it is planted.
        fault: the fault, for its seam.
    """

    id: str
    kind: Kind
    effect: str
    seam: Seam
    fault: Any


def application(kind: Kind) -> Callable[[ApplicationFault], Mutation]:
    """Make a mutation of the decorated fault between the line and the application."""
    return lambda fault: _mutation(kind, "application", fault)


def provider(kind: Kind) -> Callable[[ProviderFault], Mutation]:
    """Make a mutation of the decorated fault of a provider."""
    return lambda fault: _mutation(kind, "provider", fault)


def store_mutation(effect: str, fault: StoreFault) -> Mutation:
    """Return the mutation of a session store; ``mutations_of`` gives it the name of its variable."""
    return Mutation("", "memory", effect, "store", fault)


def mutations_of(module: ModuleType) -> tuple[Mutation, ...]:
    """Return the mutations that a module defines, in its order."""
    return tuple(
        replace(value, id=_id(name)) for name, value in vars(module).items() if isinstance(value, Mutation)
    )


def _mutation(kind: Kind, seam: Seam, fault: Callable[..., Any]) -> Mutation:
    return Mutation(_id(fault.__name__), kind, cleandoc(fault.__doc__ or ""), seam, fault)


def _id(name: str) -> str:
    return name.replace("_", "-")
