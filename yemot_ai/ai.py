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

import logging
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from yemot_ai._calls.caller_memory import DAY
from yemot_ai._calls.hooks import EndReason, Hook
from yemot_ai._calls.limits import Limits
from yemot_ai._calls.runtime import Runtime
from yemot_ai._runtime.engine import Engine
from yemot_ai._turns.recording_transcriber import check_transcriber
from yemot_ai._turns.work import running_tool
from yemot_ai.errors import ConfigurationError
from yemot_ai.providers.adapter import AnyProvider
from yemot_ai.providers.factory import make_provider
from yemot_ai.providers.provider import Reply
from yemot_ai.redaction import MASKING_FILTER
from yemot_ai.sessions import DEFAULT_LEASE, MemoryStore, SessionStore, Turn, open_store
from yemot_ai.transcription import Transcriber
from yemot_ai.transcription.download import Recordings
from yemot_ai.validation import check_number, check_type

log = logging.getLogger("yemot_ai")
log.addFilter(MASKING_FILTER)

H = TypeVar("H", bound=Hook)

if TYPE_CHECKING:  # few applications have tools
    from yemot_ai.tools import Toolbox

__all__ = ["DEFAULT_INSTRUCTIONS", "Reply", "YemotAI", "current_run"]

DEFAULT_INSTRUCTIONS = (
    "אתה עונה לאנשים בשיחת טלפון. ענה בעברית פשוטה ומדוברת, במשפט עד שלושה משפטים קצרים. "
    "אל תשתמש ברשימות, בכותרות, בקישורים, באימוג'י או בסימני עיצוב. "
    "כתוב מספרים ושעות כפי שאומרים אותם. אם לא הבנת, שאל שאלה קצרה."
)
"""The default instructions for a model: spoken, short, in Hebrew."""

MEMORY_TTL = 30 * DAY


class Steps(Protocol):
    """A handler run, in which an ``ask`` is a step.

    Attributes:
        call_id: the call that the run handles.
        line_ids: the line's own ids of that call, if others identify it.
        turn_id: the turn that an agent's function answers; "" in a plain handler.
    """

    call_id: str
    line_ids: tuple[str, ...]
    turn_id: str

    def start_step(self, turn_id: str | None = None) -> str:
        """Start a step; return its turn id, which is its position unless ``turn_id`` is given."""
        ...


current_run: ContextVar[Steps | None] = ContextVar("current_run", default=None)
"""The handler run that the current code belongs to."""


