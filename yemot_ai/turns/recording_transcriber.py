"""Hearing: from the path of a recording to its words, exactly once.

What a recording says is a turn of its own in the ledger, before the one that answers it: however
often the line repeats itself, and whichever worker it asks, each recording is downloaded and
transcribed once.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from yemot_ai.errors import ConfigurationError, MissingKeyError, ProviderError
from yemot_ai.errors.unexpected import UNEXPECTED, contain
from yemot_ai.providers.provider import Closing
from yemot_ai.sessions import Turn
from yemot_ai.transcription import OpenAITranscriber, Transcriber
from yemot_ai.transcription.download import Download, EmptyRecordingError, Fetch, Recordings
from yemot_ai.turns.ledger import Ledger
from yemot_ai.turns.stream import Telling
from yemot_ai.turns.work import Worked

__all__ = ["Hearing", "check_transcriber", "hearing_of"]

log = logging.getLogger("yemot_ai")


@dataclass(frozen=True, slots=True)
class Hearing:
    """Finds out what callers have recorded.

    Args:
        download: fetches a recording by the path that the line has sent.
        transcriber: turns it into words.
        ledger: where it is written down.
        check: refuses a turn for which a call or its caller has had too much already.
    """

    download: Download
    transcriber: Transcriber
    ledger: Ledger
    check: Callable[[str, str], Awaitable[None]]

    async def hear(self, call_id: str, turn_id: str, path: str, *, answered_by: str) -> Turn:
        """Transcribe a recording, once per ``turn_id``; call it on the engine's loop.

        Args:
            call_id: the call.
            turn_id: the turn in the ledger whose answer is what was said ("" for nothing).
            path: where the recording is, as the line has sent it.
            answered_by: the turn that will answer it: beyond the limits nothing is spent on it.

        Raises:
            CallEndedError: the call has hung up.
        """

        async def work(_telling: Telling) -> Worked:
            await self.check(call_id, answered_by)
            try:
                return Worked(answer=await self._words(path))
            except ProviderError as error:
                log.warning("call %s: turn %s: the recording is not heard: %s", call_id, answered_by, error)
                raise

        return await self.ledger.once(call_id, Turn(turn_id, path), work)

    async def aclose(self) -> None:
        """Let go of the connections of the transcriber."""
        if isinstance(self.transcriber, Closing):
            await self.transcriber.aclose()

    async def _words(self, path: str) -> str:
        try:
            audio = await self.download(path)
        except EmptyRecordingError:
            return ""
        words = await self._transcribed(audio)
        if not isinstance(words, str):
            raise ProviderError(f"{self._name} returned {type(words).__name__} instead of a text")
        return words.strip()

    async def _transcribed(self, audio: bytes) -> str:
        try:
            return await self.transcriber.transcribe(audio)
        except (ProviderError, TimeoutError):
            raise
        except UNEXPECTED as error:  # a transcriber's own bug must not end a call
            raise contain(error, source=self._name) from None

    @property
    def _name(self) -> str:
        return type(self.transcriber).__qualname__


def check_transcriber(transcriber: Transcriber) -> Transcriber:
    """Return ``transcriber``.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(transcriber, Transcriber):
        raise ConfigurationError(f"{transcriber!r} is no transcriber: it needs transcribe(audio)")
    return transcriber


def hearing_of(  # noqa: PLR0913 - made in one place, by YemotAI
    transcriber: Transcriber | None,
    recordings: Recordings | None,
    *,
    api_key: str | None,
    in_thread: Callable[[Fetch, str], Awaitable[bytes]],
    ledger: Ledger,
    check: Callable[[str, str], Awaitable[None]],
) -> Hearing:
    """Make what hears recordings.

    Args:
        transcriber: who transcribes them; OpenAI unless given.
        recordings: fetches them; ``Recordings()`` unless given.
        api_key: for OpenAI; ``OPENAI_API_KEY`` unless given.
        in_thread: runs what blocks.
        ledger: where it is written down.
        check: refuses a turn for which a call or its caller has had too much already.

    Raises:
        ConfigurationError: there is no key, no SDK, or no token.
    """
    try:
        ear = transcriber or OpenAITranscriber(api_key=api_key)
    except MissingKeyError as error:
        error.add_note("Recordings are transcribed by OpenAI unless YemotAI(transcriber=…) says otherwise.")
        raise
    download = functools.partial((recordings or Recordings()).download, in_thread=in_thread)
    return Hearing(download, ear, ledger, check)
