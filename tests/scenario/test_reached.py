"""Which extensions, keys and exits the calls of a run reached."""

from __future__ import annotations

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import Caller, ScriptedProvider
from yemot_ai_testing.scenario.report.call_record import CallRecord
from yemot_ai_testing.scenario.report.caller_record import caller_record
from yemot_ai_testing.scenario.report.declared import declared_extensions
from yemot_ai_testing.scenario.report.reached import ReachedTarget, named_keys, reached_targets
from yemot_ai_testing.scenario.report.reached_text import reached_line, reached_table

MENU = "read=t-{text}=menu,no,{max_digits},1,7,No,,,,{allowed}"


def record(app: object, *keys: str, called: str = "shop:app") -> CallRecord:
    with Caller(app) as caller:
        caller.dial()
        for key in keys:
            caller.presses(key)
    return caller_record(caller, app, called, ("test_shop.py", 1, "test_shop"))


def answering(question: str) -> object:
    def app(pairs: list[tuple[str, str]]) -> str:
        values = dict(pairs)
        if "hangup" in values:
            return "noop=bye"
        return "go_to_folder=hangup" if "menu" in values else question

    return app


def reached(question: str, *keys: str) -> ReachedTarget:
    (target,) = reached_targets([record(answering(question), *keys)])
    return target


@pytest.mark.parametrize(
    ("text", "max_digits", "allowed", "offered"),
    [
        ("בחרו", 1, "123", ["1", "2", "3"]),
        ("בחרו", 1, "1.2", ["1", "2"]),
        ("בחרו", 2, "11.12", ["11", "12"]),
        ("הקישו מספר", 4, "1234", []),
        ("לשיחה הקישו 1, ליציאה הקישו 2", 1, "", ["1", "2"]),
        ("הקישו 4 ספרות", 4, "", []),
        ("הקישו ספרה", 1, "", []),
    ],
)
def test_the_keys_of_a_menu_are_those_that_it_offers(
    text: str, max_digits: int, allowed: str, offered: list[str]
) -> None:
    question = MENU.format(text=text, max_digits=max_digits, allowed=allowed)
    (extension,) = reached(question).extensions
    assert list(extension.pressed) == offered


def test_a_key_is_reached_when_the_application_gets_it() -> None:
    target = reached(MENU.format(text="בחרו", max_digits=1, allowed="12"), "2")
    assert target.missing == ["key 1 in /"]
    assert target.key_counts == (1, 2)
    assert list(target.extensions[0].exits) == ["hangup"]


def test_calls_to_several_applications_are_kept_apart() -> None:
    app = answering(MENU.format(text="בחרו", max_digits=1, allowed="1"))
    calls = [record(app, "1", called="b:app"), record(app, called="a:app"), record(app, "1", called="b:app")]
    targets = reached_targets(calls)
    assert [(target.called, target.extensions[0].calls) for target in targets] == [("a:app", 1), ("b:app", 2)]
    assert [reached_line(target) for target in targets] == [
        "reached in a:app: 1 extension, 0 of 1 key; not reached: key 1 in /",
        "reached in b:app: 1 extension, 1 of 1 key",
    ]


def test_a_flow_declares_its_handlers_and_agents() -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))
    flow.get("/info/")(lambda call: call.hangup())
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    assert [str(one) for one in declared_extensions(flow)] == ["handler /info", "agent /"]
    (target,) = reached_targets([record(flow, called="shop:flow")])
    assert target.missing == ["/info"]
    assert target.percent == 50
    assert list(reached_table(target)) == [
        "reached in shop:flow: 1 of 2 extensions; not reached: /info (50 %)",
        "  extension           calls  keys  leads to",
        "  /          agent    1",
        "  /info      handler  none",
    ]


def test_other_applications_declare_nothing() -> None:
    class Web:
        routes = ["/a", "/b"]  # noqa: RUF012 - as a web framework has it

    assert declared_extensions(Web()) == ()
    assert declared_extensions("http://127.0.0.1/") == ()


def test_many_names_are_cut_in_the_line() -> None:
    line = reached_line(reached(MENU.format(text="בחרו", max_digits=1, allowed="12345678")))
    assert line.endswith("key 5 in / and 3 more")


def test_a_call_that_was_not_played_reached_nothing() -> None:
    assert reached_targets([CallRecord("א", "a.call.yaml", 1, "error")]) == []


@pytest.mark.parametrize(
    ("text", "keys"),
    [("להמשך הקש 3", ["3"]), ("הקישו על 4", ["4"]), ("press 5", ["5"]), ("הקישו 12", []), ("שלוש", [])],
)
def test_keys_are_found_in_the_words_of_a_question(text: str, keys: list[str]) -> None:
    assert named_keys(text) == keys


def test_the_turns_of_a_caller_begin_with_its_actions() -> None:
    app = answering(MENU.format(text="בחרו", max_digits=1, allowed="12"))
    call = CallRecord.loads(record(app, "2").dumps())
    assert [turn.timeline[0].kind for turn in call.turns] == ["dials", "presses"]
    assert [[one.body for one in turn.exchanges if not one.hangup] for turn in call.turns] == [
        ["read=t-בחרו=menu,no,1,1,7,No,,,,12"],
        ["go_to_folder=hangup"],
    ]
    assert call.turns[0].heard == "בחרו"
    assert call.is_test
