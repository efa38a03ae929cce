"""The model behind a provider, as the rules script it.

A backend stands where the provider's model is: a service on this machine, or a program. It has four methods::

    class MyBackend:
        def answers(self, text): ...       # the next call of the model gets this answer
        def refuses(self, kind): ...       # the next call fails
        def hangs(self): ...               # the next call gets no answer
        def received(self): ...            # what the model got, as a list of ``Received``

The other protocols of this module are optional: without them, the rules that need them are not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

__all__ = [
    "BreaksOff",
    "CountsRunningCalls",
    "CutsAnswers",
    "ForgetsSessions",
    "HoldsCalls",
    "ModelBackend",
    "Received",
    "SendsNoAnswer",
    "SendsNonsense",
    "StopsInTheMiddle",
    "WritesCommentary",
]


@dataclass(frozen=True, slots=True)
class Received:
    """What the model got with one call.

    Attributes:
        prompt: the newest message of the user.
        instructions: the model's instructions.
        context: everything that the model got, as one text: earlier messages, instructions, the prompt.
        session: the id of the conversation that the call continues at the service, if the service keeps
            conversations; None for a new one.
        arguments: the command line, if the provider starts a program.
    """

    prompt: str
    instructions: str | None = None
    context: str = ""
    session: str | None = None
    arguments: tuple[str, ...] = ()

    def knows(self, *texts: str) -> bool:
        """Return whether the model has these texts: in this call, or in an earlier one that it continues."""
        return self.session is not None or all(text in self.context for text in texts)


class ModelBackend(Protocol):
    """A scripted model: each call of the model consumes the next step."""

    def answers(self, text: str) -> object:
        """Answer the next call with ``text``; to a provider that streams, in several pieces.

        Raises:
            ValueError: the model cannot write this text, which may have a lone surrogate.
        """
        ...

    def refuses(self, kind: str) -> object:
        """Let the next call fail.

        Args:
            kind: a name of ``ProviderError.kind``, such as ``rate_limited``.

        Raises:
            ValueError: the backend cannot fail in this way; the rule is not run.
        """
        ...

    def hangs(self) -> object:
        """Never answer the next call."""
        ...

    def received(self) -> Sequence[Received]:
        """Return the calls of the model so far, oldest first, including those that still run."""
        ...


@runtime_checkable
class HoldsCalls(Protocol):
    """A backend that can let calls wait, after they have taken their steps."""

    def hold(self) -> object:
        """Let every later call wait."""
        ...

    def release(self) -> object:
        """Let the waiting calls through."""
        ...


@runtime_checkable
class CountsRunningCalls(Protocol):
    """A backend that knows which of its calls still run."""

    def running(self) -> int:
        """Return how many calls are neither answered nor given up by the provider."""
        ...


@runtime_checkable
class StopsInTheMiddle(Protocol):
    """A backend that streams."""

    def begins(self, text: str) -> object:
        """Write ``text``, then nothing more, and leave the next call without an end."""
        ...


@runtime_checkable
class BreaksOff(Protocol):
    """A backend whose connection or process can break."""

    def breaks(self, text: str) -> object:
        """End the connection or the process of the next call after ``text``, before the answer is whole."""
        ...


@runtime_checkable
class CutsAnswers(Protocol):
    """A backend whose model has a limit of tokens."""

    def cuts(self, text: str) -> object:
        """End the next answer after ``text``, and say that the limit was reached."""
        ...


@runtime_checkable
class SendsNoAnswer(Protocol):
    """A backend that can report success without a text."""

    def answers_nothing(self) -> object:
        """Complete the next call without a text."""
        ...


@runtime_checkable
class SendsNonsense(Protocol):
    """A backend that can violate its protocol."""

    def garbles(self) -> object:
        """Send data that the protocol does not allow to the next call."""
        ...


@runtime_checkable
class ForgetsSessions(Protocol):
    """A backend that keeps conversations."""

    def forgets(self) -> object:
        """Let the next call that continues a conversation find that it does not exist."""
        ...


@runtime_checkable
class WritesCommentary(Protocol):
    """A backend whose model writes more than its answer."""

    def answers_with_commentary(self) -> Sequence[str]:
        """Script calls in which the model also thinks aloud, comments on its work or uses a tool.

        Returns:
            The answers of the next calls, in order, without the rest.
        """
        ...
