"""An agent whose model calls tools, on a simulated line in virtual time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from tests.support.stores import store_factory
from tests.support.waiting import until
from yemot_ai import AICall, AIFlow, CallSummary, Limits, ToolContext, Turn, YemotAI, tool
from yemot_ai._turns.tool_loop import WAITS
from yemot_ai.errors import ConfigurationError, ToolError
from yemot_ai.providers import Usage
from yemot_ai.sessions import SessionStore
from yemot_ai.tools.results import MAX_RESULT
from yemot_ai_testing import Caller, ScriptedProvider


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SessionStore:
    return store_factory(request, tmp_path)()


class Orders:
    """The tools of a shop, and their runs."""

    def __init__(self) -> None:
        self.runs: list[tuple[Any, ...]] = []

    def tools(self) -> list[Callable[..., Any]]:
        @tool(says="בודק במערכת")
        async def order_status(call: ToolContext, number: int) -> dict[str, object]:
            """Return the status of an order."""
            self.runs.append(("status", number, call.phone, call.key))
            call.state["asked"] = number
            await asyncio.sleep(6 if number > 1 else 0)
            if number == 404:
                raise ToolError("אין הזמנה 404")
            return {"status": "מוכנה"}

        def cancel_order(number: int) -> None:
            """Cancel an order."""
            self.runs.append(("cancel", number))

        return [order_status, cancel_order]


def make_flow(provider: ScriptedProvider, orders: Orders, **settings: object) -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider, **settings))  # type: ignore[arg-type]  # any of its settings

    @flow.ai_agent("", greeting="שלום", tools=orders.tools())
    def agent(call: AICall, text: str) -> None: ...

    return flow


def test_a_slow_tool_speaks_once_and_then_the_filler(store: SessionStore) -> None:
    provider, orders = (
        ScriptedProvider().calls("order_status", {"number": 7}).answers("ההזמנה מוכנה"),
        Orders(),
    )
    with Caller(make_flow(provider, orders, store=store), phone="0501234567") as caller:
        caller.dial()

        assert caller.says("מה עם הזמנה 7") == "בודק במערכת רק רגע ההזמנה מוכנה"
        assert caller.dead_air <= 3

    assert [run[:3] for run in orders.runs] == [("status", 7, "0501234567")]
    first, second = provider.requests
    assert first.rounds == ()
    assert second.prompt == first.prompt == "מה עם הזמנה 7"
    assert second.rounds[0].results == ('{"status": "מוכנה"}',)
    provider.assert_complete()


def test_a_fast_tool_says_nothing(store: SessionStore) -> None:
    provider, orders = ScriptedProvider().calls("order_status", {"number": 1}).answers("מוכנה"), Orders()
    with Caller(make_flow(provider, orders, store=store)) as caller:
        caller.dial()

        assert caller.says("הזמנה 1") == "מוכנה"


def test_calls_of_one_message_run_in_order_and_each_result_has_its_place(store: SessionStore) -> None:
    provider, orders = ScriptedProvider(), Orders()
    provider.calls(("order_status", {"number": 1}), ("cancel_order", {"number": 2})).answers("בוטלה")
    with Caller(make_flow(provider, orders, store=store)) as caller:
        caller.dial()
        caller.says("לבטל")

    assert [run[:2] for run in orders.runs] == [("status", 1), ("cancel", 2)]
    assert provider.requests[1].rounds[0].results == ('{"status": "מוכנה"}', "done")


def test_what_the_model_says_before_a_call_is_heard_while_the_tool_runs(store: SessionStore) -> None:
    provider, orders = ScriptedProvider(), Orders()
    provider.calls("order_status", {"number": 7}, saying="רגע אני בודק").answers("היא מוכנה")
    with Caller(make_flow(provider, orders, store=store)) as caller:
        caller.dial()

        heard = caller.says("הזמנה 7")

    assert heard.startswith("רגע אני בודק ")
    assert heard.endswith(" היא מוכנה")
    assert heard.count("רגע אני בודק") == heard.count("היא מוכנה") == 1


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (("order_status", {"number": 404}), '{"error": "אין הזמנה 404"}'),
        (
            ("order_status", {"number": "שבע"}),
            '{"error": "wrong arguments: number: Input should be a valid integer',
        ),
        (("order_status", "{"), '{"error": "wrong arguments: Invalid JSON'),
        (
            ("order_status", {"number": "7" * MAX_RESULT}),
            '{"error": "the arguments have more than 20000 characters"}',
        ),
        (
            ("opening_hours", {}),
            '{"error": "there is no tool \'opening_hours\'; there are order_status, cancel',
        ),
    ],
    ids=["its own error", "wrong type", "broken", "long", "unknown"],
)
def test_the_model_gets_why_there_is_no_result(
    store: SessionStore, call: tuple[Any, Any], result: str
) -> None:
    provider, orders = ScriptedProvider().calls(*call).answers("לא מצאתי"), Orders()
    with Caller(make_flow(provider, orders, store=store)) as caller:
        caller.dial()

        assert caller.says("מה עם ההזמנה").endswith("לא מצאתי")

    (result_sent,) = provider.requests[1].rounds[0].results
    assert result_sent.startswith(result)


def test_a_tool_that_raises_is_logged_with_its_place_and_the_model_gets_no_detail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> str:
        """Do it."""
        raise KeyError("a detail of the database")

    provider = ScriptedProvider().calls("broken").answers("תקלה")
    ai = YemotAI(provider=provider, tools=[broken])

    assert ai.reply("c1", "לעשות") == "תקלה"
    assert provider.requests[1].rounds[0].results == ('{"error": "the tool failed (KeyError)"}',)
    assert "broken failed" in caplog.text
    assert f"{__name__.rpartition('.')[2]}.py:" in caplog.text
    assert "a detail of the database" in caplog.text  # the traceback


@pytest.mark.parametrize("broken", ["result", "state"])
def test_a_tool_that_has_run_is_not_called_again_for_a_result_that_cannot_be_shown(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    def book(call: ToolContext) -> object:
        """Book it."""
        if broken == "state":
            call.state["what"] = object()  # type: ignore[assignment]  # that is the mistake
        return object() if broken == "result" else "booked"

    provider = ScriptedProvider().calls("book").answers("הוזמן")
    ai = YemotAI(provider=provider, tools=[book])

    assert ai.reply("c1", "להזמין") == "הוזמן"
    assert "the tool has run, but its result cannot be shown" in provider.requests[1].rounds[0].results[0]
    assert "book failed" in caplog.text


def test_a_tool_that_takes_too_long_is_unknown_to_the_model() -> None:
    cancelled = []

    @tool(timeout=5)
    async def slow() -> str:
        """Do it."""
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise
        return "late"

    provider = ScriptedProvider().calls("slow").answers("לא יודע")
    ai = YemotAI(provider=provider, tools=[slow])

    assert ai.reply("c1", "לעשות") == "לא יודע"
    assert "took more than 5 s: it is not known" in provider.requests[1].rounds[0].results[0]
    assert cancelled == [1]


def test_a_plain_function_runs_in_a_thread(store: SessionStore) -> None:
    threads = []

    def where() -> str:
        """Do it."""
        threads.append(threading.current_thread())
        return "כאן"

    provider = ScriptedProvider().calls("where").answers("שם")
    ai = YemotAI(provider=provider, tools=[where], store=store)

    assert ai.reply("c1", "איפה") == "שם"
    assert threads[0] is not threading.main_thread()


def test_a_model_that_calls_without_end_has_to_answer() -> None:
    provider, orders = ScriptedProvider(), Orders()
    for number in range(2):
        provider.calls(("cancel_order", {"number": number}), ("cancel_order", {"number": number + 10}))
    provider.answers("די")
    ai = YemotAI(provider=provider, tools=orders.tools(), limits=Limits(tool_calls=3))

    assert ai.reply("c1", "לבטל הכול") == "די"
    assert orders.runs == [("cancel", 0), ("cancel", 10), ("cancel", 1)]
    assert [request.may_call for request in provider.requests] == [True, True, False]
    assert "this turn has had all of its calls" in provider.requests[2].rounds[1].results[1]


def test_state_that_a_tool_changes_is_saved_with_its_result(store: SessionStore) -> None:
    provider, orders = ScriptedProvider(), Orders()
    provider.calls("order_status", {"number": 1}).answers("מוכנה").answers("עוד")
    flow = AIFlow(YemotAI(provider=provider, store=store))
    seen: list[dict[str, object]] = []

    @flow.ai_agent("", greeting="שלום", tools=orders.tools())
    def agent(call: AICall, text: str) -> None:
        seen.append(dict(call.state))
        call.state["turns"] = len(seen)

    with Caller(flow) as caller:
        caller.dial()
        caller.says("אחת")
        caller.says("שתיים")

    assert seen == [{}, {"turns": 1, "asked": 1}]


def test_a_handler_that_runs_again_does_not_run_the_tool_again(store: SessionStore) -> None:
    provider, orders = ScriptedProvider().calls("order_status", {"number": 1}).answers("מוכנה"), Orders()
    flow = AIFlow(YemotAI(provider=provider, store=store, tools=orders.tools()))
    states = []

    @flow.get("")
    def handler(call: AICall) -> None:
        answer = call.ask_ai("מה עם הזמנה 1")
        states.append(call.state.get("asked"))
        call.read(answer, val_name="more")
        call.read("עוד?", val_name="last")
        call.hangup()

    with Caller(flow) as caller:
        caller.dial()
        caller.presses("1")
        caller.presses("2")

    assert len(orders.runs) == 1
    assert states == [1, 1, 1]
    provider.assert_complete()


def test_a_tool_that_was_done_before_a_transient_failure_does_not_run_again(store: SessionStore) -> None:
    provider, orders = ScriptedProvider(), Orders()
    provider.calls("cancel_order", {"number": 7}).fails("overloaded").answers("בוטלה")
    ai = YemotAI(provider=provider, tools=orders.tools(), store=store)

    assert ai.reply("c1", "לבטל") == "בוטלה"
    assert orders.runs == [("cancel", 7)]
    assert [len(request.rounds) for request in provider.requests] == [0, 1, 1]


def test_after_a_turn_without_an_answer_the_model_learns_what_was_done(store: SessionStore) -> None:
    provider, orders = ScriptedProvider(), Orders()
    provider.calls("cancel_order", {"number": 7}).fails("unauthorized").answers("כבר ביטלתי").answers("בבקשה")
    with Caller(make_flow(provider, orders, store=store)) as caller:
        caller.dial()
        caller.says("לבטל את 7")
        caller.says("ביטלת?")
        caller.says("תודה")

    assert provider.requests[2].prompt == '[cancel_order({"number": 7}): done] ביטלת?'
    assert provider.requests[3].prompt == "תודה"


class Consent:
    """A tool that asks first."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def tools(self) -> list[Callable[..., Any]]:
        @tool(confirm="לבטל את הזמנה {number}? לאישור הקישו 1")
        def cancel_order(number: int) -> str:
            """Cancel an order."""
            self.runs.append(number)
            return "בוטלה"

        return [cancel_order]


