"""The body of an error response, in the shapes of all services.

>>> ErrorBody.parse([{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}])
ErrorBody(message='API key not valid.', codes=('400', 'INVALID_ARGUMENT'), status=400, retry_after=None, \
reset_after=None)

Shapes: ``{"error": {…}}`` (OpenAI and most others), the same in a list (Gemini), ``{"error": "text"}``
(Ollama, LM Studio, xAI), flat (vLLM, Mistral, Bedrock), ``{"detail": "text" | [{"msg": …}]}`` (FastAPI),
``{"errors": […]}``, a body inside a text (OpenRouter's ``metadata.raw``, LiteLLM, Codex), any text of a
proxy.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, timezone, tzinfo
from http import HTTPStatus
from typing import Any, Final, Self

from yemot_ai.providers.refusals.waits import (
    reset_from_headers,
    wait_from_field,
    wait_from_headers,
    wait_from_text,
)

__all__ = ["ErrorBody"]

MAX_MESSAGE: Final = 4000
"""Characters of a message that are kept."""

MAX_DEPTH: Final = 8
"""Levels of a body that are read."""

MAX_ITEMS: Final = 20
"""Items of a list that are read."""

CLIENT_ERROR: Final = 400
SERVER_ERROR: Final = 500
LAST_STATUS: Final = 599

_CHILDREN: Final = frozenset({
    "error", "errors", "message", "msg", "detail", "details", "error_description", "error_message",
    "errormessage", "innererror", "inner_error", "metadata", "raw", "body", "response", "cause",
    "provider_specific_fields", "base_resp", "status_msg",
})  # fmt: skip
"""Fields with a text or with another body, in lower case."""

_CODES: Final = frozenset({
    "code", "type", "status", "reason", "__type", "error_type", "errortype", "error_code", "errorcode",
    "status_code", "statuscode", "param",
})  # fmt: skip

_NAMES: Final = frozenset({"flagged_input", "blockreason", "block_reason"})
"""Fields that mean something by being there; their value may be the words of the caller."""

_WAITS: Final = frozenset({
    "retrydelay", "retry_delay", "retry_after", "retryafter", "retry-after", "retry_after_seconds",
    "retry_after_ms", "resets_in_seconds", "reset_in_seconds", "resets_at", "reset_at", "reset_after",
    "retry_in", "retry_at", "resets_in", "reset_in", "reset_time", "wait_seconds", "quotaresetdelay",
    "quotaresettimestamp",
})  # fmt: skip

_STATUS_IN_TEXT: Final = re.compile(
    r"\b(?:status(?:[ _]code)?|error code|http)[: ]+([45]\d\d)\b", re.IGNORECASE
)

_PHRASE: Final = re.compile(
    r"(\bstatus:? [45]\d\d) (?:" + "|".join(re.escape(status.phrase) for status in HTTPStatus) + r")\b"
)
"""The phrase of a status in a sentence: the words of the refusal itself say more."""

_BEIJING: Final = timezone(timedelta(hours=8))
_BEIJING_CODES: Final = frozenset({"1308", "1310"})
"""Zhipu's codes of a usage limit, whose times are those of Beijing without saying so: oh-my-pi#11014."""

_CHINESE: Final = re.compile("[一-鿿]")

_LETTER: Final = (
    r"(?:[\u0590-\u06ff\u0750-\u077f\ufb1d-\ufdff\ufe70-\ufefc]"
    r"|\\u0[56][\da-fA-F]{2}|\\x[dD][6-9a-dA-D]\\x[89abAB][\da-fA-F])"
)
_CALLERS_WORDS: Final = re.compile(rf"{_LETTER}(?:[^A-Za-z]{{0,40}}?{_LETTER})*(?:[\s.,!?-]*\d)*")
"""Hebrew and Arabic, also as escapes: no service writes so of itself, so these are words of a caller."""

