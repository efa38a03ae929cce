"""Answers in logs: the line's own ``LogApi.ymgr``, JSON logs, and whatever else has them in its lines.

>>> list(answers_in("12:00:01 POST /ivr -> id_list_message=t-שלום&go_to_folder=/1"))
['id_list_message=t-שלום&go_to_folder=/1']
>>> list(answers_in("Folder#1%ApiSend#https://x/ivr?ApiPhone^05%ApiAnswer#read=t-מה=x^no^1*"))
['read=t-מה=x,no,1&']
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

__all__ = ["responses_in"]

_NAMES: Final = (
    "id_list_message=|go_to_folder=|go_to_folder_and_play=|routing=|routing_yemot=|credit_card="
    "|music_on_hold=|noop=|read="
)
_TYPES: Final = "(?:f|d|n|a|t|s|z|m|g|h|date|dateH|noop)-"
# A bare ``read=`` is too common in logs: it counts only before a message.
_START: Final = re.compile(rf"(?<![\w?&=./%-])(?:api_log_no&)?(?:(?!read=)(?:{_NAMES})|read={_TYPES})")
_QUOTES: Final = "\"'`"
_API_ANSWER: Final = re.compile(r"ApiAnswer[#:]\s?(?P<answer>.*?)(?=%[A-Za-z]\w*#|$)")
_HANGUP: Final = re.compile(r"[?*&]hangup[\^=]yes")
# ``*`` stands for ``&`` and for itself, as in ``*/``: it is an & where an action follows, or nothing.
_SEPARATOR: Final = re.compile(rf"\*(?=(?:{_NAMES})|noop(?:\*|$)|$)|(?<=^api_log_no)\*")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def responses_in(line: str) -> Iterator[str]:
    """The answers that stand in one line of a log.

    ``LogApi.ymgr`` shows ``,`` as ``^`` and ``&`` as ``*`` [OFF]; both are put back. What a server
    answered to a hang-up is left out there, for the line does not use it. In a line of JSON every
    text counts that begins with an action; elsewhere an answer reaches to the end of the line, or to
    the quote that closes the one before it.

    Args:
        line: the line, without its end.
    """
    own = _API_ANSWER.search(line)
    if own:
        if not _HANGUP.search(line[: own.start()]):
            yield _SEPARATOR.sub("&", own["answer"].replace("^", ","))
        return
    found = _decoded(line)
    if found is not None:
        yield from (text for text in _texts(found) if _START.match(text))
        return
    yield from _plain(_COLOUR.sub("", line))


def _plain(line: str) -> Iterator[str]:
    start = _START.search(line)
    while start:
        quote = line[start.start() - 1 : start.start()]
        end = len(line)
        if quote and quote in _QUOTES:
            closing = re.compile(rf"{quote}(?=[\s,;:)\]}}]|$)").search(line, start.end())
            end = closing.start() if closing else end
        yield line[start.start() : end].rstrip() if end == len(line) else line[start.start() : end]
        start = _START.search(line, end)


def _decoded(line: str) -> object:
    """What a line of JSON holds; None if it is none."""
    brace = line.find("{")
    if brace < 0 or not line.rstrip().endswith("}"):
        return None
    try:
        return json.loads(line[brace:])
    except (ValueError, RecursionError):
        return None


def _texts(found: object) -> Iterator[str]:
    waiting = [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += reversed(one.values())
        elif isinstance(one, list):
            waiting += reversed(one)
