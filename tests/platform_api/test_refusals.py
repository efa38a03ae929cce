"""What the platform's refusals mean, in the words that it was seen to use, and in their neighbours."""

from __future__ import annotations

import json

import pytest

from yemot_ai.errors import AuthenticationError, OverloadedError, ProviderError, RateLimitedError
from yemot_ai.platform_api.credentials import Credentials
from yemot_ai.platform_api.refusals import Cause, Refusal, find_refusal, to_error
from yemot_ai.platform_api.transport import HTTPResponse

TOKEN = "0770000000:word-of-the-test"  # noqa: S105 - of no line


def response(body: object, status: int = 200, **headers: str) -> HTTPResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HTTPResponse(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def refused(status: str, message: str, code: int | None = None) -> HTTPResponse:
    return response({"yemotAPIVersion": 7, "responseStatus": status, "message": message, "messageCode": code})


def gateway(status: int, code: str, message: str) -> HTTPResponse:
    body = {"success": False, "error": {"code": code, "message": message}, "coreSso": {"requestId": "1"}}
    return response(body, status)


def name(value: HTTPResponse | Cause) -> str:
    """Return a short id of a case."""
    return value.value if isinstance(value, Cause) else f"{value.status} {value.body.decode()}"


def cause(answer: HTTPResponse) -> Cause:
    refusal = find_refusal(answer)
    assert refusal is not None
    return refusal.cause


@pytest.mark.parametrize(
    "answer",
    [
        refused("EXCEPTION", "IllegalStateException(session token is invalid)"),
        refused("FORBIDDEN", "session is expired"),
        refused("ERROR", "TOKEN_EXPIRED"),
        refused("FORBIDDEN", "TOKEN_EXPIRED"),
        refused("EXCEPTION", "TOKEN_EXPIRED"),
        refused("ERROR", "TOKEN_NOT_OK"),
        refused("ERROR", "token expired"),
        refused("ERROR", "Token has expired"),
        refused("ERROR", "invalid token"),
        refused("ERROR", "Username or password is incorrect", 1),
        refused("ERROR", "Username or password is incorrect"),
        refused("ERROR", "", 1),
        refused("ERROR", "הסיסמה שגויה"),
        refused("ERROR", "הטוקן אינו תקין"),
        refused("Exception", "unable to authenticate in AUTH_TOKEN session"),
        gateway(401, "INVALID_API_KEY", "no"),
        gateway(401, "X", "API key revoked"),
        response(b"", 401),
    ],
    ids=name,
)
def test_an_invalid_token_is_final(answer: HTTPResponse) -> None:
    assert cause(answer) is Cause.TOKEN


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refused("FORBIDDEN", "MFA_REQUIRED"), Cause.VERIFICATION),
        (refused("ERROR", "MFA_REQUIRED"), Cause.VERIFICATION),
        (refused("ERROR", "נדרש אימות דו-שלבי"), Cause.VERIFICATION),
        (refused("FORBIDDEN", "ip blocked"), Cause.PERMISSION),
        (refused("FORBIDDEN", ""), Cause.PERMISSION),
        (gateway(403, "FORBIDDEN", "no permission"), Cause.PERMISSION),
        (response(b"<html>", 403), Cause.PERMISSION),
        (refused("ERROR", "file does not exist"), Cause.MISSING_FILE),
        (refused("ERROR", "file not found"), Cause.MISSING_FILE),
        (refused("ERROR", "FILE_NOT_FOUND"), Cause.MISSING_FILE),
        (refused("ERROR", "הקובץ לא קיים"), Cause.MISSING_FILE),
        (response(b"", 404), Cause.MISSING_FILE),
        (gateway(400, "SWITCH_ID_REQUIRED", "switch-id is missing"), Cause.LINE),
        (gateway(404, "SWITCH_NOT_FOUND", "no switch"), Cause.LINE),
        (gateway(429, "RATE_LIMITED", "slow down"), Cause.RATE),
        (response(b"", 429), Cause.RATE),
        (refused("EXCEPTION", "NullPointerException"), Cause.FAULT),
        (refused("EXCEPTION", ""), Cause.FAULT),
        (refused("ERROR", "System error", 105), Cause.FAULT),
        (response(b"", 503), Cause.FAULT),
        (refused("ERROR", "path is invalid", 110), Cause.OTHER),
        (refused("ERROR", "path is required", 109), Cause.OTHER),
        (refused("ERROR", ""), Cause.OTHER),
        (gateway(413, "TOO_LARGE", "body"), Cause.OTHER),
        (response(b"", 302), Cause.OTHER),
        (response({"success": False, "error": "no"}), Cause.OTHER),
    ],
    ids=name,
)
def test_each_refusal_has_its_cause(answer: HTTPResponse, expected: Cause) -> None:
    assert cause(answer) is expected


