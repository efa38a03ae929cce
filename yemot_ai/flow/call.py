"""``AICall`` and ``AsyncAICall``: the object that a handler gets for its call."""

from __future__ import annotations

import copy
import logging
from collections.abc import Awaitable, Coroutine, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Unpack

import yemot_flow

from yemot_ai._calls.runtime import Runtime
from yemot_ai._runtime.engine import Engine
from yemot_ai._turns.conversation import Conversation
from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.source_place import source_place
from yemot_ai.flow.code_warnings import WarnedPlaces, warned_places
from yemot_ai.flow.compat.awaitables import DONE
from yemot_ai.flow.compat.messages import Playable, to_messages
from yemot_ai.flow.compat.option_values import folder_target, value_name
from yemot_ai.flow.compat.read_options import (
    ReadOptions,
    check_names,
    count_attempts,
    is_speech,
    read_mode,
    reuses_value,
    speech_value,
    with_pre_message,
)
from yemot_ai.flow.handler_run import HandlerInterrupted, HandlerRun
from yemot_ai.flow.targets import warn_of_unknown_target
from yemot_ai.flow.value_names import is_reserved, visible_values
from yemot_ai.protocol import Comment, GoToFolder, Play, Read, Request
from yemot_ai.providers.provider import JSON
from yemot_ai.sessions import Session, Turn
from yemot_ai.sessions.retry import retry_while_store_is_away

__all__ = ["AICall", "AsyncAICall", "BaseCall", "CallFactory"]

log = logging.getLogger("yemot_ai")


