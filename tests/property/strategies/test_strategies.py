"""The strategies draw each of their kinds, and shrink to realistic examples."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import strategies as st

from tests.property.strategies.examples import drawn, drawn_until, simplest
from yemot_ai.errors import ProviderError
from yemot_ai.protocol import Play, Request, Response, Text, lint
from yemot_ai.providers.codex.events import EventReader
from yemot_ai_testing.doubles.steps import Answer, Drop, Failure, Hang
from yemot_ai_testing.line.platform.ext_ini import read_ext_ini
from yemot_ai_testing.property import (
    call_scripts,
    callers,
    codex_streams,
    ext_inis,
    model_streams,
    model_texts,
    requests,
    response_texts,
    responses,
    values,
)
from yemot_ai_testing.property.strategies.call_scripts import ScriptTurnKind
from yemot_ai_testing.property.strategies.callers import CallerKind
from yemot_ai_testing.property.strategies.codex import CodexStream, StreamKind
from yemot_ai_testing.property.strategies.ext_ini import IniKind
from yemot_ai_testing.property.strategies.kinds import of_kinds
from yemot_ai_testing.property.strategies.model_streams import API, APIS, BODY_KINDS, ModelStream
from yemot_ai_testing.property.strategies.requests import RequestKind
from yemot_ai_testing.property.strategies.responses import ResponseKind, ResponseTextKind
from yemot_ai_testing.property.strategies.texts import LONG_TEXT_BYTES, TEXT_KINDS
from yemot_ai_testing.property.strategies.values import ValueKind
from yemot_ai_testing.scenario.format.model import CallerSpec, Scenario, ScenarioTurn

pytest_plugins = ["pytester"]

Holds = Callable[[Any], object]


def pairs(request: Any) -> Any:  # noqa: ANN401 - a request of any form
    return Request.parse(request)


def names(request: Any) -> list[str]:  # noqa: ANN401 - a drawn value
    return [name for name, _ in pairs(request).pairs]


def has_errors(answer: str) -> bool:
    return any(problem.level == "error" for problem in lint(answer))


def outcome(stream: CodexStream) -> str:
    reader = EventReader()
    for line in stream.lines:
        reader.feed(line)
    try:
        reader.finish(exit_code=stream.exit_code, stderr_tail=stream.stderr)
    except ProviderError as error:
        return type(error).__name__
    return "answered"


def of(turn: ScenarioTurn, verb: str, *steps: type) -> bool:
    return (
        turn.action is not None
        and turn.action.verb == verb
        and (not steps or any(isinstance(step, steps) for step in turn.agent))
    )


TEXTS: dict[str, Holds] = {
    "plain": re.compile("[א-ת ]+").fullmatch,
    "protocol": lambda text: set("&=.,-\"'") & set(text),
    "injection": re.compile("go_to_folder=|id_list_message=|read=|routing_yemot=|shell").search,
    "markdown": re.compile(r"\*\*|```|\]\(|##").search,
    "addresses": re.compile(r"https://|www\.|@mail").search,
    "niqqud": re.compile("[\u05b0-\u05bc\ufb2a]").search,
    "bidi": re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]").search,
    "emoji": re.compile("[😀👩👍🇮]").search,
    "repeated": re.compile(r"(.)\1{40}", re.DOTALL).search,
    "raw": re.compile("[\u3000-\ud7ff\U00020000-\U000dffff]").search,
    "blank": lambda text: not text.strip(),
    "long": lambda text: len(text.encode("utf-8", "replace")) > LONG_TEXT_BYTES * 0.9,
}
VALUES: dict[str, Holds] = {
    "speech": re.compile("[א-ת ]+").fullmatch,
    "keys": re.compile("[0-9*]{1,8}").fullmatch,
    "digits": re.compile("Digits-[0-9*]+").fullmatch,
    "empty": lambda value: value == "",
    "none": lambda value: value == "None",
    "recording": re.compile(r"(ivr2:)?/?1/.*\.wav").fullmatch,
    "formatted": re.compile(r"\d\d-\d\d(-\d{4})?|\d+\.5").fullmatch,
    "padded": re.compile("[\u200b-\u202e\xa0][א-ת ]+", re.DOTALL).match,
    "hostile": re.compile("go_to_folder|id_list_message|hangup|read=|noop").search,
}
CALLERS: dict[str, Holds] = {
    "mobile": lambda caller: re.fullmatch("05[0-9]{8}", caller.phone),
    "landline": lambda caller: re.fullmatch("0[23489][0-9]{7}|077[0-9]{7}", caller.phone),
    "withheld": lambda caller: caller.phone == "",
    "foreign": lambda caller: re.fullmatch(r"(00|\+)[0-9]{9,13}", caller.phone),
}
REQUESTS: dict[str, Holds] = {
    "entered": lambda sent: names(sent)[-1:] == ["ApiTime"],
    "answered": lambda sent: not isinstance(sent, str) and pairs(sent).values and not pairs(sent).hangup,
    "kept": lambda sent: len(set(names(sent))) < len(names(sent)),
    "hangup": lambda sent: pairs(sent).hangup,
    "glued": lambda sent: isinstance(sent, str) and "?ApiCallId=" in sent and pairs(sent).call_id,
    "encoded": lambda sent: isinstance(sent, str) and sent.startswith("ApiCallId="),
    "odd_ids": lambda sent: "ApiPhone" in names(sent) and "ApiCallId" not in names(sent),
    "hostile": lambda sent: not isinstance(sent, str) and "&" in str(pairs(sent).values),
    "junk": lambda sent: isinstance(sent, str) and "ApiCallId" not in sent,
}
RESPONSES: dict[str, Holds] = {
    "actions": lambda response: not isinstance(next(iter(response)), Text) and "=" in str(response),
    "simple": lambda response: "=" not in str(response),
}
ANSWERS: dict[str, Holds] = {
    "valid": lambda answer: not has_errors(answer),
    "mutated": has_errors,
    "careless": re.compile("^id_list_message=t-.*&go_to_folder=/1$", re.DOTALL).match,
    "pieces": re.compile("api_log_no&|noop|n-5").search,
    "junk": re.compile("[\ud800-\udfff]").search,
}
STREAMS: dict[str, Holds] = {
    "answered": lambda stream: outcome(stream) == "answered" and len(stream.lines) < 6,
    "failed": lambda stream: outcome(stream) not in {"answered", "MalformedStreamError"},
    "truncated": lambda stream: (
        outcome(stream) == "MalformedStreamError" and b"}" not in stream.lines[-1][-1:]
    ),
    "interleaved": lambda stream: stream.jsonl.count(b'"thread.started"') > 1,
    "unknown": lambda stream: b"moon" in stream.jsonl,
    "malformed": lambda stream: any(not line.startswith(b"{") for line in stream.lines[:-1]),
}
ENDS = {"responses": b"response.completed", "chat": b"[DONE]", "messages": b"message_stop"}
BEGINNINGS = {"responses": b'"response.created"', "chat": b'"role"', "messages": b'"message_start"'}
DELTAS = {"responses": b'"delta": "', "chat": b'"content": "', "messages": b'"text_delta"'}


def ends(stream: ModelStream) -> bool:
    return any(ENDS[stream.api] in block for block in stream.blocks[-1:])


def begins(stream: ModelStream) -> int:
    return sum(BEGINNINGS[stream.api] in block for block in stream.blocks)


BODIES: dict[str, Holds] = {
    "answered": lambda stream: ends(stream) and begins(stream) == 1 and DELTAS[stream.api] in stream.body,
    "failed": lambda stream: b'"message": "' in stream.body and not ends(stream),
    "truncated": lambda stream: len(stream.blocks) == 1 and not stream.body.endswith(b"\n\n"),
    "repeated": lambda stream: len(set(stream.blocks)) < len(stream.blocks) and begins(stream) > 1,
    "interleaved": lambda stream: (
        len(set(stream.blocks[:2])) == 2
        and all(BEGINNINGS[stream.api] in block for block in stream.blocks[:2])
    ),
    "unknown": lambda stream: b"moon" in stream.body,
    "altered": lambda stream: ends(stream) and begins(stream) == 0,
    "malformed": lambda stream: any(b"\n\n" not in block for block in stream.blocks),
    "page": lambda stream: stream.body.startswith(b"<!doctype"),
}
INIS: dict[str, Holds] = {
    "api": lambda text: text.startswith("type=api") and not read_ext_ini(text).warnings,
    "other": re.compile("type=(menu|playfile|record)").match,
    "odd": lambda text: any(one.code == "unknown-key" for one in read_ext_ini(text).warnings),
    "junk": re.compile("[\u3000-\ud7ff\U00020000-\U000dffff]").search,
}
SCRIPTS: dict[str, Holds] = {
    "answered": lambda script: any(of(turn, "says", Answer) for turn in script.turns),
    "pieces": lambda script: any(
        isinstance(step, Answer) and len(step.pieces) > 1 for turn in script.turns for step in turn.agent
    ),
    "hostile": lambda script: any(
        turn.action and re.search("[&=*\u200f]", turn.action.text) and turn.agent for turn in script.turns
    ),
    "pressed": lambda script: any(of(turn, "presses") for turn in script.turns),
    "silent": lambda script: any(of(turn, "silent") for turn in script.turns),
    "repeated": lambda script: any(of(turn, "repeats") for turn in script.turns),
    "failed": lambda script: any(of(turn, "says", Failure, Drop) for turn in script.turns),
    "hung": lambda script: any(of(turn, "says", Hang) and not turn.interruption for turn in script.turns),
    "interrupted": lambda script: any(turn.interruption for turn in script.turns),
}
KINDS: list[tuple[Callable[..., st.SearchStrategy[Any]], tuple[str, ...], dict[str, Holds]]] = [
    (model_texts, TEXT_KINDS, TEXTS),
    (values, get_args(ValueKind), VALUES),
    (callers, get_args(CallerKind), CALLERS),
    (requests, get_args(RequestKind), REQUESTS),
    (responses, get_args(ResponseKind), RESPONSES),
    (response_texts, get_args(ResponseTextKind), ANSWERS),
    (codex_streams, get_args(StreamKind), STREAMS),
    (model_streams, BODY_KINDS, BODIES),
    (ext_inis, get_args(IniKind), INIS),
    (call_scripts, get_args(ScriptTurnKind), SCRIPTS),
]


@pytest.mark.parametrize(("strategy", "kinds", "signs"), KINDS)
def test_each_kind_occurs_in_300_examples(
    strategy: Callable[..., st.SearchStrategy[Any]], kinds: tuple[str, ...], signs: dict[str, Holds]
) -> None:
    assert tuple(signs) == kinds
    examples = drawn(strategy())
    assert len(examples) == 300
    assert {kind for kind, sign in signs.items() if not any(map(sign, examples))} == set()


@pytest.mark.parametrize(("strategy", "kinds", "signs"), KINDS)
def test_a_kind_can_be_drawn_alone(
    strategy: Callable[..., st.SearchStrategy[Any]], kinds: tuple[str, ...], signs: dict[str, Holds]
) -> None:
    for kind in kinds:
        assert drawn_until(lambda value: bool(signs[kind](value)), strategy(kind), most=300), kind  # noqa: B023


def test_an_unknown_kind_raises_an_error_that_lists_the_kinds() -> None:
    with pytest.raises(ValueError, match="model_texts has no kind 'polite'; there are plain, protocol"):
        model_texts("polite")  # type: ignore[arg-type]  # an unknown kind on purpose


def test_statistics_show_the_kinds_drawn(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from hypothesis import given
        from yemot_ai_testing.property import callers

        @given(callers("withheld"))
        def test_nothing(caller):
            pass
        """
    )
    done = pytester.runpytest_inprocess("--hypothesis-show-statistics", "-p", "no:cacheprovider")
    done.stdout.fnmatch_lines(["*callers: withheld*"])


