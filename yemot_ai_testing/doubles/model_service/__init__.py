"""A model service on this machine: Responses, Chat Completions, Messages, transcription."""
