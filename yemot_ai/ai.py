"""``YemotAI``: the settings, and the methods that answer what callers say.

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

import functools
import logging
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Literal, Protocol, TypeVar

from yemot_ai._calls.caller_memory import DAY, CallerMemory
from yemot_ai._calls.hooks import EndReason, Hook, Hooks
from yemot_ai._calls.lifecycle import CallLifecycle
from yemot_ai._calls.limits import Limits
from yemot_ai._runtime.engine import Engine
from yemot_ai._turns.conversation import Conversation
from yemot_ai._turns.ledger import Ledger
from yemot_ai._turns.recording_transcriber import (
    RecordingTranscriber,
    check_transcriber,
    make_recording_transcriber,
)
from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.factory import check_provider, make_provider
from yemot_ai.providers.provider import Provider, Reply, SupportsAclose
from yemot_ai.redaction import MASKING_FILTER
from yemot_ai.sessions import (
    DEFAULT_LEASE,
    MemoryStore,
    Session,
    SessionStore,
    SupportsCheck,
    Turn,
    open_store,
)
from yemot_ai.sessions.hangup_watch import HangupWatch
from yemot_ai.transcription import Transcriber
from yemot_ai.transcription.download import Recordings

log = logging.getLogger("yemot_ai")
log.addFilter(MASKING_FILTER)

H = TypeVar("H", bound=Hook)

__all__ = ["DEFAULT_INSTRUCTIONS", "Reply", "YemotAI", "current_run"]

DEFAULT_INSTRUCTIONS = (
    "אתה עונה לאנשים בשיחת טלפון. ענה בעברית פשוטה ומדוברת, במשפט עד שלושה משפטים קצרים. "
    "אל תשתמש ברשימות, בכותרות, בקישורים, באימוג'י או בסימני עיצוב. "
    "כתוב מספרים ושעות כפי שאומרים אותם. אם לא הבנת, שאל שאלה קצרה."
)
"""The default instructions for a model: spoken, short, in Hebrew."""

MEMORY_TTL = 30 * DAY


class StepCounter(Protocol):
    """A handler run, in which an ``ask`` without a ``turn_id`` is a numbered step."""

    @property
    def call_id(self) -> str:
        """The call that the run handles."""
        ...

    def next_step_id(self) -> str:
        """Return the turn id of the next step."""
        ...


current_run: ContextVar[StepCounter | None] = ContextVar("current_run", default=None)
"""The handler run that the current code belongs to."""


class YemotAI:
    """Answers what callers say, with one conversation per call.

    Args:
        mode: ``"codex"`` (the Codex CLI), ``"openai"`` or ``"anthropic"``; or give ``provider``.
        provider: any object with the methods of ``yemot_ai.providers.Provider``.
        store: a session store, or a URL for ``sessions.open_store``, such as ``"redis://localhost"``;
            the memory of this process unless given.
        instructions: how to answer; ``DEFAULT_INSTRUCTIONS`` unless given.
        model: the model's name, for ``mode``; each has a default, see ``docs/providers.md``.
        openai_api_key: for ``mode="openai"``; ``OPENAI_API_KEY`` unless given.
        anthropic_api_key: for ``mode="anthropic"``; ``ANTHROPIC_API_KEY`` unless given.
        turn_timeout: seconds for one turn, retries included.
        session_ttl: seconds without a request after which a call counts as over.
        retries: how often a transient failure is retried within the turn's time.
        limits: the most turns and time for one call, and for one caller.
        remember: ``"call"``: every call starts without a history; ``"caller"``: a conversation continues
            over all calls from one number (calls with a withheld number share nothing).
        memory_ttl: seconds after the last call for which a caller is remembered.
        lease: seconds without renewal after which a worker counts as dead, and another repeats its work;
            10 unless given, and ``session_ttl`` where no other process can see the sessions.
        transcriber: turns recordings (``listen="record"``) into text; ``OpenAITranscriber`` unless given.
        recordings: downloads them from the platform; ``Recordings()`` unless given.

    Attributes:
        end_callbacks: functions that are called with the id of a call that ends, on the engine's loop.
        hangup_watch: detects calls that end at another worker.

    Raises:
        ConfigurationError: if the arguments cannot work together.
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
        anthropic_api_key: str | None = None,
        turn_timeout: float = 60.0,
        session_ttl: float = 3600.0,
        retries: int = 1,
        limits: Limits | None = None,
        remember: Literal["call", "caller"] = "call",
        memory_ttl: float = MEMORY_TTL,
        lease: float | None = None,
        transcriber: Transcriber | None = None,
        recordings: Recordings | None = None,
    ) -> None:
        _check_positive(
            turn_timeout=turn_timeout,
            session_ttl=session_ttl,
            memory_ttl=memory_ttl,
            lease=lease or DEFAULT_LEASE,
        )
        if remember not in {"call", "caller"}:
            raise ConfigurationError(f"remember={remember!r}: use 'call' or 'caller'")
        if retries < 0:
            raise ConfigurationError(f"retries={retries!r}: give 0 or more")
        keys = {"openai": openai_api_key, "anthropic": anthropic_api_key}
        self.provider = make_provider(mode, provider, model=model, keys=keys, timeout=turn_timeout)
        self.instructions = DEFAULT_INSTRUCTIONS if instructions is None else instructions
        self.session_ttl = session_ttl
        self.engine: Engine = getattr(self.provider, "engine", None) or Engine.shared()
        self.store = self._open_store(store)
        # No other process can take over what only this one has.
        self.lease = lease or (session_ttl if self.store.immediate else DEFAULT_LEASE)
        checked = None if transcriber is None else check_transcriber(transcriber)
        self._make_recording_transcriber = functools.partial(
            make_recording_transcriber, checked, recordings, api_key=openai_api_key
        )
        self._turn_timeout = turn_timeout
        self._retries = retries
        self._providers: dict[str, Provider] = {}
        self._hooks = Hooks(self.engine)
        self.calls = self._new_calls(limits or Limits(), memory_ttl if remember == "caller" else None)
        self.hangup_watch = HangupWatch(self.store, self.calls.on_ended_elsewhere)
        self.ledger = self._new_ledger()
        self.end_callbacks = self.calls.end_callbacks
        self.end_callbacks.append(self.ledger.cancel_call)
        self.conversation = self.new_conversation("call")

    def _new_calls(self, limits: Limits, memory_ttl: float | None) -> CallLifecycle:
        """Return a new ``CallLifecycle``; ``memory_ttl`` None: callers are not remembered."""
        ttl = DAY if memory_ttl is None else memory_ttl
        return CallLifecycle(
            store=self.store,
            engine=self.engine,
            ttl=max(self.session_ttl, self._turn_timeout),
            limits=limits,
            caller_memory=CallerMemory(self.store, ttl=ttl, now=self.engine.time),
            remember_callers=memory_ttl is not None,
            hooks=self._hooks,
            providers=self._providers,
        )

    def _new_ledger(self) -> Ledger:
        return Ledger(
            self.store,
            self.calls.update_session,
            hangup_watch=self.hangup_watch,
            timeout=self._turn_timeout,
            lease=self.lease,
            on_done=self.calls.on_turn_done,
            on_discarded=self.calls.discard_unsaved,
        )

    def reply(
        self, call_id: str, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> str:
        """Return the answer to what the caller said; block until there is one.

        Args:
            call_id: the call's ``ApiCallId``, or any other name for a conversation.
            text: what the caller said.
            turn_id: a repeated id returns the first answer, without another model call. Inside a
                handler of the call, the step's position is the default; elsewhere every call of this
                method is a new turn.
            instructions: how to answer this turn only.

        Raises:
            ProviderError: if there is no answer; the subclass says why.
            CallEndedError: if the call has hung up.
            EngineLoopError: if called in an async handler; await ``areply`` there.
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
        return _raise_failure(
            self.engine.run(self.conversation.ask(call_id, turn_id, text, instructions=instructions))
        )

    async def aask(
        self, call_id: str, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> Turn:
        """Do what ``ask`` does, awaited from any event loop."""
        turn_id = turn_id or _next_turn_id(call_id)
        asking = self.conversation.ask(call_id, turn_id, text, instructions=instructions)
        return _raise_failure(await self.engine.arun(asking))

    def end(self, call_id: str) -> None:
        """End the call: cancel its running turns, and delete what was said, here and at the providers."""
        self.engine.run(self.calls.end(call_id, "ended"))

    async def aend(self, call_id: str, *, reason: EndReason = "ended") -> None:
        """Do what ``end`` does, awaited from any event loop.

        Args:
            call_id: the call.
            reason: ``CallSummary.reason`` for ``on_call_end``.
        """
        await self.engine.arun(self.calls.end(call_id, reason))

    def forget_caller(self, phone: str) -> None:
        """Delete the memory of a caller (``remember="caller"``), here and at the providers."""
        self.engine.run(self.calls.forget_caller(phone))

    async def aforget_caller(self, phone: str) -> None:
        """Do what ``forget_caller`` does, awaited from any event loop."""
        await self.engine.arun(self.calls.forget_caller(phone))

    def on_call_start(self, function: H) -> H:
        """Register ``function(call_id, phone)`` for the start of a call. Usable as a decorator.

        A hook may be ``def`` or ``async def``; it is called once for each event, by the worker at which
        the event happens.
        """
        self._hooks.call_start.append(function)
        return function

    def on_turn(self, function: H) -> H:
        """Register ``function(call_id, turn)`` for the end of each turn that asks the AI."""
        self._hooks.turn.append(function)
        return function

    def on_call_end(self, function: H) -> H:
        """Register ``function(summary, usage)`` for the end of a call, by hang-up, timeout or ``end``."""
        self._hooks.call_end.append(function)
        return function

    def check(self) -> None:
        """Check, before the first call, that the store works.

        Raises:
            StoreError: if it does not; the message says why.
        """
        self.engine.run(self._check())

    def close(self) -> None:
        """Close the connections of the providers and the store; calls continue, with new ones."""
        self.engine.run(self._close())

    async def aclose(self) -> None:
        """Do what ``close`` does, awaited from any event loop."""
        await self.engine.arun(self._close())

    def open_calls(self) -> int:
        """Return the number of calls in the store that have not ended; block until the store answers."""
        return self.engine.run(self.calls.count_open())

    def new_conversation(
        self, name: str, *, provider: Provider | None = None, instructions: str | None = None
    ) -> Conversation:
        """Return a separate conversation per call, for an agent with its own provider or instructions.

        Raises:
            ConfigurationError: if ``provider`` is not a provider.
        """
        if provider is not None:
            check_provider(provider)
        self._providers[name] = provider or self.provider
        return Conversation(
            name=name,
            provider=provider or self.provider,
            store=self.store,
            ledger=self.ledger,
            instructions=self.instructions if instructions is None else instructions,
            timeout=self._turn_timeout,
            retries=self._retries,
            admit=self.calls.admit,
        )

    @functools.cached_property
    def recording_transcriber(self) -> RecordingTranscriber:
        """The recording transcriber of all agents that listen to recordings."""
        return self._make_recording_transcriber(
            run_in_thread=self.engine.run_in_thread,
            ledger=self.ledger,
            check_limits=self.calls.check_limits,
        )

    async def update_session(self, call_id: str, change: Callable[[Session], Session]) -> Session:
        """Change a call's session by a pure function; see ``yemot_ai.sessions.update_session``."""
        return await self.calls.update_session(call_id, change)

    def _open_store(self, store: SessionStore | str | None) -> SessionStore:
        if store is None:
            return MemoryStore(now=self.engine.time)
        return open_store(store) if isinstance(store, str) else store

    async def _check(self) -> None:
        if isinstance(self.store, SupportsCheck):
            await self.store.check()

    async def _close(self) -> None:
        for provider in {id(provider): provider for provider in self._providers.values()}.values():
            if isinstance(provider, SupportsAclose):
                await provider.aclose()
        if "recording_transcriber" in vars(self):
            await self.recording_transcriber.aclose()
        if isinstance(self.store, SupportsAclose):
            await self.store.aclose()


def _raise_failure(turn: Turn) -> Turn:
    if turn.failure is not None:
        raise turn.failure.to_error()
    return turn


def _next_turn_id(call_id: str) -> str:
    run = current_run.get()
    return run.next_step_id() if run is not None and run.call_id == call_id else uuid.uuid4().hex


def _check_positive(**seconds: float) -> None:
    for name, value in seconds.items():
        if not value > 0:  # false for nan, too
            raise ConfigurationError(f"{name}={value!r}: give a positive number of seconds")