@pytest.mark.parametrize(
    ("strategy", "wanted", "simple"),
    [
        (model_texts(), lambda text: True, {"שלום"}),
        (model_texts(), lambda text: len(text) == 1, {"א"}),
        (model_texts(), lambda text: "&" in text, {"&"}),
        (model_texts(), lambda text: "**" in text, {"**"}),
        (model_texts(), lambda text: len(text) > 9, {"אני רוצה פיצה"}),
        (values(), lambda value: True, {"שלום"}),
        (values(), lambda value: value.isdecimal(), {"1"}),
        (values(), lambda value: value.startswith("Digits-"), {"Digits-1"}),
        (callers(), lambda caller: True, {CallerSpec("0500000000", "", "GET")}),
        (callers(), lambda caller: not caller.phone, {CallerSpec("", "", "GET")}),
        (responses(), lambda response: True, {Response([Play([Text("שלום")])])}),
        (response_texts(), lambda answer: True, {"id_list_message=t-שלום"}),
        (ext_inis(), lambda text: True, {"type=api\napi_link=https://example.com/yemot\n"}),
        (
            ext_inis(),
            lambda text: "api_url_post=" in text and text.startswith("type=api"),
            {"type=api\napi_link=https://example.com/yemot\napi_url_post=yes\n"},
        ),
    ],
)
def test_a_failure_shrinks_to_a_realistic_example(
    strategy: st.SearchStrategy[Any], wanted: Callable[[Any], bool], simple: set[Any]
) -> None:
    assert simplest(strategy, wanted) in simple


