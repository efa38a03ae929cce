"""Finds responses in the lines of logs: ``LogApi.ymgr`` of the line, JSON logs, any text.

>>> list(responses_in("12:00:01 POST /ivr -> id_list_message=t-שלום&go_to_folder=/1"))
['id_list_message=t-שלום&go_to_folder=/1']
>>> list(responses_in("Folder#1%ApiSend#https://x/ivr?ApiPhone^05%ApiAnswer#read=t-מה=x^no^1*"))
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
# ``*`` is a written ``&``, or a star as in ``*/``: it is an & before an action and at the end.
_SEPARATOR: Final = re.compile(rf"\*(?=(?:{_NAMES})|noop(?:\*|$)|$)|(?<=^api_log_no)\*")
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


def responses_in(line: str) -> Iterator[str]:
    """Yield the responses in one line of a log.

    ``LogApi.ymgr`` has ``^`` for ``,`` and ``*`` for ``&`` [OFF]; both are converted back. Its responses to a
    hang-up are skipped, because the line does not use them. In a line of JSON, each string that begins with
    an action is a response. In other lines a response ends at the end of the line, or at the quote that
    closes the quote before it.

    Args:
        line: the line, without the line end.
    """
    api_answer = _API_ANSWER.search(line)
    if api_answer:
        if not _HANGUP.search(line[: api_answer.start()]):
            yield _SEPARATOR.sub("&", api_answer["answer"].replace("^", ","))
        return
    document = _parse_json(line)
    if document is not None:
        yield from (text for text in _strings(document) if _START.match(text))
        return
    yield from _in_plain_text(_COLOUR.sub("", line))


def _in_plain_text(line: str) -> Iterator[str]:
    start = _START.search(line)
    while start:
        quote = line[start.start() - 1 : start.start()]
        end = len(line)
        if quote and quote in _QUOTES:
            closing = re.compile(rf"{quote}(?=[\s,;:)\]}}]|$)").search(line, start.end())
            end = closing.start() if closing else end
        yield line[start.start() : end].rstrip() if end == len(line) else line[start.start() : end]
        start = _START.search(line, end)


def _parse_json(line: str) -> object:
    """Return the JSON value at the end of a line; None if there is none."""
    brace = line.find("{")
    if brace < 0 or not line.rstrip().endswith("}"):
        return None
    try:
        return json.loads(line[brace:])
    except (ValueError, RecursionError):
        return None


def _strings(document: object) -> Iterator[str]:
    stack = [document]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            stack += reversed(value.values())
        elif isinstance(value, list):
            stack += reversed(value)
