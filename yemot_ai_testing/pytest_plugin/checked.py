"""The doubles where a fixture cannot go: in a ``@given`` test, a ``unittest.TestCase``, a loop.

Each is a context manager that makes a new double whenever it is entered, also one inside of another, and on
a clean way out fails if what was scripted is not what was asked::

    >>> from yemot_ai import YemotAI
    >>> with openai_mock() as openai:
    ...     _ = openai.answers("בשמונה").answers("שום דבר")
    ...     YemotAI("openai", openai_api_key="test").reply("c1", "מתי פותחים?")
    Traceback (most recent call last):
    yemot_ai_testing.doubles.script.ScriptMismatchError: the model was not asked what was scripted
      scripted, never asked for: Answer(pieces=('שום דבר',), after=0.0)
      asked in all (1): 'מתי פותחים?'

The fixtures of the same names do the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from yemot_ai_testing.codex.fake.double import FakeCodex
    from yemot_ai_testing.doubles.anthropic import AnthropicMock
    from yemot_ai_testing.doubles.model_service.server import ModelServer
    from yemot_ai_testing.doubles.openai import OpenAIMock

__all__ = ["CheckedDouble", "anthropic_mock", "fake_codex", "model_server", "openai_mock"]


class Scripted(Protocol):
    """A double: a context manager that knows whether its script was played."""

    def assert_complete(self) -> None:
        """Raise if what was scripted is not what was asked."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


D = TypeVar("D", bound=Scripted)


class CheckedDouble(Generic[D]):
    """A double whenever it is entered, checked when it is left.

    Args:
        make: makes one.
    """

    def __init__(self, make: Callable[[], D]) -> None:
        self._make = make
        self._entered: list[D] = []

    def __enter__(self) -> D:
        double = self._make().__enter__()
        self._entered.append(double)
        return double

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        double = self._entered.pop()
        try:
            if kind is None:
                double.assert_complete()
        finally:
            double.__exit__(kind, error, trace)


def fake_codex(version: str | None = None) -> CheckedDouble[FakeCodex]:
    """A scripted executable named ``codex``, first on ``PATH``.

    Args:
        version: which recorded version to be; by default the newest.

    Raises:
        LookupError: on entering, if the version is not recorded.
    """
    from yemot_ai_testing.codex.fake.double import FakeCodex  # noqa: PLC0415 - a run without it pays nothing

    return CheckedDouble(functools.partial(FakeCodex, version))


def model_server() -> CheckedDouble[ModelServer]:
    """A scripted model service on this machine."""
    from yemot_ai_testing.doubles.model_service.server import ModelServer  # noqa: PLC0415 - likewise

    return CheckedDouble(ModelServer)


def openai_mock() -> CheckedDouble[OpenAIMock]:
    """OpenAI's Responses API and Chat Completions, scripted, in this process."""
    from yemot_ai_testing.doubles.openai import OpenAIMock  # noqa: PLC0415 - likewise

    return CheckedDouble(OpenAIMock)


def anthropic_mock() -> CheckedDouble[AnthropicMock]:
    """Anthropic's Messages API, scripted, in this process."""
    from yemot_ai_testing.doubles.anthropic import AnthropicMock  # noqa: PLC0415 - likewise

    return CheckedDouble(AnthropicMock)
