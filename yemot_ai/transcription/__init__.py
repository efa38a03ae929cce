"""Turn recordings of callers into text: the transcriber protocol, OpenAI's, and the download."""

from __future__ import annotations

from yemot_ai.transcription.download import EmptyRecordingError, RecordingNotReadyError, Recordings
from yemot_ai.transcription.openai import OpenAITranscriber
from yemot_ai.transcription.transcriber import Transcriber

__all__ = [
    "EmptyRecordingError",
    "OpenAITranscriber",
    "RecordingNotReadyError",
    "Recordings",
    "Transcriber",
]
