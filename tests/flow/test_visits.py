from __future__ import annotations

import asyncio

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai._runtime.engine import run_without_waiting
from yemot_ai.protocol import Request
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

HANG_UP = "go_to_folder=hangup"


@pytest.fixture
def menu(flow: AIFlow) -> AIFlow:
    @flow.get("")
    def root(call: AICall) -> None:
        if call.read("תפריט", val_name="menu", max_digits=1) == "1":
            call.goto("/shop")
        call.goto("/shop")

    @flow.get("shop")
    def shop(call: AICall) -> None:
        call.read("חנות", val_name="menu", max_digits=1)
        call.goto("/")

    return flow


def test_a_hang_up_is_answered_and_later_requests_get_a_hang_up(menu: AIFlow, line: Line) -> None:
    line.enter("")

    assert line.hang_up() == "noop=ended"
    assert line.send(("menu", "1")) == HANG_UP
    assert menu.ai.open_calls() == 0


def test_a_hang_up_of_an_unknown_call_is_answered(menu: AIFlow, line: Line) -> None:
    assert line.hang_up() == "noop=ended"
    assert line.enter("") == HANG_UP


def test_values_sent_with_a_hang_up_are_not_answered(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    flow.ai_agent("")(lambda call, text: None)
    line.enter("")
    line.values.append(("ai_1", "שלום"))

    assert line.hang_up() == "noop=ended"
    assert provider.requests == []


def test_two_menus_with_one_name_do_not_loop_if_the_line_keeps_values(menu: AIFlow, line: Line) -> None:
    line.enter("")
    assert line.send(("menu", "1")) == "go_to_folder=/shop"

    assert "=menu_2," in line.enter("shop", keep=True)
    assert line.send(("menu_2", "1")) == "go_to_folder=/"
    assert "=menu_3," in line.enter("", keep=True)


def test_a_name_is_used_once_in_a_call_if_the_line_clears_values(menu: AIFlow, line: Line) -> None:
    line.enter("")
    line.send(("menu", "1"))

    assert "=menu_2," in line.enter("shop")
    line.send(("menu_2", "1"))
    assert "=menu_3," in line.enter("")


def test_values_of_an_earlier_visit_are_hidden(flow: AIFlow, line: Line) -> None:
    seen: list[str | None] = []

    @flow.get("")
    def root(call: AICall) -> None:
        seen.append(call.params.get("menu"))
        call.read("תפריט", val_name="menu", max_digits=1)
        call.goto(".")

    line.enter("")
    line.send(("menu", "1"))
    line.enter("", keep=True)

    assert seen == [None, "1", None]


def test_the_newest_value_is_visible_under_the_name_that_the_handler_gave(flow: AIFlow, line: Line) -> None:
    seen: list[dict[str, str]] = []

    @flow.get("")
    def root(call: AICall) -> None:
        call.read("אחד", val_name="menu", max_digits=1)
        call.read("שתיים", val_name="menu", max_digits=1)
        seen.append(dict(call.params))
        call.hangup()

    line.enter("")
    assert "=menu_2," in line.send(("menu", "1"))
    line.send(("menu_2", "7"))

    assert seen[0]["menu"] == "7"
    assert "menu_2" not in seen[0]


def test_a_constant_is_visible_in_every_visit(flow: AIFlow, line: Line) -> None:
    seen: list[str | None] = []

    @flow.get("")
    def root(call: AICall) -> None:
        seen.append(call.params.get("branch"))
        call.goto(".")

    line.values.append(("branch", "north"))
    line.enter("", keep=True)
    line.enter("", keep=True)

    assert seen == ["north", "north"]


def test_a_constant_after_the_collected_values_starts_no_visit(flow: AIFlow, line: Line) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        call.read("אחד", val_name="one", max_digits=1)
        call.read("שתיים", val_name="two", max_digits=1)
        call.hangup()

    line.values = [("branch", "north")]
    line.enter("", keep=True)
    line.values = [("one", "1"), ("branch", "north")]
    assert "=two," in line.send()
    line.values = [("one", "1"), ("two", "2"), ("branch", "north")]

    assert line.send() == HANG_UP


def test_a_repeated_request_gets_the_same_response_and_changes_nothing(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("אחת")
    runs: list[str] = []

    @flow.get("")
    def root(call: AICall) -> None:
        runs.append("run")
        call.play_message(call.ask_ai("כמה"))

    first = line.enter("")

    assert line.again() == first == "id_list_message=t-אחת"
    assert runs == ["run"]


def test_a_late_request_changes_nothing(flow: AIFlow, line: Line) -> None:
    flow.ai_agent("")(lambda call, text: text)
    line.enter("")
    newest = line.send(("ai_1", "שלום"))

    line.time -= 7
    line.values.append(("ai_2", "מאוחר"))

    assert line.again() == newest


def test_turn_numbers_continue_over_agents_and_visits(flow: AIFlow, line: Line) -> None:
    for extension in ("a", "b"):
        flow.ai_agent(extension)(lambda call, text: text)

    assert "=ai_1," in line.enter("a")
    assert "=ai_2," in line.send(("ai_1", "שלום"))
    assert "=ai_3," in line.enter("b")
    assert line.send(("ai_3", "מה נשמע")) == "read=t-מה נשמע=ai_4,no,voice"


def test_an_agent_does_not_speak_the_answer_of_another_agent_if_values_are_kept(
    flow: AIFlow, line: Line
) -> None:
    for extension in ("a", "b"):
        flow.ai_agent(extension, greeting=f"סוכן {extension}")(lambda call, text: text)
    line.enter("a")
    line.send(("ai_1", "סוד"))

    assert line.enter("b", keep=True).startswith("read=t-סוכן b=ai_3")


def test_a_request_without_a_call_id_gets_a_sentence_and_a_hang_up(flow: AIFlow) -> None:
    assert flow.handle_request({}) == "id_list_message=t-סליחה, המערכת אינה מוגדרת כראוי&go_to_folder=hangup"


@pytest.mark.parametrize(("extension", "move"), [("7", ".."), ("", "hangup")], ids=["below", "root"])
def test_an_unknown_extension_gets_a_sentence_and_is_left(line: Line, extension: str, move: str) -> None:
    assert line.enter(extension) == f"id_list_message=t-השלוחה אינה קיימת&go_to_folder={move}"


@pytest.mark.parametrize(("extension", "move"), [("7", ".."), ("", "hangup")], ids=["below", "root"])
def test_a_handler_without_a_response_leads_up_and_is_logged(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, extension: str, move: str
) -> None:
    flow.get(extension)(lambda call: None)

    assert line.enter(extension) == f"go_to_folder={move}"
    assert "said nothing" in caplog.text


def test_after_a_restart_without_sessions_the_cursor_of_the_line_counts(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("עדיין כאן")
    flow.ai_agent("")(lambda call, text: None)
    line.values = [("ai_1", "ישן"), ("ai_2", "חדש")]

    assert line.send() == "read=t-עדיין כאן=ai_3,no,voice"
    assert provider.requests[0].prompt == "חדש"


def test_an_idle_call_ends_after_session_ttl() -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider(), session_ttl=60))
    flow.ai_agent("")(lambda call, text: text)
    line = Line(flow)
    line.enter("")
    line.send(("ai_1", "שלום"))
    assert flow.ai.open_calls() == 1

    flow.ai.engine.run(asyncio.sleep(60 + 60 / 4))

    assert flow.ai.open_calls() == 0


def test_names_that_look_numbered_do_not_collide_with_numbered_names(flow: AIFlow, line: Line) -> None:
    values: list[tuple[str, str]] = []

    @flow.get("")
    def root(call: AICall) -> None:
        values.append((call.read("גיל", val_name="age"), call.read("גיל שני", val_name="age_2")))
        call.goto(".")

    line.enter("")
    assert "=age_2," in line.send(("age", "11"))
    line.send(("age_2", "22"))
    assert "=age_3," in line.enter("", keep=True)
    assert "=age_2_2," in line.send(("age_3", "33"))
    line.send(("age_2_2", "44"))

    assert values == [("11", "22"), ("33", "44")]


def test_a_repeated_name_does_not_take_the_value_of_a_name_that_looks_numbered(
    flow: AIFlow, line: Line
) -> None:
    @flow.get("")
    def root(call: AICall) -> None:
        for name in ("m", "m", "m_2"):
            call.read("?", val_name=name, max_digits=1)
        call.hangup()

    line.enter("")
    line.send(("m", "1"))

    assert "=m_2_2," in line.send(("m_2", "2"))


@pytest.mark.parametrize("name", ["ai_3", "ai_1w1"])
def test_a_name_of_the_agent_loop_is_refused(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    flow.get("7")(lambda call: call.read("?", val_name=name))

    assert "תקלה" in line.enter("7")
    assert "name of the agent loop" in caplog.text


class LineWithoutTime(Line):
    """A line with ``api_time_send=no``."""

    def request(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in super().request() if name != "ApiTime"]


def test_without_a_time_a_returning_caller_is_not_a_repeated_request(
    flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("ראשון").answers("שני")
    flow.ai_agent("a")(lambda call, text: None)
    line = LineWithoutTime(flow)
    line.enter("a")
    line.send(("ai_1", "שלום"))
    line.send(("ai_2", "Digits-9"))

    assert "=ai_3," in line.enter("a")
    assert line.send(("ai_3", "שלום")).startswith("read=t-שני=")


def test_without_a_time_a_handler_that_always_fails_does_not_loop(flow: AIFlow) -> None:
    flow.get("")(lambda call: str(1 / 0))
    line = LineWithoutTime(flow)

    assert [line.enter("").rpartition("=")[2] for _ in range(3)] == ["/", "/", "hangup"]


def test_without_a_time_a_repeated_request_gets_the_same_response(flow: AIFlow) -> None:
    flow.ai_agent("a")(lambda call, text: text)
    line = LineWithoutTime(flow)
    line.enter("a")
    answer = line.send(("ai_1", "שלום"))

    assert line.again() == answer


def test_a_hang_up_between_deciding_and_running_starts_no_handler(flow: AIFlow, line: Line) -> None:
    runs: list[str] = []
    flow.get("")(lambda call: runs.append("run"))
    decision = run_without_waiting(flow._dispatcher.decide(Request.parse(line.request())))
    line.hang_up()

    assert not isinstance(decision, str)
    assert flow.ai.engine.run(decision(None)) == HANG_UP
    assert runs == []


def test_a_line_that_returns_during_a_turn_starts_a_visit(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("ישנה", after=50).answers("חדשה")
    flow.ai_agent("1")(lambda call, text: None)
    line.enter("1")
    assert "=ai_1w1," in line.send(("ai_1", "שאלה ישנה"))

    assert "=ai_2," in line.enter("1")

    assert line.send(("ai_2", "שאלה חדשה")) == "read=t-חדשה=ai_3,no,voice"


@pytest.mark.slow
def test_a_line_that_returns_during_a_run_is_asked_again(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("ישנה", after=50).answers("חדשה")

    @flow.get("1")
    def ask(call: AICall) -> None:
        call.play_message(call.ask_ai(call.read("מה?", val_name="q")))

    line.enter("1")
    assert "=ai_" in line.send(("q", "1"))

    assert "=q_2," in line.enter("1")
    provider.engine.run(asyncio.sleep(60))
    assert line.send(("q_2", "2")).startswith("id_list_message=t-חדשה")


def test_the_state_of_an_outdated_run_is_not_saved(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("לאט", after=50)

    @flow.get("1")
    def order(call: AICall) -> None:
        which = call.read("מה?", val_name="q")
        if which == "old":
            call.ask_ai("חשוב")
        call.state["order"] = which
        call.read("סוף", val_name="s")

    line.enter("1")
    line.send(("q", "old"))
    line.enter("1")
    line.send(("q_2", "new"))
    provider.engine.run(asyncio.sleep(60))

    session = run_without_waiting(flow.ai._runtime.store.load("c1"))
    assert session is not None
    assert session.state == {"order": "new"}
