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
from dataclasses import replace
from typing import Literal, Protocol, TypeVar

from yemot_ai.callers import DAY, RESERVED, Callers
from yemot_ai.conversation import Conversation
from yemot_ai.engine import Engine
from yemot_ai.errors import ConfigurationError
from yemot_ai.hooks import EndReason, Hook, Hooks, Transcript
from yemot_ai.ledger import Ledger
from yemot_ai.limits import Limits
from yemot_ai.privacy import MASKING
from yemot_ai.providers.codex import CodexCLIProvider
from yemot_ai.providers.openai import OpenAIProvider
from yemot_ai.providers.provider import JSON, Closing, Forgetful, Provider, Reply
from yemot_ai.sessions import Checked, MemoryStore, Session, SessionStore, Turn, open_store, update
from yemot_ai.sweeper import Sweeper
from yemot_ai.watch import Watch

log = logging.getLogger("yemot_ai")
log.addFilter(MASKING)

H = TypeVar("H", bound=Hook)

__all__ = ["DEFAULT_INSTRUCTIONS", "Reply", "YemotAI", "asking"]

DEFAULT_INSTRUCTIONS = (
    "אתה עונה לאנשים בשיחת טלפון. ענה בעברית פשוטה ומדוברת, במשפט עד שלושה משפטים קצרים. "
    "אל תשתמש ברשימות, בכותרות, בקישורים, באימוג'י או בסימני עיצוב. "
    "כתוב מספרים ושעות כפי שאומרים אותם. אם לא הבנת, שאל שאלה קצרה."
)
"""How a model is told to answer unless the developer says otherwise: spoken, short, in Hebrew."""

MODES = ("codex", "openai")

SWEEPS_PER_TTL = 4
LONGEST_BETWEEN_SWEEPS = 300.0
"""Seconds between two looks for calls that fell silent: a fraction of their time, at most this."""

