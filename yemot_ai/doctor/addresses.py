"""The URL of a flow, called as the line calls it."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from yemot_ai.doctor.finding import Finding, error, ok, warning
from yemot_ai.doctor.line_request import SECONDS, LineAnswer, LineCall, new_call_id, send
from yemot_ai.errors import ConfigurationError
from yemot_ai.ext_ini import url_warnings
from yemot_ai.flow import AccessPolicy, AIFlow
from yemot_ai.protocol import Play, Request, Response
from yemot_ai.protocol.lint import lint

__all__ = ["check_address"]

CHECK: Final = "url"

SLOW_SECONDS: Final = 3.0
"""The caller hears nothing, or music, in this time."""

CERTIFICATE_DAYS: Final = 14

SHOWN_CHARACTERS: Final = 60

_RUNS: Final = "is the server running, and does it listen on this address? yemot-ai serve … --host 0.0.0.0"

_FAILURES: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (
        ssl.SSLCertVerificationError,
        "the certificate of {host} is refused: {failure.verify_message}",
        "renew the certificate, or let the server send the whole chain",
    ),
    (ssl.SSLError, "no TLS at {host}: {failure.reason}", "is this the port of https?"),
    (TimeoutError, f"no answer in {SECONDS:g} s", "callers hear M1607; answer at once, and poll"),
    (socket.gaierror, "{host} is not known: {failure.strerror}", "check the name of the host"),
    (ConnectionRefusedError, "{host} refuses the connection", _RUNS),
    (Exception, "no answer: {kind}: {failure}", _RUNS),
)
"""By the kind of the failure, the special ones first: what it means, and what to do."""


def check_address(url: str, flow: AIFlow | None) -> Iterator[Finding]:
    """Call the URL by GET and by POST, with the secret and without, and hang up each call.

    Args:
        url: what is or will be ``api_link``; it may have a query.
        flow: what is served there, for its secret and its extensions; None if it is not known.
    """
    try:
        notes = url_warnings(url)
    except ConfigurationError as failure:
        yield error(CHECK, str(failure))
        return
    yield from (warning(CHECK, note) for note in notes)
    access = AccessPolicy() if flow is None else flow.access
    constants = () if access.secret is None else ((access.secret_name, access.secret),)
    in_path = access.secret is None or access.has_secret(Request(()), urlsplit(url).path)
    caller, refusal = LineCall(_extension(flow), phone=_phone(access)), _refusal(flow)
    for method in ("GET", "POST"):
        answer = _call(url, method, replace(caller, constants=constants, call_id=new_call_id()))
        if isinstance(answer, Finding):
            yield answer
            return  # nothing else will come through
        yield from _judge(method, answer, refusal)
        if answer.status == HTTPStatus.OK and not in_path and not _is_refused(answer, refusal):
            stranger = _call(url, method, replace(caller, call_id=new_call_id()))
            yield _judge_stranger(method, stranger, refusal)


def _extension(flow: AIFlow | None) -> str:
    """Return where the caller is: the root, or the first extension of a flow without a root."""
    names = sorted({*flow.routes, *flow.agents}) if flow else []
    return names[0] if names else ""


def _phone(access: AccessPolicy) -> str:
    """Return a number that may call."""
    return min(access.allow, default="") if access.allow else LineCall("").phone


def _refusal(flow: AIFlow | None) -> str:
    """Return what a caller who is refused hears, as it is in the response; "" if it is not known."""
    return str(Response((Play(flow.dialog.to_messages(flow.dialog.access_denied)),))) if flow else ""


def _call(url: str, method: str, call: LineCall) -> LineAnswer | Finding:
    """Return the answer, or why there is none; hang up, so that the server keeps nothing of the call."""
    answer = _try(url, method, call)
    if isinstance(answer, LineAnswer) and answer.status == HTTPStatus.OK:
        _try(url, method, call, hangup=True)
    return answer


def _try(url: str, method: str, call: LineCall, *, hangup: bool = False) -> LineAnswer | Finding:
    try:
        return send(url, method, call, hangup=hangup)
    except (OSError, http.client.HTTPException) as failure:
        return _explain(f"{CHECK} {method}", urlsplit(url).hostname or "", failure)


def _explain(check: str, host: str, failure: Exception) -> Finding:
    message, remedy = next(texts for kind, *texts in _FAILURES if isinstance(failure, kind))
    return error(check, message.format(host=host, failure=failure, kind=type(failure).__name__), remedy)


def _judge(method: str, answer: LineAnswer, refusal: str) -> Iterator[Finding]:
    check = f"{CHECK} {method}"
    if answer.certificate_end is not None:
        yield from _judge_certificate(answer.certificate_end)
    if answer.location:
        remedy = "write that URL into api_link: whether a line follows is not confirmed [?]"
        yield error(check, f"status {answer.status}: a redirect to {answer.location}", remedy)
    elif answer.status != HTTPStatus.OK:
        remedy = f"is the path right, and does it take {method}? the line plays M1607"
        yield error(check, f"status {answer.status}", remedy)
    elif _is_refused(answer, refusal):
        yield error(check, "the call is refused", "is it another flow, or another secret? See its log")
    else:
        yield from _judge_response(check, answer)


def _judge_certificate(end: datetime) -> Iterator[Finding]:
    days = (end - datetime.now(UTC)).days
    if days < CERTIFICATE_DAYS:
        yield warning(f"{CHECK} certificate", f"it expires in {days} days", "renew it")


def _judge_response(check: str, answer: LineAnswer) -> Iterator[Finding]:
    try:
        text = answer.body.decode("utf-8")
    except UnicodeDecodeError:
        yield error(check, "the answer is not UTF-8", "encode it as UTF-8")
        return
    problems = lint(text)
    for problem in problems:
        yield Finding(f"{check} answer", problem.level, f"{problem.message} {problem.source}")
    if answer.content_type.partition(";")[0].strip().lower() != "text/plain":
        what = answer.content_type or "no Content-Type"
        yield warning(
            check, f"{what}: the line wants plain text [OFF]", "Content-Type: text/plain; charset=utf-8"
        )
    if answer.seconds > SLOW_SECONDS:
        yield warning(
            check, f"an answer after {answer.seconds:.1f} s", "callers wait as long; answer, and poll"
        )
    if all(problem.level != "error" for problem in problems):
        shown = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
        yield ok(check, f"200 in {answer.seconds:.2f} s: {shown}")


def _judge_stranger(method: str, answer: LineAnswer | Finding, refusal: str) -> Finding:
    check = f"{CHECK} {method} secret"
    if isinstance(answer, Finding) or answer.status != HTTPStatus.OK or _is_refused(answer, refusal):
        return ok(check, "a call without the secret is refused")
    return error(check, "a call without the secret is answered", "is another flow served here, without it?")


def _is_refused(answer: LineAnswer, refusal: str) -> bool:
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return True
    return bool(refusal) and refusal in answer.body.decode("utf-8", "replace")
