from __future__ import annotations

from pathlib import Path

import pytest

from yemot_ai.protocol.fields.layout import Layout
from yemot_ai.protocol.messages import MESSAGE_TYPES
from yemot_ai.protocol.payment import CreditCard
from yemot_ai.protocol.read_modes import READ_RECORD, READ_TAP, READ_VOICE
from yemot_ai.protocol.routing import Routing

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8").splitlines()


@pytest.mark.parametrize("layout", [READ_TAP, READ_VOICE, READ_RECORD, CreditCard.LAYOUT, Routing.LAYOUT])
def test_each_field_is_documented_at_its_number(layout: Layout) -> None:
    for number, name in enumerate(layout.codecs, start=1):
        rows = [row for row in PAGE if row.startswith(f"| {number} | ")]
        assert name.startswith("_") or any(f"`{name}`: {layout.titles[name]} |" in row for row in rows)


def test_each_message_type_is_documented() -> None:
    for prefix, message in MESSAGE_TYPES.items():
        assert f"| `{prefix}-` | `{message.__name__}` | {message.TITLE} |" in PAGE
