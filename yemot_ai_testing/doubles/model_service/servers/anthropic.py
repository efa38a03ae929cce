"""Anthropic's Messages, and a compatible server that writes thoughts into the text."""

from __future__ import annotations

from typing import Final

from yemot_ai_testing.doubles.model_service import messages
from yemot_ai_testing.doubles.model_service.quirks.messages import thoughts_as_block, thoughts_in_tags
from yemot_ai_testing.doubles.model_service.served import Quirk, ServedAPI, ServerQuirks

__all__ = ["ANTHROPIC", "ANTHROPIC_COMPATIBLE"]

ANTHROPIC: Final = ServerQuirks(
    "anthropic",
    (
        ServedAPI(
            messages,
            quirks=(
                Quirk(
                    thoughts_as_block, "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
                ),
            ),
        ),
    ),
)

ANTHROPIC_COMPATIBLE: Final = ServerQuirks(
    "anthropic-compatible",
    (
        ServedAPI(
            messages,
            quirks=(
                Quirk(thoughts_in_tags, "https://github.com/anthropics/anthropic-sdk-python/issues/1109"),
            ),
        ),
    ),
)