def consent_flow(provider: ScriptedProvider, consent: Consent, **settings: object) -> AIFlow:
    flow = AIFlow(YemotAI(provider=provider, **settings))  # type: ignore[arg-type]  # any of its settings

    @flow.ai_agent("", greeting="שלום", tools=consent.tools())
    def agent(call: AICall, text: str) -> None: ...

    return flow


@pytest.mark.parametrize("said", ["כן", "1"])
def test_a_tool_with_confirm_runs_after_the_caller_has_agreed(store: SessionStore, said: str) -> None:
    provider, consent = ScriptedProvider().calls("cancel_order", {"number": 7}).answers("ביטלתי"), Consent()
    with Caller(consent_flow(provider, consent, store=store)) as caller:
        caller.dial()
        assert caller.says("תבטל את 7") == "לבטל את הזמנה 7? לאישור הקישו 1"
        assert consent.runs == []
        assert (caller.presses(said) if said == "1" else caller.says(said)) == "ביטלתי"

    assert consent.runs == [7]
    (done,) = provider.requests[1].rounds
    assert (done.calls[0].name, done.results) == ("cancel_order", ("בוטלה",))
    assert [exchange.answer for exchange in provider.requests[1].history] == [
        "לבטל את הזמנה 7? לאישור הקישו 1"
    ]


