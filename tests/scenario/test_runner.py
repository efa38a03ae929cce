from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

import pytest

from yemot_ai_testing.doubles.script import Answer, FakeOnlyError, Script, Step
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.play.result import ScenarioResult
from yemot_ai_testing.scenario.play.runner import PlayTarget, play
from yemot_ai_testing.scenario.report.failure import failure_report
from yemot_ai_testing.scenario.report.text import conversation_lines, render_result

Pairs = Sequence[tuple[str, str]]
REPLAY = ("pytest", "--yemot-scenario=x.call.yaml")


@dataclass(frozen=True)
class Question:
    prompt: str
    instructions: str | None = None
    session: str | None = None


class Model:
    """A model in this process: takes its steps from a script, like every double."""

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


def agent(model: Model) -> Callable[[Pairs], str]:
    """Return an application that lets ``model`` answer what is said in turn n under ``q<n>``."""

    def app(pairs: Pairs) -> str:
        said = [value for name, value in pairs if name.startswith("q")]
        if ("hangup", "yes") in pairs:
            return "noop=bye"
        text = model.ask(said[-1]) if said else "ברוכים הבאים"
        return f"read=t-{text}=q{len(said) + 1},no,voice"

    return app


def played(turns: str, app: object, *, double: Model | None = None, more: str = "") -> ScenarioResult:
    text = f"scenarios:\n  - name: בדיקה\n    turns:\n{indent(dedent(turns).strip(), ' ' * 6)}\n{more}"
    (scenario,) = loads(text, Path("x.call.yaml")).scenarios
    return play(scenario, PlayTarget(app, double, grace=0.2))


def conversed(turns: str, *, more: str = "") -> ScenarioResult:
    model = Model()
    return played(turns, agent(model), double=model, more=more)


def failed(outcome: ScenarioResult) -> tuple[str, tuple[str, ...]]:
    assert outcome.failure is not None
    return outcome.failure.kind, outcome.failure.messages


TALK = """
- hears: ברוכים הבאים
- says: מה שלומך
  agent: {answers: טוב תודה}
  hears: {contains: תודה, excludes: שלום, equals: טוב תודה, matches: "^טוב", read: {mode: voice, name: q2}}
"""


def test_a_call_that_goes_as_written_passes() -> None:
    outcome = conversed(TALK)
    assert outcome.failure is None
    assert [result.status for result in outcome.turns] == ["passed", "passed"]


def test_the_turns_that_the_model_was_asked_for_are_counted() -> None:
    assert conversed(TALK).agent_turns == 1


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
def test_whatever_is_not_as_written_fails_with_its_kind(hears: str, kind: str) -> None:
    outcome = conversed(f"""
        - says: מה שלומך
          agent: {{answers: טוב תודה}}
          hears: {hears}
    """)
    assert failed(outcome)[0] == kind


