r"""What a refusal of the platform's API means.

The API refuses with status 200 and a JSON body, also where a file is expected [OFF, LIVE]; its newer gateway
with a status of HTTP and another body [LIB].

>>> body = b'{"responseStatus": "FORBIDDEN", "message": "session is expired"}'
>>> find_refusal(HTTPResponse(200, {}, body)).cause
<Cause.TOKEN: 'token'>
>>> find_refusal(HTTPResponse(200, {}, b"RIFF...")) is None
True
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

from yemot_ai.errors import AuthenticationError, OverloadedError, ProviderError, RateLimitedError
from yemot_ai.platform_api.credentials import Credentials
from yemot_ai.platform_api.transport import HTTPResponse

__all__ = ["Cause", "Refusal", "find_refusal", "read_json", "to_error"]

OK: Final = "OK"
"""The ``responseStatus`` of success [OFF]."""

WRONG_PASSWORD: Final = 1
"""The ``messageCode`` of "Username or password is incorrect" [OFF]."""

SYSTEM_ERROR: Final = 105
"""The ``messageCode`` of a fault of the platform [OFF]."""

MAX_QUOTED: Final = 200
"""Characters of the platform's message that an error repeats."""


_PATH: Final = re.compile(r"\bivr2?[:/]\S*|\S+\.(wav|ini|tts)\b", re.IGNORECASE)
"""A file of the line; that of a recording can contain the number of a caller."""


class Cause(Enum):
    """Why the platform refused."""

    TOKEN = "token"  # noqa: S105 - a name
    VERIFICATION = "verification"
    PERMISSION = "permission"
    LINE = "line"
    MISSING_FILE = "missing file"
    RATE = "rate"
    FAULT = "fault"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal.

    Attributes:
        cause: what it means.
        message: what the platform said, with its status and code.
        retry_after: seconds that it asks to wait, or None.
    """

    cause: Cause
    message: str
    retry_after: float | None = None


_MESSAGES: Final = (
    (Cause.VERIFICATION, re.compile(r"\bMFA|two.?factor|דו.?שלבי", re.IGNORECASE)),
    (
        Cause.TOKEN,
        re.compile(
            r"(token|session|api.?key|password).*(invalid|expire|incorrect|wrong|not.?found|not.?ok|revoked|"
            r"suspended|missing|required)|(invalid|expired|unknown|missing|wrong) (token|session|api.?key)|"
            r"unauthori[sz]ed|unable to authenticate|not logged in|טוקן|סיסמ",
            re.IGNORECASE,
        ),
    ),
    (Cause.LINE, re.compile(r"\bswitch", re.IGNORECASE)),
    (
        Cause.MISSING_FILE,
        re.compile(
            r"file.*(not exist|not.?found)|(path|folder).*not (exist|found)|no such file|לא קיים|לא נמצא",
            re.IGNORECASE,
        ),
    ),
)
"""By the words of a message, the first that fits: ``file does not exist``, ``token is invalid`` [LIVE],
``session is expired`` [LIB], ``MFA_REQUIRED`` [CODE]; other words of these kinds are guesses [?]."""

_STATUSES: Final[Mapping[int, Cause]] = {
    HTTPStatus.UNAUTHORIZED: Cause.TOKEN,
    HTTPStatus.FORBIDDEN: Cause.PERMISSION,
    HTTPStatus.NOT_FOUND: Cause.MISSING_FILE,
    HTTPStatus.TOO_MANY_REQUESTS: Cause.RATE,
}

_ADVICE: Final = {
    Cause.TOKEN: "the platform refused the token ({}): a session of Login ends after 30 minutes without use; "
    "give an API key, which stays valid, or number:password",
    Cause.VERIFICATION: "the platform wants this token verified in a second step ({}): give an API key "
    "in its place",
    Cause.PERMISSION: "the platform refused the token for this ({}): look at its permissions, and at the "
    "addresses that may use it",
    Cause.LINE: "the gateway found no line ({}): give the UUID of a line that the key may use as switch id",
    Cause.MISSING_FILE: "the platform has no such file ({})",
    Cause.RATE: "too many requests for the platform ({}): wait before the next one",
    Cause.FAULT: "a fault of the platform ({}): try again later",
    Cause.OTHER: "the platform refused the request ({})",
}

_ERRORS: Final = {
    Cause.TOKEN: AuthenticationError,
    Cause.VERIFICATION: AuthenticationError,
    Cause.PERMISSION: AuthenticationError,
    Cause.LINE: AuthenticationError,
    Cause.FAULT: OverloadedError,
}


def read_json(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a body is, or None."""
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def find_refusal(response: HTTPResponse) -> Refusal | None:
    """Return what a response refuses, None if it refuses nothing.

    The body counts before the status: 404 stands for other errors than a missing file, too [OFF].
    """
    body = read_json(response.body) if response.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else None
    said = None if body is None else _read_refusal(body)
    if said is None and response.status == HTTPStatus.OK:
        return None
    words, code = said or ("", None)
    cause = _find_cause(words, code, response.status)
    status = "" if response.status == HTTPStatus.OK else f"status {response.status}"
    message = ": ".join(filter(None, (status, words))) or "no reason given"
    return Refusal(cause, message, _retry_after(response))


