"""``YemotAI``: all that a developer must know.

>>> from yemot_ai import YemotAI
>>> class Parrot:
...     name = "parrot"
...     async def start_session(self, prompt, *, instructions=None, history=()):
...         return Reply(f"אמרת {prompt}", session="1")
...     async def continue_session(self, session, prompt, *, instructions=None):
...         return Reply(f"ושוב {prompt}", session)
>>> ai = YemotAI(provider=Parrot())
>>> ai.reply("call-1", "שלום")
'אמרת שלום'
>>> ai.reply("call-1", "שלום")
'ושוב שלום'
>>> ai.end("call-1")
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol

from yemot_ai.conversation import Conversation
from yemot_ai.engine import Engine
from yemot_ai.errors import ConfigurationError
from yemot_ai.ledger import Ledger
from yemot_ai.providers.codex import CodexCLIProvider
from yemot_ai.providers.openai import OpenAIProvider
from yemot_ai.providers.provider import JSON, Closing, Forgetful, Provider, Reply
from yemot_ai.sessions import MemoryStore, Session, SessionStore, Turn, update

log = logging.getLogger("yemot_ai")

__all__ = ["DEFAULT_INSTRUCTIONS", "Reply", "YemotAI", "asking"]

DEFAULT_INSTRUCTIONS = (
    "אתה עונה לאנשים בשיחת טלפון. ענה בעברית פשוטה ומדוברת, במשפט עד שלושה משפטים קצרים. "
    "אל תשתמש ברשימות, בכותרות, בקישורים, באימוג'י או בסימני עיצוב. "
    "כתוב מספרים ושעות כפי שאומרים אותם. אם לא הבנת, שאל שאלה קצרה."
)
"""How a model is told to answer unless the developer says otherwise: spoken, short, in Hebrew."""

MODES = ("codex", "openai")


class Asker(Protocol):
    """Somebody within whose run an ``ask`` without a ``turn_id`` is a numbered step."""

    @property
    def call_id(self) -> str:
        """The call that is being handled."""
        ...

    def next_ask(self) -> str:
        """Return the turn id of the next step."""
        ...


asking: ContextVar[Asker | None] = ContextVar("asking", default=None)
"""The handler run that the current code belongs to."""


class YemotAI:
    """Answers what callers say, one memory per call.

    Args:
        mode: ``"codex"`` (the Codex CLI) or ``"openai"``; or give ``provider``.
        provider: any object with the methods of ``yemot_ai.providers.Provider``.
        store: where sessions are kept; the memory of this process unless given.
        instructions: how to answer; ``DEFAULT_INSTRUCTIONS`` unless given.
        model: the model's name, for ``mode``.
        openai_api_key: for ``mode="openai"``; ``OPENAI_API_KEY`` unless given.
        turn_timeout: seconds for one turn, retries included.
        session_ttl: seconds that a call without requests is remembered.
        retries: how often a transient failure is tried again within the turn's time.

    Attributes:
        ending: functions that are told, on the engine's loop, the id of a call that ends.

    Raises:
        ConfigurationError: the arguments cannot work together.
    """

    def __init__(  # noqa: PLR0913 - the public constructor: every argument is a documented setting
        self,
        mode: str | None = None,
        *,
        provider: Provider | None = None,
        store: SessionStore | None = None,
        instructions: str | None = None,
        model: str | None = None,
        openai_api_key: str | None = None,
        turn_timeout: float = 60.0,
        session_ttl: float = 3600.0,
        retries: int = 1,
    ) -> None:
        _check_positive(turn_timeout=turn_timeout, session_ttl=session_ttl)
        if retries < 0:
            raise ConfigurationError(f"retries={retries!r}: give 0 or more")
        if provider is not None and (model is not None or openai_api_key is not None):
            raise ConfigurationError("model= and openai_api_key= go with mode=; give them to the provider")
        self.provider = _provider(mode, provider, model, openai_api_key, turn_timeout)
        self.instructions = DEFAULT_INSTRUCTIONS if instructions is None else instructions
        self.store: SessionStore = MemoryStore() if store is None else store
        self.session_ttl = session_ttl
        self.engine: Engine = getattr(self.provider, "engine", None) or Engine.shared()
        self.ledger = Ledger(self.store, timeout=turn_timeout, ttl=session_ttl)
        self.ending: list[Callable[[str], object]] = []
        self._turn_timeout = turn_timeout
        self._retries = retries
        self._providers: dict[str, Provider] = {}
        self.conversation = self.new_conversation("call")

    def reply(
        self, call_id: str, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> str:
        """Answer what the caller said; blocks until there is an answer.

        Args:
            call_id: the call's ``ApiCallId``, or any other name for a conversation.
            text: what the caller said.
            turn_id: asked again under the same id, the first answer is repeated and no model is
                asked. Inside a handler of the call the step's position is the id; elsewhere every
                call of this method is a new turn.
            instructions: how to answer this once.

        Raises:
            ProviderError: one of its subclasses says why there is no answer.
            CallEndedError: the call has hung up.
            EngineLoopError: called in an async handler; await ``areply`` there.
        """
        return self.ask(call_id, text, turn_id=turn_id, instructions=instructions).answer

    async def areply(
        self, call_id: str, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> str:
        """Do what ``reply`` does, awaited from any event loop."""
        return (await self.aask(call_id, text, turn_id=turn_id, instructions=instructions)).answer

    def ask(
        self, call_id: str, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> Turn:
        """Do what ``reply`` does, and return the whole turn: answer, usage, duration."""
        turn_id = turn_id or _next_turn_id(call_id)
        return _answered(
            self.engine.run(self.conversation.ask(call_id, turn_id, text, instructions=instructions))
        )

    async def aask(
        self, call_id: str, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> Turn:
        """Do what ``ask`` does, awaited from any event loop."""
        turn_id = turn_id or _next_turn_id(call_id)
        asked = self.conversation.ask(call_id, turn_id, text, instructions=instructions)
        return _answered(await self.engine.arun(asked))

    def end(self, call_id: str) -> None:
        """Close the call: running turns are cancelled, what was said is forgotten, here and there."""
        self.engine.run(self._end(call_id))

    async def aend(self, call_id: str) -> None:
        """Do what ``end`` does, awaited from any event loop."""
        await self.engine.arun(self._end(call_id))

    def close(self) -> None:
        """Let go of the providers' connections; calls go on, with new ones."""
        self.engine.run(self._close())

    async def aclose(self) -> None:
        """Do what ``close`` does, awaited from any event loop."""
        await self.engine.arun(self._close())

    @property
    def sessions_open(self) -> int:
        """How many calls have a session that has not ended."""
        return self.engine.run(self._count_open())

    def new_conversation(
        self, name: str, *, provider: Provider | None = None, instructions: str | None = None
    ) -> Conversation:
        """Make a further memory per call, for an agent with a provider or instructions of its own.

        Raises:
            ConfigurationError: ``provider`` is none.
        """
        if provider is not None:
            _check_provider(provider)
        self._providers[name] = provider or self.provider
        return Conversation(
            name=name,
            provider=provider or self.provider,
            store=self.store,
            ledger=self.ledger,
            instructions=self.instructions if instructions is None else instructions,
            timeout=self._turn_timeout,
            retries=self._retries,
        )

    async def update(self, call_id: str, change: Callable[[Session], Session]) -> Session:
        """Change a call's session by a pure function; see ``yemot_ai.sessions.update``."""
        return await update(self.store, call_id, change, ttl=self.session_ttl)

    async def _end(self, call_id: str) -> None:
        known: list[tuple[str, JSON]] = []

        def bury(session: Session) -> Session:
            known[:] = [*session.threads.items(), *session.retired]
            return session if session.ended else session.over()

        # The tombstone first: a turn that starts from now on finds it.
        await self.update(call_id, bury)
        for told in self.ending:
            told(call_id)
        await self.ledger.cancel(call_id)
        for conversation, session in known:
            await self._forget(conversation, session)

    async def _forget(self, conversation: str, session: JSON) -> None:
        provider = self._providers.get(conversation)
        if not isinstance(provider, Forgetful):
            return
        try:
            await provider.end_session(session)
        except Exception:  # one that cannot be forgotten must not keep the others
            log.exception(
                "%s could not forget a conversation; it may still hold what was said", provider.name
            )

    async def _close(self) -> None:
        for provider in {id(provider): provider for provider in self._providers.values()}.values():
            if isinstance(provider, Closing):
                await provider.aclose()

    async def _count_open(self) -> int:
        count = 0
        async for call_id in self.store.call_ids():
            session = await self.store.load(call_id)
            count += session is not None and not session.ended
        return count


