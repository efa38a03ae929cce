"""The transcriber of OpenAI and of compatible servers: ``pip install 'yemot-ai[openai]'``.

Example::

    transcriber = OpenAITranscriber(model="gpt-transcribe", language="he")
    text = await transcriber.transcribe(audio)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from yemot_ai.providers.openai.provider import SERVICE
from yemot_ai.providers.sdk.client import ServiceClient

if TYPE_CHECKING:  # importing the SDK takes 0.6 s: it is done at the first recording
    from openai.types.audio import Transcription

__all__ = ["DEFAULT_MODEL", "OpenAITranscriber"]

DEFAULT_MODEL: Final = "gpt-transcribe"
"""The model unless ``model=`` or ``OPENAI_TRANSCRIPTION_MODEL`` is given; OpenAI has announced the end of
earlier models (``whisper-1`` and others) for 2027-02-26."""

SDK_MODULE: Final = "openai.resources.audio.transcriptions"
"""The module of the SDK for this API."""

FILE_NAME: Final = "recording.wav"
"""The suffix is the format; the line's path is not sent."""

_SERVICE: Final = replace(SERVICE, default_model=DEFAULT_MODEL, model_variable="OPENAI_TRANSCRIPTION_MODEL")


class OpenAITranscriber:
    """Transcribes through the Audio API.

    Args:
        api_key: ``OPENAI_API_KEY`` unless given; a server without keys accepts any value.
        model: ``OPENAI_TRANSCRIPTION_MODEL``, else ``DEFAULT_MODEL``, unless given.
        language: the language of the callers (ISO 639-1); None lets the model detect it.
        base_url: another server with the same API, including its ``/v1``; ``OPENAI_BASE_URL``
            unless given.
        timeout: seconds for one recording, from the first byte sent to the last one read.

    Raises:
        MissingExtraError: if the SDK is not installed.
        MissingKeyError: if there is no key.
        ConfigurationError: if the key, the model, the address or the timeout cannot be meant.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        model: str | None = None,
        language: str | None = "he",
        base_url: str | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._language = language
        self._client = ServiceClient(
            _SERVICE,
            module=SDK_MODULE,
            key=_SERVICE.resolve_key(api_key),
            model=_SERVICE.resolve_model(model),
            base_url=_SERVICE.resolve_base_url(base_url),
            timeout=timeout,
        )

    async def transcribe(self, audio: bytes) -> str:
        """Return what is said in a WAV file; "" if nothing is said.

        Raises:
            ProviderError: if there is no transcript; the subclass says why.
        """
        language = {} if self._language is None else {"language": self._language}
        return await self._client.ask(
            lambda client: client.audio.transcriptions.create(
                file=(FILE_NAME, audio, "audio/wav"), model=self._client.model, **language
            ),
            self._parse,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _parse(self, transcription: Transcription) -> str:
        refused = getattr(transcription, "error", None)
        if refused:
            raise self._client.errors.from_body({"error": refused})
        text: Any = transcription.text  # the SDK does not check the type
        if not isinstance(text, str):
            raise self._client.service.malformed_error("no text")
        return text.strip()
