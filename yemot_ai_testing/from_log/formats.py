r"""Finds a request, with its response if it is there, in one line of a log, or in an entry of a HAR file.

A request is recognized by the line's own parameters (``ApiCallId`` …), wherever they are: in the record of
``yemot-ai serve``, in any JSON object, in the query of an access log, in ``LogApi.ymgr``.

>>> found = parse_line('1.2.3.4 - - [30/Nov/2026:09:30:00 +0000] "GET /ivr?ApiCallId=c1&x=2 HTTP/1.1" 200 5')
>>> found.values, found.body, found.status, found.at
((('x', '2'),), None, 200, 1796031000.0)
>>> found = parse_line('{"url": "/ivr?ApiCallId=c1", "answer": "go_to_folder=hangup"}')
>>> found.request.call_id, found.body
('c1', 'go_to_folder=hangup')
>>> found = parse_line("ApiSend#http://x/?ApiCallId^c1*x^2%ApiAnswer#id_list_message=t-א^ ב*go_to_folder=..*")
>>> found.values, found.body
((('x', '2'),), 'id_list_message=t-א, ב&go_to_folder=..&')
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from yemot_ai.protocol import Request
from yemot_ai_testing.from_log.entries import LogExchange, LogTurn
from yemot_ai_testing.from_log.log_parsing import responses_in
from yemot_ai_testing.line.transports.transport import Method

__all__ = ["parse_har_entry", "parse_line"]

RECORD_KEY: Final = "yemot_record"
"""In each line of a record of ``yemot-ai serve``."""

_OWN_NAME: Final = re.compile(r"Api(?:CallId|YFCallId|Phone|DID|Extension|Time)\b")
_QUERY: Final = re.compile(
    r"[^\s\"'`?]*\?[^\s\"'`]*Api[A-Za-z]+=[^\s\"'`]*"  # of a URL
    r"|(?:\w+=[^\s\"'`&]*&)*Api[A-Za-z]+=[^\s\"'`]*"  # or alone
)
_ACCESS: Final = re.compile(r"\"(?P<method>GET|POST|HEAD) \S+(?: HTTP/[\d.]+)?\" (?P<status>\d{3})\b")
_CLF_TIME: Final = re.compile(r"\[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\]")
_ISO_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,6})?(?:Z|[+-]\d{2}:?\d{2})?"
)
_API_SEND: Final = re.compile(r"ApiSend[#:]\s?(?P<url>.*?)(?=%ApiAnswer[#:]|%[A-Za-z]\w*#|$)")
_YMGR_PAIR: Final = re.compile(r"\*(?=[^*^%?&]+\^)")
_MILLISECONDS: Final = 1e11
"""A time above it counts milliseconds."""


def parse_line(text: str) -> LogExchange | LogTurn | None:
    """Return what a line has; None without a request of the line.

    Args:
        text: the line.

    Raises:
        ValueError: it has one, or is a record, and is not complete.
    """
    if text.lstrip().startswith("{"):
        return _from_json(text)
    sent = _API_SEND.search(text)
    if sent is not None:
        request = Request.parse(_ymgr_query(sent["url"]))
        return LogExchange(request, next(responses_in(text), None)) if _is_of_line(request) else None
    return _from_text(text)


def parse_har_entry(entry: Mapping[str, Any]) -> LogExchange | None:
    """Return one entry of a HAR file; None if it is no request of a line.

    Raises:
        ValueError: it has not the form of an entry.
    """
    try:
        asked, answered = entry["request"], entry["response"]
        body = asked.get("postData", {})
        pairs = [(pair["name"], pair.get("value", "")) for pair in body.get("params", ())]
        request = _joined_request(asked["url"], body.get("text", ""), pairs)
        if not _is_of_line(request):
            return None
        content = answered.get("content", {})
        text = content.get("text")
        if text is not None and content.get("encoding") == "base64":
            text = base64.b64decode(text).decode("utf-8", "replace")
        seconds = max(float(entry.get("time") or 0), 0) / 1000
        status = int(answered.get("status") or 0) or None
        at = _time(entry.get("startedDateTime"))
        return LogExchange(request, text, at, seconds, status, _method(asked["method"]))
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ValueError(f"this is no entry of a HAR file: {error!r}") from error


def _from_json(text: str) -> LogExchange | LogTurn | None:
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
    if not isinstance(document, dict):
        return None
    if RECORD_KEY in document:
        return _from_record(document)
    if {"request", "response"} <= document.keys() and isinstance(document["request"], dict):
        try:
            return parse_har_entry(document)
        except ValueError:  # other JSON with these names
            return _from_any_json(document)
    return _from_any_json(document)


def _from_record(record: Mapping[str, Any]) -> LogExchange | LogTurn:
    try:
        if record["kind"] == "turn":
            return LogTurn(
                str(record["call"]),
                float(record["at"]),
                float(record["seconds"]),
                str(record["text"]),
                str(record["answer"]),
                str(record["failure"] or ""),
                bool(record["interrupted"]),
            )
        request = Request.parse([(str(name), str(value)) for name, value in record["pairs"]])
        status = record["status"]
        return LogExchange(
            request,
            None if status is None else str(record["response"]),
            float(record["at"]),
            float(record["seconds"]),
            None if status is None else int(status),
            _method(record["method"]),
            has_turns=True,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"the record is not complete: {error!r}") from error


def _from_any_json(document: Mapping[str, Any]) -> LogExchange | None:
    """Find the request and the response among the values, under any names."""
    request = next(filter(_is_of_line, _requests_in(document)), None)
    if request is None:
        return None
    strings = [(name, value) for name, value in _named_strings(document) if not _OWN_NAME.search(value)]
    body = next((found for _, value in strings for found in responses_in(json.dumps({"x": value}))), None)
    if body is None:  # a simple answer, such as OK
        body = next((value for name, value in strings if name in {"answer", "response", "reply"}), None)
    at = next((time for name, value in _named_scalars(document) if (time := _named_time(name, value))), None)
    method = next((value for name, value in strings if name == "method"), "GET")
    status = next((v for n, v in _named_scalars(document) if n in {"status", "code"} and _is_status(v)), None)
    return LogExchange(request, body, at, None, status, _method(method))


def _requests_in(document: object) -> Iterator[Request]:
    for value in _values(document):
        if isinstance(value, Mapping) and any(_OWN_NAME.match(name) for name in map(str, value)):
            yield Request.parse({str(n): v if isinstance(v, list) else str(v) for n, v in value.items()})
        elif isinstance(value, list) and value and all(_is_pair(one) for one in value):
            yield Request.parse([(str(name), str(one)) for name, one in value])
        elif isinstance(value, str) and _OWN_NAME.search(value) and "=" in value:
            yield Request.parse(value)


def _values(document: object) -> Iterator[object]:
    stack = [document]
    while stack:
        value = stack.pop()
        yield value
        if isinstance(value, Mapping):
            stack += reversed(tuple(value.values()))
        elif isinstance(value, list):
            stack += reversed(value)


def _named_scalars(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for value in _values(document):
        if isinstance(value, Mapping):
            yield from ((str(n).casefold(), v) for n, v in value.items() if isinstance(v, str | int | float))


def _named_strings(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in _named_scalars(document) if isinstance(value, str))


def _named_time(name: str, value: str | float) -> float | None:
    return _time(value) if name in {"time", "at", "ts", "timestamp", "date", "@timestamp"} else None


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)  # noqa: PLR2004 - a pair


def _is_status(value: object) -> bool:
    return isinstance(value, int) and 100 <= value <= 599  # noqa: PLR2004 - the range of HTTP


def _from_text(text: str) -> LogExchange | None:
    if not _OWN_NAME.search(text):
        return None
    requests = (Request.parse(match[0]) for match in _QUERY.finditer(text))
    request = next(filter(_is_of_line, requests), None)
    if request is None:
        return None
    access = _ACCESS.search(text)
    rest = _QUERY.sub(" ", text)
    status, method = (int(access["status"]), access["method"]) if access else (None, "GET")
    return LogExchange(
        request, next(responses_in(rest), None), _line_time(text), None, status, _method(method)
    )


def _line_time(text: str) -> float | None:
    clf = _CLF_TIME.search(text)
    if clf is not None:
        return datetime.strptime(clf[1], "%d/%b/%Y:%H:%M:%S %z").timestamp()
    iso = _ISO_TIME.match(text.lstrip("["))
    return _time(iso[0]) if iso else None


def _time(value: object) -> float | None:
    """Return a time as Unix seconds: a number, or a text of ISO 8601; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value / 1000 if value > _MILLISECONDS else float(value)
    try:
        return datetime.fromisoformat(str(value).replace(",", ".")).timestamp()
    except (ValueError, OverflowError):
        return None


def _joined_request(url: str, body: str, pairs: Sequence[tuple[str, str]]) -> Request:
    """Return the request of a URL and a form, as text or as pairs."""
    query = Request.parse(url).pairs if "?" in url else ()
    return Request.parse([*query, *(pairs or Request.parse(body).pairs)])


def _ymgr_query(url: str) -> str:
    """Return a URL of ``LogApi.ymgr``, where ``=`` is shown as ``^`` and ``&`` as ``*`` [OFF]."""
    address, mark, query = url.partition("?")
    pairs = (pair.replace("^", "=", 1) for pair in _YMGR_PAIR.split(query))
    return f"{address}{mark}{'&'.join(pair.replace('&', '%26') for pair in pairs)}"


def _is_of_line(request: Request) -> bool:
    return any(_OWN_NAME.match(name) for name, _ in request.pairs)


def _method(text: str) -> Method:
    return "POST" if text.upper() == "POST" else "GET"
