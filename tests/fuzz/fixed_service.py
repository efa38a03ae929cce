"""A model service that answers with any bytes, and a provider that calls it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from tests.support.fixed_response_server import FixedResponseServer
from yemot_ai._runtime.engine import Engine
from yemot_ai.providers import JSON, AnthropicProvider, OpenAIProvider, Reply

__all__ = ["WAYS", "FixedService", "fixed_service"]

KEY = "word-of-the-test"
WAYS: Any = {"kept": "responses", "stored": "responses", "chat": "chat", "messages": "messages"}
"""The API of each way to hold a conversation."""


class FixedService:
    """A provider, and the server that it calls.

    Args:
        server: the server.
        way: one of ``WAYS``.
    """

    def __init__(self, server: FixedResponseServer, way: str) -> None:
        self.way, self.api = way, WAYS[way]
        self.server = server
        self.provider: Any
        if self.api == "messages":
            self.provider = AnthropicProvider(api_key=KEY, model="m", base_url=server.url)
        else:
            store = way == "stored"
            self.provider = OpenAIProvider(
                api_key=KEY, model="m", base_url=f"{server.url}/v1", api=self.api, store=store
            )

    def ask(self, *, session: JSON = None, stream: bool = False) -> tuple[list[str], Reply]:
        """Return the pieces and the reply of the provider."""
        return Engine.shared().run(self._ask(session, stream=stream))

    async def _ask(self, session: JSON, *, stream: bool) -> tuple[list[str], Reply]:
        pieces: list[str] = []
        async with aclosing(self.provider.ask("יש?", session=session, stream=stream)) as parts:
            async for part in parts:
                if isinstance(part, Reply):
                    return pieces, part
                assert isinstance(part, str)
                pieces.append(part)
        raise AssertionError("the answer ended with neither a reply nor an error")


@contextmanager
def fixed_service(way: str) -> Iterator[FixedService]:
    """Serve, and close the provider at the end."""
    with FixedResponseServer(b"") as server, collecting_on_loop():
        service = FixedService(server, way)
        yield service
        Engine.shared().run(service.provider.aclose())


@contextmanager
def collecting_on_loop() -> Iterator[None]:
    """Collect the SDKs' unfinished generators on the loop only.

    They are nested: if they are collected in another thread, some are closed on the loop while others are
    still being collected.
    """

    async def collect() -> None:
        gc.collect()

    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        Engine.shared().run(collect())
        gc.enable()
