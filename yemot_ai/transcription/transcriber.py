"""What a transcriber is: whoever turns a recording into words."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["Transcriber"]


@runtime_checkable
class Transcriber(Protocol):
    """The one method that makes an object a transcriber.

    Cancelling the task that awaits it ends it: nothing is left running. Failures are raised as
    ``yemot_ai.errors.ProviderError``. It runs on the one long-lived event loop of the process, so
    that a client can be kept; ``async aclose()``, if there is one, is called by ``YemotAI.close``.
    """

    async def transcribe(self, audio: bytes) -> str:
        """Return what is said in a recording; "" where nothing is said.

        Args:
            audio: a whole WAV file, as the line records it (8 kHz).
        """
        ...
