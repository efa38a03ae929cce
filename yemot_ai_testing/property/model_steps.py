"""The steps that a machine draws for its model: answers, failures, and calls of tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from yemot_ai_testing.doubles.steps import (
    Answer,
    Calls,
    Crash,
    Drop,
    Failure,
    Hang,
    Step,
    ToolArguments,
    UnknownSession,
)
from yemot_ai_testing.history.correlation import utterance_text

__all__ = ["MODEL_STEPS", "PREFACE", "STREAMING_STEPS", "TOOL_STEPS", "UTTERANCE", "calls_for"]

MARKDOWN_ANSWER = '**כן**, מע"מ & ד-1 = 1.5 | [כאן](https://a.example/?b=1&c=2)\n\n| א | ב |\n|---|---|'
"""An answer with characters that have a meaning in the protocol or in Markdown."""

PLAIN_ANSWER = (
    "כן! אנחנו פתוחים ביום ראשון, בין שמונה לארבע. אפשר לחנות כאן? בוודאי, חינם לכל האורחים. \n"
    "מוזמנים לבוא עם הילדים והחברים. להתראות בקרוב, ושיהיה לכם יום נעים"
)
"""An answer of several sentences and lines, without characters that have a meaning elsewhere."""

LONG_ANSWER = " \n".join(
    f"סעיף {number}. {PLAIN_ANSWER}." for number in ("ראשון", "שני", "שלישי", "רביעי", "חמישי", "שישי")
)
"""An answer of more than 150 words: more than the line plays of one message."""

MODEL_STEPS: Sequence[Step | None] = (
    None,
    Answer((MARKDOWN_ANSWER,)),
    Answer((PLAIN_ANSWER,)),
    Answer((LONG_ANSWER,)),
    Answer(("",), 1.0),
    Answer(("",), 4.0),
    Answer(("",), 9.0),
    Answer(("",), 45.0),
    Failure("overloaded"),
    Failure("rate_limited"),
    Drop(),
    Crash(),
    UnknownSession(),
    Hang(),
)
"""The steps of a model call; None answers at once."""

STREAMING_STEPS: Sequence[Step | None] = (
    *MODEL_STEPS,
    Answer(("",), every=1.0),
    Answer(("",), 1.0, every=4.0),
    Answer(("",), every=9.0),
    Drop(("…", "…")),
    Hang("…"),
)
"""The steps of a model call that streams its answer sentence by sentence."""

UTTERANCE: Final = "{utterance}"
"""Stands in the arguments of a call of a tool for the text of the utterance."""

PREFACE: Final = "רגע, בודק."
"""What a model says before it calls a tool."""

_ORDER: Final = {"order": UTTERANCE}
_OTHER_ORDER: Final = {"order": f"עוד {UTTERANCE}"}

TOOL_STEPS: Sequence[Sequence[Calls]] = (
    (Calls(("place_order",), (_ORDER,)),),
    (Calls(("cancel_order",), (_ORDER,)),),
    (Calls(("find_order", "place_order"), (_ORDER, _ORDER)),),
    (Calls(("place_order", "place_order"), (_ORDER, _OTHER_ORDER), 1.0),),
    (Calls(("find_order",), (_ORDER,), saying=PREFACE), Calls(("cancel_order",), (_ORDER,))),
    (Calls(("no_such_tool", "place_order"), (_ORDER, _ORDER)),),
)
"""The messages in which a model calls the tools of ``EchoTools`` for an utterance, before it answers."""


def calls_for(utterance_id: str, messages: Sequence[Calls]) -> tuple[Calls, ...]:
    """Return messages of the model whose arguments contain the text of an utterance."""
    text = utterance_text(utterance_id)
    return tuple(
        replace(message, arguments=tuple(_filled(one, text) for one in message.arguments))
        for message in messages
    )


def _filled(arguments: ToolArguments, text: str) -> ToolArguments:
    if isinstance(arguments, str):
        return arguments.replace(UTTERANCE, text)
    return {
        name: value.replace(UTTERANCE, text) if isinstance(value, str) else value
        for name, value in arguments.items()
    }