MEMORY_TTL = 30 * DAY


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
        store: where sessions are kept: a store, or what ``sessions.open_store`` takes, such as
            ``"redis://localhost"``; the memory of this process unless given.
        instructions: how to answer; ``DEFAULT_INSTRUCTIONS`` unless given.
        model: the model's name, for ``mode``.
        openai_api_key: for ``mode="openai"``; ``OPENAI_API_KEY`` unless given.
        turn_timeout: seconds for one turn, retries included.
        session_ttl: seconds without a request after which a call counts as over.
        retries: how often a transient failure is tried again within the turn's time.
        limits: how much one call, and one caller, may have.
        remember: ``"call"``: every call begins anew; ``"caller"``: a conversation goes on over all
            calls from one number (a withheld number shares with nobody).
        memory_ttl: seconds after the last call that a caller is remembered.

    Attributes:
        ending: functions that are told, on the engine's loop, the id of a call that ends.
        watch: looks out for calls that end at another worker.

    Raises:
        ConfigurationError: the arguments cannot work together.
    """

    def __init__(  # noqa: PLR0913 - the public constructor: every argument is a documented setting
        self,
        mode: str | None = None,
        *,
        provider: Provider | None = None,
        store: SessionStore | str | None = None,
        instructions: str | None = None,
        model: str | None = None,
        openai_api_key: str | None = None,
        turn_timeout: float = 60.0,
        session_ttl: float = 3600.0,
        retries: int = 1,
        limits: Limits | None = None,
        remember: Literal["call", "caller"] = "call",
        memory_ttl: float = MEMORY_TTL,
    ) -> None:
        _check_positive(turn_timeout=turn_timeout, session_ttl=session_ttl, memory_ttl=memory_ttl)
        if remember not in {"call", "caller"}:
            raise ConfigurationError(f"remember={remember!r}: use 'call' or 'caller'")
        if retries < 0:
            raise ConfigurationError(f"retries={retries!r}: give 0 or more")
        if provider is not None and (model is not None or openai_api_key is not None):
            raise ConfigurationError("model= and openai_api_key= go with mode=; give them to the provider")
        self.provider = _provider(mode, provider, model, openai_api_key, turn_timeout)
        self.instructions = DEFAULT_INSTRUCTIONS if instructions is None else instructions
        self.session_ttl = session_ttl
        self.engine: Engine = getattr(self.provider, "engine", None) or Engine.shared()
        self.store = self._opened(store)
        self.limits = limits or Limits()
        self.ending: list[Callable[[str], object]] = []
        self.watch = Watch(self.store, self._ended_elsewhere)
        self.ledger = Ledger(
            self.store, self.update, watch=self.watch, timeout=turn_timeout, written=self._written
        )
        self._turn_timeout = turn_timeout
        self._retries = retries
        self._remembers = remember == "caller"
        self._callers = Callers(self.store, ttl=memory_ttl if self._remembers else DAY, now=self.engine.time)
        self._hooks = Hooks(self.engine)
        self._providers: dict[str, Provider] = {}
        self._threads: dict[str, dict[str, JSON]] = {}
        self._sweeper = Sweeper(
            self.engine, self._sweep, every=min(session_ttl / SWEEPS_PER_TTL, LONGEST_BETWEEN_SWEEPS)
        )
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
        self.engine.run(self._end(call_id, "ended"))

    async def aend(self, call_id: str, *, reason: EndReason = "ended") -> None:
        """Do what ``end`` does, awaited from any event loop.

        Args:
            call_id: the call.
            reason: what ``on_call_end`` is told.
        """
        await self.engine.arun(self._end(call_id, reason))

    def forget(self, phone: str) -> None:
        """Forget what is remembered of a caller (``remember="caller"``), here and at the providers."""
        self.engine.run(self._forget_caller(phone))

    async def aforget(self, phone: str) -> None:
        """Do what ``forget`` does, awaited from any event loop."""
        await self.engine.arun(self._forget_caller(phone))

    def on_call_start(self, function: H) -> H:
        """Register ``function(call_id, phone)``: a call has begun. Usable as a decorator.

        A hook may be ``def`` or ``async def``; each event is told once, by the worker it happened at.
        """
        self._hooks.call_start.append(function)
        return function

    def on_turn(self, function: H) -> H:
        """Register ``function(call_id, turn)``: the AI was asked, and ``turn`` is what came of it."""
        self._hooks.turn.append(function)
        return function

    def on_call_end(self, function: H) -> H:
        """Register ``function(transcript, usage)``: a call is over, by hang-up or by falling silent."""
        self._hooks.call_end.append(function)
        return function

    def check(self) -> None:
        """Try what can be tried beforehand: whether the store will work.

        Raises:
            StoreError: it will not; the message says why.
        """
        self.engine.run(self._check())

    def close(self) -> None:
        """Let go of the connections of providers and store; calls go on, with new ones."""
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
            admit=self._admit,
        )

    async def update(self, call_id: str, change: Callable[[Session], Session]) -> Session:
        """Change a call's session by a pure function; see ``yemot_ai.sessions.update``.

        Raises:
            ConfigurationError: no call may have such an id.
        """
        if call_id.startswith(RESERVED):
            raise ConfigurationError(f"{call_id!r} cannot be a call's id: {RESERVED!r} is ours")
        if self.engine.is_here:  # what never needs the engine must not start it
            self._sweeper.start()
        begins = False

        def changed(session: Session) -> Session:
            nonlocal begins
            after = change(session)
            begins = session.version == 0 and after is not session and not after.ended
            return replace(after, started=self.engine.time()) if begins else after

        # The store keeps it for longer than the call may be silent: the sweeper has to find it.
        session = await update(self.store, call_id, changed, ttl=2 * self.session_ttl)
        if begins:
            self._hooks.call_starts(session)
        return session

    def _opened(self, store: SessionStore | str | None) -> SessionStore:
        if store is None:
            return MemoryStore(now=self.engine.time)
        return open_store(store) if isinstance(store, str) else store

    async def _check(self) -> None:
        if isinstance(self.store, Checked):
            await self.store.check()

    async def _admit(self, call_id: str, turn_id: str) -> Session:
        """Return the session that a turn is asked in.

        Raises:
            LimitReachedError: the call or the caller has had enough.
        """
        session = await self.store.load(call_id) or Session(call_id)
        self.limits.check(session, turn_id, now=self.engine.time())
        if self.limits.turns_per_day is not None:
            await self._callers.count(session.phone, most=self.limits.turns_per_day)
        if self._remembers and session.phone and not session.recalled:
            recalled = await self._callers.recall(session)

            def remember(now: Session) -> Session:
                threads = {**recalled.threads, **now.threads}
                return replace(now, recalled=True, earlier=recalled.earlier, threads=threads)

            session = await self.update(call_id, remember)
        return session

    async def _end(self, call_id: str, reason: EndReason) -> None:
        last = Session(call_id)

        def bury(session: Session) -> Session:
            nonlocal last
            last = session
            return session if session.ended else session.over()

        # The tombstone first: a turn that starts from now on finds it.
        await self.update(call_id, bury)
        await self._let_go(call_id)
        if last.ended or not last.version:
            return  # another worker has buried it, or there was no call
        for conversation, thread in await self._not_needed(last):
            await self._forget(conversation, thread)
        await self._hooks.call_is_over(Transcript.of(last, reason))

    async def _let_go(self, call_id: str) -> None:
        """Stop what runs here for a call that is over."""
        for told in self.ending:
            told(call_id)
        await self.ledger.cancel(call_id)
        for conversation, thread in self._threads.pop(call_id, {}).items():
            if not self._remembers:
                await self._forget(conversation, thread)

    async def _not_needed(self, last: Session) -> list[tuple[str, JSON]]:
        """Return the providers' threads that nobody will go on with."""
        if not self._remembers or not last.phone or not last.recalled:
            return [*last.threads.items(), *last.retired]
        return [*(await self._callers.keep(last)).items(), *last.retired]

    def _ended_elsewhere(self, call_id: str) -> None:
        self.engine.submit(self._let_go(call_id))

    def _written(self, session: Session, turn: Turn) -> None:
        if turn.conversation and not self.store.immediate:
            # Whichever worker ends the call, what this one's providers keep is here.
            self._threads[session.call_id] = dict(session.threads)
        self._hooks.turn_is_over(session.call_id, turn)

    async def _sweep(self) -> None:
        """End the calls that have been silent for too long, and forget callers whose time is up."""
        for call_id in await self.store.ended(tuple(self._threads)):
            await self._let_go(call_id)
        idle = max(self.session_ttl, self._turn_timeout)
        silent = [one async for one in self.store.call_ids(idle=idle) if not one.startswith(RESERVED)]
        for call_id in set(silent) - await self.store.ended(silent):
            log.info("call %s: no request for %g s; it is over", call_id, idle)
            await self._end(call_id, "idle")
        async for phone in self._callers.forgotten():
            await self._forget_caller(phone)

    async def _forget_caller(self, phone: str) -> None:
        for conversation, thread in (await self._callers.forget(phone)).items():
            await self._forget(conversation, thread)

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
        if isinstance(self.store, Closing):
            await self.store.aclose()

    async def _count_open(self) -> int:
        known = [one async for one in self.store.call_ids() if not one.startswith(RESERVED)]
        return len(set(known) - await self.store.ended(known))


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
