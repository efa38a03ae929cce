"""Change responses as a faulty application would: their texts, messages, questions and targets.

>>> heard = TransportResponse("id_list_message=t-שלום&go_to_folder=/1")
>>> with_texts(heard, lambda text: f"{text} וברכה").body
'id_list_message=t-שלום וברכה&go_to_folder=/1'
>>> with_actions(heard, lambda actions: actions[1:]).body
'go_to_folder=/1'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from yemot_ai.errors import InvalidValueError, ResponseSyntaxError
from yemot_ai.protocol import Action, GoToFolder, Message, Mode, Play, Read, Response, Text
from yemot_ai_testing.line.transports.transport import TransportResponse

__all__ = [
    "HANGUP",
    "actions_of",
    "messages_of",
    "respond",
    "say",
    "with_actions",
    "with_messages",
    "with_mode",
    "with_raw_texts",
    "with_texts",
]

HANGUP = "hangup"
Actions: TypeAlias = Sequence[Action]


def respond(*actions: Action) -> TransportResponse:
    """Return a response with these actions."""
    return TransportResponse(str(Response(actions)))


def say(text: str, question: Read | None) -> TransportResponse:
    """Return a response that says ``text`` and asks ``question`` again; without one the call ends."""
    if question is None:
        return respond(Play([Text(text)]), GoToFolder(HANGUP))
    return respond(replace(question, messages=(Text(text),)))


def actions_of(response: TransportResponse) -> Actions:
    """Return the actions of a response; none if the line does not understand it."""
    if response.fault is not None:
        return ()
    try:
        return tuple(Response.parse(response.body, lenient=True))
    except ResponseSyntaxError:
        return ()


def messages_of(response: TransportResponse) -> tuple[Message, ...]:
    """Return all messages of a response, in the order in which they are heard."""
    speaking = (action for action in actions_of(response) if isinstance(action, Play | Read))
    return tuple(message for action in speaking for message in action.messages)


def with_actions(response: TransportResponse, change: Callable[[Actions], Actions]) -> TransportResponse:
    """Return the response with its actions changed; unchanged if that is no valid response."""
    actions = actions_of(response)
    changed = tuple(change(actions))
    if not changed or changed == actions:
        return response
    try:
        return respond(*changed)
    except InvalidValueError:
        return response


def with_messages(
    response: TransportResponse, change: Callable[[tuple[Message, ...]], Sequence[Message]]
) -> TransportResponse:
    """Return the response with the messages of each action changed; an action keeps at least one."""

    def changed(action: Action) -> Action:
        if not isinstance(action, Play | Read):
            return action
        return replace(action, messages=tuple(change(tuple(action.messages))) or action.messages)

    return with_actions(response, lambda actions: tuple(map(changed, actions)))


def with_texts(response: TransportResponse, change: Callable[[str], str]) -> TransportResponse:
    """Return the response with each spoken text changed; a text that becomes empty stays."""

    def changed(message: Message) -> Message:
        return Text(change(message.text) or message.text) if isinstance(message, Text) else message

    return with_messages(response, lambda messages: tuple(map(changed, messages)))


def with_raw_texts(response: TransportResponse, change: Callable[[str], str]) -> TransportResponse:
    """Return the response with each spoken text changed to one that the protocol may not allow."""
    body = response.body
    for message in messages_of(response):
        if isinstance(message, Text):
            body = body.replace(f"t-{message.text}", f"t-{change(message.text)}", 1)
    return replace(response, body=body)


def with_mode(response: TransportResponse, change: Callable[[Mode], Mode]) -> TransportResponse:
    """Return the response with the mode of its question changed."""

    def changed(action: Action) -> Action:
        return replace(action, mode=change(action.mode)) if isinstance(action, Read) else action

    return with_actions(response, lambda actions: tuple(map(changed, actions)))
