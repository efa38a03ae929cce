"""What the author of a provider sees of its suite."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from yemot_ai.errors import OverloadedError, ProviderError
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing import ModelServer, contract
from yemot_ai_testing.conformance.providers import bench
from yemot_ai_testing.contract import ContractBreachError, Received, RulesNotRunWarning

RULES = contract.provider_rules()


class Parrot:
    """A provider that answers by itself."""

    name = "parrot"

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return Reply(f"אמרת {prompt}", session=1)

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return Reply(f"ושוב {prompt}", session=session)


class ParrotWithObject(Parrot):
    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return Reply(prompt, session=object())  # type: ignore[arg-type]  # the fault


class QueueBackend:
    """A model in this process, with the four methods of a backend only."""

    def __init__(self) -> None:
        self.steps: list[Callable[[], str]] = []
        self.calls: list[Received] = []

    def answers(self, text: str) -> None:
        self.steps.append(lambda: text)

    def refuses(self, kind: str) -> None:
        if kind != "overloaded":
            raise ValueError(f"no failure {kind!r}")
        self.steps.append(self._overloaded)

    def hangs(self) -> None:
        self.steps.append(lambda: "")

    def received(self) -> Sequence[Received]:
        return self.calls

    async def ask(self, prompt: str) -> str:
        self.calls.append(Received(prompt, context=prompt))
        return self.steps.pop(0)() or await asyncio.Event().wait()  # type: ignore[return-value]  # it never ends

    @staticmethod
    def _overloaded() -> str:
        raise OverloadedError("the queue is full", provider="queue")


class QueueProvider(Parrot):
    def __init__(self, backend: QueueBackend) -> None:
        self.backend = backend

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return Reply(await self.backend.ask(prompt), session=None)


def test_each_rule_has_an_id_a_sentence_and_a_way_out() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 60
    assert len({rule.title for rule in RULES}) == len(RULES)
    assert [rule.id for rule in RULES if not rule.fix or not rule.title] == []


def test_rules_that_need_a_model_are_named_in_a_warning_without_one() -> None:
    suite = contract.provider(Parrot, name="the parrot")

    with pytest.warns(
        RulesNotRunWarning, match="2 rules were not run on the parrot: .*give backend="
    ) as caught:
        suite.check("answer-reply", "answer-whole", "prompt-option")
    assert "(answer-whole, prompt-option)" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_a_rule_without_a_model_is_not_reported_as_held() -> None:
    verdict = contract.provider(Parrot).run("answer-whole")

    assert verdict.outcome == "not run"
    assert verdict.reason == "no model can be scripted: give backend="


def test_a_breach_says_what_to_change_in_the_provider() -> None:
    with pytest.raises(ContractBreachError) as caught:
        contract.provider(ParrotWithObject, name="the parrot").check("session-json")
    lines = str(caught.value).splitlines()
    assert lines[0] == "the parrot breaks 1 rules"
    assert lines[2].startswith("    expected a JSON value")
    assert lines[-1].startswith("    fix      return texts, numbers, lists and dicts")


def test_rules_that_depend_on_a_broken_one_are_not_run() -> None:
    suite = contract.provider(ParrotWithObject)

    assert suite.run("session-calls").reason == "the session is no JSON value: see session-json"


def test_an_object_that_is_no_provider_is_a_breach() -> None:
    verdict = contract.provider(object).run("answer-reply")  # type: ignore[arg-type]  # no provider

    assert (verdict.outcome, verdict.expected) == ("breached", "a provider")
    assert "start_session()" in verdict.actual


def test_an_error_of_make_provider_is_not_hidden() -> None:
    def make() -> Parrot:
        raise RuntimeError("no model file")

    with pytest.raises(RuntimeError, match="no model file"):
        contract.provider(make).run("answer-reply")


def test_four_methods_make_a_backend() -> None:
    suite = contract.provider(QueueProvider, backend=QueueBackend)

    suite.check("answer-whole", "prompt-option", "failure-overloaded", "work-parallel", "work-cancelled")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("work-stopped", "the backend has no running()"),
        ("failure-empty", "the backend has no answers_nothing()"),
        ("work-own-answers", "the backend has no hold(), release()"),
        (
            "failure-quota-exceeded",
            "the backend cannot fail with quota_exceeded: no failure 'quota_exceeded'",
        ),
        ("failure-deadline", "the deadline of the provider is not known: give deadline="),
    ],
)
def test_a_rule_that_needs_more_than_it_was_given_says_what(rule: str, reason: str) -> None:
    verdict = contract.provider(QueueProvider, backend=QueueBackend).run(rule)

    assert (verdict.outcome, verdict.reason) == ("not run", reason)


@pytest.mark.parametrize("rule", ["stream-joined", "session-continued", "session-end", "close-twice"])
def test_a_rule_about_what_a_provider_does_not_have_does_not_apply(rule: str) -> None:
    verdict = contract.provider(QueueProvider, backend=QueueBackend).run(rule)

    assert verdict.outcome == "not applicable"


def test_a_backend_without_its_methods_is_refused() -> None:
    suite = contract.provider(lambda backend: Parrot(), backend=object)

    with pytest.raises(
        TypeError, match=r"object is no backend: it has no answers\(\), refuses\(\), hangs\(\), rec"
    ):
        suite.run("answer-reply")


def test_a_backend_may_lack_what_its_methods_promise() -> None:
    class NeverHangs(QueueBackend):
        def hangs(self) -> None:
            raise NotImplementedError("this model always answers")

    verdict = contract.provider(QueueProvider, backend=NeverHangs).run("work-parallel")

    assert verdict.outcome == "not run"
    assert verdict.reason == "the backend cannot do this: this model always answers"


def test_a_provider_error_where_an_answer_is_due_is_a_breach() -> None:
    class Refuses(Parrot):
        async def start_session(
            self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
        ) -> Reply:
            raise ProviderError("no")

    verdict = contract.provider(Refuses).run("session-json")

    assert (verdict.expected, verdict.actual) == ("an answer", "ProviderError: no")


@pytest.mark.slow
def test_rules_run_one_at_a_time_also_with_several_workers() -> None:
    suite = contract.provider(QueueProvider, backend=QueueBackend)
    rules = [rule for rule in RULES if rule.id in {"work-growth", "work-leftovers", "answer-whole"}]

    assert [one.outcome for one in suite.run_all(rules, workers=3)] == ["held"] * 3


def test_each_rule_gets_a_backend_that_is_closed_after_it() -> None:
    servers: list[ModelServer] = []

    class Recorded(ModelServer):
        def __init__(self) -> None:
            super().__init__()
            servers.append(self)
            self.closed = False

        def close(self) -> None:
            self.closed = True
            super().close()

    suite = contract.provider(lambda server: Parrot(), backend=Recorded)
    suite.run("answer-reply")
    suite.run("answer-name")

    assert [server.closed for server in servers] == [True, True]  # type: ignore[attr-defined]  # of Recorded


class AnswersWithNumber(Parrot):
    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        return Reply(7, session=None)  # type: ignore[arg-type]  # the fault


class NoGenerator:
    name = "no-generator"
    streams = True

    async def ask(self, prompt: str, **how: object) -> Reply:
        return Reply(prompt, session=None)


class NeverCloses(Parrot):
    async def aclose(self) -> None:
        await asyncio.Event().wait()


class Exits(Parrot):
    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        raise SystemExit(3)


class SleepsInLoop(Parrot):
    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        time.sleep(0.4)  # noqa: ASYNC251 - the fault
        return Reply(prompt, session=None)


class RefusesCancellation(Parrot):
    """Goes on until ``ended`` is set."""

    ended = threading.Event()

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        while not self.ended.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)
        return Reply(prompt, session=None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:coroutine 'NoGenerator.ask' was never awaited")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the same
@pytest.mark.parametrize(
    ("make", "rule", "actual"),
    [
        (AnswersWithNumber, "session-json", "Reply(text=7"),
        (NoGenerator, "answer-reply", "TypeError"),
        (NeverCloses, "close-twice", "TimeoutError"),
        (Exits, "answer-reply", "SystemExit(3)"),
        (SleepsInLoop, "work-loop", " s"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_suite_survives_a_provider_that_is_none(
    make: Callable[[], Parrot], rule: str, actual: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "TIMEOUT", 2.0)
    verdict = contract.provider(make).run(rule)

    assert verdict.outcome == "breached"
    assert actual in verdict.actual


@pytest.mark.slow
def test_the_suite_survives_a_provider_that_cannot_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "TIMEOUT", 1.0)
    verdict = contract.provider(RefusesCancellation).run("work-cancelled")
    RefusesCancellation.ended.set()

    assert (verdict.outcome, verdict.actual) == ("breached", "it still runs")


@pytest.mark.parametrize("deadline", [-1.0, float("nan"), float("inf")])
def test_a_deadline_that_is_no_time_is_refused(deadline: float) -> None:
    with pytest.raises(ValueError, match="deadline is a number of seconds from 0 on"):
        contract.provider(Parrot, deadline=deadline)
