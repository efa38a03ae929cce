"""What a flow does when its ASGI server starts and ends."""

from __future__ import annotations

from dataclasses import dataclass

from yemot_ai._calls.runtime import Runtime
from yemot_ai.web import Lifespan

__all__ = ["ServerLifespan"]


@dataclass(frozen=True, slots=True)
class ServerLifespan(Lifespan):
    """Shuts a runtime down with the last server of its flows.

    Attributes:
        runtime: may serve several flows, each at its own server.
        drain_seconds: how long running turns get.
    """

    runtime: Runtime
    drain_seconds: float

    async def startup(self) -> None:
        """Count a server."""
        self.runtime.servers += 1

    async def shutdown(self) -> None:
        """Let the running turns end and close the connections, unless another server is there."""
        self.runtime.servers -= 1
        if self.runtime.servers <= 0:
            await self.runtime.engine.arun(self.runtime.shutdown(self.drain_seconds))