class YemotAI:
    """Answers what callers say, with one conversation per call.

    Args:
        mode: ``"codex"`` (the Codex CLI), ``"openai"`` or ``"anthropic"``; or give ``provider``.
        provider: any object with the methods of ``yemot_ai.providers.SessionProvider`` or ``Provider``.
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
        blocked_loop_seconds: seconds after which code that blocks the event loop is logged, with its line; 1
            unless given, 0: never. One value for all ``YemotAI`` of a process, that of the last.
        tools: functions that the model may call, or what ``tool`` has made of them; an agent may have others.
        interruption_note: a note to the model before the caller's next words if the caller has not heard
            the end of its answer: a key or a hang-up interrupted it, or it broke off. None: a sentence in
            Hebrew or English; ``""``: nothing. Callers never hear it.

    Attributes:
        end_callbacks: functions that are called with the id of a call that ends, on the engine's loop.
        engine: the event loop on which turns and providers run.
        provider: the provider, as it was given or as ``mode`` has made it.

    Raises:
        ConfigurationError: if the arguments cannot work together.
    """

    def __init__(  # noqa: PLR0913 - the public constructor: every argument is a documented setting
        self,
        mode: str | None = None,
        *,
        provider: AnyProvider | None = None,
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
        interruption_note: str | None = None,
        blocked_loop_seconds: float | None = None,
        tools: Sequence[Callable[..., Any]] = (),
    ) -> None:
        times = {"turn_timeout": turn_timeout, "session_ttl": session_ttl, "memory_ttl": memory_ttl}
        for name, seconds in {**times, "lease": DEFAULT_LEASE if lease is None else lease}.items():
            check_number(name, seconds, "a positive number of seconds")
        if blocked_loop_seconds is not None:
            check_number("blocked_loop_seconds", blocked_loop_seconds, "seconds, or 0 for never", zero=True)
        check_number("retries", retries, "0 or more", whole=True, zero=True)
        check_type("limits", limits, (Limits, NoneType), "Limits(…)")
        check_type("instructions", instructions, (str, NoneType), "a text, or None")
        if remember not in {"call", "caller"}:
            raise ConfigurationError(f"remember={remember!r}: use 'call' or 'caller'")
        check_type("tools", tools, (list, tuple), "a list of functions")
        check_type("interruption_note", interruption_note, (str, NoneType), "a text, or None")
        keys = {"openai": openai_api_key, "anthropic": anthropic_api_key}
        answering = make_provider(mode, provider, model=model, keys=keys, timeout=turn_timeout)
        engine: Engine = getattr(answering, "engine", None) or Engine.shared()
        if blocked_loop_seconds is not None:
            engine.monitor.seconds = blocked_loop_seconds
        opened = _open_store(store, engine)
        self._runtime = Runtime(
            provider=answering,
            instructions=DEFAULT_INSTRUCTIONS if instructions is None else instructions,
            store=opened,
            engine=engine,
            session_ttl=session_ttl,
            turn_timeout=turn_timeout,
            retries=retries,
            # No other process can take over what only this one has.
            lease=lease or (session_ttl if opened.immediate else DEFAULT_LEASE),
            limits=limits or Limits(),
            memory_ttl=memory_ttl if remember == "caller" else None,
            transcriber=None if transcriber is None else check_transcriber(transcriber),
            recordings=recordings,
            openai_api_key=openai_api_key,
            interruption_note=interruption_note,
            tools=tuple(tools),
        )
        self.provider = answering if provider is None else provider
        self.engine = engine
        self.end_callbacks = self._runtime.calls.end_callbacks

    def reply(
        self, call_id: str, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> str:
        """Return the answer to what the caller said; block until there is one.

        Args:
            call_id: the ``call.call_id`` of a handler, or any other name for a conversation.
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
        return _raise_failure(self.engine.run(self._ask(call_id, text, turn_id, instructions)))

    async def aask(
        self, call_id: str, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> Turn:
        """Do what ``ask`` does, awaited from any event loop."""
        return _raise_failure(await self.engine.arun(self._ask(call_id, text, turn_id, instructions)))

    def end(self, call_id: str) -> None:
        """End the call: cancel its running turns, and delete what was said, here and at the providers."""
        self.engine.run(self._runtime.calls.end(_current_call(call_id), "ended"))

    async def aend(self, call_id: str, *, reason: EndReason = "ended") -> None:
        """Do what ``end`` does, awaited from any event loop.

        Args:
            call_id: the call.
            reason: ``CallSummary.reason`` for ``on_call_end``.
        """
        await self.engine.arun(self._runtime.calls.end(_current_call(call_id), reason))

    def forget_caller(self, phone: str) -> None:
        """Delete the memory of a caller (``remember="caller"``), here and at the providers."""
        self.engine.run(self._runtime.calls.forget_caller(phone))

    async def aforget_caller(self, phone: str) -> None:
        """Do what ``forget_caller`` does, awaited from any event loop."""
        await self.engine.arun(self._runtime.calls.forget_caller(phone))

    @property
    def toolboxes(self) -> Mapping[str, Toolbox]:
        """The tools of each conversation that has some: ``"call"``, or ``"call:1/2"`` of an agent."""
        return self._runtime.toolboxes

    def on_call_start(self, function: H) -> H:
        """Register ``function(call_id, phone)`` for the start of a call. Usable as a decorator.

        A hook may be ``def`` or ``async def``; it is called once for each event, by the worker at which
        the event happens.
        """
        self._runtime.hooks.call_start.append(function)
        return function

    def on_turn(self, function: H) -> H:
        """Register ``function(call_id, turn)`` for the end of each turn that asks the AI."""
        self._runtime.hooks.turn.append(function)
        return function

    def on_tool(self, function: H) -> H:
        """Register ``function(call_id, turn)`` for the end of each run of a tool.

        ``turn.tool`` is what was called, ``turn.answer`` the result, ``turn.failure`` why there is none.
        """
        self._runtime.hooks.tool.append(function)
        return function

    def on_call_end(self, function: H) -> H:
        """Register ``function(summary, usage)`` for the end of a call, by hang-up, timeout or ``end``."""
        self._runtime.hooks.call_end.append(function)
        return function

    def check(self) -> None:
        """Check, before the first call, that the store works.

        Raises:
            StoreError: if it does not; the message says why.
        """
        self.engine.run(self._runtime.check())

    def warm_up(self) -> None:
        """Do, before the first call, what the first answers would wait for: imports, connections, processes.

        What fails is logged as an error, with the way out; ``yemot-ai serve`` does this at its start.
        """
        self.engine.run(self._runtime.warm_up())

    def close(self) -> None:
        """Close the connections of the providers and the store; calls continue, with new ones."""
        self.engine.run(self._runtime.close())

    async def aclose(self) -> None:
        """Do what ``close`` does, awaited from any event loop."""
        await self.engine.arun(self._runtime.close())

    async def adrain(self, seconds: float) -> int:
        """Wait until no turn and no handler runs in this process, for example before it ends.

        Args:
            seconds: how long at most.

        Returns:
            How many still run.
        """
        return await self.engine.arun(self._runtime.drain(seconds))

    def open_calls(self) -> int:
        """Return the number of calls in the store that have not ended; block until the store answers."""
        return self.engine.run(self._runtime.calls.count_open())

    def _ask(
        self, call_id: str, text: str, turn_id: str | None, instructions: str | None
    ) -> Coroutine[Any, Any, Turn]:
        """Return the coroutine of a question; inside a handler of the call, it is a step of its run."""
        run = current_run.get()
        call_id, parent = _current_call(call_id), ""
        if running_tool.get() == call_id:
            raise ConfigurationError("a tool cannot ask the AI in its own call: the call waits for the tool")
        if run is not None and run.call_id == call_id:
            turn_id, parent = run.start_step(turn_id), run.turn_id
        ask = self._runtime.conversation.ask
        return ask(call_id, turn_id or uuid.uuid4().hex, text, instructions=instructions, parent=parent)


def _current_call(call_id: str) -> str:
    """Return the id of the current handler's call, if ``call_id`` is one of the line's ids of it."""
    run = current_run.get()
    return run.call_id if run is not None and call_id in run.line_ids else call_id


def _raise_failure(turn: Turn) -> Turn:
    if turn.failure is not None:
        raise turn.failure.to_error()
    return turn


def _open_store(store: SessionStore | str | None, engine: Engine) -> SessionStore:
    if store is None:
        return MemoryStore(now=engine.time)
    if isinstance(store, str):
        return open_store(store)
    if not hasattr(store, "immediate"):  # of its methods, those of a wrapper may be made when they are called
        raise ConfigurationError(f"store={store!r}: give a SessionStore, or a URL such as 'sqlite:calls.db'")
    return store
