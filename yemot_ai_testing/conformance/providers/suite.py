"""The rule suite of providers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

from yemot_ai.errors import ProviderError
from yemot_ai.providers import AnyProvider
from yemot_ai_testing.conformance.providers import PROVIDER_RULES
from yemot_ai_testing.conformance.providers.backend import ModelBackend
from yemot_ai_testing.conformance.providers.bench import ProviderBench
from yemot_ai_testing.conformance.rule import AnyRule, Breach, NotRun, RuleSuite

__all__ = ["OpenedBackend", "ProviderSuite"]

MAX_BLOCKED: Final = 4.0
"""Seconds without a step of the event loop, after which the provider counts as blocking it."""

RULE_TIMEOUT: Final = 60.0
"""Seconds for one rule."""

OpenedBackend: TypeAlias = "tuple[ModelBackend | None, Callable[[], AnyProvider]]"
"""A backend, and the function that returns a provider over it."""

_one_rule_at_a_time = threading.Lock()
"""Leftovers are counted in the whole process, and a fake Codex changes its ``PATH``."""


@dataclass(frozen=True)
class ProviderSuite(RuleSuite):
    """The rules, and the provider to check: each rule on a new event loop, with a new backend.

    Attributes:
        open_backend: opens a backend for one rule.
        name: the name of the provider in reports.
        deadline: seconds after which the provider gives up; None if it is not known.
    """

    catalogue: ClassVar[tuple[AnyRule, ...]] = PROVIDER_RULES
    listing: ClassVar[str] = "contract.provider_rules()"
    max_workers: ClassVar[int] = 1

    open_backend: Callable[[], AbstractContextManager[OpenedBackend]]
    name: str = "the provider"
    deadline: float | None = None
    version: str = ""

    def _check_rule(self, rule: AnyRule) -> None:
        with _one_rule_at_a_time:
            with self.open_backend() as (backend, make_provider):
                run = _LoopThread(lambda: _check_on_bench(rule, make_provider, backend, self.deadline))
                in_time = run.wait()
            # Closing the backend has disconnected what blocks the loop.
            run.join()
            if not in_time:
                raise Breach("an event loop that runs", f"it was blocked for {MAX_BLOCKED:g} s")
            if run.error is not None:
                raise run.error


async def _check_on_bench(
    rule: AnyRule,
    make_provider: Callable[[], AnyProvider],
    backend: ModelBackend | None,
    deadline: float | None,
) -> None:
    try:
        bench = ProviderBench(make_provider, backend, deadline)
        try:
            async with asyncio.timeout(RULE_TIMEOUT):
                await rule.check(bench)
        finally:
            await bench.close()
    except ProviderError as error:
        raise Breach("an answer", f"{type(error).__name__}: {error}") from error
    except NotImplementedError as error:  # of the backend: those of the provider are breaches
        raise NotRun(f"the backend cannot do this: {error}") from error
    except TimeoutError as error:
        raise Breach(f"an end within {RULE_TIMEOUT:g} s", "the provider hangs") from error


class _LoopThread:
    """An event loop in a new thread, which a provider may block.

    Attributes:
        error: what the check raised; None if the rule holds.
    """

    def __init__(self, check: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.error: Exception | None = Breach("an event loop that runs", "it was stopped")
        self._check = check
        self._last_step = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="provider-rule", daemon=True)
        self._thread.start()

    def wait(self) -> bool:
        """Wait for the end of the check; return False if the loop is blocked."""
        while not self._done.wait(0.05):
            if time.monotonic() - self._last_step > MAX_BLOCKED:
                return False
        return True

    def join(self) -> None:
        """Wait for the end of the thread, unless it stays blocked."""
        self._thread.join(MAX_BLOCKED)

    def _run(self) -> None:
        try:
            asyncio.run(self._run_watched())
        except (SystemExit, KeyboardInterrupt) as error:  # they leave the loop at once
            self.error = Breach("no error", repr(error))

    async def _run_watched(self) -> None:
        steps = asyncio.create_task(self._count_steps())
        try:
            await self._check()
            self.error = None
        except Exception as error:  # noqa: BLE001 - it is raised again in the thread of the suite
            self.error = error
        finally:
            steps.cancel()
            self._done.set()

    async def _count_steps(self) -> None:
        while True:
            self._last_step = time.monotonic()
            await asyncio.sleep(0.02)