def test_a_request_shrinks_to_the_first_request_of_a_call() -> None:
    sent = simplest(requests(), lambda _: True)
    assert names(sent) == ["ApiCallId", "ApiPhone", "ApiDID", "ApiRealDID", "ApiExtension", "ApiTime"]
    assert pairs(sent).phone == "0500000000"


def test_a_hangup_shrinks_to_one_without_values() -> None:
    sent = pairs(simplest(requests("hangup"), lambda _: True))
    assert (sent.phone, sent.values) == ("0500000000", ())


def test_a_read_shrinks_to_the_defaults_of_the_line() -> None:
    found = simplest(responses(), lambda response: str(response).startswith("read="))
    assert str(found) == "read=t-שלום=choice,no,,1,7,No,,,,,,,None,,no"


def test_the_kinds_are_drawn_equally_often() -> None:
    counted = dict.fromkeys("ab", 0)
    for letter in drawn(of_kinds("letters", {"a": [st.just("a")], "b": [st.just("b")]}, ())):
        counted[letter] += 1
    assert min(counted.values()) > 0


def doings(script: Scenario) -> list[tuple[str, str] | None]:
    return [(turn.action.verb, turn.action.text) if turn.action else None for turn in script.turns]


def test_a_call_shrinks_to_one_answered_turn() -> None:
    script = simplest(call_scripts(), lambda _: True)
    assert (doings(script), script.caller.phone) == ([("says", "שלום")], "0500000000")
    assert script.turns[0].agent == (Answer(("שלום",)),)


