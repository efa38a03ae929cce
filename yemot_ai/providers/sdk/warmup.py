"""A rehearsal: a question to an SDK that is answered from memory, before the first real one.

Measured on openai 3.54: on its first answer that comes in pieces the SDK imports what that needs and
builds its types, 0.2 s of work that no later answer has. All calls share one event loop, so it is
done where nobody waits for it.
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
    b'event: message_start\ndata: {"type": "message_start"}\n\n'  # Anthropic leaves out what has no name
    b'data: {"type": "response.created"}\n\n'
)


def warm_up(sdk: ModuleType, client: str, request: Callable[[Any], Any]) -> None:
    """Ask a client that has no network, and read what it hears; blocks, and sends nothing.

    Args:
        sdk: the SDK.
        client: the name of its client's class, which blocks.
        request: asks by it.
    """
    try:
        with getattr(sdk, client)(
            api_key="rehearsal", base_url="http://rehearsal.invalid", http_client=_offline_http_client(sdk)
        ) as rehearsing:
            answer = request(rehearsing)
            if isinstance(answer, getattr(sdk, "Stream")):  # noqa: B009 - the type of a module is not known
                for _ in answer:
                    pass
    except Exception as error:  # noqa: BLE001 - what comes of it is of no account: it only saves time
        log.debug("%s could not be rehearsed: %s", sdk.__name__, type(error).__name__)


def _offline_http_client(sdk: ModuleType) -> Any:  # noqa: ANN401 - a client of whichever library the SDK uses
    """Make a client of the library below the SDK that answers by itself."""
    kind: Any = sdk.DefaultHttpxClient
    http: Any = importlib.import_module(kind.__base__.__module__.partition(".")[0])

    def answer(request: Any) -> Any:  # noqa: ANN401 - as above
        streams = b'"stream":true' in request.content.replace(b" ", b"")
        body, form = (
            (_EMPTY_STREAM, "text/event-stream") if streams else (_EMPTY_RESPONSE, "application/json")
        )
        return http.Response(200, content=body, headers={"content-type": form})

    return kind(transport=http.MockTransport(answer))