@pytest.mark.parametrize("said", ["לא", "כן אבל מחר", "מה שעות הפתיחה"])
def test_without_a_yes_it_does_not_run_and_the_model_learns_it(store: SessionStore, said: str) -> None:
    provider, consent = (
        ScriptedProvider().calls("cancel_order", {"number": 7}).answers("בסדר").answers("כן?"),
        Consent(),
    )
    with Caller(consent_flow(provider, consent, store=store)) as caller:
        caller.dial()
        caller.says("תבטל את 7")
        caller.says(said)
        caller.says("כן")  # too late: the question was another one

    assert consent.runs == []
    assert (
        provider.requests[1].prompt
        == f'[cancel_order({{"number": 7}}) was not run: the caller did not agree] {said}'
    )
    assert provider.requests[2].prompt == "כן"


@pytest.mark.parametrize("what", ["", "…", "א " * 600], ids=["empty", "signs", "long"])
def test_a_tool_with_confirm_does_not_run_if_the_caller_cannot_be_asked(what: str) -> None:
    runs = []

    @tool(confirm="{what}")
    def do(what: str) -> None:
        """Do it."""
        runs.append(what)

    provider = ScriptedProvider().calls("do", {"what": what}).answers("לא עשיתי")
    ai = YemotAI(provider=provider, tools=[do])

    assert ai.reply("c1", "לעשות") == "לא עשיתי"
    assert runs == []
    assert provider.requests[1].rounds[0].results[0].startswith('{"error": "the ')


