"""A model service on the loopback: Responses, Chat Completions, Messages, transcription."""