class BaseCall(yemot_flow.Call):
    """One phone call, in one run of a handler: what ``AICall`` and ``AsyncAICall`` have in common.

    Attributes that you set (``call.name = "דוד"``) are visible to later runs in this process;
    ``call.state`` is saved with the session and visible to every worker.

    Attributes:
        params: the line's ``Api…`` parameters and the newest value of each name.
        call_id: what identifies the call: its ``ApiCallId``, unless ``AIFlow(call_key=…)`` says otherwise.
        state: your own JSON-serializable mapping, saved when the run ends.
    """

    params: dict[str, str]
    call_id: str
    state: MutableMapping[str, JSON]
    _attributes: MutableMapping[str, Any]
    _conversation: Conversation
    _engine: Engine
    _run: HandlerRun
    _OWN_ATTRIBUTES = frozenset(
        {
            "_attributes", "_conversation", "_engine", "_expected_param", "_handler_state", "_run",
            "_waiting_for_input", "call_id", "flow", "last_activity_ms", "params", "response_parts", "state",
        }
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - called in one place
        self,
        params: Mapping[str, str],
        *,
        flow: yemot_flow.Flow,
        run: HandlerRun,
        engine: Engine,
        conversation: Conversation,
        state: MutableMapping[str, JSON],
        attributes: MutableMapping[str, Any],
    ) -> None:
        vars(self).update(
            _attributes=attributes, _run=run, _engine=engine, _conversation=conversation, state=state
        )
        super().__init__(dict(params), flow=flow)
        self.call_id = run.call_id

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - a developer's own attribute
        if name in self._OWN_ATTRIBUTES:
            super().__setattr__(name, value)
        else:
            self._attributes[name] = value

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a developer's own attribute
        if name in BaseCall._OWN_ATTRIBUTES or name not in self._attributes:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self._attributes[name]

    def __delattr__(self, name: str) -> None:
        if name not in self._attributes:
            raise AttributeError(name)
        del self._attributes[name]

    @property
    def phone(self) -> str:
        """The caller's number; "" when it is withheld."""
        return self.params.get("ApiPhone", "")

    @property
    def extension(self) -> str:
        """The extension that the call is in, without a leading slash; "" is the root."""
        return self.params.get("ApiExtension", "").strip("/")

    def play_message(
        self,
        messages: Playable | Iterable[Playable],
        *,
        remove_invalid_chars: bool | None = None,  # noqa: ARG002 - yemot-flow's
        url_encode: bool = False,  # noqa: ARG002 - yemot-flow's
    ) -> None:
        """Queue messages; returns at once.

        They are played before the next question or transfer. If the handler ends without one, they
        are the whole response, and the caller then leaves the extension.

        Args:
            messages: texts, protocol messages, or yemot-flow's ``("text", "…")`` pairs.
            remove_invalid_chars: yemot-flow's; texts are always made speakable here.
            url_encode: yemot-flow's; has no effect, since the line does not decode responses.
        """
        self._run.queue_messages(to_messages(messages, self._run.rewrite))

    def goto(self, folder: str) -> NoReturn:
        """Send the call to another extension; ends the run.

        Args:
            folder: ``""`` or ``"/"`` the root, ``"/1"`` absolute, ``"1"`` a child of this extension,
                ``"."`` this one again, ``".."`` one level up, ``"hangup"``.
        """
        target = folder_target(folder)
        warn_of_unknown_target(self.flow, self.extension, target, f"call.goto({folder!r})")
        raise self._interrupt_with(GoToFolder(target))

    def hangup(self) -> NoReturn:
        """End the call; ends the run."""
        raise self._interrupt_with(GoToFolder("hangup"))

    async def _ask_step(self, turn_id: str, text: str, instructions: str | None) -> str:
        # The ledger finds the turn by its id, so a failed attempt can be repeated.
        turn = await retry_while_store_is_away(
            lambda: self._ask_once(turn_id, text, instructions), f"call {self.call_id}: turn {turn_id}"
        )
        if turn.failure is not None:
            raise turn.failure.to_error()
        return turn.answer

    async def _ask_once(self, turn_id: str, text: str, instructions: str | None) -> Turn:
        call_id = self._run.call_id
        stored = await self._conversation.ledger.find(call_id, turn_id)
        if stored and stored.is_done and self._run.mark_repeated(turn_id):
            self._run.clear_queue()
            if stored.text != text:
                log.warning(
                    "call %s: step %s has another text than before; its stored answer is used",
                    call_id,
                    turn_id,
                )
        ask, parent = self._conversation.ask, self._run.turn_id
        return await ask(call_id, turn_id, text, instructions=instructions, parent=parent, state=self.state)

    def _read_value(self, messages: Playable | Iterable[Playable], options: ReadOptions) -> str:
        check_names(options)
        val_name = options.get("val_name") or "Digits"
        line_name = value_name(val_name)
        if is_reserved(line_name) or line_name.startswith("Api") or line_name == "hangup":
            raise ConfigurationError(f"val_name={val_name!r} is a name of the agent loop or of the line")
        if self._run.turn_id:
            self._run.read_place = source_place()
        answer = ""
        for attempt in range(count_attempts(options)):
            name = self._run.next_value_name(line_name, val_name)
            value = self._run.value(name)
            if value is None:
                before = self._play_before(options.get("pre_message")) if attempt == 0 else ()
                question = to_messages(messages, self._run.rewrite) or (Comment("ask"),)
                read = Read(question, name, read_mode(options), reuses_value(options))
                raise self._interrupt_with(*before, read)
            self._run.clear_queue()
            answer = speech_value(value) if is_speech(options) else value
            self.params[val_name] = answer
            if answer:
                break
        return answer

    def _play_before(self, pre_message: Playable | Iterable[Playable] | None) -> tuple[Play, ...]:
        messages = to_messages(pre_message, self._run.rewrite) if pre_message is not None else ()
        return (Play(messages),) if messages else ()

    def _interrupt_with(self, *actions: Play | Read | GoToFolder) -> HandlerInterrupted:
        self._run.set_outcome(*actions)
        return HandlerInterrupted()


class AICall(BaseCall):
    """The call of a handler that is a plain ``def``: its methods return texts.

    Has the methods of yemot-flow's ``Call``, and ``ask_ai``.
    """

    def read(  # type: ignore[override]  # yemot-flow's is a coroutine
        self, messages: Playable | Iterable[Playable], **options: Unpack[ReadOptions]
    ) -> str:
        """Ask the caller for a value; ends the run if the line has not sent it yet.

        When the line sends the value, the handler runs again from its top and this ``read`` returns.

        Args:
            messages: the question.
            options: see ``ReadOptions``.

        Returns:
            What the caller typed or said ("" for silence), or the path of the recording.

        Raises:
            ConfigurationError: the options cannot be sent to the line.
        """
        return self._read_value(messages, options)

    def play_and_read(
        self,
        play_messages: Playable | Iterable[Playable],
        read_messages: Playable | Iterable[Playable],
        **options: Unpack[ReadOptions],
    ) -> str:
        """Play, then ask, in one response; takes the options of ``read``."""
        return self._read_value(read_messages, with_pre_message(play_messages, options))

    def ask_ai(self, text: str, *, turn_id: str | None = None, instructions: str | None = None) -> str:
        """Ask the AI.

        The n-th ``ask_ai`` of a visit is sent to the model once. Later runs of the handler get the
        stored answer, even if the text differs.

        Args:
            text: what the caller said.
            turn_id: names the step instead of its position.
            instructions: instructions for this answer only.

        Raises:
            ProviderError: the provider has no answer; the subclass says why.
            CallEndedError: the caller hung up before the answer was there.
            EngineLoopError: called on the engine's loop, by a coroutine that a plain ``def`` returned.
        """
        return self._engine.run(self._ask_step(self._run.start_step(turn_id), str(text), instructions))


