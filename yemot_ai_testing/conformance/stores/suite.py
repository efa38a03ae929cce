"""The rule suite of session stores."""

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
"""Seconds for one rule; after that the store counts as hanging."""


class StoreBreachError(AssertionError):
    """A store breaks rules of the contract.

    Attributes:
        breaches: the verdicts of the broken rules, with what was expected and what happened.
    """

    def __init__(self, breaches: Iterable[StoreVerdict]) -> None:
        self.breaches = tuple(breaches)
        broken = ((one.rule.id, one.rule.title, one.expected, one.actual) for one in self.breaches)
        super().__init__(format_breaches(f"the store breaks {len(self.breaches)} rules", broken))


def rule_by_id(rule_id: str) -> StoreRule:
    """Return the rule with this id.

    Raises:
        LookupError: if there is none.
    """
    for rule in STORE_RULES:
        if rule.id == rule_id:
            return rule
    raise LookupError(f"no rule {rule_id!r}; there are: {', '.join(rule.id for rule in STORE_RULES)}")


@dataclass(frozen=True, slots=True)
class StoreSuite:
    """The rules, and the store to check.

    Attributes:
        make_store: opens the store; it is called twice for each rule, for two views of the same sessions,
            as two workers have them.
    """

    make_store: StoreFactory

    def run(self, rule: StoreRule | str) -> StoreVerdict:
        """Check one rule on a new event loop.

        Raises:
            LookupError: if there is no such rule.
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
        """Check rules in parallel: most of the time a check waits for a lease or a time to live.

        Args:
            rules: the rules; all by default.
            workers: how many run at the same time, each on a new event loop.
        """
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(self.run, rules))

    def check(self, *rules: StoreRule | str) -> None:
        """Check rules, and raise an error that lists all breaches.

        Args:
            rules: the rules or their ids; all by default.

        Raises:
            StoreBreachError: if the store breaks a rule.
        """
        selected = [rule_by_id(rule) if isinstance(rule, str) else rule for rule in rules] or STORE_RULES
        breaches = [verdict for verdict in self.run_all(selected) if verdict.outcome == "breached"]
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
        except Exception as error:  # any error of a store is a breach
            raise Breach("no error", f"{type(error).__name__}: {error}") from error
        finally:
            await bench.close()
