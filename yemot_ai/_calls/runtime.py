"""The runtime of one ``YemotAI``: its store, engine, ledger, calls and conversations, wired together.

``YemotAI`` is the face for developers; ``AIFlow`` works on this.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from yemot_ai._calls.caller_memory import DAY, CallerMemory
from yemot_ai._calls.hooks import Hooks
from yemot_ai._calls.lifecycle import CallLifecycle
from yemot_ai._calls.limits import Limits
from yemot_ai._calls.provider_checks import check_takes_tools, warm_up
from yemot_ai._runtime.engine import Engine
from yemot_ai._turns.conversation import Conversation
from yemot_ai._turns.ledger import Ledger
from yemot_ai._turns.recording_transcriber import RecordingTranscriber, make_recording_transcriber
from yemot_ai.providers.adapter import AnyProvider, as_provider
from yemot_ai.providers.provider import Provider, SupportsAclose
from yemot_ai.sessions import SessionStore, SupportsCheck
from yemot_ai.sessions.hangup_watch import HangupWatch
from yemot_ai.transcription import Transcriber
from yemot_ai.transcription.download import Recordings

if TYPE_CHECKING:  # few applications need them
    from yemot_ai._turns.tool_loop import ConversationTools
    from yemot_ai.tools import Toolbox

__all__ = ["Runtime"]

CANCEL_SECONDS: Final = 2.0
"""How long the clean-up of turns that are cancelled at the end of a process may take."""


@dataclass(eq=False)
class Runtime:
    """The parts that one ``YemotAI`` and its ``AIFlow`` share.

    Args: the settings of ``YemotAI``, with their defaults; ``memory_ttl`` is None if callers are not
    remembered.

    Attributes:
        hooks: the developer's hooks.
        calls: the lifecycle of the calls.
        ledger: runs and stores the turns.
        hangup_watch: detects calls that end at another worker.
        conversation: the conversation of handlers and of agents without their own.
        toolboxes: the tools of each conversation that has some, by its name.
        running_tasks: functions that return the tasks of turns, handlers and ends of calls that run in this
            process.
        servers: how many ASGI servers of its flows have started and not ended.
        is_ending: whether this process waits for its last turns, and new calls should go elsewhere.
    """

    provider: Provider
    instructions: str
    store: SessionStore
    engine: Engine
    session_ttl: float
    turn_timeout: float
    retries: int
    lease: float
    limits: Limits
    memory_ttl: float | None
    transcriber: Transcriber | None
    recordings: Recordings | None
    openai_api_key: str | None
    interruption_note: str | None
    tools: tuple[object, ...] = ()
    _providers: dict[str, Provider] = field(default_factory=dict)
    toolboxes: dict[str, Toolbox] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hooks = Hooks(self.engine)
        ttl = DAY if self.memory_ttl is None else self.memory_ttl
        self.calls = CallLifecycle(
            store=self.store,
            engine=self.engine,
            ttl=max(self.session_ttl, self.turn_timeout),
            limits=self.limits,
            caller_memory=CallerMemory(self.store, ttl=ttl, now=self.engine.time),
            remember_callers=self.memory_ttl is not None,
            hooks=self.hooks,
            providers=self._providers,
        )
        self.hangup_watch = HangupWatch(self.store, self.calls.on_ended_elsewhere)
        self.update_session = self.calls.update_session
        self.ledger = Ledger(
            self.store,
            self.update_session,
            hangup_watch=self.hangup_watch,
            timeout=self.turn_timeout,
            lease=self.lease,
            on_done=self.calls.on_turn_done,
            on_discarded=self.calls.discard_unsaved,
        )
        self.calls.end_callbacks.append(self.ledger.cancel_call)
        self.running_tasks: list[Callable[[], Sequence[asyncio.Task[Any]]]] = [
            self.ledger.running_tasks,
            self.calls.running_tasks,
        ]
        self.servers = 0
        self.is_ending = False
        self.conversation = self.new_conversation("call")

    def new_conversation(
        self,
        name: str,
        *,
        provider: AnyProvider | None = None,
        instructions: str | None = None,
        tools: Sequence[object] | None = None,
    ) -> Conversation:
        """Return a separate conversation per call, for an agent with its own provider, instructions or tools.

        Raises:
            ConfigurationError: if ``provider`` is not a provider, or takes no tools; or a tool is none.
        """
        own = self._providers[name] = self.provider if provider is None else as_provider(provider)
        return Conversation(
            name=name,
            provider=own,
            ledger=self.ledger,
            instructions=self.instructions if instructions is None else instructions,
            timeout=self.turn_timeout,
            retries=self.retries,
            limits=self.limits.answer,
            interruption_note=self.interruption_note,
            admit=self.calls.admit,
            tools=self._tools_of(name, own, self.tools if tools is None else tools),
        )

    def _tools_of(
        self, conversation: str, provider: Provider, tools: Sequence[object]
    ) -> ConversationTools | None:
        if not tools:
            return None
        from yemot_ai._turns.tool_loop import ConversationTools  # noqa: PLC0415 - few applications need it
        from yemot_ai.tools import make_toolbox  # noqa: PLC0415 - as above

        toolbox = make_toolbox(tools, max_calls=self.limits.tool_calls)
        check_takes_tools(provider)
        self.toolboxes[conversation] = toolbox
        return ConversationTools(toolbox, self.ledger, self.engine.call)

    @functools.cached_property
    def recording_transcriber(self) -> RecordingTranscriber:
        """The recording transcriber of all agents that listen to recordings."""
        return make_recording_transcriber(
            self.transcriber,
            self.recordings,
            api_key=self.openai_api_key,
            run_in_thread=self.engine.run_in_thread,
            ledger=self.ledger,
            check_limits=self.calls.check_limits,
        )

    async def check(self) -> None:
        """Check that the store works.

        Raises:
            StoreError: if it does not; the message says why.
        """
        if isinstance(self.store, SupportsCheck):
            await self.store.check()

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The providers of all conversations; each once."""
        return tuple({id(provider): provider for provider in self._providers.values()}.values())

    def find_provider(self, conversation: str) -> Provider | None:
        """Return the provider of a conversation; None for an unknown one."""
        return self._providers.get(conversation)

    async def warm_up(self) -> None:
        """Do what the first answers would wait for, and log which provider cannot answer."""
        await warm_up(self.providers, self.engine)

    async def drain(self, seconds: float) -> int:
        """Wait until no turn, handler or end of a call runs; return how many still run after ``seconds``."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        was_ending, self.is_ending = self.is_ending, True
        try:
            while (tasks := self._running()) and loop.time() < until:
                await asyncio.wait(tasks, timeout=until - loop.time())
        finally:
            self.is_ending = was_ending
        return len(tasks)

    async def shutdown(self, seconds: float) -> None:
        """Drain, cancel what still runs, so that its leases are free for other workers, and close."""
        if await self.drain(seconds):
            tasks = self._running()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
        await self.close()

    def _running(self) -> list[asyncio.Task[Any]]:
        return [task for list_tasks in self.running_tasks for task in list_tasks()]

    async def close(self) -> None:
        """Close the connections of the providers, the transcriber and the store."""
        transcribers = [self.recording_transcriber] if "recording_transcriber" in vars(self) else []
        parts = (*self._providers.values(), *transcribers, self.store)
        # A provider may serve several conversations.
        for aclose in dict.fromkeys(part.aclose for part in parts if isinstance(part, SupportsAclose)):
            await aclose()
