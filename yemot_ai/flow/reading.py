"""From yemot-flow's ``call.read(mode=…, …)`` to the line's ``read``.

yemot-flow 0.2.20 gets several positions wrong (``yes`` for ``Ok``, keys blocked by default, a list
of keys turned into ``[1, 2]`` …); here every argument means what its name says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import Keyboard, Record, Tap, Voice

__all__ = ["Mode", "Question"]

Mode = Literal["tap", "voice", "stt", "record"]


@dataclass(frozen=True, slots=True)
class Question:
    """The arguments of a read that say how the caller may answer; see ``AICall.read``."""

    mode: Mode
    max_digits: int | str | None
    min_digits: int
    sec_wait: int
    digits_allowed: str | Iterable[str | int]
    typing_playback_mode: Keyboard
    block_asterisk_key: bool
    block_zero_key: bool
    replace_char: str
    amount_attempts: int | None
    allow_empty: bool
    empty_val: str
    block_change_keyboard: bool
    confirm: bool
    lang: str
    block_typing: bool
    use_records_recognition_engine: bool
    quiet_max: int | None
    path: str
    file_name: str
    no_confirm_menu: bool
    save_on_hangup: bool
    append_to_existing_file: bool
    min_length: int | None
    max_length: int | None

    def answered_by(self) -> Tap | Voice | Record:
        """Return the mode of the line's read.

        Raises:
            ConfigurationError: there is no such mode, or a value that the line would refuse.
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

    def _tap(self) -> Tap:
        return Tap(
            max_digits=_count(self.max_digits),
            min_digits=self.min_digits,
            seconds=self.sec_wait,
            keyboard=self.typing_playback_mode,
            block_star=self.block_asterisk_key,
            block_zero=self.block_zero_key,
            replace=self.replace_char,
            allowed=_keys(self.digits_allowed),
            attempts=self.amount_attempts,
            accept_empty=self.allow_empty,
            empty_value=self.empty_val,
            lock_keyboard=self.block_change_keyboard,
            confirm=self.confirm,
        )

    def _voice(self) -> Voice:
        return Voice(
            language=self.lang,
            block_keys=self.block_typing,
            max_digits=_count(self.max_digits),
            record_engine=self.use_records_recognition_engine,
            silence_seconds=self.quiet_max,
            max_seconds=self.max_length if self.use_records_recognition_engine else None,
        )

    def _record(self) -> Record:
        return Record(
            folder=self.path,
            file=self.file_name,
            confirm=not self.no_confirm_menu,
            keep_on_hangup=self.save_on_hangup,
            append=self.append_to_existing_file,
            min_seconds=self.min_length,
            max_seconds=self.max_length,
        )


def _count(digits: int | str | None) -> int | None:
    """Read a number of digits; ``*`` is yemot-flow's word for "any number"."""
    return None if digits in {None, "", "*"} else int(digits or 0)


def _keys(allowed: str | Iterable[str | int]) -> tuple[str, ...]:
    """Read allowed keys: ``"123"``, ``"10.11"``, ``[1, 2]`` and ``"from_folder"`` alike."""
    if not isinstance(allowed, str):
        return tuple(str(key) for key in allowed)
    if allowed == "from_folder":
        return (allowed,)
    return tuple(allowed.split(".")) if "." in allowed else tuple(allowed)
