from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.scenario_calls import Pairs, failure_of, play_turns
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import FakeCodex, ScriptedProvider
from yemot_ai_testing.doubles.script import FakeOnlyError, Script
from yemot_ai_testing.doubles.steps import Answer, Step
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.report.call_record import CallRecord, render_result
from yemot_ai_testing.scenario.report.failure import failure_report

REPLAY = "pytest --yemot-scenario=x.call.yaml"


@dataclass(frozen=True)
class Question:
    prompt: str
    instructions: str | None = None
    session: str | None = None


class Model:
    """A scripted model in this process."""

    def __init__(self) -> None:
        self.script = Script()
        self.requests: list[Question] = []

    def add(self, step: Step) -> None:
        self.script.add(step)

    def assert_complete(self) -> None:
        self.script.assert_complete()

    def ask(self, prompt: str) -> str:
        self.requests.append(Question(prompt))
        step = self.script.take(prompt)
        return step.text if isinstance(step, Answer) else "תקלה"


def model_app(model: Model) -> Callable[[Pairs], str]:
    """Return an application that asks ``model`` for the value ``q<n>`` of turn n."""

    def app(pairs: Pairs) -> str:
        utterances = [value for name, value in pairs if name.startswith("q")]
        if ("hangup", "yes") in pairs:
            return "noop=bye"
        text = model.ask(utterances[-1]) if utterances else "ברוכים הבאים"
        return f"read=t-{text}=q{len(utterances) + 1},no,voice"

    return app


def play_with_model(turns: str, *, suffix: str = "") -> ScenarioResult:
    model = Model()
    return play_turns(turns, model_app(model), double=model, suffix=suffix)


CONVERSATION = """
- hears: ברוכים הבאים
- says: מה שלומך
  agent: {answers: טוב תודה}
  hears: {contains: תודה, excludes: שלום, equals: טוב תודה, matches: "^טוב", read: {mode: voice, name: q2}}
"""


def test_a_call_that_matches_its_scenario_passes() -> None:
    result = play_with_model(CONVERSATION)
    assert result.failure is None
    assert [turn.status for turn in result.turns] == ["passed", "passed"]


def test_turns_with_a_model_call_are_counted() -> None:
    assert play_with_model(CONVERSATION).agent_turns == 1


@pytest.mark.parametrize(
    ("hears", "kind"),
    [
        ("אחר", "heard"),
        ("{excludes: טוב}", "heard"),
        ("{equals: טוב}", "heard"),
        ('{matches: "^תודה"}', "heard"),
        ("{read: {mode: tap}}", "response"),
        ("{read: {block_keys: true}}", "response"),
        ("{read: false}", "response"),
        ("{play: t-טוב}", "response"),
        ("{goto: /x}", "response"),
        ("{same: true}", "response"),
        ("{ends: true}", "ends"),
    ],
)
def test_a_mismatch_fails_with_its_kind(hears: str, kind: str) -> None:
    result = play_with_model(f"""
        - says: מה שלומך
          agent: {{answers: טוב תודה}}
          hears: {hears}
    """)
    assert failure_of(result)[0] == kind


def test_every_action_of_a_response_can_be_expected() -> None:
    answers = [
        "read=t-מה=a,yes,3,1,7,No,yes,,,1.2",
        "id_list_message=t-רגע.f-/8/x&read=t-הקליטו=b,no,record,,,no",
        "go_to_folder=/2",
        "read=t-סוף=c,no,1,1,7,No",
        "id_list_message=t-ביי&go_to_folder=hangup",
    ]

    def app(pairs: Pairs) -> str:
        return "noop=bye" if ("hangup", "yes") in pairs else answers.pop(0)

    result = play_turns(
        """
        - hears: {read: {mode: tap, name: a, reuse: true, max_digits: 3, allowed: 1.2, block_star: true}}
        - presses: "1#"
          hears: {play: [t-רגע, f-/8/x], read: {mode: record, folder: "", min_seconds: null}}
        - records: /1/000.wav
          hears: {goto: /2, read: true, same: false}
        - silent: true
          hears: {contains: M1002, read: {mode: tap}}
        - presses: "1"
          hears: {play: t-ביי, read: false, ends: true}
        """,
        app,
    )
    assert result.failure is None, result.failure


