"""A request and its response in a few words, without what was said.

>>> request = Request.parse("ApiCallId=c1&ApiPhone=0501234567&ApiExtension=1&ai_1=שלום")
>>> answered = AnsweredRequest(request, "read=t-שלום גם לך=ai_2,no,voice,,,,,,,,,,,,no", 0.812)
>>> print(answered)
call c1: /1 from …4567: speech of 4 letters in ai_1 -> read ai_2 by voice, 1 text; 812 ms
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from yemot_ai.flow.value_names import count_outage_polls, parse_cursor
from yemot_ai.protocol import Request
from yemot_ai.protocol.actions import ACTIONS
from yemot_ai.protocol.grammar import NO_LOG
from yemot_ai.protocol.request import pressed_keys
from yemot_ai.redaction import escape, mask_numbers

__all__ = ["AnsweredRequest", "Observer", "describe_fields", "shown_extension"]

SHORT_ID: Final = 8
"""Characters of a call's id in a line of the log: the beginning of the whole id in other lines."""

SHOWN_DIGITS: Final = 4
"""Digits of a phone number that are shown."""

MAX_FOREIGN: Final = 60
"""Characters of a target, a name or an extension that are shown."""

MAX_ID: Final = 200
"""Characters of the id of a call."""

_HARMLESS: Final = re.compile(r"[a-z_/.]*(?:[0-9]{1,6}[a-z_/.]*)?|[0-9a-f]{40}")
"""What needs no search for a phone number: the names and extensions of most lines, and their ids [LIVE]."""

_KEYS: Final = re.compile(r"[0-9*#]+")
_RECORDING: Final = re.compile(r"/?[\w./-]+\.(?:wav|mp3|opus)")
_MESSAGE_KINDS: Final = {"t": "text", "f": "file", "d": "digits", "n": "number", "a": "letters", "g": "move"}
_NOTHING: Final = frozenset({"", "None"})
"""What the line sends if a caller says or presses nothing."""


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A request of the line that was answered.

    Attributes:
        request: the request, without the secret.
        response: the body of its response.
        seconds: how long it was held.
    """

    request: Request
    response: str
    seconds: float

    @property
    def phone(self) -> str:
        """The end of the caller's number; empty if it is withheld."""
        digits = "".join(character for character in self.request.phone if character.isalnum())
        return f"…{digits[-SHOWN_DIGITS:]}" if digits else ""

    @property
    def asks_again(self) -> bool:
        """Whether the line asks again by itself: the response is a poll for an answer."""
        verb, _, value = self.response.rpartition("&")[2].partition("=")
        return verb == "read" and _is_poll(value.rpartition("=")[2].partition(",")[0])

    def fields(self) -> dict[str, str | int]:
        """Return what the log has of it, by the keys of a log of JSON objects."""
        return {
            "call": mask_foreign(self.request.call_key, MAX_ID),
            "extension": shown_extension(self.request.extension),
            "phone": self.phone,
            "input": describe_input(self.request),
            "response": describe_response(self.response),
            "milliseconds": round(self.seconds * 1000),
        }

    def __str__(self) -> str:
        return describe_fields(self.fields())


def describe_fields(fields: Mapping[str, str | int]) -> str:
    """Return the line of the log for the fields of an answered request."""
    call = f"call {str(fields['call'])[:SHORT_ID]}" if fields["call"] else "a request without an id"
    return (
        f"{call}: {fields['extension']} "
        f"from {fields['phone'] or 'a withheld number'}: "
        f"{fields['input']} -> {fields['response']}; {fields['milliseconds']} ms"
    )


def mask_foreign(text: str, most: int = MAX_FOREIGN) -> str:
    """Return at most ``most`` characters of a text from a request, on one line, with phone numbers masked."""
    text = text[:most]
    return text if _HARMLESS.fullmatch(text) else mask_numbers(escape(text))


Observer: TypeAlias = Callable[[AnsweredRequest], object]
"""Called with each answered request, in the thread or loop of the request; it must return at once."""


def shown_extension(extension: str) -> str:
    """Return an extension as the line writes it: ``/1/2``; ``/`` is the root."""
    return f"/{mask_foreign(extension)}"


def describe_input(request: Request) -> str:
    """Return the kind of the newest value, and its name; never the value."""
    if request.hangup:
        return "hang-up"
    if not request.values:
        return "start"
    name, value = request.values[-1]
    if _is_poll(name):
        return f"poll {name}"
    return f"{_describe_value(value)} in {mask_foreign(name)}"


def _is_poll(name: str) -> bool:
    cursor = parse_cursor(name)
    return bool(cursor and cursor.poll) or bool(count_outage_polls(((name, ""),)).in_a_row)


def _describe_value(value: str) -> str:
    if value in _NOTHING:
        return "nothing"
    keys = pressed_keys(value) or value
    if _KEYS.fullmatch(keys):
        return f"{len(keys)} key{'s' * (len(keys) > 1)}"
    if _RECORDING.fullmatch(value):
        return "recording"
    return f"speech of {len(value)} letters"


def describe_response(response: str) -> str:
    """Return the actions of a response: their verbs, targets and kinds of messages; never the words."""
    parts = [part for part in response.split("&") if part]
    return ", ".join(map(_describe_action, parts)) or "nothing"


def _describe_action(part: str) -> str:
    verb, _, value = part.partition("=")
    if verb == "id_list_message":
        return f"play {_describe_messages(value)}"
    if verb == "read":
        messages, _, fields = value.partition("=")
        name, _, mode, *_ = *fields.split(","), "", ""
        how = f"by {mode}" if mode in {"voice", "record"} else "by keys"
        return f"read {mask_foreign(name) or '?'} {how}, {_describe_messages(messages)}"
    if verb == "go_to_folder":
        return "hang up" if value == "hangup" else f"go to {mask_foreign(value)}"
    return verb if verb in ACTIONS or verb == NO_LOG else "something unreadable"


def _describe_messages(messages: str) -> str:
    kinds = [_MESSAGE_KINDS.get(message.partition("-")[0], "message") for message in messages.split(".")]
    counts = {kind: kinds.count(kind) for kind in kinds}
    return ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in counts.items())