def is_order(number: int) -> int:
    if number == 404:
        raise ToolError("אין הזמנה 404")
    if number > 404:
        raise ValueError("אין הזמנות כאלה")
    return {7: 7}[number]


@pytest.mark.parametrize(
    ("number", "result"),
    [
        (404, '{"error": "אין הזמנה 404"}'),
        (405, '{"error": "wrong arguments: number: Value error, אין הזמנות כאלה"}'),
        (5, '{"error": "the tool failed (KeyError)"}'),
    ],
    ids=["ToolError", "ValueError", "another"],
)
def test_the_caller_is_not_asked_about_what_a_validator_refuses(number: int, result: str) -> None:
    runs = []

    @tool(confirm="לבטל את הזמנה {number}?")
    def cancel(number: Annotated[int, AfterValidator(is_order)]) -> None:
        """Cancel an order."""
        runs.append(number)

    provider = ScriptedProvider().calls("cancel", {"number": number}).answers("אין")
    provider.calls("cancel", {"number": 7})
    ai = YemotAI(provider=provider, tools=[cancel])

    assert ai.reply("c1", "לבטל") == "אין"
    assert ai.reply("c1", "אז את 7") == "לבטל את הזמנה 7?"
    assert provider.requests[1].rounds[0].results == (result,)
    assert runs == []


def test_a_question_that_cannot_be_written_is_a_mistake_of_the_developer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @tool(confirm="ביום {day:%d}?")
    def book(day: int) -> None:
        """Book it."""

    provider = ScriptedProvider().calls("book", {"day": 7}).answers("תקלה")

    assert YemotAI(provider=provider, tools=[book]).reply("c1", "להזמין") == "תקלה"
    assert provider.requests[1].rounds[0].results == ('{"error": "the tool failed (ValueError)"}',)
    assert f"{__name__.rpartition('.')[2]}.py:" in caplog.text


def test_a_parameter_may_have_any_name() -> None:
    def book(function: str, self: int, args: int, kwargs: int = 1) -> str:
        """Book it."""
        return f"{function} {self} {args} {kwargs}"

    arguments = {"function": "חתונה", "self": 1, "args": 2}
    provider = ScriptedProvider().calls("book", arguments).answers("הוזמן")

    assert YemotAI(provider=provider, tools=[book]).reply("c1", "להזמין") == "הוזמן"
    assert provider.requests[1].rounds[0].results == ("חתונה 1 2 1",)
    assert tool(book)(**arguments) == "חתונה 1 2 1"


def test_what_a_tool_error_says_is_bounded() -> None:
    def book() -> None:
        """Book it."""
        raise ToolError("א" * (MAX_RESULT + 1))

    provider = ScriptedProvider().calls("book").answers("לא")

    assert YemotAI(provider=provider, tools=[book]).reply("c1", "להזמין") == "לא"
    assert len(provider.requests[1].rounds[0].results[0]) < MAX_RESULT + 100


