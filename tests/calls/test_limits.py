from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai._calls.caller_memory import DAY
from yemot_ai._calls.limits import Limits
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ConfigurationError, LimitReachedError
from yemot_ai.sessions import SQLiteStore
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

SORRY = "הגענו לסוף הזמן שלנו, תודה ולהתראות"


def limited(provider: ScriptedProvider, **limits: Any) -> AIFlow:  # noqa: ANN401 - those of Limits
    flow = AIFlow(YemotAI(provider=provider, limits=Limits(**limits)))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)

    @flow.get("5")
    def menu(call: Any) -> None:  # noqa: ANN401 - as users write it
        while True:
            said = call.read("מה?", mode="voice", val_name="said")
            call.play_message(call.ask_ai(said))

    return flow


@pytest.mark.parametrize("extension", ["", "5"], ids=["agent", "plain handler"])
def test_beyond_the_turns_of_a_call_the_caller_hears_so_and_no_model_is_asked(
    provider: ScriptedProvider, extension: str
) -> None:
    provider.answers("א").answers("ב")
    caller = Caller(limited(provider, turns=2), extension=extension)
    caller.dial()
    caller.says("אחת")
    caller.says("שתיים")

    assert SORRY in caller.says("שלוש")
    assert len(provider.requests) == 2


@pytest.mark.parametrize("extension", ["", "5"], ids=["agent", "plain handler"])
def test_beyond_the_minutes_of_a_call_no_model_is_asked(provider: ScriptedProvider, extension: str) -> None:
    provider.answers("א")
    caller = Caller(limited(provider, minutes=10), extension=extension)
    caller.dial()
    caller.says("אחת")
    provider.engine.clock.sleep(601)  # type: ignore[attr-defined]  # its time is virtual

    assert SORRY in caller.says("שתיים")
    assert len(provider.requests) == 1


def test_another_call_has_its_own_turns(provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב")
    flow = limited(provider, turns=1)
    for answer in ("א", "ב"):
        caller = Caller(flow)
        caller.dial()
        assert caller.says("אחת") == answer
        caller.hangs_up()


def test_a_restart_does_not_reset_the_turns(provider: ScriptedProvider) -> None:
    provider.answers("א")
    caller = Caller(limited(provider, turns=1))
    caller.dial()
    caller.says("אחת")
    caller.presses("0")

    assert SORRY in caller.says("שתיים")


def test_the_turns_of_a_day_are_counted_over_calls_and_reset_at_midnight(
    provider: ScriptedProvider,
) -> None:
    flow = limited(provider, turns_per_day=2)

    def asks(phone: str) -> str:
        caller = Caller(flow, phone=phone)
        caller.dial()
        heard = caller.says("שאלה")
        if not caller.ended:
            caller.hangs_up()
        return heard

    provider.answers("א").answers("ב").answers("ג").answers("ד")
    assert [asks("0501234567") for _ in range(3)][:2] == ["א", "ב"]
    assert SORRY in asks("0501234567")
    assert asks("0527654321") == "ג"
    provider.engine.clock.sleep(DAY)  # type: ignore[attr-defined]  # its time is virtual

    assert asks("0501234567") == "ד"


def test_the_turns_of_a_day_are_counted_over_workers(tmp_path: Path) -> None:
    provider = ScriptedProvider(engine=Engine()).answers("א")  # virtual time does not wait for a disk
    stores = [SQLiteStore(tmp_path / "calls.db") for _ in range(2)]
    workers = [YemotAI(provider=provider, store=store, limits=Limits(turns_per_day=1)) for store in stores]

    def asked(ai: YemotAI, call_id: str) -> str:
        flow = AIFlow(ai)
        flow.ai_agent("", greeting="שלום")(lambda call, text: None)
        line = {"ApiCallId": call_id, "ApiExtension": "", "ApiPhone": "0501234567"}
        flow.handle_request(line)
        return flow.handle_request({**line, "ai_1": "שאלה"})

    assert "t-א" in asked(workers[0], "c1")
    assert SORRY in asked(workers[1], "c2")
    for store in stores:
        asyncio.run(store.aclose())
    provider.assert_complete()


def test_a_withheld_number_is_not_counted(provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב")
    flow = limited(provider, turns_per_day=1)
    for answer in ("א", "ב"):
        caller = Caller(flow, phone="")
        caller.dial()
        assert caller.says("שאלה") == answer
        caller.hangs_up()


def test_without_a_line_the_limit_is_an_error_that_says_which(provider: ScriptedProvider) -> None:
    provider.answers("א")
    ai = YemotAI(provider=provider, limits=Limits(turns=1))
    ai.reply("c1", "אחת")

    with pytest.raises(LimitReachedError, match="the limit is 1 turns: no model was asked") as caught:
        ai.reply("c1", "שתיים")
    assert (caught.value.limit, caught.value.most) == ("turns", 1)


@pytest.mark.parametrize("wrong", [{"turns": 0}, {"minutes": -1}, {"turns_per_day": float("nan")}], ids=str)
def test_a_limit_that_is_not_positive_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="give a positive number"):
        Limits(**wrong)


def test_a_turn_that_the_caller_leaves_during_the_filler_counts_and_is_reported(
    provider: ScriptedProvider,
) -> None:
    provider.hangs()
    flow = limited(provider, turns=1)
    reported: list[str] = []
    flow.ai.on_turn(lambda _call_id, turn: reported.append(turn.text))
    line = Line(flow)
    line.enter("")
    line.send(("ai_1", "אחת"))
    line.send(("ai_1w1", "9"))
    line.enter("")

    assert SORRY in line.send(("ai_2", "שתיים"))
    assert len(provider.requests) == 1
    line.hang_up()
    assert reported == ["אחת", "שתיים"]


def test_a_step_of_a_function_is_not_counted_twice(provider: ScriptedProvider) -> None:
    provider.answers("א")
    flow = limited(provider, turns=1)

    @flow.ai_agent("3", greeting="שלום")
    def agent(call: AICall, text: str) -> str:
        return call.ask_ai("צעד")

    caller = Caller(flow, extension="3")
    caller.dial()

    assert caller.says("אחת") == "א"
