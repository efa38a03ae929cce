"""The options of ``call.read``, and the line's ``read`` that they ask for.

yemot-flow 0.2.20 gets several positions wrong (``yes`` for ``Ok``, keys blocked by default, a list
of keys rendered as ``[1, 2]`` …); here every option means what its name says. A switch or a number
may also be the line's own word, as in code that worked around yemot-flow.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal, TypeAlias, TypedDict, get_args

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.code_warnings import warn_once
from yemot_ai.flow.compat.messages import Playable
from yemot_ai.flow.compat.option_values import (
    CountOption,
    SwitchOption,
    file_name,
    is_on,
    keys,
    one_of,
    recording_folder,
    replacement,
    text,
    whole_number,
)
from yemot_ai.protocol import Keyboard, Record, Tap, Voice, normalize_speech, pressed_keys

__all__ = ["ReadOptions", "check_names", "count_attempts", "read_mode", "reuses_value"]

Mode: TypeAlias = Literal["tap", "voice", "stt", "record"]

DEFAULT_SECONDS = 7
"""Seconds that the line waits for a key by default [OFF]."""


class ReadOptions(TypedDict, total=False):
    """The options of ``call.read``: yemot-flow's, by the same names.

    Attributes:
        mode: ``"tap"`` (keys, the default), ``"voice"`` or ``"stt"`` (speech to text), ``"record"``.
        pre_message: played before the question.
        val_name: name of the value in ``call.params``, ``"Digits"`` by default; the line gets ``name_2``,
            ``name_3`` if the name is used again in a call, and ``_`` for what a name cannot have.
        re_enter_if_exists: the line sends an existing value without asking.
        max_digits: most digits; None: any number.
        min_digits: fewest digits; 1 by default.
        sec_wait: seconds that the line waits for a key; 7 by default.
        digits_allowed: keys or numbers that are accepted: ``"123"``, ``[1, 2]``, ``"10.11"``.
        typing_playback_mode: how the line reads typed keys back, or the name of a keyboard; ``"No"`` by
            default.
        block_asterisk_key: refuse ``*``.
        block_zero_key: refuse the amount zero.
        replace_char: two characters, from and to; others, as yemot-flow's ``"#"``, replace nothing.
        amount_attempts: how often the question is played before the value counts as empty. For keys
            the line counts; for speech silence is the value "" [LIB], so the question is sent again
            under a new name. Default: once.
        allow_empty: accept an empty value.
        empty_val: the value sent for it; ``"None"`` by default.
        block_change_keyboard: lock the keyboard's language.
        confirm: let the caller confirm what was typed.
        lang: language of the speech; default: the line's.
        block_typing: refuse keys while listening.
        use_records_recognition_engine: for long utterances; speech only.
        quiet_max: seconds of silence that end a long utterance.
        path: folder of the recording, from the root: ``"messages"`` is ``/messages``.
        file_name: name of the recording; an extension is dropped.
        no_confirm_menu: accept a recording without the menu.
        save_on_hangup: keep a recording that a hang-up cut off.
        append_to_existing_file: append to the file if it exists.
        min_length: fewest seconds of a recording.
        max_length: most seconds of a recording, or of a long utterance.
        length_max: yemot-flow's name for the latter.
        remove_invalid_chars: yemot-flow's; texts are always made speakable here.
        url_encode: yemot-flow's; has no effect.
    """

    mode: Mode | None
    pre_message: Playable | Iterable[Playable] | None
    val_name: str | None
    re_enter_if_exists: SwitchOption
    max_digits: CountOption
    min_digits: CountOption
    sec_wait: CountOption
    digits_allowed: str | int | Iterable[str | int] | None
    typing_playback_mode: Keyboard | Literal["NO", ""] | None
    block_asterisk_key: SwitchOption
    block_zero_key: SwitchOption
    replace_char: str | None
    amount_attempts: CountOption
    allow_empty: SwitchOption
    empty_val: str | int | None
    block_change_keyboard: SwitchOption
    confirm: SwitchOption
    lang: str | None
    block_typing: SwitchOption
    use_records_recognition_engine: SwitchOption
    quiet_max: CountOption
    path: str | None
    file_name: str | None
    no_confirm_menu: SwitchOption
    save_on_hangup: SwitchOption
    append_to_existing_file: SwitchOption
    min_length: CountOption
    max_length: CountOption
    length_max: CountOption
    remove_invalid_chars: bool | None
    url_encode: bool


def check_names(options: ReadOptions) -> None:
    """Warn of options that ``call.read`` does not have; yemot-flow ignores them, too."""
    for name in sorted(options.keys() - ReadOptions.__annotations__.keys()):
        similar = difflib.get_close_matches(name, ReadOptions.__annotations__, n=1)
        hint = f"; did you mean {similar[0]!r}?" if similar else ""
        warn_once(f"call.read() has no option {name!r}, which is ignored{hint}")


def with_pre_message(messages: Playable | Iterable[Playable], options: ReadOptions) -> ReadOptions:
    """Return the options of ``play_and_read`` as those of a ``read``.

    Raises:
        TypeError: they have a ``pre_message`` already.
    """
    if "pre_message" in options:
        raise TypeError("call.play_and_read() plays its first argument; it takes no pre_message")
    return {**options, "pre_message": messages}


def speech_value(value: str) -> str:
    """Return what the caller said, or the keys that were pressed instead."""
    text = normalize_speech(value)
    keys = pressed_keys(text)
    return text if keys is None else keys


def read_mode(options: ReadOptions) -> Tap | Voice | Record:
    """Return the mode of the line's read.

    Raises:
        ConfigurationError: there is no such mode, or the line would refuse a value.
    """
    mode = _mode(options)
    try:
        match mode:
            case "tap":
                return _tap(options)
            case "voice" | "stt":
                return _voice(options)
            case "record":
                return _record(options)
    except ValueError as error:
        raise ConfigurationError(f"call.read(mode={mode!r}): {error}") from error
    raise ConfigurationError(f"no read mode {mode!r}: use 'tap', 'voice' or 'record'")


def reuses_value(options: ReadOptions) -> bool:
    """Return whether the line sends an existing value without asking."""
    return _switch(options, "re_enter_if_exists", "yes")


def count_attempts(options: ReadOptions) -> int:
    """Return how often the question is sent: for keys the line repeats it, for speech it does not."""
    return (_count(options, "amount_attempts") or 1) if is_speech(options) else 1


def is_speech(options: ReadOptions) -> bool:
    """Return whether the caller is asked to speak."""
    return _mode(options) in {"voice", "stt"}


def _tap(options: ReadOptions) -> Tap:
    seconds = _count(options, "sec_wait", minimum=0)
    keyboard = one_of(get_args(Keyboard), text(options.get("typing_playback_mode") or "No"))
    return Tap(
        max_digits=_count(options, "max_digits"),
        min_digits=_count(options, "min_digits") or 1,
        seconds=DEFAULT_SECONDS if seconds is None else seconds,
        keyboard=keyboard,  # type: ignore[arg-type]  # Tap checks it
        block_star=_switch(options, "block_asterisk_key", "yes"),
        block_zero=_switch(options, "block_zero_key", "yes"),
        replace=replacement(options.get("replace_char")),
        allowed=keys(options.get("digits_allowed")),
        attempts=_count(options, "amount_attempts"),
        accept_empty=_switch(options, "allow_empty", "Ok"),
        empty_value=text(options.get("empty_val")) or "None",
        lock_keyboard=_switch(options, "block_change_keyboard", "InsertLettersTypeChangeNo"),
        confirm=_switch(options, "confirm", "yes"),
    )


def _voice(options: ReadOptions) -> Voice:
    by_records = _switch(options, "use_records_recognition_engine", "record")
    silence, longest = _count(options, "quiet_max"), _max_length(options)
    if not by_records and (silence or longest):
        warn_once(
            "call.read(quiet_max=, max_length=) has no effect: the line takes them only for long utterances, "
            "with use_records_recognition_engine=True"
        )
    return Voice(
        language=text(options.get("lang")).replace("_", "-"),
        block_keys=_switch(options, "block_typing", "no"),
        max_digits=_count(options, "max_digits"),
        record_engine=by_records,
        silence_seconds=silence if by_records else None,
        max_seconds=longest if by_records else None,
    )


def _record(options: ReadOptions) -> Record:
    return Record(
        folder=recording_folder(options.get("path")),
        file=file_name(options.get("file_name")),
        confirm=not _switch(options, "no_confirm_menu", "no"),
        keep_on_hangup=_switch(options, "save_on_hangup", "yes"),
        append=_switch(options, "append_to_existing_file", "yes"),
        min_seconds=_count(options, "min_length", minimum=0),
        max_seconds=_max_length(options),
    )


def _max_length(options: ReadOptions) -> int | None:
    most = _count(options, "max_length")
    return _count(options, "length_max") if most is None else most


def _mode(options: ReadOptions) -> str:
    return text(options.get("mode") or "tap").casefold()


def _switch(options: ReadOptions, name: str, word: str) -> bool:
    return is_on(name, options.get(name), word)  # type: ignore[arg-type]  # the callers name switches


def _count(options: ReadOptions, name: str, *, minimum: int = 1) -> int | None:
    return whole_number(name, options.get(name), minimum=minimum)  # type: ignore[arg-type]  # as above
