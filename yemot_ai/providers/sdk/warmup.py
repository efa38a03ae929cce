"""Warm up an SDK with a request that is answered from memory, before the first real one.

Measured on openai 3.54: for its first streamed answer the SDK imports modules and builds types, which
takes 0.2 s. All calls share one event loop, so the work is done in a thread.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

__all__ = ["warm_up"]

log = logging.getLogger("yemot_ai")

_EMPTY_RESPONSE: Final = b"{}"
_EMPTY_STREAM: Final = (
    b'event: message_start\ndata: {"type": "message_start"}\n\n'  # Anthropic's events need a name
    b'data: {"type": "response.created"}\n\n'
)


def warm_up(sdk: ModuleType, client: str, request: Callable[[Any], Any]) -> None:
    """Send a request through a client without a network and read the response; blocks.

    Args:
        sdk: the SDK.
        client: the name of its blocking client's class.
        request: sends a request with the client.
    """
    try:
        with getattr(sdk, client)(
            api_key="warm-up", base_url="http://warm-up.invalid", http_client=_offline_http_client(sdk)
        ) as offline:
            response = request(offline)
            if isinstance(response, getattr(sdk, "Stream")):  # noqa: B009 - mypy does not know the SDK's attributes
                for _ in response:
                    pass
    except Exception as error:  # noqa: BLE001 - a failed warm-up only costs time
        log.debug("%s could not be warmed up: %s", sdk.__name__, type(error).__name__)


def _offline_http_client(sdk: ModuleType) -> Any:  # noqa: ANN401 - a client of the SDK's HTTP library
    """Return an HTTP client for the SDK that answers from memory."""
    kind: Any = sdk.DefaultHttpxClient
    http: Any = importlib.import_module(kind.__base__.__module__.partition(".")[0])

    def answer(request: Any) -> Any:  # noqa: ANN401 - as above
        streams = b'"stream":true' in request.content.replace(b" ", b"")
        body, form = (
            (_EMPTY_STREAM, "text/event-stream") if streams else (_EMPTY_RESPONSE, "application/json")
        )
        return http.Response(200, content=body, headers={"content-type": form})

    return kind(transport=http.MockTransport(answer))