def test_a_call_that_needs_two_turns_shrinks_to_two() -> None:
    script = simplest(call_scripts(), lambda script: sum(of(turn, "says") for turn in script.turns) > 1)
    assert doings(script) == [("says", "שלום"), ("says", "שלום")]


def test_a_hangup_is_the_last_turn() -> None:
    for script in drawn(call_scripts()):
        ends = [
            number
            for number, turn in enumerate(script.turns, start=1)
            if of(turn, "hangs_up") or (turn.interruption and turn.interruption.keys is None)
        ]
        assert ends in ([], [len(script.turns)])


def test_each_turn_of_a_call_has_its_own_line() -> None:
    for script in drawn(call_scripts(), 50):
        lines = [turn.location.line for turn in script.turns]
        assert lines == list(range(1, len(lines) + 1))


def test_a_stream_shrinks_to_the_shortest_recorded_answer() -> None:
    stream = simplest(codex_streams(), lambda _: True)
    assert outcome(stream) == "answered"
    assert "שלום" in stream.jsonl.decode()


@pytest.mark.parametrize("api", APIS)
def test_a_body_shrinks_to_the_shortest_answer_of_its_api(api: API) -> None:
    stream = simplest(model_streams(api=api), lambda _: True)
    assert (stream.api, ends(stream), begins(stream)) == (api, True, 1)
    assert "שלום" in stream.body.decode()


def test_the_reader_returns_the_text_of_a_stream() -> None:
    answered = [one for one in drawn(codex_streams("answered"), 100) if outcome(one) == "answered"]
    assert len(answered) > 50
