"""The suite: every rule of session stores, tried on one store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from yemot_ai_testing.conformance.rule import Breach, format_breaches
from yemot_ai_testing.conformance.stores import STORE_RULES
from yemot_ai_testing.conformance.stores.bench import StoreBench, StoreFactory, StoreRule, StoreVerdict

__all__ = ["StoreBreachError", "StoreSuite", "rule_by_id"]

MAX_WORKERS: Final = 8

RULE_TIMEOUT: Final = 40.0
"""Seconds for one rule; a store that takes longer hangs."""


class StoreBreachError(AssertionError):
    """A store does not keep the contract.

    Attributes:
        breaches: the rules it breaks, with what was expected and seen.
    """

    def __init__(self, breaches: Iterable[StoreVerdict]) -> None:
        self.breaches = tuple(breaches)
        broken = ((one.rule.id, one.rule.title, one.expected, one.actual) for one in self.breaches)
        super().__init__(format_breaches(f"the store breaks {len(self.breaches)} rules", broken))


def rule_by_id(rule_id: str) -> StoreRule:
    """The rule of this id.

    Raises:
        LookupError: there is none.
    """
    for one in STORE_RULES:
        if one.id == rule_id:
            return one
    raise LookupError(f"no rule {rule_id!r}; there are: {', '.join(one.id for one in STORE_RULES)}")


@dataclass(frozen=True, slots=True)
class StoreSuite:
    """The rules, and the store that is held to them.

    Attributes:
        make_store: opens the store; called twice for a rule, it gives two views of the same sessions, as
            two workers have them.
    """

    make_store: StoreFactory

    def run(self, rule: StoreRule | str) -> StoreVerdict:
        """Try one rule, on an event loop of its own.

        Raises:
            LookupError: there is no such rule.
        """
        rule = rule_by_id(rule) if isinstance(rule, str) else rule
        started = time.monotonic()
        try:
            asyncio.run(self._run_rule(rule))
        except Breach as breach:
            seconds = time.monotonic() - started
            return StoreVerdict(rule, "breached", breach.expected, breach.actual, seconds)
        return StoreVerdict(rule, "held", seconds=time.monotonic() - started)

    def run_all(
        self, rules: Iterable[StoreRule] = STORE_RULES, *, workers: int = MAX_WORKERS
    ) -> list[StoreVerdict]:
        """Try rules, some side by side: most of the time a trial waits for a lease or a time to live.

        Args:
            rules: which; all without.
            workers: how many run at the same time, each on an event loop of its own.
        """
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(self.run, rules))

    def check(self, *rules: StoreRule | str) -> None:
        """Hold the store to rules.

        Args:
            rules: which, or their ids; all without.

        Raises:
            StoreBreachError: it breaks one of them; all breaches are listed.
        """
        chosen = [rule_by_id(one) if isinstance(one, str) else one for one in rules] or STORE_RULES
        breaches = [verdict for verdict in self.run_all(chosen) if verdict.outcome == "breached"]
        if breaches:
            raise StoreBreachError(breaches)

    async def _run_rule(self, rule: StoreRule) -> None:
        bench = StoreBench(self.make_store)
        try:
            async with asyncio.timeout(RULE_TIMEOUT):
                await rule.check(bench)
        except TimeoutError as error:
            raise Breach(f"an end within {RULE_TIMEOUT:g} s", "the store hangs") from error
        except Breach:
            raise
        except Exception as error:  # whatever a store raises is what is wrong with it
            raise Breach("no error", f"{type(error).__name__}: {error}") from error
        finally:
            await bench.close()
