"""The strategies give what they promise, and shrink to what a person would write."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.strategies.drawn import drawn, simplest
from yemot_ai.protocol import Play, Request, Response, Text, lint
from yemot_ai_testing.property import answers, callers, model_texts, requests, responses, values
from yemot_ai_testing.property.strategies.callers import CALLER_KINDS
from yemot_ai_testing.property.strategies.kinds import of_kinds
from yemot_ai_testing.property.strategies.requests import REQUEST_KINDS
from yemot_ai_testing.property.strategies.responses import ANSWER_KINDS, RESPONSE_KINDS
from yemot_ai_testing.property.strategies.texts import LONG, TEXT_KINDS
from yemot_ai_testing.property.strategies.values import VALUE_KINDS
from yemot_ai_testing.scenario.model import CallerSpec

pytest_plugins = ["pytester"]

Holds = Callable[[Any], object]


def pairs(sent: Any) -> Any:  # noqa: ANN401 - a request of any form
    return Request.parse(sent)


def names(sent: Any) -> list[str]:  # noqa: ANN401 - likewise
    return [name for name, _ in pairs(sent).pairs]


def has_errors(answer: str) -> bool:
    return any(problem.level == "error" for problem in lint(answer))


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
    "long": lambda text: len(text.encode("utf-8", "replace")) > LONG * 0.9,
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
    "hostile": re.compile("go_to_folder=").search,
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
KINDS: list[tuple[Callable[..., st.SearchStrategy[Any]], tuple[str, ...], dict[str, Holds]]] = [
    (model_texts, TEXT_KINDS, TEXTS),
    (values, VALUE_KINDS, VALUES),
    (callers, CALLER_KINDS, CALLERS),
    (requests, REQUEST_KINDS, REQUESTS),
    (responses, RESPONSE_KINDS, RESPONSES),
    (answers, ANSWER_KINDS, ANSWERS),
]


@pytest.mark.parametrize(("strategy", "kinds", "signs"), KINDS)
def test_each_kind_occurs_in_300_examples(
    strategy: Callable[..., st.SearchStrategy[Any]], kinds: tuple[str, ...], signs: dict[str, Holds]
) -> None:
    assert tuple(signs) == kinds
    examples = drawn(strategy())
    assert {kind for kind, sign in signs.items() if not any(map(sign, examples))} == set()


@pytest.mark.parametrize(("strategy", "kinds", "signs"), KINDS)
def test_a_kind_can_be_asked_for_alone(
    strategy: Callable[..., st.SearchStrategy[Any]], kinds: tuple[str, ...], signs: dict[str, Holds]
) -> None:
    for kind in kinds:
        assert any(map(signs[kind], drawn(strategy(kind), 100))), kind


def test_a_kind_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="model_texts has no kind 'polite'; there are plain, protocol"):
        model_texts("polite")  # type: ignore[arg-type]  # that is the point


def test_statistics_tell_which_kinds_were_drawn(pytester: pytest.Pytester) -> None:
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
        (answers(), lambda answer: True, {"id_list_message=t-שלום"}),
    ],
)
def test_a_failure_shrinks_to_what_a_person_would_write(
    strategy: st.SearchStrategy[Any], wanted: Callable[[Any], bool], simple: set[Any]
) -> None:
    assert simplest(strategy, wanted) in simple


def test_a_request_shrinks_to_the_first_of_a_call() -> None:
    sent = simplest(requests(), lambda _: True)
    assert names(sent) == ["ApiCallId", "ApiPhone", "ApiDID", "ApiRealDID", "ApiExtension", "ApiTime"]
    assert pairs(sent).phone == "0500000000"


def test_a_hangup_shrinks_to_one_without_values() -> None:
    sent = pairs(simplest(requests("hangup"), lambda _: True))
    assert (sent.phone, sent.values) == ("0500000000", ())


def test_a_question_shrinks_to_the_lines_own_defaults() -> None:
    found = simplest(responses(), lambda response: str(response).startswith("read="))
    assert str(found) == "read=t-שלום=choice,no,,1,7,No,,,,,,,None,,no"


def test_the_kinds_are_drawn_alike() -> None:
    counted = dict.fromkeys("ab", 0)
    for letter in drawn(of_kinds("letters", {"a": [st.just("a")], "b": [st.just("b")]}, ())):
        counted[letter] += 1
    assert min(counted.values()) > 0
