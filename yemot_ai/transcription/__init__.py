"""Turn recordings of callers into text: the transcriber protocol, OpenAI's, and the download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yemot_ai.lazy_names import lazy_names
from yemot_ai.transcription.download import EmptyRecordingError, RecordingNotReadyError, Recordings
from yemot_ai.transcription.transcriber import Transcriber

if TYPE_CHECKING:
    from yemot_ai.transcription.openai import OpenAITranscriber
else:
    __getattr__ = lazy_names(__name__, {"OpenAITranscriber": ".openai"})

__all__ = [
    "EmptyRecordingError",
    "OpenAITranscriber",
    "RecordingNotReadyError",
    "Recordings",
    "Transcriber",
]
