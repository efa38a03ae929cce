"""The trial of the rules: mistakes are planted in copies of the fake, and the right rules see them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.contract.fake_faults import fault_planted
from yemot_ai_testing.codex.fake.double import FakeCodex
from yemot_ai_testing.codex.rules.app_server.bench import on_fake
from yemot_ai_testing.codex.rules.app_server.threads import RULES
from yemot_ai_testing.conformance.rule import Breach

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fault(NamedTuple):
    """A mistake: in this module, this text becomes that one, and this rule sees it."""

    module: str
    was: str
    becomes: str
    rule: str


FAULTS = {
    "answers without a handshake": Fault("", "if not self._greeted:", "if False:", "handshake-first"),
    "greets twice": Fault("", "        if self._greeted:\n", "        if False:\n", "handshake-once"),
    "answers with a number": Fault(
        "",
        'self._words.say({"id": number, "result": result})',
        'self._words.say({"id": 1, "result": result})',
        "rpc-id-echoed",
    ),
    "lets a second writer in": Fault(
        "", "if scripted or not kept.claim():", "if scripted:", "thread-second-writer"
    ),
    "deletes what a fork needs": Fault(
        "", "if _forked(self._process.home, thread_id):", "if False:", "thread-forked-stays"
    ),
    "keeps what was deleted": Fault(
        "",
        "        os.unlink(path)  # noqa: PTH108 - as above\n        self._say",
        "        self._say",
        "thread-deleted",
    ),
    "counts the last turn only": Fault("_turn", "tokens * kept.turns", "tokens", "turn-usage"),
    "begins another turn for further words": Fault(
        "", "if turn is None or not turn.stops_asking():", "if True:", "turn-busy"
    ),
    "interrupts whatever is named": Fault("", "if wanted != turn.id:", "if False:", "turn-interrupt-another"),
    "tells the end of a turn as completed": Fault(
        "_turn", '"failed", error=error', '"completed", error=error', "fails-overloaded"
    ),
    "asks whoever is never to be asked": Fault(
        "_turn", 'if what == "approval" and self._thread.policy == "never":', "if False:", "request-never"
    ),
    "asks before it waits": Fault("_turn", "for one in told[:place]:", "for one in ():", "request-waits"),
    "forgets the command that it asks about": Fault(
        "_turn", "for one in told[:place]:", "for one in told[: place - 1]:", "request-approval"
    ),
    "takes an error for a decline": Fault(
        "_turn",
        """{'refused' if 'error' in message else 'declined'}""",
        "{'declined'}",
        "request-refused",
    ),
    "takes a decline for an error": Fault(
        "_turn",
        """{'refused' if 'error' in message else 'declined'}""",
        "{'refused'}",
        "request-declined",
    ),
    "tells of another question": Fault(
        "_turn", 'requestId=message["id"]', "requestId=99", "request-resolved"
    ),
    "gives up over a refused tool": Fault(
        "_turn",
        'self._notice(one, requestId=message["id"])\n            self._go_on()',
        'self._notice(one, requestId=message["id"])\n            self._conclude("", "failed")',
        "request-tool-refused",
    ),
    "cannot be interrupted while it asks": Fault(
        "_turn",
        'self._conclude("idle", "interrupted")',
        'self._conclude("idle", "failed") if self._asked else None',
        "request-interrupted",
    ),
    "loses a piece": Fault(
        "_turn",
        "for number, piece in enumerate(pieces):",
        "for number, piece in enumerate(pieces[:2]):",
        "turn-deltas",
    ),
}


@contextmanager
def planted(fault: Fault) -> Iterator[FakeCodex]:
    fake = FakeCodex()
    try:
        fault_planted(fake, f"fake_codex_app_server{fault.module}", fault.was, fault.becomes)
        yield fake
    finally:
        fake.close()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_caught(name: str) -> None:
    fault = FAULTS[name]
    with planted(fault) as fake, on_fake(fake) as stage, pytest.raises(Breach):
        RULES[fault.rule](stage)
