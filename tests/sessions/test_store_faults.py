"""The rules for stores find each planted fault."""

from __future__ import annotations

import pytest

from tests.sessions.faulty_stores import FAULTS
from yemot_ai_testing import contract
from yemot_ai_testing.conformance.stores import bench, hold_rules

CAUGHT_BY = {
    "lost update: the last writer wins": "session-lost-update",
    "a new session replaces an old one": "session-new-over-old",
    "compare and set are two steps": "session-together",
    "no time to live: nothing ever expires": "session-expires",
    "time to live counts from the first save": "session-lives-on",
    "time to live in whole minutes, rounded down": "session-lives",
    "expired sessions are still listed": "session-listed",
    "ended sessions are not listed": "session-listed",
    "idle= is ignored": "session-idle",
    "only a page of the calls is listed": "session-many-listed",
    "mixed-up keys: upper and lower case are the same": "session-odd-ids",
    "mixed-up keys: long ids are cut": "session-odd-ids",
    "a field is lost": "session-whole",
    "lone surrogates become question marks": "session-whole",
    "the version does not change": "session-counted",
    "a conflict is swallowed": "session-lost-update",
    "deleting marks, and the mark is in the way of a new session": "session-deleted",
    "deleting what is not there is an error": "session-deleted-twice",
    "ended() returns every call": "session-ended",
    "a hold does not exclude": "hold-excludes",
    "a hold excludes other loops only, not other tasks": "hold-outlived",
    "one key for all": "hold-apart",
    "a hold is never released after an error": "hold-released-after-error",
    "a hold is not renewed: a long turn loses it": "hold-renewed",
    "a lease never runs out: a dead worker blocks its call for ever": "hold-dead",
    "a lease runs out at once": "hold-not-before",
    "a writer outlives its lease and is not stopped": "hold-outlived",
    "a late release takes the key from the next holder": "hold-not-anothers",
    "a held key is listed as a call": "hold-no-session",
    "says that it is immediate, and waits": "session-immediate",
    "stale read: a view answers from its own cache": "session-stale-read",
    "two views do not share anything": "session-saved",
    "works on one event loop only": "session-any-loop",
}
"""The rule that must find each fault; others may break too."""


def test_there_is_a_rule_for_every_planted_fault() -> None:
    assert CAUGHT_BY.keys() == FAULTS.keys()


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for 1 s for what a faulty store never does: the rule is breached in any case."""
    monkeypatch.setattr(bench, "TIMEOUT", 1.0)
    monkeypatch.setattr(hold_rules, "TIMEOUT", 1.0)


@pytest.mark.slow
@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_the_rule_for_it(fault: str) -> None:
    suite = contract.session_store(FAULTS[fault]())

    with pytest.raises(contract.ContractBreachError) as caught:
        suite.check(CAUGHT_BY[fault])
    assert [verdict.rule.id for verdict in caught.value.breaches] == [CAUGHT_BY[fault]]
