"""Faults in what a response asks or does after its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from yemot_ai.protocol import Action, GoToFolder, Mode, Play, Read, Record, Tap, Voice
from yemot_ai_testing.line.transports.transport import TransportResponse
from yemot_ai_testing.line.verbs.keypad import is_poll
from yemot_ai_testing.mutation.mutation import application
from yemot_ai_testing.mutation.responses import HANGUP, actions_of, with_actions, with_mode
from yemot_ai_testing.mutation.turn import Send, Turn


@application("questions")
def silence_after_answer(turn: Turn, send: Send) -> TransportResponse:
    """After an answer nothing is asked, and the call is over."""
    response = send(turn.pairs)
    return with_actions(response, _played) if turn.said else response


@application("questions")
def message_before_question_lost(turn: Turn, send: Send) -> TransportResponse:
    """A message before a question is not heard."""
    return with_actions(send(turn.pairs), _without_first_play)


@application("questions")
def goes_nowhere(turn: Turn, send: Send) -> TransportResponse:
    """A caller who is sent to another extension is hung up on."""
    return with_actions(send(turn.pairs), lambda actions: tuple(map(_hung_up, actions)))


@application("questions")
def never_hangs_up(turn: Turn, send: Send) -> TransportResponse:
    """The line does not end a call: after the goodbye it asks again."""
    response, question = send(turn.pairs), turn.last_question
    actions = actions_of(response)
    if question is None or not actions or actions[-1] != GoToFolder(HANGUP):
        return response
    messages = actions[0].messages if isinstance(actions[0], Play) else question.messages
    return with_actions(response, lambda _: (replace(question, messages=messages),))


@application("questions")
def keys_unchecked(turn: Turn, send: Send) -> TransportResponse:
    """A key that is not offered is accepted."""
    return with_mode(
        send(turn.pairs), lambda mode: replace(mode, allowed=()) if isinstance(mode, Tap) else mode
    )


@application("questions")
def one_key_only(turn: Turn, send: Send) -> TransportResponse:
    """Of a number that is typed only the first digit is taken."""
    return with_mode(send(turn.pairs), _one_key)


@application("questions")
def keys_for_speech(turn: Turn, send: Send) -> TransportResponse:
    """The line waits for a key where a caller should speak."""
    return with_mode(
        send(turn.pairs), lambda mode: Tap(max_digits=1) if isinstance(mode, Voice | Record) else mode
    )


@application("questions")
def speech_in_english(turn: Turn, send: Send) -> TransportResponse:
    """The line listens for English, and does not understand Hebrew."""
    return with_mode(
        send(turn.pairs), lambda mode: replace(mode, language="en-US") if isinstance(mode, Voice) else mode
    )


def _played(actions: Sequence[Action]) -> Sequence[Action]:
    return [
        Play(action.messages) if isinstance(action, Read) and not is_poll(action.mode) else action
        for action in actions
    ]


def _without_first_play(actions: Sequence[Action]) -> Sequence[Action]:
    is_followed = len(actions) > 1 and isinstance(actions[0], Play) and isinstance(actions[-1], Read)
    return actions[1:] if is_followed else actions


def _hung_up(action: Action) -> Action:
    return GoToFolder(HANGUP) if isinstance(action, GoToFolder) else action


def _one_key(mode: Mode) -> Mode:
    if not isinstance(mode, Tap) or mode.max_digits == 1:
        return mode
    return replace(mode, max_digits=1, min_digits=1, keyboard="No")
