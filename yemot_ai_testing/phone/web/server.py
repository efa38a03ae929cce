"""The phone as a server on this machine: a page for people, and the same as JSON for programs.

Every address begins with a random token, so that no page of another site can reach it; requests with another
``Host`` than this machine are refused, because a name of another site may resolve to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yemot_ai_testing.errors import AppError, CallOverError, ToolkitError
from yemot_ai_testing.phone.call import CallBusyError
from yemot_ai_testing.phone.command import COMMANDS, parse_command
from yemot_ai_testing.phone.phone import NoSuchCallError, Phone
from yemot_ai_testing.phone.target import DEFAULT_PHONE
from yemot_ai_testing.phone.web.view_json import call_json

__all__ = ["make_phone_server"]

PAGE_FOLDER: Final = Path(__file__).with_name("page")

LONGEST_WAIT: Final = 25.0
"""Seconds that a request for news may wait."""

LOOK_INTERVAL: Final = 0.1
"""Seconds between two looks at a call that is busy."""

MAX_BODY: Final = 1_000_000
"""Bytes of a request."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

LOCAL_HOSTS: Final = ["127.0.0.1", "localhost", "[::1]"]


def make_phone_server(
    phone: Phone, token: str, *, is_ending: Callable[[], bool] = lambda: False
) -> Starlette:
    """Return the application; it closes ``phone`` when it ends.

    Args:
        phone: the calls.
        token: the first part of every path.
        is_ending: whether the server is about to end: then no request waits any more.
    """
    api = _API(phone, is_ending)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.to_thread(phone.close)

    routes = [
        Route("/api/target", _guarded(api.target)),
        Route("/api/calls", _guarded(api.calls)),
        Route("/api/calls", _guarded(api.dial), methods=["POST"]),
        Route("/api/replays", _guarded(api.replay), methods=["POST"]),
        Route("/api/calls/{number:int}", _guarded(api.call)),
        Route("/api/calls/{number:int}/commands", _guarded(api.command), methods=["POST"]),
        Route("/api/calls/{number:int}/save", _guarded(api.save), methods=["POST"]),
        Mount("/", StaticFiles(directory=PAGE_FOLDER, html=True)),
    ]
    return Starlette(  # no CORS: pages of other sites read nothing
        routes=[Mount(f"/{token}", routes=routes)],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_HOSTS),
            Middleware(_PageHeaders),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )


class _PageHeaders:
    """Adds headers that keep the page to its own server, and its token out of other pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _API:
    """The requests of the page and of programs."""

    def __init__(self, phone: Phone, is_ending: Callable[[], bool]) -> None:
        self._phone = phone
        self._is_ending = is_ending

    async def target(self, _: Request) -> dict[str, Any]:
        target = self._phone.target
        extensions = [*getattr(target.app, "routes", ()), *getattr(target.app, "agents", ())]
        commands = {verb: {"text": one.text, "purpose": one.purpose} for verb, one in COMMANDS.items()}
        return {
            "name": target.name,
            "model": "echo" if target.model is not None else "real",
            "warnings": list(target.warnings),
            "extensions": extensions,
            "phone": DEFAULT_PHONE,
            "commands": commands,
        }

    async def calls(self, _: Request) -> dict[str, Any]:
        return {"calls": [call_json(number, call) for number, call in self._phone.calls.items()]}

    async def dial(self, request: Request) -> dict[str, Any]:
        values = await _json_of(request)
        phone, extension = _text(values, "phone", DEFAULT_PHONE), _text(values, "extension", "")
        number = await asyncio.to_thread(self._phone.dial, phone, extension)
        return await self._after(request, number)

    async def replay(self, request: Request) -> dict[str, Any]:
        values = await _json_of(request)
        number = await asyncio.to_thread(self._phone.replay, _text(values, "file"))
        return await self._after(request, number)

    async def call(self, request: Request) -> dict[str, Any]:
        """Return a call; with ``wait`` after it has more rows or exchanges, or is not busy any more."""
        number = request.path_params["number"]
        call = self._phone.call(number)
        rows, exchanges = _count(request, "rows"), _count(request, "exchanges")
        deadline = asyncio.get_running_loop().time() + min(_seconds(request, "wait"), LONGEST_WAIT)
        known_busy = request.query_params.get("busy")
        while asyncio.get_running_loop().time() < deadline and not self._is_ending():
            view = call.view()
            is_news = len(view.rows) > rows or len(view.exchanges) > exchanges
            if is_news or (known_busy is not None and view.busy != (known_busy == "true")):
                break
            await asyncio.sleep(LOOK_INTERVAL)
        return call_json(number, call, rows=rows, exchanges=exchanges)

    async def command(self, request: Request) -> dict[str, Any]:
        number, values = request.path_params["number"], await _json_of(request)
        command = parse_command(_text(values, "command"))
        if command.verb == "records" and self._phone.target.model is not None:
            self._phone.target.model.records(command.text)
        await asyncio.to_thread(self._phone.call(number).send, command)
        return await self._after(request, number)

    async def save(self, request: Request) -> dict[str, Any]:
        values = await _json_of(request)
        path = await asyncio.to_thread(self._phone.save, request.path_params["number"], _text(values, "name"))
        return {"path": str(path)}

    async def _after(self, request: Request, number: int) -> dict[str, Any]:
        """Return a call, after ``wait`` seconds or when the line waits for the caller again."""
        call = self._phone.call(number)
        await asyncio.to_thread(call.wait, min(_seconds(request, "wait"), LONGEST_WAIT))
        return call_json(number, call, rows=_count(request, "rows"), exchanges=_count(request, "exchanges"))


Handler = Callable[[Request], Awaitable[dict[str, Any]]]


def _guarded(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Answer what a person or a program has done wrong with its message."""

    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await handler(request))
        except NoSuchCallError as error:
            return JSONResponse({"error": str(error)}, 404)
        except (CallBusyError, CallOverError) as error:
            return JSONResponse({"error": str(error)}, 409)
        except (AppError, ToolkitError) as error:
            return JSONResponse({"error": str(error)}, 400)
        except OSError as error:
            return JSONResponse({"error": f"the file cannot be written: {error}"}, 500)

    return answer


async def _http_error(_: Request, error: Exception) -> Response:
    status, detail = getattr(error, "status_code", 500), getattr(error, "detail", "")
    return JSONResponse({"error": detail}, status)


async def _json_of(request: Request) -> dict[str, Any]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"more than {MAX_BODY} bytes")
    with contextlib.suppress(ValueError):
        values = json.loads(body or b"{}")
        if isinstance(values, dict):
            return values
    raise HTTPException(400, "send a JSON object")


def _text(values: dict[str, Any], name: str, default: str | None = None) -> str:
    value = values.get(name, default)
    if not isinstance(value, str):
        raise HTTPException(400, f"{name} is a text")
    return value


def _count(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    if not text.isdecimal():
        raise HTTPException(400, f"{name} is a number")
    return int(text)


def _seconds(request: Request, name: str) -> float:
    return float(_count(request, name))
