"""Download and transcribe each recording of a caller exactly once.

The transcript is a separate turn in the ledger, before the turn that answers it: each recording is
downloaded and transcribed once, also when the line repeats the request or sends it to another worker.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from yemot_ai._runtime.tasks import name_task
from yemot_ai._turns.ledger import Ledger
from yemot_ai._turns.work import RunningTurn, TurnResult
from yemot_ai.errors import ConfigurationError, MissingKeyError, ProviderError
from yemot_ai.errors.unexpected import UNEXPECTED, contain
from yemot_ai.providers.provider import SupportsAclose
from yemot_ai.sessions import Turn
from yemot_ai.transcription import Transcriber
from yemot_ai.transcription.download import Download, EmptyRecordingError, Fetch, Recordings

__all__ = ["RecordingTranscriber", "check_transcriber", "make_recording_transcriber"]

log = logging.getLogger("yemot_ai")


@dataclass(frozen=True, slots=True)
class RecordingTranscriber:
    """Transcribes the recordings of callers.

    Args:
        download: downloads a recording by the path that the line has sent.
        transcriber: turns it into text.
        ledger: runs and stores the turns.
        check_limits: refuses a turn that is beyond the limits of its call or caller.
    """

    download: Download
    transcriber: Transcriber
    ledger: Ledger
    check_limits: Callable[[str, str], Awaitable[None]]

    async def transcribe(self, call_id: str, turn_id: str, path: str, *, answered_by: str) -> Turn:
        """Transcribe a recording, once per ``turn_id``; call it on the engine's loop.

        Args:
            call_id: the call.
            turn_id: the turn in the ledger whose answer is what was said ("" for nothing).
            path: where the recording is, as the line has sent it.
            answered_by: the turn that will answer it; beyond its limits nothing is transcribed.

        Raises:
            CallEndedError: if the call has hung up.
        """

        async def work(_turn: RunningTurn) -> TurnResult:
            name_task(call_id, "the transcriber")
            await self.check_limits(call_id, answered_by)
            try:
                return TurnResult(answer=await self._text_of(path))
            except ProviderError as error:
                log.warning(
                    "call %s: turn %s: the recording was not transcribed: %s", call_id, answered_by, error
                )
                raise

        return await self.ledger.run_once(call_id, Turn(turn_id, path), work)

    async def aclose(self) -> None:
        """Close the connections of the transcriber."""
        if isinstance(self.transcriber, SupportsAclose):
            await self.transcriber.aclose()

    async def _text_of(self, path: str) -> str:
        try:
            audio = await self.download(path)
        except EmptyRecordingError:
            return ""
        text = await self._call_transcriber(audio)
        if not isinstance(text, str):
            raise ProviderError(f"{self._transcriber_name} returned {type(text).__name__} instead of a text")
        return text.strip()

    async def _call_transcriber(self, audio: bytes) -> str:
        try:
            return await self.transcriber.transcribe(audio)
        except (ProviderError, TimeoutError):
            raise
        except UNEXPECTED as error:  # a bug of a transcriber must not end a call
            raise contain(error, source=self._transcriber_name) from None

    @property
    def _transcriber_name(self) -> str:
        return type(self.transcriber).__qualname__


def check_transcriber(transcriber: Transcriber) -> Transcriber:
    """Return ``transcriber``.

    Raises:
        ConfigurationError: if it is not a transcriber.
    """
    if not isinstance(transcriber, Transcriber):
        raise ConfigurationError(
            f"{transcriber!r} is not a transcriber: it needs the method transcribe(audio)"
        )
    return transcriber


def make_recording_transcriber(  # noqa: PLR0913 - called only by YemotAI
    transcriber: Transcriber | None,
    recordings: Recordings | None,
    *,
    api_key: str | None,
    run_in_thread: Callable[[Fetch, str], Awaitable[bytes]],
    ledger: Ledger,
    check_limits: Callable[[str, str], Awaitable[None]],
) -> RecordingTranscriber:
    """Return a new ``RecordingTranscriber``.

    Args:
        transcriber: turns recordings into text; ``OpenAITranscriber`` unless given.
        recordings: downloads them; ``Recordings()`` unless given.
        api_key: for OpenAI; ``OPENAI_API_KEY`` unless given.
        run_in_thread: runs a blocking function.
        ledger: runs and stores the turns.
        check_limits: refuses a turn that is beyond the limits of its call or caller.

    Raises:
        ConfigurationError: if there is no key, no SDK, or no token.
    """
    try:
        used_transcriber = transcriber or _default_transcriber(api_key)
    except MissingKeyError as error:
        error.add_note(
            "Recordings are transcribed by OpenAI unless YemotAI(transcriber=…) names another transcriber."
        )
        raise
    download = functools.partial((recordings or Recordings()).download, in_thread=run_in_thread)
    return RecordingTranscriber(download, used_transcriber, ledger, check_limits)


def _default_transcriber(api_key: str | None) -> Transcriber:
    from yemot_ai.transcription import OpenAITranscriber  # noqa: PLC0415 - few lines record

    return OpenAITranscriber(api_key=api_key)
