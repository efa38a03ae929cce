"""Converts yemot-flow's ``call.read(mode=…, …)`` to the line's ``read``.

yemot-flow 0.2.20 gets several positions wrong (``yes`` for ``Ok``, keys blocked by default, a list
of keys rendered as ``[1, 2]`` …); here every argument means what its name says. A switch or a number
may also be the line's own word, as in code that worked around yemot-flow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import Keyboard, Record, Tap, Voice

__all__ = ["SPEECH_MODES", "CountArgument", "Mode", "ReadOptions", "SwitchArgument"]

Mode = Literal["tap", "voice", "stt", "record"]

SwitchArgument = bool | str
"""True or False, or the line's word for True, such as ``Ok``; "" and ``no`` are False."""

SPEECH_MODES = frozenset({"voice", "stt"})

DEFAULT_SECONDS = 7
"""Seconds that the line waits for a key by default [OFF]."""

CountArgument = int | str | None
"""A whole number; None, "" and yemot-flow's ``*`` mean the line's default."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """The arguments of ``AICall.read`` that define the mode of the line's read."""

    mode: Mode
    max_digits: CountArgument
    min_digits: CountArgument
    sec_wait: CountArgument
    digits_allowed: str | Iterable[str | int]
    typing_playback_mode: Keyboard | Literal["NO"]
    block_asterisk_key: SwitchArgument
    block_zero_key: SwitchArgument
    replace_char: str
    amount_attempts: CountArgument
    allow_empty: SwitchArgument
    empty_val: str
    block_change_keyboard: SwitchArgument
    confirm: bool
    lang: str
    block_typing: SwitchArgument
    use_records_recognition_engine: SwitchArgument
    quiet_max: CountArgument
    path: str
    file_name: str
    no_confirm_menu: SwitchArgument
    save_on_hangup: SwitchArgument
    append_to_existing_file: SwitchArgument
    min_length: CountArgument
    max_length: CountArgument
    re_enter_if_exists: SwitchArgument

    def read_mode(self) -> Tap | Voice | Record:
        """Return the mode of the line's read.

        Raises:
            ConfigurationError: there is no such mode, or the line would refuse a value.
        """
        try:
            match self.mode:
                case "tap":
                    return self._tap()
                case "voice" | "stt":
                    return self._voice()
                case "record":
                    return self._record()
        except ValueError as error:
            raise ConfigurationError(f"call.read(mode={self.mode!r}): {error}") from error
        raise ConfigurationError(f"no read mode {self.mode!r}: use 'tap', 'voice' or 'record'")

    @property
    def reuse(self) -> bool:
        """Whether the line sends an existing value without asking."""
        return _is_on(self.re_enter_if_exists, "yes")

    @property
    def attempts(self) -> int:
        """How often the question is sent: for keys the line repeats it, for speech it does not."""
        return max(_count(self.amount_attempts) or 1, 1) if self.mode in SPEECH_MODES else 1

    def _tap(self) -> Tap:
        seconds = _count(self.sec_wait)
        return Tap(
            max_digits=_count(self.max_digits),
            min_digits=_count(self.min_digits) or 1,
            seconds=DEFAULT_SECONDS if seconds is None else seconds,
            keyboard="No" if self.typing_playback_mode == "NO" else self.typing_playback_mode,
            block_star=_is_on(self.block_asterisk_key, "yes"),
            block_zero=_is_on(self.block_zero_key, "yes"),
            replace=self.replace_char,
            allowed=_keys(self.digits_allowed),
            attempts=_count(self.amount_attempts),
            accept_empty=_is_on(self.allow_empty, "Ok"),
            empty_value=self.empty_val or "None",
            lock_keyboard=_is_on(self.block_change_keyboard, "InsertLettersTypeChangeNo"),
            confirm=self.confirm,
        )

    def _voice(self) -> Voice:
        by_records = _is_on(self.use_records_recognition_engine, "record")
        return Voice(
            language=self.lang,
            block_keys=_is_on(self.block_typing, "no"),
            max_digits=_count(self.max_digits),
            record_engine=by_records,
            silence_seconds=_count(self.quiet_max),
            max_seconds=_count(self.max_length) if by_records else None,
        )

    def _record(self) -> Record:
        return Record(
            folder=self.path,
            file=self.file_name,
            confirm=not _is_on(self.no_confirm_menu, "no"),
            keep_on_hangup=_is_on(self.save_on_hangup, "yes"),
            append=_is_on(self.append_to_existing_file, "yes"),
            min_seconds=_count(self.min_length),
            max_seconds=_count(self.max_length),
        )


def _is_on(switch: SwitchArgument, word: str) -> bool:
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


def _count(number: CountArgument) -> int | None:
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
