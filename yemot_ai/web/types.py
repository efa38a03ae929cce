"""The types of WSGI, of ASGI, and of what the mounts call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from typing import Any

from yemot_ai.web.form import Form, Pairs

__all__ = ["ASGIApp", "Receive", "Scope", "Screen", "Send", "StartResponse", "WSGIApp"]

StartResponse = Callable[[str, list[tuple[str, str]]], object]
WSGIApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

Screen = Callable[[Form], Pairs | str | None]
"""Looks at a request before it is parsed; returns the pairs to handle, the response to a caller whose request
is refused, or None if it is too large and not the line's."""