def _answered(turn: Turn) -> Turn:
    if turn.failure is not None:
        raise turn.failure.error()
    return turn


def _next_turn_id(call_id: str) -> str:
    asker = asking.get()
    return asker.next_ask() if asker is not None and asker.call_id == call_id else uuid.uuid4().hex


def _provider(
    mode: str | None, provider: Provider | None, model: str | None, openai_api_key: str | None, timeout: float
) -> Provider:
    if (mode is None) == (provider is None):
        raise ConfigurationError(f"give either mode= ({', '.join(map(repr, MODES))}) or provider=…")
    if provider is not None:
        _check_provider(provider)
        return provider
    if mode == "codex":
        return CodexCLIProvider(os.environ.get("YEMOT_AI_CODEX", "codex"), model=model, timeout=timeout)
    if mode == "openai":
        return OpenAIProvider(api_key=openai_api_key, model=model, timeout=timeout)
    raise ConfigurationError(f"unknown mode {mode!r}: use one of {', '.join(map(repr, MODES))}")


def _check_provider(provider: object) -> None:
    if not isinstance(provider, Provider):
        raise ConfigurationError(
            f"{provider!r} is no provider: it needs a name, start_session() and continue_session()"
        )


def _check_positive(**seconds: float) -> None:
    for name, value in seconds.items():
        if not value > 0:  # nan is not, either
            raise ConfigurationError(f"{name}={value!r}: give a positive number of seconds")
