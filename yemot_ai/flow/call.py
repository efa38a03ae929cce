"""``AICall``: the object that a handler gets for its call."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterable, Mapping, MutableMapping
from typing import Any, Literal

import yemot_flow

from yemot_ai._runtime.engine import Engine
from yemot_ai._turns.conversation import Conversation
from yemot_ai._turns.stream import AnswerStream
from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.compat.awaitable import AwaitableStr, PendingStr
from yemot_ai.flow.compat.messages import Playable, to_messages
from yemot_ai.flow.compat.read_options import SPEECH_MODES, CountArgument, Mode, ReadOptions, SwitchArgument
from yemot_ai.flow.handler_run import HandlerInterrupted, HandlerRun
from yemot_ai.flow.value_names import is_reserved
from yemot_ai.protocol import Comment, GoToFolder, Keyboard, Play, Read, normalize_speech
from yemot_ai.providers.provider import JSON
from yemot_ai.sessions import Turn
from yemot_ai.sessions.retry import retry_while_store_is_away

__all__ = ["AICall"]

log = logging.getLogger("yemot_ai")

_KEYS_PREFIX = "Digits-"
"""Prefix of the value when keys were pressed instead of speaking [OFF]."""


class AICall(yemot_flow.Call):
    """One phone call, in one run of a handler.

    Has the methods of yemot-flow's ``Call``, and ``ask_ai``. Attributes that you set
    (``call.name = "דוד"``) are visible to later runs in this process; ``call.state`` is saved with
    the session and visible to every worker.

    Attributes:
        params: the line's ``Api…`` parameters and the newest value of each name.
        call_id: the ``ApiCallId``.
        state: your own JSON-serializable mapping, saved when the run ends.
    """

    params: dict[str, str]
    state: MutableMapping[str, JSON]
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
        self._attributes = attributes
        super().__init__(dict(params), flow=flow)
        self._run = run
        self._engine = engine
        self._conversation = conversation
        self.state = state

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - a developer's own attribute
        if name in self._OWN_ATTRIBUTES:
            super().__setattr__(name, value)
        else:
            self._attributes[name] = value

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a developer's own attribute
        if name in AICall._OWN_ATTRIBUTES or name not in self._attributes:
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
        self._run.queue_messages(_to_messages(messages))

    def read(  # type: ignore[override]  # noqa: PLR0913 - serves sync handlers too; yemot-flow's arguments
        self,
        messages: Playable | Iterable[Playable],
        *,
        mode: Mode = "tap",
        pre_message: Playable | Iterable[Playable] | None = None,
        val_name: str = "Digits",
        re_enter_if_exists: SwitchArgument = False,
        max_digits: CountArgument = None,
        min_digits: CountArgument = 1,
        sec_wait: CountArgument = 7,
        digits_allowed: str | Iterable[str | int] = "",
        typing_playback_mode: Keyboard | Literal["NO"] = "No",
        block_asterisk_key: SwitchArgument = False,
        block_zero_key: SwitchArgument = False,
        replace_char: str = "",
        amount_attempts: CountArgument = None,
        allow_empty: SwitchArgument = False,
        empty_val: str = "None",
        block_change_keyboard: SwitchArgument = False,
        confirm: bool = False,
        lang: str = "",
        block_typing: SwitchArgument = False,
        use_records_recognition_engine: SwitchArgument = False,
        quiet_max: CountArgument = None,
        path: str = "",
        file_name: str = "",
        no_confirm_menu: SwitchArgument = False,
        save_on_hangup: SwitchArgument = False,
        append_to_existing_file: SwitchArgument = False,
        min_length: CountArgument = None,
        max_length: CountArgument = None,
        length_max: CountArgument = None,
        remove_invalid_chars: bool | None = None,  # noqa: ARG002 - yemot-flow's
        url_encode: bool = False,  # noqa: ARG002 - yemot-flow's
    ) -> AwaitableStr:
        """Ask the caller for a value; ends the run if the line has not sent it yet.

        When the line sends the value, the handler runs again from its top and this ``read`` returns.

        Args:
            messages: the question.
            mode: ``"tap"`` (keys), ``"voice"`` or ``"stt"`` (speech to text), ``"record"``.
            pre_message: played before the question.
            val_name: name of the value in ``call.params``; the line gets ``name_2``, ``name_3`` if the
                name is used again in a call.
            re_enter_if_exists: the line sends an existing value without asking.
            max_digits: most digits; None: any number.
            min_digits: fewest digits.
            sec_wait: seconds that the line waits for a key.
            digits_allowed: keys or numbers that are accepted: ``"123"``, ``[1, 2]``, ``"10.11"``.
            typing_playback_mode: how the line reads typed keys back, or the name of a keyboard.
            block_asterisk_key: refuse ``*``.
            block_zero_key: refuse the amount zero.
            replace_char: two characters, from and to.
            amount_attempts: how often the question is played before the value counts as empty. For keys
                the line counts; for speech silence is the value "" [LIB], so the question is sent again
                under a new name. Default: once.
            allow_empty: accept an empty value.
            empty_val: the value sent for it.
            block_change_keyboard: lock the keyboard's language.
            confirm: let the caller confirm what was typed.
            lang: language of the speech; default: the line's.
            block_typing: refuse keys while listening.
            use_records_recognition_engine: for long utterances; speech only.
            quiet_max: seconds of silence that end a long utterance.
            path: folder of the recording.
            file_name: name of the recording, without extension.
            no_confirm_menu: accept a recording without the menu.
            save_on_hangup: keep a recording that a hang-up cut off.
            append_to_existing_file: append to the file if it exists.
            min_length: fewest seconds of a recording.
            max_length: most seconds of a recording, or of a long utterance.
            length_max: yemot-flow's name for the latter.
            remove_invalid_chars: yemot-flow's; texts are always made speakable here.
            url_encode: yemot-flow's; has no effect.

        Returns:
            What the caller typed or said ("" for silence), or the path of the recording.

        Raises:
            ConfigurationError: the arguments cannot be sent to the line.
        """
        options = ReadOptions(
            mode=mode, max_digits=max_digits, min_digits=min_digits, sec_wait=sec_wait,
            digits_allowed=digits_allowed, typing_playback_mode=typing_playback_mode,
            block_asterisk_key=block_asterisk_key, block_zero_key=block_zero_key,
            replace_char=replace_char, amount_attempts=amount_attempts, allow_empty=allow_empty,
            empty_val=empty_val, block_change_keyboard=block_change_keyboard, confirm=confirm, lang=lang,
            block_typing=block_typing, use_records_recognition_engine=use_records_recognition_engine,
            quiet_max=quiet_max, path=path, file_name=file_name, no_confirm_menu=no_confirm_menu,
            save_on_hangup=save_on_hangup, append_to_existing_file=append_to_existing_file,
            min_length=min_length, max_length=length_max if max_length is None else max_length,
            re_enter_if_exists=re_enter_if_exists,
        )  # fmt: skip
        if is_reserved(val_name):
            raise ConfigurationError(f"val_name={val_name!r} is a name of the agent loop; use another one")
        answer = ""
        for attempt in range(options.attempts):
            name = self._run.next_value_name(val_name)
            value = self._run.value(name)
            if value is None:
                before = _play_before(pre_message) if attempt == 0 else ()
                question = _to_messages(messages) or (Comment("ask"),)
                raise self._interrupt_with(*before, Read(question, name, options.read_mode(), options.reuse))
            self._run.clear_queue()
            answer = self.params[val_name] = _speech_value(value) if mode in SPEECH_MODES else value
            if answer:
                break
        return AwaitableStr(answer)

    def play_and_read(
        self,
        play_messages: Playable | Iterable[Playable],
        read_messages: Playable | Iterable[Playable],
        **read_opts: Any,  # noqa: ANN401 - the arguments of read
    ) -> AwaitableStr:
        """Play, then ask, in one response; takes the arguments of ``read``."""
        return self.read(read_messages, pre_message=play_messages, **read_opts)

    def ask_ai(
        self, text: str, *, turn_id: str | None = None, instructions: str | None = None
    ) -> AwaitableStr:
        """Ask the AI; in an async handler, await it.

        The n-th ``ask_ai`` of a visit is sent to the model once. Later runs of the handler get the
        stored answer, even if the text differs.

        Args:
            text: what the caller said.
            turn_id: names the step instead of its position.
            instructions: instructions for this answer only.

        Raises:
            ProviderError: the provider has no answer; the subclass says why.
            CallEndedError: the caller hung up before the answer was there.
        """
        coroutine = self.ask_step(str(text), turn_id=turn_id, instructions=instructions)
        return PendingStr(coroutine) if self._engine.is_current else AwaitableStr(self._engine.run(coroutine))

    def goto(self, folder: str) -> None:
        """Send the call to another extension; ends the run.

        Args:
            folder: ``""`` or ``"/"`` the root, ``"/1"`` absolute, ``"1"`` a child of this extension,
                ``"."`` this one again, ``".."`` one level up, ``"hangup"``.
        """
        raise self._interrupt_with(GoToFolder(folder or "/"))

    def hangup(self) -> None:
        """End the call; ends the run."""
        raise self._interrupt_with(GoToFolder("hangup"))

    def ask_step(
        self,
        text: str,
        *,
        turn_id: str | None = None,
        instructions: str | None = None,
        stream: AnswerStream | None = None,
    ) -> Coroutine[Any, Any, str]:
        """Give the step its number, and return a coroutine for its answer, to run on the engine's loop.

        Args:
            text: what the caller said.
            turn_id: names the step instead of its position.
            instructions: instructions for this answer only.
            stream: receives the text while the model writes it.
        """
        return self._ask_step(turn_id or self._run.next_step_id(), text, instructions, stream)

    async def _ask_step(
        self, turn_id: str, text: str, instructions: str | None, stream: AnswerStream | None
    ) -> str:
        # The ledger finds the turn by its id, so a failed attempt can be repeated.
        turn = await retry_while_store_is_away(
            lambda: self._ask_once(turn_id, text, instructions, stream),
            f"call {self.call_id}: turn {turn_id}",
        )
        if turn.failure is not None:
            raise turn.failure.to_error()
        return turn.answer

    async def _ask_once(
        self, turn_id: str, text: str, instructions: str | None, stream: AnswerStream | None
    ) -> Turn:
        session = await self._conversation.store.load(self._run.call_id)
        stored = session.turn(turn_id) if session else None
        if stored and stored.is_done and self._run.mark_asked(turn_id):
            self._run.clear_queue()
            if stored.text != text:
                log.warning(
                    "call %s: step %s has another text than before; its stored answer is used",
                    self.call_id,
                    turn_id,
                )
        return await self._conversation.ask(
            self._run.call_id, turn_id, text, instructions=instructions, stream=stream
        )

    def _interrupt_with(self, *actions: Play | Read | GoToFolder) -> HandlerInterrupted:
        self._run.set_outcome(*actions)
        return HandlerInterrupted()


def _play_before(pre_message: Playable | Iterable[Playable] | None) -> tuple[Play, ...]:
    messages = _to_messages(pre_message) if pre_message is not None else ()
    return (Play(messages),) if messages else ()


def _to_messages(playable: Playable | Iterable[Playable]) -> tuple[Any, ...]:
    try:
        return to_messages(playable)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _speech_value(value: str) -> str:
    return normalize_speech(value).removeprefix(_KEYS_PREFIX)
