"""The transcriber protocol: turns a recording into text."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["Transcriber"]


@runtime_checkable
class Transcriber(Protocol):
    """Turns recordings into text.

    A cancelled ``transcribe`` must stop and leave nothing running. Failures are raised as
    ``yemot_ai.errors.ProviderError``. It runs on the engine's loop, which lives as long as the process, so
    a client can be reused; ``YemotAI.close`` calls ``async aclose()``, if there is one.
    """

    async def transcribe(self, audio: bytes) -> str:
        """Return what is said in a recording; "" if nothing is said.

        Args:
            audio: a complete WAV file, as the line records it (8 kHz).
        """
        ...
