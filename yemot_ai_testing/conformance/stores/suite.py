"""The suite: every rule of session stores, tried on one store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from yemot_ai_testing.conformance.rule import Breach, told
from yemot_ai_testing.conformance.stores import RULES
from yemot_ai_testing.conformance.stores.bench import Bench, MakeStore, Rule, StoreVerdict

__all__ = ["StoreBreachError", "StoreSuite", "rule"]

AT_ONCE: Final = 8

PATIENCE: Final = 40.0
"""Seconds for one rule; a store that takes longer hangs."""


class StoreBreachError(AssertionError):
    """A store does not keep the contract.

    Attributes:
        breaches: the rules it breaks, with what was expected and seen.
    """

    def __init__(self, breaches: Iterable[StoreVerdict]) -> None:
        self.breaches = tuple(breaches)
        broken = ((one.rule.id, one.rule.title, one.expected, one.seen) for one in self.breaches)
        super().__init__(told(f"the store breaks {len(self.breaches)} rules", broken))


def rule(rule_id: str) -> Rule:
    """The rule of this id.

    Raises:
        LookupError: there is none.
    """
    for one in RULES:
        if one.id == rule_id:
            return one
    raise LookupError(f"no rule {rule_id!r}; there are: {', '.join(one.id for one in RULES)}")


@dataclass(frozen=True, slots=True)
class StoreSuite:
    """The rules, and the store that is held to them.

    Attributes:
        make_store: opens the store; called twice for a rule, it gives two views of the same sessions, as
            two workers have them.
    """

    make_store: MakeStore

    def run(self, tried: Rule | str) -> StoreVerdict:
        """Try one rule, on an event loop of its own.

        Raises:
            LookupError: there is no such rule.
        """
        tried = rule(tried) if isinstance(tried, str) else tried
        started = time.monotonic()
        try:
            asyncio.run(self._tried(tried))
        except Breach as breach:
            seconds = time.monotonic() - started
            return StoreVerdict(tried, "breached", breach.expected, breach.seen, seconds)
        return StoreVerdict(tried, "held", seconds=time.monotonic() - started)

    def results(self, rules: Iterable[Rule] = RULES, *, at_once: int = AT_ONCE) -> list[StoreVerdict]:
        """Try rules, some side by side: most of the time a trial waits for a lease or a time to live.

        Args:
            rules: which; all without.
            at_once: how many run at the same time, each on an event loop of its own.
        """
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(self.run, rules))

    def check(self, *rules: Rule | str) -> None:
        """Hold the store to rules.

        Args:
            rules: which, or their ids; all without.

        Raises:
            StoreBreachError: it breaks one of them; all breaches are listed.
        """
        chosen = [rule(one) if isinstance(one, str) else one for one in rules] or RULES
        breaches = [verdict for verdict in self.results(chosen) if verdict.outcome == "breached"]
        if breaches:
            raise StoreBreachError(breaches)

    async def _tried(self, tried: Rule) -> None:
        bench = Bench(self.make_store)
        try:
            async with asyncio.timeout(PATIENCE):
                await tried.check(bench)
        except TimeoutError as error:
            raise Breach(f"an end within {PATIENCE:g} s", "the store hangs") from error
        except Breach:
            raise
        except Exception as error:  # whatever a store raises is what is wrong with it
            raise Breach("no error", f"{type(error).__name__}: {error}") from error
        finally:
            await bench.close()
