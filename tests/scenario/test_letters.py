"""Letters are typed on the letter keyboards of a read in tap mode (field 6 [OFF])."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scenario_calls import Pairs, answering, failure_of, play_turns
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider
from yemot_ai_testing.scenario.format.dump import dumps
from yemot_ai_testing.scenario.format.load import loads

GOODBYE = "id_list_message=t-תודה&go_to_folder=hangup"


@pytest.mark.parametrize(
    ("keyboard", "text"),
    [
        ("HebrewKeyboard", "מתי פותחים"),
        ("HebrewKeyboard", "כן"),
        ("EnglishKeyboard", "When do you open"),
        ("EmailKeyboard", "dana@example.com"),
        ("GetMail", "dana@example.com"),
    ],
    ids=lambda value: value if value.isascii() else None,
)
def test_a_letter_keyboard_takes_the_text_of_the_turn(keyboard: str, text: str) -> None:
    seen: list[str] = []

    def app(pairs: Pairs) -> str:
        seen.extend(value for name, value in pairs if name == "q")
        return GOODBYE if "q" in dict(pairs) else f"read=t-מה השאלה=q,no,,1,7,{keyboard},,,,,,,,,no"

    result = play_turns(f'[{{presses: "{text}", hears: {{contains: תודה, ends: true}}}}]', app)
    assert result.failure is None, result.failure
    assert seen[0] == text


def test_an_agent_that_listens_by_keyboard_is_typed_to() -> None:
    provider = ScriptedProvider()
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="מה השאלה", listen="keyboard")(lambda _call, _text: None)
    result = play_turns(
        '[{hears: מה השאלה}, {presses: "מתי פותחים", agent: {answers: בשמונה}, hears: בשמונה}]',
        flow,
        double=provider,
    )
    assert result.failure is None, result.failure
    assert provider.requests[0].prompt == "מתי פותחים"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ("read=t-מה=q,no,1,1,7,No,,,,,,,,,no", "the line waits for keys (tap, at most 1)"),
        ("read=t-מה=q,no,1,1,7,Digits,,,,,,,,,no", "the line waits for keys (tap, at most 1)"),
        ("read=t-מה=q,no,voice", "the line waits for speech or keys (voice)"),
    ],
)
def test_letters_without_a_letter_keyboard_fail_the_verb(response: str, reason: str) -> None:
    kind, (message,) = failure_of(play_turns('[{presses: "מתי"}]', answering(response)))
    assert kind == "verb"
    assert f"the caller presses 'מתי', but {reason}" in message
    assert "HebrewKeyboard" in message


def test_letters_after_the_call_fail_because_it_is_over() -> None:
    kind, (message,) = failure_of(play_turns('[{presses: "מתי"}]', answering("go_to_folder=hangup")))
    reason = "the caller presses מתי, but the call is over: the line hung up: a new call is a new scenario"
    assert (kind, message.partition("; ")[0]) == ("verb", reason)


def test_letters_while_the_answer_is_prepared_need_a_letter_keyboard_too() -> None:
    poll = "read=t-רגע=p,no,1,1,1,No,,,,,1,Ok,,,no"
    turns = '[{hears: מה}, {says: א, meanwhile: {presses: "ב"}}]'
    kind, (message,) = failure_of(play_turns(turns, answering("read=t-מה=q,no,voice", poll)))
    assert (kind, "HebrewKeyboard" in message) == ("verb", True)


@pytest.mark.parametrize(
    ("response", "turn", "hint"),
    [
        ("read=t-מה=q,no,voice", "records: /1.wav", "says: …, presses: … or silent: true"),
        ("read=t-מה=q,no,record", "silent: true", "records: … or hangs_up: true"),
        ("credit_card=pelecard,1,999,3", "says: א", "pays(…) of a Caller (in Python"),
    ],
)
def test_a_failed_verb_names_the_keys_of_scenario_files(response: str, turn: str, hint: str) -> None:
    kind, (message,) = failure_of(play_turns(f"[{{{turn}}}]", answering(response)))
    assert (kind, hint in message) == ("verb", True), message


@pytest.mark.parametrize("turn", ['presses: "מתי פותחים"', 'says: א, meanwhile: {presses: "מתי", after: 1s}'])
def test_letters_are_written_as_they_were_loaded(turn: str) -> None:
    path = Path("x.call.yaml")
    file = loads(f"scenarios: [{{name: א, turns: [{{{turn}}}]}}]", path)
    again = loads(dumps(file), path).scenarios[0].turns[0]
    first = file.scenarios[0].turns[0]
    assert (again.action, again.interruption) == (first.action, first.interruption)
