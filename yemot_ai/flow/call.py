"""``AICall``: the call as a handler sees it."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterable, Mapping, MutableMapping
from typing import Any, Literal

import yemot_flow

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.compat.awaitable import Answer, PendingAnswer
from yemot_ai.flow.compat.messages import Spoken, messages
from yemot_ai.flow.compat.read_options import SPOKEN, Count, Mode, Question, Switch
from yemot_ai.flow.handler_run import Run
from yemot_ai.flow.interruption import Interruption
from yemot_ai.flow.value_names import is_ours
from yemot_ai.protocol import Comment, GoToFolder, Keyboard, Play, Read, heard
from yemot_ai.providers.provider import JSON
from yemot_ai.runtime.engine import Engine
from yemot_ai.sessions import Turn
from yemot_ai.sessions.retry import persistently
from yemot_ai.turns.conversation import Conversation
from yemot_ai.turns.stream import Telling

__all__ = ["AICall"]

log = logging.getLogger("yemot_ai")

_KEYS_PRESSED = "Digits-"
"""How the line marks keys that were pressed instead of speaking [OFF]."""


class AICall(yemot_flow.Call):
    """One phone call, in one run of a handler.

    What yemot-flow's ``Call`` offers works here too, and ``ask_ai`` besides. Attributes that you
    set (``call.name = "דוד"``) are seen by later runs in this process; ``call.state`` is saved with
    the session and seen by every worker.

    Attributes:
        params: what the line sent: its own ``Api…`` parameters and the newest value of each name.
        call_id: the ``ApiCallId``.
        state: a mapping of your own, JSON-able, saved when the run ends.
    """

    params: dict[str, str]
    state: MutableMapping[str, JSON]
    _OWN = frozenset(
        {
            "_attributes", "_conversation", "_engine", "_expected_param", "_handler_state", "_run",
            "_waiting_for_input", "call_id", "flow", "last_activity_ms", "params", "response_parts", "state",
        }
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - made in one place, by the flow
        self,
        params: Mapping[str, str],
        *,
        flow: yemot_flow.Flow,
        run: Run,
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
        if name in self._OWN:
            super().__setattr__(name, value)
        else:
            self._attributes[name] = value

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a developer's own attribute
        if name in AICall._OWN or name not in self._attributes:
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
        """The extension the call is in, without a leading slash; "" is the root."""
        return self.params.get("ApiExtension", "").strip("/")

    def play_message(
        self,
        messages: Spoken | Iterable[Spoken],
        *,
        remove_invalid_chars: bool | None = None,  # noqa: ARG002 - yemot-flow's
        url_encode: bool = False,  # noqa: ARG002 - yemot-flow's
    ) -> None:
        """Queue something to be played; the handler goes on.

        It is played with what the handler does next: a question, a transfer, or, when the handler
        simply ends, by itself (the caller then leaves the extension).

        Args:
            messages: texts, protocol messages, or yemot-flow's ``("text", "…")`` pairs.
            remove_invalid_chars: yemot-flow's; texts are always made speakable here.
            url_encode: yemot-flow's; without effect, for the line does not decode answers.
        """
        self._run.say(_playable(messages))

    def read(  # type: ignore[override]  # noqa: PLR0913 - serves sync handlers too; yemot-flow's arguments
        self,
        messages: Spoken | Iterable[Spoken],
        *,
        mode: Mode = "tap",
        pre_message: Spoken | Iterable[Spoken] | None = None,
        val_name: str = "Digits",
        re_enter_if_exists: Switch = False,
        max_digits: Count = None,
        min_digits: Count = 1,
        sec_wait: Count = 7,
        digits_allowed: str | Iterable[str | int] = "",
        typing_playback_mode: Keyboard | Literal["NO"] = "No",
        block_asterisk_key: Switch = False,
        block_zero_key: Switch = False,
        replace_char: str = "",
        amount_attempts: Count = None,
        allow_empty: Switch = False,
        empty_val: str = "None",
        block_change_keyboard: Switch = False,
        confirm: bool = False,
        lang: str = "",
        block_typing: Switch = False,
        use_records_recognition_engine: Switch = False,
        quiet_max: Count = None,
        path: str = "",
        file_name: str = "",
        no_confirm_menu: Switch = False,
        save_on_hangup: Switch = False,
        append_to_existing_file: Switch = False,
        min_length: Count = None,
        max_length: Count = None,
        length_max: Count = None,
        remove_invalid_chars: bool | None = None,  # noqa: ARG002 - yemot-flow's
        url_encode: bool = False,  # noqa: ARG002 - yemot-flow's
    ) -> Answer:
        """Ask the caller; the run ends here until the answer is there.

        The line then sends the answer and the handler runs from its top; this ``read`` returns.

        Args:
            messages: what to ask.
            mode: ``"tap"`` (keys), ``"voice"`` or ``"stt"`` (speech to text), ``"record"``.
            pre_message: played before the question.
            val_name: the value's name in ``call.params``; used again in one call it goes out as
                ``name_2``, ``name_3``.
            re_enter_if_exists: the line sends an existing value without asking.
            max_digits: most digits; None: any number.
            min_digits: fewest digits.
            sec_wait: seconds that the line waits for a key.
            digits_allowed: keys or numbers that are accepted: ``"123"``, ``[1, 2]``, ``"10.11"``.
            typing_playback_mode: how the line reads typed keys back, or a keyboard's name.
            block_asterisk_key: refuse ``*``.
            block_zero_key: refuse the amount zero.
            replace_char: two characters, from and to.
            amount_attempts: how often the question is played before it counts as not answered. At keys
                the line counts; at speech silence is the answer "" [LIB], so the question goes out again
                under a fresh name; once, unless given.
            allow_empty: no answer is an answer.
            empty_val: the value sent for it.
            block_change_keyboard: lock the keyboard's language.
            confirm: let the caller confirm what was typed.
            lang: language of the speech; the line's own unless given.
            block_typing: refuse keys while listening.
            use_records_recognition_engine: for long utterances; speech only.
            quiet_max: seconds of silence that end a long utterance.
            path: folder of the recording.
            file_name: its name, without extension.
            no_confirm_menu: accept a recording without the menu.
            save_on_hangup: keep a recording that a hang-up cut off.
            append_to_existing_file: record on at the end of the file.
            min_length: fewest seconds of a recording.
            max_length: most seconds of a recording, or of a long utterance.
            length_max: yemot-flow's word for the latter.
            remove_invalid_chars: yemot-flow's; texts are always made speakable here.
            url_encode: yemot-flow's; without effect.

        Returns:
            What the caller typed, said ("" for silence), or the path of the recording.

        Raises:
            ConfigurationError: the arguments cannot be sent to the line.
        """
        question = Question(
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
        if is_ours(val_name):
            raise ConfigurationError(f"val_name={val_name!r} is a name of the agent loop; use another one")
        answer = ""
        for time in range(question.times):
            name = self._run.next_name(val_name)
            value = self._run.value(name)
            if value is None:
                before = _before(pre_message) if time == 0 else ()
                asked = _playable(messages) or (Comment("ask"),)
                raise self._handing_over(*before, Read(asked, name, question.answered_by(), question.reuse))
            self._run.forget_queue()
            answer = self.params[val_name] = _spoken(value) if mode in SPOKEN else value
            if answer:
                break
        return Answer(answer)

    def play_and_read(
        self,
        play_messages: Spoken | Iterable[Spoken],
        read_messages: Spoken | Iterable[Spoken],
        **read_opts: Any,  # noqa: ANN401 - the arguments of read
    ) -> Answer:
        """Play, then ask, in one answer; the arguments are those of ``read``."""
        return self.read(read_messages, pre_message=play_messages, **read_opts)

    def ask_ai(self, text: str, *, turn_id: str | None = None, instructions: str | None = None) -> Answer:
        """Let the AI answer; in an async handler, await it.

        However often the handler runs again, the n-th ``ask_ai`` of a visit is asked once and
        then answered from memory, even if its text differs.

        Args:
            text: what the caller said.
            turn_id: names the step instead of its position.
            instructions: how to answer this once.

        Raises:
            ProviderError: one of its subclasses says why there is no answer.
            CallEndedError: the caller hung up meanwhile.
        """
        asked = self.answer(str(text), turn_id=turn_id, instructions=instructions)
        return PendingAnswer(asked) if self._engine.is_here else Answer(self._engine.run(asked))

    def goto(self, folder: str) -> None:
        """Send the call to another extension; the run ends here.

        Args:
            folder: ``""`` or ``"/"`` the root, ``"/1"`` absolute, ``"1"`` a child of this extension,
                ``"."`` this one anew, ``".."`` one level up, ``"hangup"``.
        """
        raise self._handing_over(GoToFolder(folder or "/"))

    def hangup(self) -> None:
        """End the call; the run ends here."""
        raise self._handing_over(GoToFolder("hangup"))

    def answer(
        self,
        text: str,
        *,
        turn_id: str | None = None,
        instructions: str | None = None,
        telling: Telling | None = None,
    ) -> Coroutine[Any, Any, str]:
        """Number the step now, by position; the coroutine brings its answer, on the engine's loop.

        Args:
            text: what the caller said.
            turn_id: names the step instead of its position.
            instructions: how to answer this once.
            telling: is told what the model writes, as it comes.
        """
        return self._answer(turn_id or self._run.next_ask(), text, instructions, telling)

    async def _answer(
        self, turn_id: str, text: str, instructions: str | None, telling: Telling | None
    ) -> str:
        # The ledger knows the turn by its id: what fails because the store is away is simply done again.
        turn = await persistently(
            lambda: self._asked(turn_id, text, instructions, telling), f"call {self.call_id}: turn {turn_id}"
        )
        if turn.failure is not None:
            raise turn.failure.error()
        return turn.answer

    async def _asked(
        self, turn_id: str, text: str, instructions: str | None, telling: Telling | None
    ) -> Turn:
        session = await self._conversation.store.load(self._run.call_id)
        known = session.turn(turn_id) if session else None
        if known and known.is_over and self._run.is_first(turn_id):
            self._run.forget_queue()
            if known.text != text:
                log.warning(
                    "call %s: step %s is asked with another text; the first answer stands",
                    self.call_id,
                    turn_id,
                )
        return await self._conversation.ask(
            self._run.call_id, turn_id, text, instructions=instructions, telling=telling
        )

    def _handing_over(self, *actions: Play | Read | GoToFolder) -> Interruption:
        self._run.decide(*actions)
        return Interruption()


def _before(pre_message: Spoken | Iterable[Spoken] | None) -> tuple[Play, ...]:
    played = _playable(pre_message) if pre_message is not None else ()
    return (Play(played),) if played else ()


def _playable(spoken: Spoken | Iterable[Spoken]) -> tuple[Any, ...]:
    try:
        return messages(spoken)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _spoken(value: str) -> str:
    said = heard(value)
    return said.removeprefix(_KEYS_PRESSED) if said.startswith(_KEYS_PRESSED) else said
