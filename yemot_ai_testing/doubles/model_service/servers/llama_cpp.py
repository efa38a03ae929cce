"""llama.cpp's ``llama-server``: its own types of errors, and thoughts in ``reasoning_content``.

``LLAMA_CPP_OLD`` sends no ``[DONE]`` (until September 2024), and the other one of its two errors for a long
conversation. ``LLAMA_CPP_PYTHON`` is the server of the package ``llama-cpp-python``.
"""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat
from yemot_ai_testing.doubles.model_service.quirks.chat import (
    calls_as_whole_chunks,
    thoughts_in_field,
    without_usage_chunk,
)
from yemot_ai_testing.doubles.model_service.quirks.streams import without_done
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerError, ServerQuirks

__all__ = ["LLAMA_CPP", "LLAMA_CPP_OLD", "LLAMA_CPP_PYTHON"]

_SERVER_PAGE: Final = "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"

_ERRORS: Final = {
    "unauthorized": ServerError(
        401,
        {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}},
        _SERVER_PAGE,
    ),
    "overloaded": ServerError(
        503,
        {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
        _SERVER_PAGE,
        retry_header=False,
    ),
    "context_overflow": ServerError(
        400,
        {
            "error": {
                "code": 400,
                "message": (
                    "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing "
                    "it"
                ),
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 4390,
                "n_ctx": 4096,
            }
        },
        "https://github.com/ggml-org/llama.cpp/pull/15780",
    ),
}

_OLD_ERRORS: Final = {
    "unauthorized": _ERRORS["unauthorized"],
    "context_overflow": ServerError(
        500,
        {"error": {"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}},
        "https://github.com/ggml-org/llama.cpp/issues/19774",
    ),
}

LLAMA_CPP: Final = ServerQuirks(
    "llama.cpp",
    (ServedAPI(chat, _ERRORS, (Quirk(thoughts_in_field("reasoning_content"), _SERVER_PAGE),)),),
)

LLAMA_CPP_OLD: Final = ServerQuirks(
    "llama.cpp-old",
    (
        ServedAPI(
            chat,
            _OLD_ERRORS,
            (
                Quirk(without_done, "https://github.com/ggml-org/llama.cpp/pull/9459"),
                Quirk(
                    calls_as_whole_chunks(index=0, has_ids=False),
                    "https://github.com/ggml-org/llama.cpp/issues/11992",
                ),
            ),
        ),
    ),
)

LLAMA_CPP_PYTHON: Final = ServerQuirks(
    "llama-cpp-python",
    (
        ServedAPI(
            chat,
            quirks=(Quirk(without_usage_chunk, "https://github.com/abetlen/llama-cpp-python/issues/1640"),),
        ),
    ),
)
