"""The rule suite of session stores."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Final

from yemot_ai_testing.conformance.rule import AnyRule, Breach, NotApplicable, RuleSuite
from yemot_ai_testing.conformance.stores import STORE_RULES
from yemot_ai_testing.conformance.stores.bench import StoreBench, StoreFactory

__all__ = ["StoreSuite"]

RULE_TIMEOUT: Final = 40.0
"""Seconds for one rule; after that the store counts as hanging."""


@dataclass(frozen=True)
class StoreSuite(RuleSuite):
    """The rules, and the store to check, each rule on a new event loop.

    Most of the time a check waits for a lease or a time to live, so eight run in parallel.

    Attributes:
        make_store: opens the store; it is called twice for each rule, for two views of the same sessions,
            as two workers have them.
        make_other: opens the store of another application on the same server; without it the rules of
            shared servers do not apply.
        name: the name of the store in reports.
    """

    catalogue: ClassVar[tuple[AnyRule, ...]] = STORE_RULES
    listing: ClassVar[str] = "contract.session_store_rules()"
    max_workers: ClassVar[int] = 8

    make_store: StoreFactory
    make_other: StoreFactory | None = None
    name: str = "the store"
    version: str = ""

    def _check_rule(self, rule: AnyRule) -> None:
        asyncio.run(self._check_on_bench(rule))

    async def _check_on_bench(self, rule: AnyRule) -> None:
        bench = StoreBench(self.make_store, self.make_other)
        try:
            async with asyncio.timeout(RULE_TIMEOUT):
                await rule.check(bench)
        except TimeoutError as error:
            raise Breach(f"an end within {RULE_TIMEOUT:g} s", "the store hangs") from error
        except (Breach, NotApplicable):
            raise
        except Exception as error:  # any error of a store is a breach
            raise Breach("no error", f"{type(error).__name__}: {error}") from error
        finally:
            await bench.close()