def test_a_missing_read_is_reported() -> None:
    result = play_turns("[{hears: {read: {mode: tap}}}]", lambda _: "go_to_folder=hangup")
    assert failure_of(result) == (
        "response",
        ("expected a read, got none; the last response was 'go_to_folder=hangup'",),
    )


def test_a_field_that_the_read_does_not_have_is_reported() -> None:
    result = play_turns("[{hears: {read: {folder: /1}}}]", lambda _: "read=t-א=q,no,voice")
    assert "read.folder is not there" in failure_of(result)[1][0]


def test_a_call_that_should_have_ended_fails() -> None:
    assert failure_of(play_with_model("[{hears: {ends: true}}]")) == ("ends", ("the call has not ended",))


def test_turns_after_a_failure_are_not_run() -> None:
    result = play_with_model("[{hears: ביי}, {says: א}, {says: ב}]")
    assert [turn.status for turn in result.turns] == ["failed", "not_run", "not_run"]


def test_a_retried_model_call_counts_as_one_turn() -> None:
    model = Model()

    def app(pairs: Pairs) -> str:
        if ("hangup", "yes") in pairs:
            return "noop=bye"
        utterances = [value for name, value in pairs if name == "q"]
        if utterances and model.ask(utterances[0]) == "תקלה":
            model.ask(utterances[0])
        return "read=t-כן=q,no,voice"

    turns = "[{says: א, agent: [{fails: rate_limited}, {answers: ב}]}, {hangs_up: true}]"
    assert play_turns(turns, app, double=model).agent_turns == 1


def test_niqqud_quotes_and_dashes_are_ignored() -> None:
    model = Model()
    app = model_app(model)
    result = play_turns(
        '[{says: א, agent: {answers: שלום עולם צהל}, hears: "שָׁלוֹם־עולם צה״ל"}]', app, double=model
    )
    assert result.failure is None


def test_unused_steps_of_a_script_fail() -> None:
    kind, messages = failure_of(play_with_model("[{says: א, agent: [{answers: ב}, {answers: ג}]}]"))
    assert kind == "script"
    assert any("unused step" in message and "ג" in message for message in messages)


def test_an_unscripted_model_call_fails() -> None:
    assert failure_of(play_with_model("[{says: א}]"))[0] == "script"


def test_a_response_that_the_line_cannot_parse_fails() -> None:
    kind, messages = failure_of(play_turns("[{hears: {ends: true}}]", lambda _: "hangup=yes"))
    assert kind == "protocol"
    assert "hangup=yes" in messages[0]


def test_an_application_that_raises_fails_with_its_exception_as_the_cause() -> None:
    def app(_: Pairs) -> str:
        raise KeyError("x")

    result = play_turns("[{hears: א}]", app)
    assert failure_of(result)[0] == "no_answer"
    assert result.failure is not None
    assert isinstance(result.failure.cause, KeyError)


def test_a_verb_that_the_line_does_not_wait_for_fails() -> None:
    kind, messages = failure_of(play_with_model("[{records: /1/000.wav}]"))
    assert kind == "verb"
    assert "speech or keys" in messages[0]


def test_a_server_that_never_waits_for_the_caller_fails() -> None:
    assert failure_of(play_turns("[{hears: א}]", lambda _: "go_to_folder=."))[0] == "endless"


@pytest.mark.slow
def test_dead_air_above_the_limit_fails() -> None:
    poll = "read=t-רגע=w,no,1,1,1,No,,,,,1,Ok,None,,no"

    def app(pairs: Pairs) -> str:
        return "read=t-הנה=q,no,voice" if "w" in dict(pairs) else poll

    result = play_turns("[{hears: {contains: הנה, within: [100ms, 500ms]}}]", app)
    assert failure_of(result)[0] == "dead_air"


@pytest.mark.slow
def test_dead_air_between_the_limits_is_a_warning() -> None:
    poll = "read=t-רגע=w,no,1,1,1,No,,,,,1,Ok,None,,no"

    def app(pairs: Pairs) -> str:
        return "read=t-הנה=q,no,voice" if "w" in dict(pairs) else poll

    result = play_turns("[{hears: {contains: הנה, within: [500ms, 10s]}}]", app)
    assert result.failure is None
    assert result.warnings[0].startswith("1.0 s of silence")


def test_a_repeated_request_must_get_the_same_response() -> None:
    result = play_with_model("""
        - says: מה שלומך
          agent: {answers: טוב}
        - repeats: true
          agent: {answers: רע}
          hears: {same: true}
    """)
    assert failure_of(result)[0] == "response"