def test_everything_that_an_answer_does_can_be_expected() -> None:
    answers = [
        "read=t-מה=a,yes,3,1,7,No,yes,,,1.2",
        "id_list_message=t-רגע.f-/8/x&read=t-הקליטו=b,no,record,,,no",
        "go_to_folder=/2",
        "read=t-סוף=c,no,1,1,7,No",
        "id_list_message=t-ביי&go_to_folder=hangup",
    ]

    def app(pairs: Pairs) -> str:
        return "noop=bye" if ("hangup", "yes") in pairs else answers.pop(0)

    outcome = played(
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
    assert outcome.failure is None, outcome.failure


def test_a_read_that_is_gone_is_no_read() -> None:
    outcome = played("[{hears: {read: {mode: tap}}}]", lambda _: "go_to_folder=hangup")
    assert failed(outcome) == (
        "response",
        ("expected a read, got none; the last response was 'go_to_folder=hangup'",),
    )


def test_a_field_that_the_read_does_not_have_is_told() -> None:
    outcome = played("[{hears: {read: {folder: /1}}}]", lambda _: "read=t-א=q,no,voice")
    assert "read.folder is not there" in failed(outcome)[1][0]


def test_a_call_that_should_have_ended_goes_on() -> None:
    assert failed(conversed("[{hears: {ends: true}}]")) == ("ends", ("the call has not ended",))


def test_turns_after_a_failure_are_not_run() -> None:
    outcome = conversed("[{hears: ביי}, {says: א}, {says: ב}]")
    assert [result.status for result in outcome.turns] == ["failed", "not_run", "not_run"]


def test_a_question_that_is_tried_again_is_one_turn() -> None:
    model = Model()

    def app(pairs: Pairs) -> str:
        if ("hangup", "yes") in pairs:
            return "noop=bye"
        said = [value for name, value in pairs if name == "q"]
        if said and model.ask(said[0]) == "תקלה":
            model.ask(said[0])
        return "read=t-כן=q,no,voice"

    turns = "[{says: א, agent: [{fails: rate_limited}, {answers: ב}]}, {hangs_up: true}]"
    assert played(turns, app, double=model).agent_turns == 1


def test_niqqud_quotes_and_dashes_do_not_tell_texts_apart() -> None:
    model = Model()
    app = agent(model)
    outcome = played(
        '[{says: א, agent: {answers: שלום עולם צהל}, hears: "שָׁלוֹם־עולם צה״ל"}]', app, double=model
    )
    assert outcome.failure is None


def test_a_script_that_is_not_used_up_fails() -> None:
    kind, messages = failed(conversed("[{says: א, agent: [{answers: ב}, {answers: ג}]}]"))
    assert kind == "script"
    assert any("never asked for" in message and "ג" in message for message in messages)


def test_a_model_asked_for_more_than_is_scripted_fails() -> None:
    assert failed(conversed("[{says: א}]"))[0] == "script"


def test_an_answer_that_the_line_would_not_understand_fails_whatever_is_heard() -> None:
    kind, messages = failed(played("[{hears: {ends: true}}]", lambda _: "hangup=yes"))
    assert kind == "protocol"
    assert "hangup=yes" in messages[0]


def test_an_application_that_raises_fails_with_its_exception_behind() -> None:
    def app(_: Pairs) -> str:
        raise KeyError("x")

    outcome = played("[{hears: א}]", app)
    assert failed(outcome)[0] == "no_answer"
    assert outcome.failure is not None
    assert isinstance(outcome.failure.cause, KeyError)


def test_a_verb_that_the_line_does_not_wait_for_fails() -> None:
    kind, messages = failed(conversed("[{records: /1/000.wav}]"))
    assert kind == "verb"
    assert "speech or keys" in messages[0]


def test_a_server_that_never_waits_for_the_caller_fails() -> None:
    assert failed(played("[{hears: א}]", lambda _: "go_to_folder=."))[0] == "endless"


def test_too_long_a_silence_fails() -> None:
    poll = "read=t-רגע=w,no,1,1,1,No,,,,,1,Ok,None,,no"

    def app(pairs: Pairs) -> str:
        return "read=t-הנה=q,no,voice" if "w" in dict(pairs) else poll

    outcome = played("[{hears: {contains: הנה, within: [100ms, 500ms]}}]", app)
    assert failed(outcome)[0] == "dead_air"


def test_a_silence_worth_a_warning_does_not_fail() -> None:
    poll = "read=t-רגע=w,no,1,1,1,No,,,,,1,Ok,None,,no"

    def app(pairs: Pairs) -> str:
        return "read=t-הנה=q,no,voice" if "w" in dict(pairs) else poll

    outcome = played("[{hears: {contains: הנה, within: [500ms, 10s]}}]", app)
    assert outcome.failure is None
    assert outcome.warnings[0].startswith("1.0 s of silence")


def test_a_repeated_request_must_bring_the_same_answer() -> None:
    outcome = conversed("""
        - says: מה שלומך
          agent: {answers: טוב}
        - repeats: true
          agent: {answers: רע}
          hears: {same: true}
    """)
    assert failed(outcome)[0] == "response"


def test_hanging_up_meanwhile_waits_until_the_model_was_asked() -> None:
    gone = threading.Event()
    model = Model()

    def app(pairs: Pairs) -> str:
        if ("hangup", "yes") in pairs:
            gone.set()
            return "noop=bye"
        if any(name == "q" for name, _ in pairs):
            model.ask("x")
            assert gone.wait(5)
        return "read=t-כן=q,no,voice"

    outcome = played(
        "[{says: א, agent: {hangs: true}, meanwhile: {hangs_up: true}, hears: {ends: true}}]",
        app,
        double=model,
    )
    assert outcome.failure is None


def test_what_is_left_behind_is_counted() -> None:
    outcome = conversed(TALK, more="    afterwards: {agent_turns: 1, processes: 0}")
    assert outcome.failure is None


def test_what_cannot_be_counted_fails() -> None:
    kind, messages = failed(conversed(TALK, more="    afterwards: {sessions_open: 0}"))
    assert kind == "afterwards"
    assert messages == ("sessions_open: cannot be counted here, not 0",)


def test_what_only_a_fake_can_do_is_told_and_not_failed() -> None:
    class Real(Model):
        def add(self, step: Step) -> None:
            raise FakeOnlyError(f"a real model cannot do {step}")

    model = Real()
    outcome = played("[{says: א, agent: {malformed: true}}]", agent(model), double=model)
    assert outcome.failure is None
    assert outcome.fake_only is not None
    assert "Malformed" in outcome.fake_only


def test_a_call_reads_like_a_conversation() -> None:
    lines = conversation_lines(conversed(TALK))
    assert [(line.origin, line.text) for line in lines] == [
        ("caller", "/"),
        ("place", "/"),
        ("line", "ברוכים הבאים"),
        ("caller", "“מה שלומך”"),
        ("line", "טוב תודה"),
        ("caller", "hangs up"),
        ("place", "the caller hung up"),
    ]


def test_the_heading_names_the_scenario_and_its_caller() -> None:
    assert render_result(conversed(TALK)).splitlines()[0] == "passed: 0501234567 → /  בדיקה"


def test_a_failure_is_short_and_shows_the_turn_with_what_was_heard() -> None:
    outcome = conversed("""
        - hears: ברוכים
        - says: מה שלומך
          agent: {answers: רע}
          hears: טוב
    """)
    assert outcome.failure is not None
    report = failure_report(outcome, outcome.failure, replay=REPLAY).splitlines()
    assert len(report) <= 15
    assert report[0] == "x.call.yaml:5:9: heard · turn 2 of 2"
    assert "        hears: טוב   # heard: רע" in report
    assert report[-1] == "replay: pytest --yemot-scenario=x.call.yaml"
