"""What the line does with what a caller answers to the open ``read``.

Source: [OFF] the fields of ``read``; the recording menu M3345; values of speech as in ``Digits-1234``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.protocol import Record, Tap, Voice
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.line.heard import SECONDS_PER_CHARACTER, Sound
from yemot_ai_testing.line.keypad import (
    DEFAULT_SECONDS,
    LETTERS,
    Empty,
    Outcome,
    Refused,
    TooMany,
    Typed,
    ends_at_once,
    needs_confirmation,
    type_keys,
)

if TYPE_CHECKING:
    from yemot_ai.protocol import Read
    from yemot_ai_testing.line.call import Call

__all__ = [
    "described",
    "hint",
    "outcome",
    "patience",
    "pressed",
    "recorded",
    "spoken",
    "unanswered",
]

KEYS = frozenset("0123456789*#")
VOICE_PATIENCE = 5.0
"""[?] Seconds of silence after which speech recognition gives up; no source says."""


def described(call: Call, *, dialled: bool) -> str:
    """Return in words what the line waits for."""
    if not dialled:
        return "nobody has dialled yet"
    if call.over:
        return f"the call is over: {call.transcript[-1]}"
    read = call.question
    if read is None:
        return "the line is busy"
    if call.unconfirmed is not None:
        return f"the line waits for keys that approve {call.unconfirmed!r} (read {read.name!r})"
    return f"the line waits for {_wanted(read)} (read {read.name!r})"


def hint(read: Read) -> str:
    """Return which verbs fit ``read``."""
    if isinstance(read.mode, Tap):
        return "use presses(…) or silent()"
    if isinstance(read.mode, Voice):
        return "use says(…), presses(…) or silent()"
    return "use records(…) or hangs_up()"


def patience(read: Read) -> float:
    """Return how many seconds of silence the line bears before it takes the question for unanswered."""
    if isinstance(read.mode, Tap):
        return (read.mode.seconds or DEFAULT_SECONDS) * (read.mode.attempts or 1)
    return VOICE_PATIENCE


def outcome(call: Call, read: Read, keys: str) -> Outcome:
    """Return what comes of ``keys``, before anything happens.

    Raises:
        WrongVerbError: there are no such keys, keys are blocked, or the line had enough before the last.
    """
    if call.unconfirmed is not None:
        return Typed(keys)
    _check_keys(read, keys)
    if isinstance(read.mode, Tap):
        found = type_keys(read.mode, keys)
    elif isinstance(read.mode, Voice):
        found = type_keys(Tap(max_digits=read.mode.max_digits), keys)
    else:
        raise WrongVerbError(
            f"presses {keys}", waits_for=f"the line waits for {_wanted(read)}", hint=hint(read)
        )
    if isinstance(found, TooMany):
        raise WrongVerbError(
            f"presses {keys}",
            waits_for=f"the line had {found.value!r} before the last key",
            hint=f"press {found.rest!r} in a turn of its own, or not at all",
        )
    return found


def pressed(call: Call, read: Read, keys: str, found: Outcome) -> None:
    """Do what comes of ``keys``."""
    if call.unconfirmed is not None:
        _confirm(call, read, keys)
        return
    if isinstance(read.mode, Tap) and not ends_at_once(read.mode, keys):
        call.clock.spend(read.mode.seconds or DEFAULT_SECONDS)
    match found:
        case Empty():
            unanswered(call, read)
        case Refused(code=code):
            call.system(code)
            call.ask()
        case Typed(value=value) if isinstance(read.mode, Tap):
            _typed(call, read.mode, value)
        case Typed(value=value):
            call.give(f"Digits-{value}")
        case TooMany():
            raise AssertionError  # outcome() has refused it


def spoken(call: Call, read: Read, text: str) -> None:  # noqa: ARG001 - all answers are given alike
    """Hand in recognised speech."""
    if call.settings.say_tts:
        seconds = len(text) * SECONDS_PER_CHARACTER
        call.transcript.add(Sound(at=call.clock.now(), seconds=seconds, text=text, kind="text"))
        call.clock.spend(seconds)
    call.give(text)


def recorded(call: Call, read: Read, path: str) -> None:
    """Hand in a recording, after its menu if it has one."""
    if isinstance(read.mode, Record) and read.mode.confirm and not read.mode.append:
        call.unconfirmed = path
        call.system("M3345")
    else:
        call.give(path)


def unanswered(call: Call, read: Read) -> None:
    """Let the line notice that nothing came."""
    if not isinstance(read.mode, Tap):
        call.give("")  # [LIB] R2 6.2.1: speech recognition hands in an empty value
        return
    for _ in range((read.mode.attempts or 1) - 1):
        call.ask()
    if read.mode.accept_empty:
        call.give(read.mode.empty_value)
    else:
        call.system("M1002")
        call.ask()


def _typed(call: Call, tap: Tap, value: str) -> None:
    if needs_confirmation(tap):
        call.unconfirmed = value
        call.system("M1353")
    else:
        call.give(value)


def _confirm(call: Call, read: Read, keys: str) -> None:
    """[OFF] typing: 1 approves, 2 retypes; a recording: 1 plays, 2 or # approves, 3 anew, 4 goes on."""
    approving = {"1"} if isinstance(read.mode, Tap) else {"2", "#", "2#"}
    if keys in approving:
        call.give(call.unconfirmed or "")
    elif keys in ({"2"} if isinstance(read.mode, Tap) else {"3", "4"}):
        call.unconfirmed = None
        call.ask()
    else:
        call.system("M1353" if isinstance(read.mode, Tap) else "M3345")


def _check_keys(read: Read, keys: str) -> None:
    letters = isinstance(read.mode, Tap) and read.mode.keyboard in LETTERS
    if not keys or (not letters and not set(keys) <= KEYS):
        raise WrongVerbError(
            f"presses {keys!r}", waits_for="a phone has the keys 0-9 * #", hint="nothing pressed is silent()"
        )
    if isinstance(read.mode, Voice) and read.mode.block_keys:
        raise WrongVerbError(
            f"presses {keys}", waits_for=f"the read {read.name!r} blocks keys", hint="use says(…) or silent()"
        )


def _wanted(read: Read) -> str:
    mode = read.mode
    if isinstance(mode, Tap):
        most = mode.max_digits
        return f"keys (tap, {'any number' if most is None else f'at most {most}'})"
    if isinstance(mode, Voice):
        return "speech" if mode.block_keys else "speech or keys (voice)"
    return "a recording (record)"