_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error response.

    Attributes:
        message: the messages of the body, outermost first, without words in Hebrew and Arabic: those that a
            service quotes of a caller.
        codes: its codes, types, reasons and the fields that it complains of; a number as text.
        status: the HTTP status, else the one that the body names; None if there is none.
        retry_after: seconds that the service asks to wait, or None.
        reset_after: seconds until the used-up limits of the account are reset, or None.
        has_message: whether the message is the body's own.
    """

    message: str
    codes: tuple[str, ...] = ()
    status: int | None = None
    retry_after: float | None = None
    reset_after: float | None = None
    has_message: bool = field(default=False, compare=False, repr=False)

    @classmethod
    def parse(
        cls, body: object, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Parse an error response.

        Args:
            body: the decoded JSON, or a text, which may be JSON or contain it.
            status: the HTTP status; one below 400 is that of a response that failed later.
            headers: the HTTP headers.
        """
        found = _Findings()
        found.visit(body, MAX_DEPTH)
        headers = headers or {}
        if error_type := _header(headers, "x-amzn-errortype"):  # "ThrottlingException:http://…"
            found.codes.append(error_type.partition(":")[0])
        text = _CALLERS_WORDS.sub("…", ": ".join(dict.fromkeys(found.texts)))[:MAX_MESSAGE]
        actual = _status(status, found.codes, text)
        in_header = wait_from_headers(headers)
        return cls(
            text or (f"HTTP status {actual}" if actual else "an error without a message"),
            tuple(dict.fromkeys(found.codes)),
            actual,
            _first(in_header, *found.waits, wait_from_text(text, _zone(found.codes, text))),
            _first(*found.resets, reset_from_headers(headers)),
            has_message=bool(text),
        )


@dataclass(slots=True)
class _Findings:
    """What a body contains.

    Attributes:
        texts: its messages.
        codes: its codes.
        waits: the waits of its fields.
        resets: the waits of rate limit headers that it quotes.
    """

    texts: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    waits: list[float | None] = field(default_factory=list)
    resets: list[float | None] = field(default_factory=list)

    def visit(self, value: object, levels: int) -> None:
        """Read a body, or a part of one."""
        if not levels:
            return
        if isinstance(value, str):
            self._visit_text(value.strip(), levels)
        elif isinstance(value, Mapping):
            for name, item in value.items():
                self._visit_field(str(name).lower(), item, levels)
        elif isinstance(value, Sequence):
            for item in value[:MAX_ITEMS]:
                self.visit(item, levels - 1)

    def _visit_field(self, name: str, item: Any, levels: int) -> None:  # noqa: ANN401 - decoded JSON
        if name in _CHILDREN:
            self.visit(item, levels - 1)
        elif name in _CODES and isinstance(item, str | int | float) and not isinstance(item, bool):
            self.codes.append(str(item))
        elif name in _NAMES:
            self.codes.append(name)
        elif name == "loc" and isinstance(item, Sequence):  # FastAPI: the path of the field that is wrong
            self.codes.append(".".join(map(str, item[:MAX_ITEMS])))
        elif name in _WAITS:
            self.waits.append(wait_from_field(name, item))
        elif name == "headers" and isinstance(item, Mapping):
            quoted = {str(key): str(value) for key, value in item.items()}
            self.waits.append(wait_from_headers(quoted))
            self.resets.append(reset_from_headers(quoted))

    def _visit_text(self, text: str, levels: int) -> None:
        if not text or text.startswith("<"):  # no HTML page in a log
            return
        inner, before = _inner_body(text)
        if before:
            self.texts.append(_PHRASE.sub(r"\1", before))
        if inner is not None:
            self.visit(inner, levels - 1)


def _inner_body(text: str) -> tuple[object, str]:
    """Return the JSON in a text (None without any), and the text outside of it."""
    start = min((at for at in (text.find("{"), text.find("[{")) if at >= 0), default=-1)
    if start < 0:
        return None, text
    try:
        inner, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, text
    if not inner:
        return None, text
    return inner, " ".join(f"{text[:start].rstrip(' :-')} {text[end:]}".split())


def _zone(codes: Sequence[str], text: str) -> tzinfo | None:
    """Return the zone of a time that names none; None for the usual one."""
    return _BEIJING if not _BEIJING_CODES.isdisjoint(codes) or _CHINESE.search(text) else None


def _status(status: int | None, codes: Sequence[str], text: str) -> int | None:
    """Return the status: HTTP's, but the body's if HTTP has none or only blames a server."""
    http = status if status is not None and status >= CLIENT_ERROR else None
    named = next(filter(None, map(_status_number, codes)), None)
    if http is None and named is None and (match := _STATUS_IN_TEXT.search(text)):
        return int(match[1])
    return named if named is not None and (http is None or http >= SERVER_ERROR) else http


def _status_number(code: str) -> int | None:
    try:
        number = float(code)
    except ValueError:
        return None
    valid = math.isfinite(number) and number.is_integer() and CLIENT_ERROR <= number <= LAST_STATUS
    return int(number) if valid else None


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _first(*waits: float | None) -> float | None:
    return next((wait for wait in waits if wait is not None), None)