def test_what_else_was_called_before_the_question_is_no_secret_to_the_model(store: SessionStore) -> None:
    provider, orders, consent = ScriptedProvider(), Orders(), Consent()
    provider.calls("order_status", {"number": 1})
    calls = [
        ("order_status", {"number": 0}),
        ("cancel_order", {"number": 7}),
        ("order_status", {"number": 1}),
    ]
    provider.calls(*calls).answers("ביטלתי")
    flow = AIFlow(YemotAI(provider=provider, store=store))
    tools = [orders.tools()[0], *consent.tools()]
    flow.ai_agent("", greeting="שלום", tools=tools)(lambda call, text: None)
    with Caller(flow) as caller:
        caller.dial()
        caller.says("תבטל")
        caller.says("כן")

    status = '[order_status({{"number": {}}}): {{"{}": "{}"}}]'
    before = f"{status.format(1, 'status', 'מוכנה')} {status.format(0, 'status', 'מוכנה')}"
    after = status.format(1, "error", WAITS)  # what comes after the question waits for its answer
    assert provider.requests[2].prompt == f"{before} {after} כן"
    assert [run[1] for run in orders.runs] == [1, 0]
    assert consent.runs == [7]


def test_one_question_at_a_time(store: SessionStore) -> None:
    provider, consent = ScriptedProvider(), Consent()
    provider.calls(("cancel_order", {"number": 7}), ("cancel_order", {"number": 12}))
    provider.calls("cancel_order", {"number": 12}).answers("ביטלתי את שתיהן")
    with Caller(consent_flow(provider, consent, store=store)) as caller:
        caller.dial()
        assert caller.says("תבטל את שתיהן") == "לבטל את הזמנה 7? לאישור הקישו 1"
        assert caller.says("כן") == "לבטל את הזמנה 12? לאישור הקישו 1"
        assert consent.runs == [7]
        assert caller.says("כן") == "ביטלתי את שתיהן"

    assert consent.runs == [7, 12]


def test_after_silence_the_question_is_asked_again(store: SessionStore) -> None:
    provider, consent = ScriptedProvider().calls("cancel_order", {"number": 7}).answers("ביטלתי"), Consent()
    with Caller(consent_flow(provider, consent, store=store)) as caller:
        caller.dial()
        caller.says("תבטל את 7")
        heard = caller.silent()
        caller.says("כן")

    assert heard == "לא שמעתי, אפשר לחזור? לבטל את הזמנה 7? לאישור הקישו 1"
    assert consent.runs == [7]


def test_long_results_are_short_in_the_session_once_the_model_has_answered(store: SessionStore) -> None:
    def catalogue() -> str:
        """Return all."""
        return "א" * 50_000

    provider = ScriptedProvider().calls("catalogue").answers("הרבה")
    ai = YemotAI(provider=provider, tools=[catalogue], store=store)
    summaries: list[CallSummary] = []
    ai.on_call_end(lambda summary, usage: summaries.append(summary))
    ai.reply("c1", "מה יש")
    ai.end("c1")

    assert 20_000 < len(provider.requests[1].rounds[0].results[0]) < 21_000
    assert len(summaries[0].tools[0].answer) == 1_000


def test_a_yes_after_something_else_was_said_is_no_consent(store: SessionStore) -> None:
    provider, consent = ScriptedProvider(), Consent()
    provider.calls("cancel_order", {"number": 7}).fails("unauthorized").answers("לא ביטלתי")
    with Caller(consent_flow(provider, consent, store=store)) as caller:
        caller.dial()
        caller.says("תבטל את 7")
        caller.says("רגע מה הסכום")  # the caller hears the apology
        caller.says("כן")

    assert consent.runs == []
    refused = '[cancel_order({"number": 7}) was not run: the caller did not agree]'
    assert provider.requests[2].prompt == f"{refused} כן"


def test_a_yes_counts_once_although_the_model_could_not_answer_after_it(store: SessionStore) -> None:
    provider, consent = ScriptedProvider(), Consent()
    provider.calls("cancel_order", {"number": 7}).fails("unauthorized").answers("ביטלתי")
    with Caller(consent_flow(provider, consent, store=store)) as caller:
        caller.dial()
        caller.says("תבטל את 7")
        caller.says("כן")  # the tool runs, then the caller hears the apology
        caller.says("כן")

    assert consent.runs == [7]
    assert provider.requests[2].prompt == '[cancel_order({"number": 7}): בוטלה] כן'


