"""Who writes down what callers have recorded: the transcriber protocol and its implementations."""

from __future__ import annotations

from yemot_ai.transcription.openai import OpenAITranscriber
from yemot_ai.transcription.transcriber import Transcriber

__all__ = ["OpenAITranscriber", "Transcriber"]
