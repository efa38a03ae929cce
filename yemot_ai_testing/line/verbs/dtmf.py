"""Key presses, in each state of a call.

Source: [OFF] the fields of ``read`` in tap mode; ``Digits-1234`` for keys in voice mode; the menus M1353
and M3345; ``GoBack`` in a payment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from posixpath import join

from yemot_ai.flow.targets import resolve_target
from yemot_ai.protocol import Read, Record, Tap, Voice
from yemot_ai.protocol.request import KEYS_PREFIX
from yemot_ai_testing.errors import WrongVerbError
from yemot_ai_testing.line.actions import ask_for_payment, perform
from yemot_ai_testing.line.call import Call
from yemot_ai_testing.line.exchange import LineProblem
from yemot_ai_testing.line.platform.files import files_folder
from yemot_ai_testing.line.states import (
    Asking,
    Confirming,
    Holding,
    Outside,
    Paying,
    RecordingMenu,
    State,
    has_left,
)
from yemot_ai_testing.line.verbs.keypad import (
    DEFAULT_SECONDS,
    FROM_FOLDER,
    LETTER_KEYBOARDS,
    Accepted,
    Empty,
    KeypadResult,
    KeySound,
    Rejected,
    TooMany,
    can_change_keyboard,
    ends_input,
    needs_confirmation,
    plays_nothing_back,
    type_keys,
)
from yemot_ai_testing.line.verbs.recording import apply_menu_key
from yemot_ai_testing.line.verbs.speech import retry_or_submit_empty
from yemot_ai_testing.line.verbs.verb import Verb, wrong_verb_error

__all__ = ["apply_keys", "changes_keyboard", "check_keys", "handle_no_keys", "presses", "result_of_keys"]

PHONE_KEYS = frozenset("0123456789*#")
SECONDS_PER_KEY = 0.3
TTS_PLAYBACK = "how a value is played back with TTS in field 6 is not simulated: it is heard as it was typed"
APPROVE_KEY, RETRY_KEY = "1", "2"


def presses(call: Call, keys: str) -> Verb:
    """Return the verb of pressing ``keys``.

    Raises:
        WrongVerbError: the line takes no keys now, or not these, or not that many.
    """
    return Verb(len(keys) * SECONDS_PER_KEY, _effect(call, keys))


def _effect(call: Call, keys: str) -> Callable[[], None]:
    state = call.state
    check_keys(state, keys)
    match state:
        case Asking(read=Read(mode=Record())):
            pass
        case Asking():
            result = _checked_result(call, state, keys)
            return lambda: apply_keys(call, state, keys, result)
        case Confirming():
            return lambda: _handle_confirmation(call, state, keys)
        case RecordingMenu():
            return lambda: apply_menu_key(call, state, keys.rstrip("#") or "#")
        case Paying() if keys == "*":
            return lambda: _go_back(call, state)
        case Holding() if keys == "*" and not state.music.no_return:
            return lambda: perform(call, state.next_actions)
        case Outside(known=True) if keys.rstrip("#").isdigit():
            return lambda: _choose_folder(call, state, keys.rstrip("#"))
    raise wrong_verb_error(f"presses {keys}", state)


def apply_keys(call: Call, asking: Asking, keys: str, result: KeypadResult) -> None:
    """Apply the result of keys at a question."""
    mode = asking.read.mode
    if isinstance(mode, Tap) and not ends_input(mode, keys):
        call.clock.advance(mode.seconds or DEFAULT_SECONDS)
    match result:
        case Empty():
            handle_no_keys(call, asking)
        case Rejected(code=code):
            call.playback.play_system_message(code)
            call.ask(asking)
        case KeySound(file=file):
            call.playback.play_file(file)
            call.ask(asking)
        case Accepted(value=value) | TooMany(value=value):
            _submit_or_confirm(call, asking, value)


def handle_no_keys(call: Call, asking: Asking) -> None:
    """Apply the timeout of a question without keys: fields 11, 12 and 13 [OFF]."""
    tap = asking.read.mode
    if not isinstance(tap, Tap):
        retry_or_submit_empty(call, asking, "M1613", call.settings.silence_retries)
        return
    for _ in range((tap.attempts or 1) - 1):
        call.playback.play_question(asking.read)
    if tap.accept_empty:
        call.submit_value(tap.empty_value)
    else:
        call.playback.play_system_message("M1002")
        call.ask(asking)


def changes_keyboard(call: Call) -> Verb:
    """Return the verb of asking for another language of the keyboard: field 14 [OFF].

    Raises:
        WrongVerbError: there is no keyboard with languages now.
    """
    state = call.state
    if (
        isinstance(state, Asking)
        and isinstance(state.read.mode, Tap)
        and can_change_keyboard(state.read.mode)
    ):
        if state.read.mode.lock_keyboard:
            return Verb(SECONDS_PER_KEY, lambda: call.playback.play_system_message("M4186"))
        return Verb(SECONDS_PER_KEY, lambda: call.ask(replace(state, keyboard_changed=True)))
    raise wrong_verb_error("changes the keyboard", state)


def result_of_keys(call: Call, asking: Asking, keys: str) -> KeypadResult:
    """Return the result of keys at a question, from its fields and the files of the line."""
    sounds = () if asking.pre_question is None else asking.pre_question.key_sounds
    file = dict(sounds).get(keys.rstrip("#") or "#")
    if file is not None:
        return KeySound(file)
    mode = asking.read.mode
    tap = mode if isinstance(mode, Tap) else Tap(max_digits=_max_digits(mode))
    folder = _value_folder(call, asking)
    if tap.allowed == FROM_FOLDER and call.line.files.has_folder(folder) is False:
        message = f"no value is taken: field 10 is from_folder, and there are no files in {folder}"
        _warn_once(call, "no-folder", message)
    return type_keys(tap, keys, is_file=lambda stem: call.line.files.exists(join(folder, stem)))


def _value_folder(call: Call, asking: Asking) -> str:
    """Return the folder whose files are the values of a question: it has the name of the parameter [OFF]."""
    settings = call.extension_settings
    if settings is None:
        raise AssertionError
    return join(files_folder(call.extension, settings), asking.read.name)


def _checked_result(call: Call, asking: Asking, keys: str) -> KeypadResult:
    result = result_of_keys(call, asking, keys)
    if isinstance(result, TooMany):
        raise WrongVerbError(
            f"presses {keys}",
            waits_for=f"the line had {result.value!r} before the last key",
            hint=f"press {result.rest!r} in a separate turn, or not at all",
        )
    return result


def _max_digits(mode: object) -> int | None:
    return mode.max_digits if isinstance(mode, Voice) else None


def _submit_or_confirm(call: Call, asking: Asking, value: str) -> None:
    tap = asking.read.mode
    if not isinstance(tap, Tap):
        call.submit_value(f"{KEYS_PREFIX}{value}")
        return
    if not needs_confirmation(tap, call.settings.confirmation):
        call.submit_value(value)
        return
    if asking.pre_question is not None:
        # before the value [OFF]
        call.playback.play_existing_file(f"{asking.pre_question.number}-AskBeforeOk")
    _play_back(call, asking, tap, value)
    call.playback.play_system_message("M1353")
    call.set_state(Confirming(asking, value))


def _play_back(call: Call, asking: Asking, tap: Tap, value: str) -> None:
    """Play the typed value back, as field 6 says [OFF]."""
    if plays_nothing_back(tap):
        return
    if tap.keyboard == "File":
        call.playback.play_file(join(asking.read.name, value))
        return
    if tap.keyboard == "TTS":
        _warn_once(call, "tts-playback", TTS_PLAYBACK)
    call.playback.play_sound(value, kind="playback")


def _warn_once(call: Call, code: str, message: str) -> None:
    """Add a warning to the problems of the call, unless it is there."""
    warning = LineProblem("warning", code, message)
    if warning not in call.problems:
        call.problems.append(warning)


def _handle_confirmation(call: Call, state: Confirming, keys: str) -> None:
    """Apply a key of M1353: 1 confirms, 2 tries again [OFF]."""
    key = keys.rstrip("#")
    if key == APPROVE_KEY:
        call.submit_value(state.value)
    elif key == RETRY_KEY:
        call.ask(state.asking)
    else:
        call.playback.play_system_message("M1353")


def _go_back(call: Call, state: Paying) -> None:
    """Apply ``*`` in a payment: send ``GoBack``, or ask again [OFF]."""
    if state.card.go_back:
        call.add_values(("CreditCard_CODE", "GoBack"), ("CreditCard_All", "GoBack"))
    else:
        ask_for_payment(call, state.card)


def _choose_folder(call: Call, state: Outside, digits: str) -> None:
    """Enter the subfolder of that name, from a folder without a server."""
    settings = call.extension_settings
    menu = settings if settings is not None and settings.kind == "menu" else None
    extension = resolve_target(state.extension, digits if menu is None else digits.zfill(menu.menu_digits))
    if extension is not None and call.line.get_extension(extension) is not None:
        call.enter_extension(extension)
    elif menu is None:
        call.playback.play_system_message("M1224")
    else:  # the menu is heard again [OFF]
        if menu.says_wrong_key:
            call.playback.play_system_message("M1001")
        call.playback.play_own_message("M1000")


def check_keys(state: State, keys: str) -> None:
    """Check that ``keys`` can be pressed in ``state``.

    Raises:
        WrongVerbError: they are letters without a letter keyboard, or the line takes no keys.
    """
    mode = state.read.mode if isinstance(state, Asking) else None
    changed = isinstance(state, Asking) and state.keyboard_changed
    letters = changed or (isinstance(mode, Tap) and mode.keyboard in LETTER_KEYBOARDS)
    if not keys:
        raise WrongVerbError(
            "presses ''", waits_for="a phone has the keys 0-9 * #", hint="nothing pressed is silent()"
        )
    if not letters and not set(keys) <= PHONE_KEYS and not has_left(state):
        raise WrongVerbError(
            f"presses {keys!r}",
            waits_for=f"{state.waits_for}, and no letter keyboard is open",
            hint=f"a phone has 0-9 * #; letters need field 6 of {', '.join(sorted(LETTER_KEYBOARDS))}",
        )
    if isinstance(state, Asking) and isinstance(mode, Voice) and (mode.block_keys or mode.record_engine):
        reason = "blocks keys" if mode.block_keys else "records speech and takes no keys"
        raise WrongVerbError(
            f"presses {keys}", waits_for=f"the read {state.read.name!r} {reason}", hint=state.hint
        )
    if isinstance(state, Confirming | RecordingMenu) and len(keys.rstrip("#")) > 1:
        raise WrongVerbError(f"presses {keys}", waits_for=state.waits_for, hint=state.hint)
