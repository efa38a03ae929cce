"""``meanwhile: {posts: …}`` and ``{calls: …}``: what happens at the server while a turn runs."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlencode

from yemot_ai import Engine
from yemot_ai_testing.errors import AppError, ToolkitError
from yemot_ai_testing.line.transports.http import send_once
from yemot_ai_testing.line.transports.http_exchange import FAILURE, HTTPRequest
from yemot_ai_testing.line.transports.transport import TransportFault
from yemot_ai_testing.line.transports.urls import http_url, is_loopback, percent_encoded
from yemot_ai_testing.line.transports.wsgi_asgi import run_on_asgi_loop
from yemot_ai_testing.scenario.format.model import ServerAction
from yemot_ai_testing.scenario.play.target import import_attribute

__all__ = ["ServerActionError", "ServerActions", "await_for_app", "unsupported_reason"]

MAX_SHOWN: Final = 200
"""How many characters of the first line of an answer are shown."""

TAGS: Final = re.compile(r"<(style|script)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
"""What is no text in a page of HTML."""

POSITIONAL: Final = {
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
}


class ServerActionError(ToolkitError, AssertionError):
    """What should happen at the server did not; the message says what, and why."""


@dataclass(frozen=True, slots=True)
class ServerActions:
    """Makes functions of the server actions of one call.

    Attributes:
        app: the application or URL that the line calls.
        call_id: returns the ``ApiCallId`` of the call.
        root: a folder that is searched for modules after the current one.
        limit: seconds in which a server must answer, or an async function must return.
    """

    app: object
    call_id: Callable[[], str]
    root: Path | None = None
    limit: float = 10.0

    def prepare(self, action: ServerAction) -> Callable[[], None]:
        """Return the function that performs ``action``; it raises a ``ServerActionError`` if it fails.

        Raises:
            ServerActionError: the action cannot be performed.
        """
        url = self.app if isinstance(self.app, str) else None
        reason = unsupported_reason(action, url)
        if reason is not None:
            raise ServerActionError(f"{action}: {reason}")
        if url is not None:
            return lambda: _send(action, http_url(url), self.limit)
        try:
            function = import_attribute(action.target, self.root)
        except AppError as error:
            raise ServerActionError(f"{action}: {error}") from error
        if not callable(function):
            raise ServerActionError(f"{action}: {function!r} cannot be called")
        return lambda: self._call(action, function)

    def _call(self, action: ServerAction, function: Callable[..., object]) -> None:
        try:
            result = function(*([self.call_id()] if _takes_call_id(function) else []))
            if inspect.isawaitable(result):
                await_for_app(result, self.app, self.limit)
        except TimeoutError as error:
            raise ServerActionError(f"{action} did not return within {self.limit:g} s") from error
        except (Exception, SystemExit) as error:
            raise ServerActionError(f"{action} raised {type(error).__name__}: {error}") from error
        if isinstance(result, Generator | AsyncGenerator):
            kind = "a generator" if isinstance(result, Generator) else "an async generator"
            raise ServerActionError(f"{action} returned {kind}, of which nothing has run: leave out yield")


def await_for_app(awaitable: Awaitable[object], app: object, limit: float) -> object:
    """Return the result of ``awaitable``, awaited on the event loop of the application.

    Args:
        awaitable: what is awaited.
        app: the application.
        limit: seconds that it may take.

    Raises:
        TimeoutError: it took longer.
    """
    limited = asyncio.wait_for(awaitable, limit)
    engine = getattr(getattr(app, "ai", None), "engine", None)
    if isinstance(engine, Engine):
        return engine.run(limited)
    results: list[object] = []

    async def run() -> str:
        results.append(await limited)
        return ""

    fault = run_on_asgi_loop(run, 2 * limit).fault
    if fault is not None and fault.cause is not None:
        raise fault.cause
    return results[0] if results else None


def unsupported_reason(action: ServerAction, url: str | None) -> str | None:
    """Return why ``action`` cannot be performed; None if it can.

    Args:
        action: the action.
        url: the URL that the line calls; None for an application in this process.
    """
    if url is None:
        example = f'meanwhile: {{calls: "shop.room:open"}}, not {action}'
        return (
            f"an application in this process has no address; call a function: {example}"
            if action.is_request
            else None
        )
    if not action.is_request:
        return "a function does not reach a server; write a path of it, such as /open"
    if not is_loopback(http_url(url).hostname or ""):
        return f"{url} is not on this machine: only servers on this machine are acted upon"
    return None


def _takes_call_id(function: Callable[..., object]) -> bool:
    return any(one.kind in POSITIONAL for one in inspect.signature(function).parameters.values())


def _send(action: ServerAction, url: SplitResult, limit: float) -> None:
    method, body = ("POST", urlencode(action.data).encode()) if action.verb == "posts" else ("GET", b"")
    target = f"{url.scheme}://{url.netloc}{percent_encoded(action.target)}"
    reply = send_once(HTTPRequest(method, target, body), timeout=limit)
    if isinstance(reply, TransportFault):
        late = f"the server did not answer within {limit:g} s"
        raise ServerActionError(f"{action}: {late if reply.code == 'late' else reply.text}")
    if reply.status is not None and reply.status in FAILURE:
        lines = map(str.strip, TAGS.sub("", reply.body.decode(errors="replace")).splitlines())
        line = next(filter(None, lines), "")[:MAX_SHOWN]
        answer = f": {line}" if line else ""
        raise ServerActionError(f"{action}: the server answered with HTTP status {reply.status}{answer}")
