"""Ollama: keeps no responses, and says so in each of them.

Until August 2026 (``OLLAMA_OLD``) it wrote the role into each chunk, and the finish reason into the one with
the last piece.
"""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat, messages, responses
from yemot_ai_testing.doubles.model_service.quirks import responses as responses_quirks
from yemot_ai_testing.doubles.model_service.quirks.chat import (
    calls_as_whole_chunks,
    role_in_each_chunk,
    text_in_last_chunk,
    thoughts_in_field,
    thoughts_in_tags,
)
from yemot_ai_testing.doubles.model_service.quirks.messages import thoughts_as_block
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["OLLAMA", "OLLAMA_OLD"]

_RESPONSES: Final = "https://github.com/ollama/ollama/issues/15404"

_ERRORS: Final = {
    "unknown_model": ServerError(
        404,
        {
            "error": {
                "message": 'model "{model}" not found, try pulling it first',
                "type": "api_error",
                "param": None,
                "code": None,
            }
        },
        "https://github.com/netease-youdao/QAnything/issues/555",
    ),
    "overloaded": ServerError(
        503,
        {
            "error": {
                "message": "server busy, please try again.  maximum pending requests exceeded",
                "type": "api_error",
                "param": None,
                "code": None,
            }
        },
        "https://github.com/ollama/ollama/blob/main/docs/faq.md",
    ),
    "unauthorized": ServerError(
        401, {"error": "unauthorized"}, "https://github.com/continuedev/continue/issues/11404"
    ),
}

OLLAMA: Final = ServerQuirks(
    "ollama",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (
                Quirk(
                    thoughts_in_field("reasoning"),
                    "https://github.com/jeremychone/rust-genai/issues/106",
                ),
                Quirk(calls_as_whole_chunks(index=0), "https://github.com/ollama/ollama/issues/15457"),
            ),
        ),
        ServedAPI(
            responses,
            _ERRORS,
            (
                Quirk(responses_quirks.thoughts_as_item, _RESPONSES),
                Quirk(responses_quirks.echoes(store=False, previous_response_id=None), _RESPONSES),
            ),
        ),
        ServedAPI(
            messages,
            {},
            (Quirk(thoughts_as_block, "https://github.com/ollama/ollama/blob/main/docs/anthropic.md"),),
        ),
    ),
)

OLLAMA_OLD: Final = ServerQuirks(
    "ollama-old",
    (
        ServedAPI(
            chat,
            _ERRORS,
            (
                Quirk(thoughts_in_tags, "https://ollama.com/blog/thinking"),
                Quirk(
                    calls_as_whole_chunks(index=None, reason="stop"),
                    "https://github.com/ollama/ollama/issues/7881",
                ),
                Quirk(role_in_each_chunk, "https://github.com/ollama/ollama/issues/7626"),
                Quirk(text_in_last_chunk, "https://github.com/ollama/ollama/pull/17485"),
            ),
        ),
    ),
)