def test_an_interruption_waits_for_the_model_call() -> None:
    hung_up = threading.Event()
    model = Model()

    def app(pairs: Pairs) -> str:
        if ("hangup", "yes") in pairs:
            hung_up.set()
            return "noop=bye"
        if any(name == "q" for name, _ in pairs):
            model.ask("x")
            assert hung_up.wait(5)
        return "read=t-כן=q,no,voice"

    result = play_turns(
        "[{says: א, agent: {hangs: true}, meanwhile: {hangs_up: true}, hears: {ends: true}}]",
        app,
        double=model,
    )
    assert result.failure is None


def test_leftovers_are_counted() -> None:
    result = play_with_model(CONVERSATION, suffix="    afterwards: {agent_turns: 1, processes: 0}")
    assert result.failure is None


def test_leftovers_that_cannot_be_counted_fail() -> None:
    kind, messages = failure_of(play_with_model(CONVERSATION, suffix="    afterwards: {sessions_open: 0}"))
    assert kind == "afterwards"
    assert messages == ("sessions_open: cannot be counted here, not 0",)


def test_a_step_that_only_a_fake_can_do_does_not_fail() -> None:
    class Real(Model):
        def add(self, step: Step) -> None:
            raise FakeOnlyError(f"a real model cannot do {step}")

    model = Real()
    result = play_turns("[{says: א, agent: {malformed: true}}]", model_app(model), double=model)
    assert result.failure is None
    assert result.fake_only is not None
    assert "Malformed" in result.fake_only


def test_a_call_is_rendered_as_a_conversation() -> None:
    _, *lines = render_result(play_with_model(CONVERSATION)).splitlines()
    assert [line.split(maxsplit=2)[1:] for line in lines] == [
        ["dials", "/"],
        ["→", "/"],
        ["line", "ברוכים הבאים"],
        ["caller", "“מה שלומך”"],
        ["line", "טוב תודה"],
        ["caller", "hangs up"],
        ["end", "the caller hung up"],
    ]


def test_the_heading_names_the_scenario_and_its_caller() -> None:
    assert render_result(play_with_model(CONVERSATION)).splitlines()[0] == "passed: 0501234567 → /  בדיקה"


def test_a_failure_is_short_and_shows_the_turn_with_what_was_heard() -> None:
    result = play_with_model("""
        - hears: ברוכים
        - says: מה שלומך
          agent: {answers: רע}
          hears: טוב
    """)
    report = failure_report(CallRecord.from_result(result, replay=REPLAY)).splitlines()
    assert len(report) <= 15
    assert report[0] == "x.call.yaml:5:9: heard · turn 2 of 2"
    assert "        hears: טוב   # heard: רע" in report
    assert report[-1] == f"replay: {REPLAY}"


def agent_line() -> tuple[AIFlow, ScriptedProvider]:
    provider = ScriptedProvider()
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow, provider


CUT_CALL = """
- says: תקלל אותי
  agent: {fails: refused_request}
  hears: {equals: "סליחה, על זה אי אפשר לענות, אפשר לשאול משהו אחר"}
- says: כמה זה עולה
  agent: {cuts: length, text: "זה עולה מאה. ובשב"}
  hears: {equals: "זה עולה מאה סליחה, התשובה נקטעה, אפשר לשאול שוב"}
- says: ומתי
  agent: {cuts: content_filter, text: ["בשבע. ", "ומ"]}
  hears: {equals: "בשבע סליחה, התשובה נקטעה, אפשר לשאול שוב"}
- says: תודה
  agent: {answers: בבקשה, thoughts: The caller is polite.}
  hears: {equals: בבקשה}
"""


def test_a_scenario_cuts_an_answer_after_its_text_and_refuses_words() -> None:
    flow, provider = agent_line()
    assert play_turns(CUT_CALL, flow, double=provider).failure is None


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{transcribes: x}", "agent: Codex does not transcribe"),
    ],
)
def test_a_step_that_the_double_does_not_take_fails_the_turn(step: str, message: str) -> None:
    flow, _ = agent_line()
    with FakeCodex() as codex:
        result = play_turns(f"- says: x\n  agent: {step}\n  hears: y", flow, double=codex)
    kind, messages = failure_of(result)
    assert kind == "script"
    assert message in messages[0]
    assert result.failure is not None
    assert result.failure.location.line == 4