@pytest.mark.parametrize(
    "body",
    [
        {"responseStatus": "OK"},
        {"responseStatus": "ok", "message": "file does not exist"},
        {"contents": "responseStatus"},
        b"RIFF",
        b"",
        b"{",
        b"[]",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=[
        "ok",
        "small ok",
        "no status",
        "sound",
        "empty",
        "cut",
        "array",
        "mark",
        "deep array",
        "deep object",
    ],
)
def test_what_refuses_nothing_is_no_refusal(body: object) -> None:
    assert find_refusal(response(body)) is None


def test_a_refusal_behind_a_byte_order_mark_is_read() -> None:
    body = b'\xef\xbb\xbf {"responseStatus": "FORBIDDEN", "message": "session is expired"}'

    assert cause(response(body)) is Cause.TOKEN


@pytest.mark.parametrize(
    ("found", "error", "advice"),
    [
        (Cause.TOKEN, AuthenticationError, "API key"),
        (Cause.VERIFICATION, AuthenticationError, "API key"),
        (Cause.PERMISSION, AuthenticationError, "permissions"),
        (Cause.LINE, AuthenticationError, "UUID"),
        (Cause.RATE, RateLimitedError, "wait"),
        (Cause.FAULT, OverloadedError, "later"),
        (Cause.OTHER, ProviderError, "refused the request"),
        (Cause.MISSING_FILE, ProviderError, "no such file"),
    ],
)
def test_each_error_says_what_to_do_and_what_the_platform_said(
    found: Cause, error: type[ProviderError], advice: str
) -> None:
    raised = to_error(Refusal(found, "its words"), service="recordings", credentials=Credentials(TOKEN))

    assert type(raised) is error
    assert advice in str(raised)
    assert "its words" in str(raised)


def test_the_wait_that_the_gateway_asks_for_is_in_the_error() -> None:
    refusal = find_refusal(response(b"", 429, retry_after="7"))
    assert refusal is not None

    assert to_error(refusal, service="x", credentials=Credentials(TOKEN)).retry_after == 7


@pytest.mark.parametrize("path", ["ivr2:/1/0501234567.wav", "ivr/1/0501234567.wav", "/1/0501234567.wav"])
def test_an_error_does_not_repeat_the_path_of_a_file(path: str) -> None:
    refusal = Refusal(Cause.MISSING_FILE, f"file {path} does not exist")
    raised = str(to_error(refusal, service="x", credentials=Credentials(TOKEN)))

    assert "0501234567" not in raised
    assert "does not exist" in raised


def test_an_error_repeats_neither_token_nor_password_nor_control_characters() -> None:
    message = f"bad {TOKEN} and word-of-the-test\n\x1b[31m" + "x" * 1_000
    raised = str(to_error(Refusal(Cause.TOKEN, message), service="x", credentials=Credentials(TOKEN)))

    assert "word-of-the-test" not in raised
    assert "bad *** and ***" in raised
    assert raised.isprintable()
    assert len(raised) < 500
