"""Gateways in front of other services: what they change in the streams of the Responses API."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import chat, responses
from yemot_ai_testing.doubles.model_service.quirks.responses import ends_with_done_event, final_output
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerQuirks
from yemot_ai_testing.doubles.model_service.servers.openai import SESSION_LOST

__all__ = ["NEW_API", "NINE_ROUTER", "TRT_LLM"]

NEW_API: Final = ServerQuirks(
    "new-api",
    (
        ServedAPI(
            responses,
            {"session_lost": SESSION_LOST},
            (Quirk(final_output("empty"), "https://github.com/QuantumNous/new-api/issues/4362"),),
        ),
        ServedAPI(chat),
    ),
)

NINE_ROUTER: Final = ServerQuirks(
    "9router",
    (
        ServedAPI(
            responses,
            {"session_lost": SESSION_LOST},
            (Quirk(ends_with_done_event, "https://github.com/decolua/9router/pull/2142"),),
        ),
        ServedAPI(chat),
    ),
)

TRT_LLM: Final = ServerQuirks("trtllm", (ServedAPI(chat),)).ending("unclean")
"""A server that closes its streams without their end: https://github.com/npuichigo/openai_trtllm/issues/31."""