class AsyncAICall(BaseCall):
    """The call of a handler that is an ``async def``: ``read`` and ``ask_ai`` are awaited.

    One that the handler has not awaited is an error that names its file and line.
    """

    def read(  # type: ignore[override]  # takes more messages, and fewer modes
        self, messages: Playable | Iterable[Playable], **options: Unpack[ReadOptions]
    ) -> Coroutine[Any, Any, str]:
        """Do what ``AICall.read`` does, awaited."""
        return self._run.track(self._read(messages, options), "call.read(…)")

    def play_message(  # type: ignore[override]  # None here may be awaited
        self,
        messages: Playable | Iterable[Playable],
        *,
        remove_invalid_chars: bool | None = None,  # noqa: ARG002 - yemot-flow's
        url_encode: bool = False,  # noqa: ARG002 - yemot-flow's
    ) -> Awaitable[None]:
        """Do what ``AICall.play_message`` does, at once; it may be awaited, as in yemot-flow."""
        super().play_message(messages)
        return DONE

    def play_and_read(
        self,
        play_messages: Playable | Iterable[Playable],
        read_messages: Playable | Iterable[Playable],
        **options: Unpack[ReadOptions],
    ) -> Coroutine[Any, Any, str]:
        """Do what ``AICall.play_and_read`` does, awaited."""
        reading = self._read(read_messages, with_pre_message(play_messages, options))
        return self._run.track(reading, "call.play_and_read(…)")

    def ask_ai(
        self, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> Coroutine[Any, Any, str]:
        """Do what ``AICall.ask_ai`` does, awaited; the position of the step is that of this call."""
        asking = self._ask_step(self._run.start_step(turn_id), str(text), instructions)
        return self._run.track(asking, "call.ask_ai(…)")

    async def _read(self, messages: Playable | Iterable[Playable], options: ReadOptions) -> str:
        return self._read_value(messages, options)


@dataclass(frozen=True, slots=True)
class CallFactory:
    """Makes the calls of handlers and of agents' functions.

    Args:
        flow: the flow of the calls.
        runtime: answers ``ask_ai``.
        warned: what was logged about the code of handlers.
    """

    flow: yemot_flow.Flow
    runtime: Runtime
    warned: WarnedPlaces = field(default_factory=set)

    def __call__(  # noqa: PLR0913 - called in two places
        self,
        run: HandlerRun,
        session: Session,
        request: Request,
        attributes: MutableMapping[str, Any],
        *,
        is_async: bool,
        conversation: Conversation | None = None,
    ) -> BaseCall:
        """Return the call of one run, whose task this is called in.

        Args:
            run: the run.
            session: the session before the run.
            request: the request.
            attributes: what the developer has set on earlier objects of this call.
            is_async: whether the handler is async.
            conversation: answers ``ask_ai``; the default conversation unless given.
        """
        warned_places.set(self.warned)
        names_before = session.visit.names_before if session.visit else ()
        api_params = {name: value for name, value in request.latest.items() if name.startswith("Api")}
        call = (AsyncAICall if is_async else AICall)(
            api_params | visible_values(request.values, session.names, names_before),
            flow=self.flow,
            run=run,
            engine=self.runtime.engine,
            conversation=conversation or self.runtime.conversation,
            state=copy.deepcopy(dict(session.state)) if session.state else {},
            attributes=attributes,
        )
        self.flow.active_calls[session.call_id] = call
        return call
