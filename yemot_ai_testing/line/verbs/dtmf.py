"""Keys: what the line makes of them in each state.

Source: [OFF] the fields of ``read`` in tap mode; ``Digits-1234`` for keys in voice mode; the menus M1353
and M3345; ``GoBack`` in a payment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.protocol import Read, Record, Tap, Voice
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.line import actions as acting
from yemot_ai_testing.line.platform.folders import resolve
from yemot_ai_testing.line.states import (
    Asking,
    Confirming,
    Holding,
    Outside,
    Paying,
    RecordingMenu,
)
from yemot_ai_testing.line.verbs.keypad import (
    DEFAULT_SECONDS,
    LETTERS,
    Empty,
    Outcome,
    Refused,
    TooMany,
    Typed,
    ends_at_once,
    is_plain,
    needs_confirmation,
    type_keys,
)
from yemot_ai_testing.line.verbs.recording import chosen
from yemot_ai_testing.line.verbs.speech import unheard
from yemot_ai_testing.line.verbs.verb import Deed, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from yemot_ai_testing.line.call import Call

__all__ = ["changes_keyboard", "pressed", "presses", "unanswered"]

KEYS = frozenset("0123456789*#")
SECONDS_PER_KEY = 0.3
APPROVES, AGAIN = "1", "2"


def presses(call: Call, keys: str) -> Deed:
    """Return what comes of ``keys``.

    Raises:
        WrongVerbError: the line takes no keys now, or not these, or had enough before the last.
    """
    return Deed(len(keys) * SECONDS_PER_KEY, _effect(call, keys))


def _effect(call: Call, keys: str) -> Callable[[], None]:
    state = call.state
    _check_keys(state, keys)
    match state:
        case Asking(read=Read(mode=Record())):
            pass
        case Asking():
            outcome = _outcome(call, state, keys)
            return lambda: pressed(call, state, keys, outcome)
        case Confirming():
            return lambda: _confirmed(call, state, keys)
        case RecordingMenu():
            return lambda: chosen(call, state, keys.rstrip("#") or "#")
        case Paying() if keys == "*":
            return lambda: _goes_back(call, state)
        case Holding() if keys == "*" and not state.music.no_return:
            return lambda: acting.perform(call, state.then)
        case Outside(known=True) if keys.rstrip("#").isdigit():
            return lambda: _chooses(call, state, keys.rstrip("#"))
    raise refused(f"presses {keys}", state)


def pressed(call: Call, asking: Asking, keys: str, outcome: Outcome) -> None:
    """Do what comes of keys at a question."""
    mode = asking.read.mode
    if isinstance(mode, Tap) and not ends_at_once(mode, keys):
        call.clock.spend(mode.seconds or DEFAULT_SECONDS)
    match outcome:
        case Empty():
            unanswered(call, asking)
        case Refused(code=code):
            call.playing.system(code)
            call.ask(asking)
        case Typed(value=value) | TooMany(value=value):
            _typed(call, asking, value)


def unanswered(call: Call, asking: Asking) -> None:
    """Let the line notice that nothing was pressed [OFF]: fields 11, 12 and 13."""
    tap = asking.read.mode
    if not isinstance(tap, Tap):
        unheard(call, asking, "M1613", call.settings.silence_retries)
        return
    for _ in range((tap.attempts or 1) - 1):
        call.playing.question(asking.read)
    if tap.accept_empty:
        call.give(tap.empty_value)
    else:
        call.playing.system("M1002")
        call.ask(asking)


def changes_keyboard(call: Call) -> Deed:
    """Return what comes of asking for another language of the keyboard [OFF]: field 14.

    Raises:
        WrongVerbError: there is no keyboard of letters now.
    """
    state = call.state
    if isinstance(state, Asking) and isinstance(state.read.mode, Tap) and state.read.mode.keyboard in LETTERS:
        if state.read.mode.lock_keyboard:
            return Deed(SECONDS_PER_KEY, lambda: call.playing.system("M4186"))
        return Deed(SECONDS_PER_KEY, lambda: call.ask(state))
    raise refused("changes the keyboard", state)


def _outcome(call: Call, asking: Asking, keys: str) -> Outcome:
    mode = asking.read.mode
    folder = None if call.place is None else call.place.files
    tap = mode if isinstance(mode, Tap) else Tap(max_digits=_most(mode))
    found = type_keys(tap, keys, folder=folder)
    if isinstance(found, TooMany):
        raise WrongVerbError(
            f"presses {keys}",
            waits_for=f"the line had {found.value!r} before the last key",
            hint=f"press {found.rest!r} in a turn of its own, or not at all",
        )
    return found


def _most(mode: object) -> int | None:
    return mode.max_digits if isinstance(mode, Voice) else None


def _typed(call: Call, asking: Asking, value: str) -> None:
    tap = asking.read.mode
    if not isinstance(tap, Tap):
        call.give(f"Digits-{value}")
        return
    if not needs_confirmation(tap, call.settings.confirmation):
        call.give(value)
        return
    if not is_plain(tap):
        call.playing.sound(value, kind="playback")
    if asking.before is not None:
        call.playing.own_file(f"{asking.before.number}-AskBeforeOk")
    call.playing.system("M1353")
    call.become(Confirming(asking, value))


def _confirmed(call: Call, state: Confirming, keys: str) -> None:
    """[OFF] M1353: 1 approves, 2 tries again."""
    key = keys.rstrip("#")
    if key == APPROVES:
        call.give(state.value)
    elif key == AGAIN:
        call.ask(state.asking)
    else:
        call.playing.system("M1353")


def _goes_back(call: Call, state: Paying) -> None:
    """[OFF] ``*`` in a payment: ``GoBack``, or the line asks again."""
    if state.card.go_back:
        call.add(("CreditCard_CODE", "GoBack"), ("CreditCard_All", "GoBack"))
    else:
        acting.pay(call, state.card)


def _chooses(call: Call, state: Outside, digits: str) -> None:
    """A digit in a folder without a server leads into the folder of that name."""
    extension = resolve(state.extension, digits)
    if extension is None or call.line.at(extension) is None:
        call.playing.system("M1224")
    else:
        call.enter(extension)


def _check_keys(state: object, keys: str) -> None:
    mode = state.read.mode if isinstance(state, Asking) else None
    letters = isinstance(mode, Tap) and mode.keyboard in LETTERS
    if not keys or (not letters and not set(keys) <= KEYS):
        raise WrongVerbError(
            f"presses {keys!r}", waits_for="a phone has the keys 0-9 * #", hint="nothing pressed is silent()"
        )
    if isinstance(state, Asking) and isinstance(mode, Voice) and (mode.block_keys or mode.record_engine):
        why = "blocks keys" if mode.block_keys else "records speech and takes no keys"
        raise WrongVerbError(
            f"presses {keys}", waits_for=f"the read {state.read.name!r} {why}", hint=state.hint
        )
    if isinstance(state, Confirming | RecordingMenu) and len(keys.rstrip("#")) > 1:
        raise WrongVerbError(f"presses {keys}", waits_for=state.waits_for, hint=state.hint)
