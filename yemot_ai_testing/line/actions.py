"""Perform the actions of a response, one by one, until one of them decides what comes next.

Source: [OFF] only ``id_list_message`` and ``music_on_hold`` may be followed by another action, and after
all but ``read`` and ``credit_card`` the caller leaves the extension.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from yemot_ai.protocol import (
    Action,
    CreditCard,
    GoTo,
    GoToFolder,
    GoToFolderAndPlay,
    Message,
    MusicOnHold,
    Noop,
    Play,
    Read,
    Routing,
    RoutingYemot,
    SimpleAnswer,
)
from yemot_ai_testing.line.call import Call
from yemot_ai_testing.line.exchange import LineProblem
from yemot_ai_testing.line.states import Asking, Holding, Paying, Requesting

__all__ = ["ask_for_payment", "perform"]


def perform(call: Call, actions: Sequence[Action]) -> None:
    """Perform ``actions``; the caller leaves the extension if none of them decides what comes next."""
    for index, action in enumerate(actions):
        rest = tuple(actions[index + 1 :])
        if _is_cancelled(call, action, rest):
            continue
        if _perform_action(call, action, rest):
            return
    call.leave_extension()


def ask_for_payment(call: Call, card: CreditCard) -> None:
    """Ask the caller for the card."""
    call.playback.play_sound(f"payment {card.amount}", kind="payment")
    call.set_state(Paying(card))


def _is_cancelled(call: Call, action: Action, rest: tuple[Action, ...]) -> bool:
    """Whether a second ``id_list_message`` cancels the first [?]."""
    second = call.settings.two_plays == "second" and rest and isinstance(rest[0], Play)
    return bool(second) and isinstance(action, Play)


def _perform_action(call: Call, action: Action, rest: tuple[Action, ...]) -> bool:
    """Perform one action; return True if nothing after it counts."""
    match action:
        case Play(messages=messages):
            return _play(call, messages)
        case Read():
            _perform_read(call, action)
        case GoToFolder(target=target):
            call.check_target(target)
            call.follow_target(target)
        case MusicOnHold():
            seconds = action.seconds or call.settings.music_seconds
            call.set_state(Holding(action, seconds, rest))
        case CreditCard():
            ask_for_payment(call, action)
        case SimpleAnswer(word=word):
            return _perform_simple_answer(call, word)
        case RoutingYemot() | Routing() | GoToFolderAndPlay():
            call.transfer(action)
        case Noop():
            return False
        case _:
            assert_never(action)
    return True


def _play(call: Call, messages: Sequence[Message]) -> bool:
    """Play ``messages``; return True if the last of them led to another extension."""
    call.playback.play_messages(messages)
    last = messages[-1]
    if isinstance(last, GoTo):
        call.check_target(last.target)
        call.follow_target(last.target)
        return True
    return False


def _perform_read(call: Call, read: Read) -> None:
    if isinstance(read.messages[-1], GoTo):
        _play(call, read.messages)
    elif read.reuse and any(name == read.name for name, _ in call.values):
        call.set_state(Requesting())  # [OFF] field 2: the line does not ask, it sends again
    else:
        call.ask(Asking(read))


def _perform_simple_answer(call: Call, word: str) -> bool:
    """Play the file or the sound of a bare word, and perform its ``api_answer_<word>`` [OFF]."""
    settings = call.extension_settings
    if settings is None:
        raise AssertionError
    actions = settings.answers.get(word, ())
    has_file = settings.has_file(word)
    if has_file is not True and settings.say_answer:
        call.playback.speak(word)
    elif has_file is not False:
        call.playback.play_sound(word, kind="simple")
    elif not actions and call.settings.unknown_word == "M1607":
        message = f"{word!r} is no action; as a bare word it has no file {word}.wav and no api_answer_{word}"
        call.problems.append(
            LineProblem(
                "warning", "unknown-word", message, word, "answer with an action, or set one of them [?]"
            )
        )
        call.playback.play_system_message("M1607")
    if not actions:
        return False
    perform(call, actions)
    return True