def test_the_same_yes_sent_twice_runs_it_once(store: SessionStore) -> None:
    provider, consent = ScriptedProvider().calls("cancel_order", {"number": 7}).answers("ביטלתי"), Consent()
    with Caller(consent_flow(provider, consent, store=store)) as caller:
        caller.dial()
        caller.says("תבטל את 7")
        caller.says("כן")
        caller.repeats()

    assert consent.runs == [7]


def test_a_hang_up_cancels_the_tool_and_none_begins_after_it(store: SessionStore) -> None:
    ended: list[int] = []

    async def slow(number: int) -> str:
        """Do it."""
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(number)
        return "done"

    provider = ScriptedProvider()
    provider.calls(("slow", {"number": 1}), ("slow", {"number": 2}))
    flow = AIFlow(YemotAI(provider=provider, store=store, tools=[slow]))

    @flow.ai_agent("", greeting="שלום")
    def agent(call: AICall, text: str) -> None: ...

    with Caller(flow) as caller:
        caller.dial()
        caller.interrupts(after=4)
        caller.says("לעשות")
        assert caller.ended

    until(lambda: ended)
    assert ended == [1]


def test_hooks_get_the_runs_of_tools_apart_from_the_turns(store: SessionStore) -> None:
    provider, orders = ScriptedProvider().calls("order_status", {"number": 1}).answers("מוכנה"), Orders()
    flow = make_flow(provider, orders, store=store, limits=Limits(turns=1))
    turns: list[Turn] = []
    tools: list[Turn] = []
    summaries: list[CallSummary] = []
    flow.ai.on_turn(lambda call_id, turn: turns.append(turn))
    flow.ai.on_tool(lambda call_id, turn: tools.append(turn))
    flow.ai.on_call_end(lambda summary, usage: summaries.append(summary))
    with Caller(flow) as caller:
        caller.dial()
        caller.says("הזמנה 1")
        caller.hangs_up()

    (ran,) = tools
    assert [turn.id for turn in turns] == ["ai_1"]
    assert ran.tool is not None
    assert (ran.tool.name, ran.tool.arguments, ran.answer) == (
        "order_status",
        '{"number": 1}',
        '{"status": "מוכנה"}',
    )
    assert ([turn.id for turn in summaries[0].turns], summaries[0].tools) == (["ai_1"], (ran,))


def test_the_tokens_of_all_messages_of_a_turn_are_counted() -> None:
    provider, orders = ScriptedProvider().calls("order_status", {"number": 1}).answers("מוכנה"), Orders()
    ai = YemotAI(provider=provider, tools=orders.tools())

    usage = ai.ask("c1", "הזמנה 1").usage

    assert isinstance(usage, Usage)
    assert usage.input_tokens == 2 * len("הזמנה 1")


def test_a_tool_cannot_ask_the_ai_in_its_own_call(caplog: pytest.LogCaptureFixture) -> None:
    ai: YemotAI

    async def asks(call: ToolContext) -> str:
        """Do it."""
        return await ai.areply(call.call_id, "ומה עוד?")

    provider = ScriptedProvider().calls("asks").answers("לא")
    ai = YemotAI(provider=provider, tools=[asks])
    caplog.set_level(logging.ERROR, logger="yemot_ai")

    assert ai.reply("c1", "לעשות") == "לא"
    assert ConfigurationError.__name__ in provider.requests[1].rounds[0].results[0]
    assert "a tool cannot ask the AI in its own call" in caplog.text


def test_an_agent_may_have_other_tools_or_none() -> None:
    provider, orders = ScriptedProvider().answers("א").answers("ב"), Orders()
    flow = AIFlow(YemotAI(provider=provider, tools=orders.tools()))

    @flow.ai_agent("1", greeting="שלום", tools=[])
    def without(call: AICall, text: str) -> None: ...

    @flow.ai_agent("2", greeting="שלום")
    def all_of_them(call: AICall, text: str) -> None: ...

    with Caller(flow) as caller:
        caller.dial()
    for extension in ("1", "2"):
        with Caller(flow, extension=extension) as caller:
            caller.dial()
            caller.says("מה")

    assert [request.tools for request in provider.requests] == [(), ("order_status", "cancel_order")]