def to_error(refusal: Refusal, *, service: str, credentials: Credentials) -> ProviderError:
    """Return the error to raise; it says what to do, and contains neither the token nor a path.

    Args:
        refusal: the refusal.
        service: the name of the part of this package that made the request.
        credentials: those of the request.
    """
    message = _ADVICE[refusal.cause].format(_quoted(refusal.message, credentials))
    if refusal.cause is Cause.RATE:
        return RateLimitedError(message, retry_after=refusal.retry_after, provider=service)
    return _ERRORS.get(refusal.cause, ProviderError)(message, provider=service)


def _quoted(message: str, credentials: Credentials) -> str:
    """Return a message of the platform for an error: printable, short, without token and paths."""
    said = "".join(character if character.isprintable() else " " for character in message)
    said = _PATH.sub("…", credentials.hide_in(said))
    return said if len(said) <= MAX_QUOTED else f"{said[: MAX_QUOTED - 1]}…"


def _read_refusal(body: Mapping[str, Any]) -> tuple[str, int | None] | None:
    """Return words and number of a refusal; None if the body is none."""
    status = body.get("responseStatus")
    if isinstance(status, str):
        return None if status.upper() == OK else _described(status, body)
    error = body.get("error")
    if body.get("success") is False or isinstance(error, dict):  # the newer gateway
        return _described("", error if isinstance(error, dict) else {"message": error})
    return None


def _described(status: str, error: Mapping[str, Any]) -> tuple[str, int | None]:
    number = error.get("messageCode", error.get("code"))
    code = int(number) if isinstance(number, int | str) and str(number).isdecimal() else None
    words = [error.get("message"), error.get("exceptionMessage")]
    parts = [status.upper(), None if number is None else str(number), *words]
    return " ".join(part for part in parts if isinstance(part, str) and part), code


def _find_cause(words: str, code: int | None, status: int) -> Cause:
    if code == WRONG_PASSWORD:
        return Cause.TOKEN
    said = next((cause for cause, pattern in _MESSAGES if pattern.search(words)), None)
    if said is not None:
        return said
    if status in _STATUSES:
        return _STATUSES[status]
    if words.startswith("FORBIDDEN"):
        return Cause.PERMISSION
    is_fault = words.startswith("EXCEPTION") or code == SYSTEM_ERROR
    return Cause.FAULT if is_fault or status >= HTTPStatus.INTERNAL_SERVER_ERROR else Cause.OTHER


def _retry_after(response: HTTPResponse) -> float | None:
    """Return the seconds of the header; the form with a date is not used by the gateway [?]."""
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isdecimal() else None
