"""The rules for stores find each planted fault."""

from __future__ import annotations

import pytest

from tests.sessions import faulty_holds, faulty_sessions
from tests.sessions.faulty_holds import SHARED_FAULTS, SharedServer, share_server
from tests.sessions.faulty_stores import FAULTS
from yemot_ai_testing import contract
from yemot_ai_testing.conformance.stores import bench, cancel_rules, hold_rules, lifetime_rules

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
    "a record over 65,535 bytes is cut": "session-large",
    "the length of a record is a signed number of 16 bits": "session-large",
    "a record over 1 MB is not kept": "session-huge",
    "a shorter record leaves the end of the longer one": "session-shorter",
    "the version is counted in a byte": "session-many-versions",
    "large numbers become fractions": "session-values",
    "two loads at the same time share a buffer": "session-own-answers",
    "a cancelled load leaves its answer to the next one": "session-cancelled",
    "delete takes every id that begins alike": "session-ids-begin-alike",
    "delete takes every id that ends alike": "session-ids-end-alike",
    "delete takes an id as a pattern": "session-ids-patterns",
    "delete ignores upper and lower case": "session-ids-case",
    "delete takes the file name of another call": "session-ids-internal",
    "ended() trims ids": "session-ids-separators",
    "ended() composes letters": "session-ids-unicode",
    "ended() cuts ids at a thousand characters": "session-ids-long",
    "more than 999 ended calls at once are too many": "session-ended-thousand",
    "more than 32,766 ended calls at once are too many": "session-ended-many",
    "pages with an offset: what is deleted while it is listed moves the others": (
        "session-listed-while-deleted"
    ),
    "what is saved while it is listed is not listed": "session-listed-while-saved",
    "a list that is abandoned keeps its cursor": "session-list-abandoned",
    "the end of a deleted call stays in an index": "session-reused",
    "a call whose session has expired has ended": "session-ended-expired",
    "a time to live of more than 24 days overflows": "session-long-ttl",
    "a time to live is never shortened": "session-ttl-shortened",
    "the timer of a deleted session deletes the next one": "session-reused-ttl",
    "calls from before the clock was set back are not listed": "session-clock-back",
    "a task that is cancelled after it took the key keeps it": "hold-cancelled-entering",
    "a waiter that is cancelled after it was given the key never hands it back": "hold-cancelled-waiter",
    "a holder that is cancelled while it leaves keeps the key": "hold-cancelled-leaving",
    "a cancelled waiter takes the others out of the queue": "hold-queue-cancelled",
    "a hold occupies one of a hundred connections": "hold-many-keys",
    "long keys are cut": "hold-similar-keys",
    "a lease is longer after the clock was set back": "hold-clock-back",
    "a lease ends when the clock is set forward": "hold-clock-forward",
}
"""The rule that must find each fault; others may break too."""


def test_there_is_a_rule_for_every_planted_fault() -> None:
    assert faulty_sessions.__all__
    assert faulty_holds.__all__
    assert CAUGHT_BY.keys() == FAULTS.keys()


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for 1 s for what a faulty store never does: the rule is breached in any case."""
    for module in (bench, hold_rules, cancel_rules, lifetime_rules):
        monkeypatch.setattr(module, "TIMEOUT", 1.0)


@pytest.mark.slow
@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_the_rule_for_it(fault: str) -> None:
    suite = contract.session_store(FAULTS[fault]())

    with pytest.raises(contract.ContractBreachError) as caught:
        suite.check(CAUGHT_BY[fault])
    assert [verdict.rule.id for verdict in caught.value.breaches] == [CAUGHT_BY[fault]]


@pytest.mark.slow
@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("rule", SHARED_FAULTS)
def test_a_fault_on_a_shared_server_is_found_by_its_rule_only(rule: str) -> None:
    make_store, make_other = share_server(SHARED_FAULTS[rule])

    verdicts = contract.session_store(make_store, make_other=make_other).run_all()

    assert [verdict.rule.id for verdict in verdicts if verdict.outcome == "breached"] == [rule]


@pytest.mark.slow
def test_a_healthy_store_on_a_shared_server_breaks_no_rule() -> None:
    make_store, make_other = share_server(SharedServer)

    contract.session_store(make_store, make_other=make_other).check()


def test_the_rules_of_shared_servers_do_not_apply_without_another_application() -> None:
    suite = contract.session_store(share_server(SharedServer)[0])

    assert {suite.run(rule).outcome for rule in SHARED_FAULTS} == {"not applicable"}
