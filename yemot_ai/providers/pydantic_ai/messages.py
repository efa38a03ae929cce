"""The messages of a conversation, as a session has them.

>>> from yemot_ai.providers.provider import Exchange
>>> messages = exchange_messages(Exchange("שמי דוד", "נעים מאוד"))
>>> load_messages(dump_messages(messages), provider="pydantic_ai") == messages
True
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from pydantic import ValidationError
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    UserPromptPart,
)

from yemot_ai.providers.chat_history import MAX_CHARACTERS, MAX_EXCHANGES, ChatHistory, foreign_session_error
from yemot_ai.providers.provider import JSON, Exchange
from yemot_ai.providers.surrogates import replace_surrogates

__all__ = [
    "dump_messages",
    "exchange_messages",
    "history_messages",
    "load_messages",
    "newest_exchanges",
    "session_messages",
    "texts_of",
]


def session_messages(session: JSON, *, provider: str) -> list[ModelMessage]:
    """Return the messages of a session.

    Raises:
        SessionLostError: it is another provider's, or damaged.
    """
    match session:
        case {"messages": [*messages]}:
            return load_messages(messages, provider=provider)
    raise foreign_session_error(provider)


def load_messages(dumped: JSON, *, provider: str) -> list[ModelMessage]:
    """Return what ``dump_messages`` has written.

    Raises:
        SessionLostError: it has not written that.
    """
    try:
        return ModelMessagesTypeAdapter.validate_json(json.dumps(dumped))
    except ValidationError:
        raise foreign_session_error(provider) from None  # its text quotes the messages


def dump_messages(messages: Sequence[ModelMessage]) -> list[JSON]:
    """Return messages as JSON, without the instructions, which each turn sends itself."""
    plain = [replace(one, instructions=None) if isinstance(one, ModelRequest) else one for one in messages]
    dumped = ModelMessagesTypeAdapter.dump_python(plain, mode="json", exclude_none=True)
    whole: list[JSON] = json.loads(replace_surrogates(json.dumps(dumped, ensure_ascii=False)))
    return whole


def history_messages(history: Sequence[Exchange]) -> list[ModelMessage]:
    """Return the messages of a conversation that is rebuilt."""
    exchanges = ChatHistory.from_exchanges(history).exchanges
    return list(chain.from_iterable(map(exchange_messages, exchanges)))


def exchange_messages(exchange: Exchange) -> list[ModelMessage]:
    """Return the messages of an exchange of which only the words are known."""
    return [
        ModelRequest([UserPromptPart(replace_surrogates(exchange.prompt))]),
        ModelResponse([TextPart(replace_surrogates(exchange.answer))]),
    ]


def newest_exchanges(messages: Sequence[ModelMessage], last: Exchange) -> list[ModelMessage]:
    """Return the newest exchanges, each with all its messages: a result is never without its call.

    Args:
        messages: the conversation.
        last: what was said in its last exchange, which is kept without its tools if they fill a session.
    """
    *earlier, newest = _exchanges(messages)
    if _length(newest) > MAX_CHARACTERS:
        newest = exchange_messages(last)
    kept, room = [newest], MAX_CHARACTERS - _length(newest)
    for exchange in reversed(earlier[1 - MAX_EXCHANGES :]):
        room -= _length(exchange)
        if room < 0:
            break
        kept.append(exchange)
    return list(chain.from_iterable(reversed(kept)))


def texts_of(messages: Sequence[ModelMessage]) -> list[str]:
    """Return what is said in messages, in arguments and results, too."""
    dumped: list[Mapping[str, Any]] = ModelMessagesTypeAdapter.dump_python(list(messages), mode="json")
    values = (
        part.get(name) for message in dumped for part in message["parts"] for name in ("content", "args")
    )
    return list(_texts(values))


def _exchanges(messages: Sequence[ModelMessage]) -> list[list[ModelMessage]]:
    """Divide a conversation where the caller speaks."""
    exchanges: list[list[ModelMessage]] = []
    for message in messages:
        if not exchanges or any(isinstance(part, UserPromptPart) for part in message.parts):
            exchanges.append([])
        exchanges[-1].append(message)
    return exchanges


def _length(messages: Sequence[ModelMessage]) -> int:
    return sum(map(len, texts_of(messages)))


def _texts(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from _texts(value.values())
        elif isinstance(value, list):
            yield from _texts(value)
