"""The rules of a server that a store shares with another application."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from yemot_ai.sessions import SessionStore
from yemot_ai_testing.conformance.rule import RuleGroup, expect_equal, expect_true
from yemot_ai_testing.conformance.stores.bench import TIMEOUT, StoreBench
from yemot_ai_testing.conformance.stores.hold_rules import LONG_LEASE, can_hold

__all__ = ["STRANGER_RULES"]

STRANGER_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("other")


async def _list(store: SessionStore, bench: StoreBench) -> set[str]:
    return {one async for one in store.call_ids() if one.endswith(bench.unique_name(""))}


@STRANGER_RULES.rule("listed", "The calls of another application on the same server are not listed")
async def _not_listed(bench: StoreBench) -> None:
    other, ours = bench.other_store(), await bench.save_new("ours")
    await other.save(bench.new_session("theirs", ended=True), ttl=60)
    expect_equal("our calls", await _list(bench.store, bench), {ours.call_id})
    expect_equal("their calls", await _list(other, bench), {bench.unique_name("theirs")})
    ended = await bench.store.ended([bench.unique_name("theirs")])
    expect_equal("our ended calls", ended, frozenset())


@STRANGER_RULES.rule("kept", "The calls of another application are neither changed nor deleted")
async def _kept(bench: StoreBench) -> None:
    other = bench.other_store()
    theirs = await other.save(bench.new_session(phone="050"), ttl=60)
    ours = await bench.save_new(phone="051")
    ours = await bench.save(replace(ours, phone="052"))
    expect_equal("their session", await other.load(theirs.call_id), theirs)
    await bench.save_new("expired", ttl=-1)
    await _list(bench.store, bench)  # a store may delete what has expired
    await bench.store.delete(ours.call_id)
    expect_equal("their session after ours was deleted", await other.load(theirs.call_id), theirs)
    await bench.save_new(phone="053")
    await other.delete(theirs.call_id)
    expect_true(await bench.store.load(ours.call_id), "our session after theirs was deleted", "it is gone")


@STRANGER_RULES.rule("keys", "A key that another application holds is free")
async def _keys(bench: StoreBench) -> None:
    async with bench.other_store().hold(bench.unique_name(), lease=LONG_LEASE):
        got = await can_hold(bench.store, bench.unique_name(), TIMEOUT)
    expect_true(got, "the key to be free for us", "it is held")
