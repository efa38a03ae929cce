"""Make a ``Provider`` of an object with the methods ``start_session`` and ``continue_session``.

>>> class Parrot:
...     name = "parrot"
...     async def start_session(self, prompt, *, instructions=None, history=()):
...         return Reply(f"אמרת {prompt}", session=1)
...     async def continue_session(self, session, prompt, *, instructions=None):
...         return Reply(f"ושוב {prompt}", session=session)
>>> provider = as_provider(Parrot())
>>> provider.name, provider.streams
('parrot', False)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeAlias

from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.provider import JSON, AnswerPart, Exchange, Provider, Reply, SessionProvider

__all__ = ["AnyProvider", "as_provider", "forward_optional"]

AnyProvider: TypeAlias = Provider | SessionProvider
"""What every argument for a provider takes."""

_OPTIONAL: Final = ("engine", "end_session", "aclose", "check", "model", "warm_up")
"""Attributes that a provider may have; callers check whether it has them."""


def as_provider(provider: AnyProvider) -> Provider:
    """Return ``provider``, or the adapter to its two methods.

    Raises:
        ConfigurationError: it is not a provider.
    """
    if isinstance(provider, type):
        raise ConfigurationError(f"provider={provider.__name__} is a class: give {provider.__name__}(…)")
    if isinstance(provider, Provider):
        return provider
    if isinstance(provider, SessionProvider):
        return _SessionAdapter(provider)
    raise ConfigurationError(
        f"{provider!r} is no provider: it needs a name, start_session() and continue_session(); "
        "or a name, streams and ask()"
    )


def forward_optional(provider: object, to: object) -> None:
    """Set the optional attributes that ``provider`` has on ``to``, which wraps it."""
    for name in _OPTIONAL:
        if hasattr(provider, name):
            setattr(to, name, getattr(provider, name))


class _SessionAdapter:
    """Answers with the two or three methods of a ``SessionProvider``."""

    def __init__(self, provider: SessionProvider) -> None:
        self._provider = provider
        self._stream: Callable[..., AsyncIterator[str | Reply]] | None = getattr(provider, "stream", None)
        self.streams = self._stream is not None
        forward_optional(provider, self)

    @property
    def name(self) -> str:
        return self._provider.name

    def ask(
        self,
        prompt: str,
        *,
        session: JSON = None,
        instructions: str | None = None,
        history: Sequence[Exchange] = (),
        stream: bool = False,
    ) -> AsyncIterator[AnswerPart]:
        if stream and self._stream is not None:
            return self._stream(session, prompt, instructions=instructions, history=history)
        return self._ask_whole(session, prompt, instructions, history)

    async def _ask_whole(
        self, session: JSON, prompt: str, instructions: str | None, history: Sequence[Exchange]
    ) -> AsyncIterator[str | Reply]:
        if session is None:
            yield await self._provider.start_session(prompt, instructions=instructions, history=history)
        else:
            yield await self._provider.continue_session(session, prompt, instructions=instructions)
