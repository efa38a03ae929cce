"""The options of ``call.read``, and the line's ``read`` that they ask for.

yemot-flow 0.2.20 gets several positions wrong (``yes`` for ``Ok``, keys blocked by default, a list
of keys rendered as ``[1, 2]`` …); here every option means what its name says. A switch or a number
may also be the line's own word, as in code that worked around yemot-flow.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal, TypeAlias, TypedDict

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.compat.messages import Playable
from yemot_ai.protocol import Keyboard, Record, Tap, Voice

__all__ = ["SPEECH_MODES", "ReadOptions", "check_names", "count_attempts", "read_mode", "reuses_value"]

Mode: TypeAlias = Literal["tap", "voice", "stt", "record"]

SwitchOption: TypeAlias = bool | str
"""True or False, or the line's word for True, such as ``Ok``; "" and ``no`` are False."""

CountOption: TypeAlias = int | str | None
"""A whole number; None, "" and yemot-flow's ``*`` mean the line's default."""

SPEECH_MODES = frozenset({"voice", "stt"})

DEFAULT_SECONDS = 7
"""Seconds that the line waits for a key by default [OFF]."""


class ReadOptions(TypedDict, total=False):
    """The options of ``call.read``: yemot-flow's, by the same names.

    Attributes:
        mode: ``"tap"`` (keys, the default), ``"voice"`` or ``"stt"`` (speech to text), ``"record"``.
        pre_message: played before the question.
        val_name: name of the value in ``call.params``, ``"Digits"`` by default; the line gets ``name_2``,
            ``name_3`` if the name is used again in a call.
        re_enter_if_exists: the line sends an existing value without asking.
        max_digits: most digits; None: any number.
        min_digits: fewest digits; 1 by default.
        sec_wait: seconds that the line waits for a key; 7 by default.
        digits_allowed: keys or numbers that are accepted: ``"123"``, ``[1, 2]``, ``"10.11"``.
        typing_playback_mode: how the line reads typed keys back, or the name of a keyboard; ``"No"`` by
            default.
        block_asterisk_key: refuse ``*``.
        block_zero_key: refuse the amount zero.
        replace_char: two characters, from and to.
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
    """

    mode: Mode
    pre_message: Playable | Iterable[Playable] | None
    val_name: str
    re_enter_if_exists: SwitchOption
    max_digits: CountOption
    min_digits: CountOption
    sec_wait: CountOption
    digits_allowed: str | Iterable[str | int]
    typing_playback_mode: Keyboard | Literal["NO"]
    block_asterisk_key: SwitchOption
    block_zero_key: SwitchOption
    replace_char: str
    amount_attempts: CountOption
    allow_empty: SwitchOption
    empty_val: str
    block_change_keyboard: SwitchOption
    confirm: bool
    lang: str
    block_typing: SwitchOption
    use_records_recognition_engine: SwitchOption
    quiet_max: CountOption
    path: str
    file_name: str
    no_confirm_menu: SwitchOption
    save_on_hangup: SwitchOption
    append_to_existing_file: SwitchOption
    min_length: CountOption
    max_length: CountOption
    length_max: CountOption
    remove_invalid_chars: bool | None
    url_encode: bool


def check_names(options: ReadOptions) -> None:
    """Check the names of options, which a type checker may not have seen.

    Raises:
        TypeError: ``call.read`` has no option of that name.
    """
    for name in options.keys() - ReadOptions.__annotations__.keys():
        similar = difflib.get_close_matches(name, ReadOptions.__annotations__, n=1)
        hint = f"; did you mean {similar[0]!r}?" if similar else ""
        raise TypeError(f"call.read() has no option {name!r}{hint}")


def read_mode(options: ReadOptions) -> Tap | Voice | Record:
    """Return the mode of the line's read.

    Raises:
        ConfigurationError: there is no such mode, or the line would refuse a value.
    """
    mode = options.get("mode", "tap")
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
    return _is_on(options.get("re_enter_if_exists", False), "yes")


def count_attempts(options: ReadOptions) -> int:
    """Return how often the question is sent: for keys the line repeats it, for speech it does not."""
    is_speech = options.get("mode") in SPEECH_MODES
    return max(_count(options.get("amount_attempts")) or 1, 1) if is_speech else 1


def _tap(options: ReadOptions) -> Tap:
    seconds = _count(options.get("sec_wait"))
    keyboard = options.get("typing_playback_mode", "No")
    return Tap(
        max_digits=_count(options.get("max_digits")),
        min_digits=_count(options.get("min_digits")) or 1,
        seconds=DEFAULT_SECONDS if seconds is None else seconds,
        keyboard="No" if keyboard == "NO" else keyboard,
        block_star=_is_on(options.get("block_asterisk_key", False), "yes"),
        block_zero=_is_on(options.get("block_zero_key", False), "yes"),
        replace=options.get("replace_char", ""),
        allowed=_keys(options.get("digits_allowed", "")),
        attempts=_count(options.get("amount_attempts")),
        accept_empty=_is_on(options.get("allow_empty", False), "Ok"),
        empty_value=options.get("empty_val") or "None",
        lock_keyboard=_is_on(options.get("block_change_keyboard", False), "InsertLettersTypeChangeNo"),
        confirm=options.get("confirm", False),
    )


def _voice(options: ReadOptions) -> Voice:
    by_records = _is_on(options.get("use_records_recognition_engine", False), "record")
    return Voice(
        language=options.get("lang", ""),
        block_keys=_is_on(options.get("block_typing", False), "no"),
        max_digits=_count(options.get("max_digits")),
        record_engine=by_records,
        silence_seconds=_count(options.get("quiet_max")),
        max_seconds=_max_length(options) if by_records else None,
    )


def _record(options: ReadOptions) -> Record:
    return Record(
        folder=options.get("path", ""),
        file=options.get("file_name", ""),
        confirm=not _is_on(options.get("no_confirm_menu", False), "no"),
        keep_on_hangup=_is_on(options.get("save_on_hangup", False), "yes"),
        append=_is_on(options.get("append_to_existing_file", False), "yes"),
        min_seconds=_count(options.get("min_length")),
        max_seconds=_max_length(options),
    )


def _max_length(options: ReadOptions) -> int | None:
    most = options.get("max_length")
    return _count(options.get("length_max") if most is None else most)


def _is_on(switch: SwitchOption, word: str) -> bool:
    """Return the value of a switch.

    Args:
        switch: the developer's argument.
        word: the line's word for True.

    Raises:
        ConfigurationError: it is neither a bool nor a word that the line knows.
    """
    if isinstance(switch, bool):
        return switch
    if switch not in {word, "", "no"}:
        raise ConfigurationError(f"call.read: {switch!r} is neither True nor False, nor the line's {word!r}")
    return switch == word


def _count(number: CountOption) -> int | None:
    """Return a number; None, "" and ``*`` are the line's default.

    Raises:
        ConfigurationError: it is not a whole number.
    """
    if number is None or number in {"", "*"}:
        return None
    try:
        return int(number)
    except ValueError as error:
        raise ConfigurationError(f"call.read: {number!r} is not a whole number") from error


def _keys(allowed: str | Iterable[str | int]) -> tuple[str, ...]:
    """Return allowed keys given as ``"123"``, ``"10.11"``, ``[1, 2]`` or ``"from_folder"``."""
    if not isinstance(allowed, str):
        return tuple(str(key) for key in allowed)
    if allowed == "from_folder":
        return (allowed,)
    return tuple(allowed.split(".")) if "." in allowed else tuple(allowed)
