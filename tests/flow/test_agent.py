from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from tests.support.flow_line import Line
from yemot_ai import AICall, AIFlow, AsyncAgent, AsyncAICall, DialogSettings, KeyAction, YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import ConfigurationError
from yemot_ai.protocol import File
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider

LISTEN = "no,voice"
POLL = "no,1,1,1,No,,,,,1,Ok,None,,no"


@pytest.fixture
def agent(flow: AIFlow) -> AIFlow:
    @flow.ai_agent("a", greeting="שלום")
    def answer_turn(call: AICall, text: str) -> None:
        """Let the AI answer."""

    return flow


def prompts(provider: ScriptedProvider) -> list[str]:
    return [request.prompt for request in provider.requests]


@pytest.mark.usefixtures("agent")
def test_the_agent_greets_listens_answers_and_listens_again(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("באיזה גודל?").answers("רשמתי.")

    assert line.enter("a") == f"read=t-שלום=ai_1,{LISTEN}"
    assert line.send(("ai_1", "פיצה")) == f"read=t-באיזה גודל?=ai_2,{LISTEN}"
    assert line.send(("ai_2", "גדולה")) == f"read=t-רשמתי=ai_3,{LISTEN}"
    assert provider.requests[1].session == "scripted-1"


@pytest.mark.usefixtures("agent")
def test_a_slow_answer_is_polled_for(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("כן", after=5)
    line.enter("a")

    assert line.send(("ai_1", "יש?")) == f"read=t-רק רגע=ai_1w1,{POLL}"
    assert line.send(("ai_1w1", "None")) == f"read=t-רק רגע=ai_1w2,{POLL}"
    assert line.send(("ai_1w2", "None")) == f"read=t-כן=ai_2,{LISTEN}"
    assert prompts(provider) == ["יש?"]


@pytest.mark.usefixtures("agent")
def test_a_repeated_poll_gets_the_same_response(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("כן", after=3)
    line.enter("a")
    filler = line.send(("ai_1", "יש?"))
    assert line.again() == filler

    answer = line.send(("ai_1w1", "None"))

    assert line.again() == answer == f"read=t-כן=ai_2,{LISTEN}"


def test_concurrent_requests_for_one_turn_ask_once_and_get_the_same_response() -> None:
    provider = ScriptedProvider(engine=Engine()).answers(
        "כן"
    )  # real time: virtual time would pass during the hold
    provider.hold()
    line = Line(AIFlow(YemotAI(provider=provider)))
    line.flow.ai_agent("a")(lambda call, text: None)
    line.enter("a")
    line.values.append(("ai_1", "יש?"))
    line.time += 5
    answers: list[str] = []
    callers = [threading.Thread(target=lambda: answers.append(line.again())) for _ in range(8)]
    for caller in callers:
        caller.start()
    provider.wait_for_requests(1)
    provider.release()
    for caller in callers:
        caller.join(10)

    assert answers == [f"read=t-כן=ai_2,{LISTEN}"] * 8
    assert prompts(provider) == ["יש?"]


@pytest.mark.usefixtures("agent")
def test_three_silences_in_a_row_end_the_visit(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("כן")
    line.enter("a")
    line.send(("ai_1", ""))
    line.send(("ai_2", "יש?"))

    assert line.send(("ai_3", "")) == f"read=t-לא שמעתי, אפשר לחזור?=ai_4,{LISTEN}"
    line.send(("ai_4", "\u200f "))
    assert line.send(("ai_5", "")) == "id_list_message=t-לא שמעתי אותך, להתראות&go_to_folder=.."


@pytest.mark.usefixtures("agent")
def test_nine_leaves(line: Line) -> None:
    line.enter("a")

    assert line.send(("ai_1", "Digits-9")) == "id_list_message=t-להתראות&go_to_folder=.."


def test_leaving_the_root_hangs_up(flow: AIFlow, line: Line) -> None:
    flow.ai_agent("")(lambda call, text: None)
    line.enter("")

    assert line.send(("ai_1", "Digits-9")) == "id_list_message=t-להתראות&go_to_folder=hangup"


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("words", ["להתראות", " להתראות! ", "ביי."], ids=["plain", "marks", "bye"])
def test_an_exit_word_leaves(line: Line, words: str) -> None:
    line.enter("a")

    assert line.send(("ai_1", words)).endswith("go_to_folder=..")


@pytest.mark.usefixtures("agent")
def test_star_repeats_the_last_answer(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("בשמונה")
    line.enter("a")
    assert line.send(("ai_1", "Digits-*")) == f"read=t-שלום=ai_2,{LISTEN}"
    line.send(("ai_2", "מתי?"))

    assert line.send(("ai_3", "Digits-*")) == f"read=t-בשמונה=ai_4,{LISTEN}"
    assert line.send(("ai_4", "Digits-*")) == f"read=t-בשמונה=ai_5,{LISTEN}"


@pytest.mark.usefixtures("agent")
def test_zero_restarts_the_conversation(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("נעים מאוד").answers("מי אתה?")
    line.enter("a")
    line.send(("ai_1", "שמי דוד"))

    assert line.send(("ai_2", "Digits-0")) == f"read=t-שלום=ai_3,{LISTEN}"
    line.send(("ai_3", "מי אני?"))
    assert provider.requests[1].session is None
    assert provider.requests[1].history == ()
    line.hang_up()
    assert sorted(provider.ended_sessions) == ["scripted-1", "scripted-2"]


@pytest.mark.usefixtures("agent")
def test_other_keys_are_passed_on_as_the_utterance(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("תודה")
    line.enter("a")
    line.send(("ai_1", "Digits-0501"))

    assert prompts(provider) == ["0501"]


def test_keys_are_configurable(flow: AIFlow, line: Line) -> None:
    settings = DialogSettings(keys={"#": KeyAction.LEAVE}, goodbye="יאללה ביי")
    flow.ai_agent("a", dialog=settings)(lambda call, text: text)
    line.enter("a")

    assert line.send(("ai_1", "Digits-9")) == f"read=t-9=ai_2,{LISTEN}"
    assert line.send(("ai_2", "Digits-#")) == "id_list_message=t-יאללה ביי&go_to_folder=.."


@pytest.mark.usefixtures("agent")
def test_the_exit_key_in_a_poll_leaves_and_cancels_the_turn(line: Line, provider: ScriptedProvider) -> None:
    provider.hangs()
    line.enter("a")
    line.send(("ai_1", "יש?"))

    assert line.send(("ai_1w1", "9")) == "id_list_message=t-להתראות&go_to_folder=.."
    assert line.enter("a").startswith("read=t-שלום=ai_2")
    line.hang_up()
    assert provider.running == 0


@pytest.mark.usefixtures("agent")
def test_another_key_in_a_poll_does_nothing(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("כן", after=3)
    line.enter("a")
    line.send(("ai_1", "יש?"))

    assert line.send(("ai_1w1", "5")) == f"read=t-כן=ai_2,{LISTEN}"


@pytest.mark.usefixtures("agent")
def test_after_a_failure_the_agent_apologizes_and_listens(line: Line, provider: ScriptedProvider) -> None:
    provider.fails("unauthorized").answers("עכשיו כן")
    line.enter("a")

    assert line.send(("ai_1", "יש?")) == f"read=t-סליחה, לא הצלחתי לענות, אפשר לנסות שוב=ai_2,{LISTEN}"
    assert line.send(("ai_2", "ועכשיו?")) == f"read=t-עכשיו כן=ai_3,{LISTEN}"


def test_a_model_that_never_answers_times_out_with_an_apology(provider: ScriptedProvider, line: Line) -> None:
    provider.hangs()
    line.flow = AIFlow(YemotAI(provider=provider, turn_timeout=20))
    line.flow.ai_agent("a")(lambda call, text: None)
    line.enter("a")
    started = provider.engine.loop.time()
    answer = line.send(("ai_1", "יש?"))
    polls = 0
    while "w" in answer:
        polls += 1
        answer = line.send((f"ai_1w{polls}", "None"))

    assert answer.startswith("read=t-סליחה")
    assert provider.engine.loop.time() - started == pytest.approx(20, abs=0.1)
    assert provider.running == 0


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("text", ["🙂", "---", ""], ids=["emoji", "dashes", "nothing"])
def test_an_unspeakable_answer_becomes_an_apology(line: Line, provider: ScriptedProvider, text: str) -> None:
    provider.answers(text)
    line.enter("a")

    assert line.send(("ai_1", "יש?")).startswith("read=t-סליחה")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_returned_text_is_the_answer(flow: AIFlow, line: Line, kind: str) -> None:
    async def echo(call: AsyncAICall, text: str) -> str:
        await asyncio.sleep(0)
        return f"אמרת {text}"

    flow.ai_agent("a")(echo if kind == "async" else lambda call, text: f"אמרת {text}")
    line.enter("a")

    assert line.send(("ai_1", "יש?")) == f"read=t-אמרת יש?=ai_2,{LISTEN}"


def test_a_slow_function_runs_once_per_turn(flow: AIFlow, line: Line, provider: ScriptedProvider) -> None:
    provider.answers("כן", after=7)
    runs: list[str] = []
    flow.ai_agent("a")(lambda call, text: runs.append(text))
    line.enter("a")
    line.send(("ai_1", "יש?"))
    for poll in (1, 2, 3):
        line.send((f"ai_1w{poll}", "None"))

    assert runs == ["יש?"]


def test_a_function_with_the_parameter_agent_gets_the_agent(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("יום").answers("לילה")
    histories: list[int] = []

    @flow.ai_agent("a")
    async def answer_turn(call: AsyncAICall, agent: AsyncAgent) -> str:
        histories.append(len(agent.history))
        return f"{await agent.ask(agent.text + '!', instructions='קצר')} טוב"

    line.enter("a")
    line.send(("ai_1", "בוקר"))

    assert line.send(("ai_2", "ערב")) == f"read=t-לילה טוב=ai_3,{LISTEN}"
    assert prompts(provider) == ["בוקר!", "ערב!"]
    assert provider.requests[0].instructions == "קצר"
    assert histories == [0, 1]


def test_goto_in_the_function_is_the_outcome_of_the_turn(flow: AIFlow, line: Line) -> None:
    @flow.ai_agent("a")
    def answer_turn(call: AICall, text: str) -> None:
        call.play_message("מעביר")
        call.goto("/5")

    line.enter("a")

    answer = line.send(("ai_1", "נציג"))
    assert answer == "id_list_message=t-מעביר&go_to_folder=/5"
    assert line.again() == answer


def test_queued_messages_are_played_before_the_answer(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("כן")

    @flow.ai_agent("a")
    def answer_turn(call: AICall, text: str) -> None:
        call.state["asked"] = text
        call.play_message([("file", "/1/000")])

    line.enter("a")

    assert line.send(("ai_1", "יש?")) == f"read=f-/1/000.t-כן=ai_2,{LISTEN}"


@pytest.mark.parametrize(
    "function",
    [
        lambda call, text: 1 / 0,
        lambda call, text: 5,
        lambda call, text: call.read("גיל?"),
    ],
    ids=["raises", "returns-a-number", "reads"],
)
def test_after_a_failing_function_the_agent_apologizes_and_listens(
    flow: AIFlow, line: Line, caplog: pytest.LogCaptureFixture, function: Callable[[AICall, str], object]
) -> None:
    flow.ai_agent("a")(function)  # type: ignore[type-var]  # wrong on purpose
    line.enter("a")

    assert line.send(("ai_1", "יש?")) == f"read=t-סליחה, לא הצלחתי לענות, אפשר לנסות שוב=ai_2,{LISTEN}"
    assert "agent's function" in caplog.text


def test_an_agent_with_its_provider_or_instructions_has_a_separate_conversation(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("מכירות").answers("שירות")
    flow.ai_agent("a")(lambda call, text: None)
    flow.ai_agent("b", instructions="שירות בלבד")(lambda call, text: None)
    line.enter("a")
    line.send(("ai_1", "שלום"))
    line.enter("b")
    line.send(("ai_3", "שלום"))

    assert [request.session for request in provider.requests] == [None, None]
    assert provider.requests[1].instructions == "שירות בלבד"


def test_two_agents_share_the_conversation_of_the_call(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("אחת").answers("שתיים")
    for extension in ("a", "b"):
        flow.ai_agent(extension)(lambda call, text: None)
    line.enter("a")
    line.send(("ai_1", "שלום"))
    line.enter("b")
    line.send(("ai_3", "שוב"))

    assert provider.requests[1].session == "scripted-1"


@pytest.mark.parametrize(
    ("filler", "rendered"),
    [("שנייה", "t-שנייה"), (File("wait"), "f-wait"), (None, "noop-wait")],
    ids=["text", "file", "none"],
)
def test_the_filler_is_a_text_a_file_or_silence(
    flow: AIFlow, line: Line, provider: ScriptedProvider, filler: str | File | None, rendered: str
) -> None:
    provider.answers("כן", after=3)
    flow.ai_agent("a", dialog=DialogSettings(filler=filler))(lambda call, text: None)
    line.enter("a")

    assert line.send(("ai_1", "יש?")) == f"read={rendered}=ai_1w1,{POLL}"
    line.send(("ai_1w1", "None"))


def test_a_long_answer_is_split_into_messages_within_the_limits(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("מילה ועוד מילה. " * 200)
    flow.ai_agent("a")(lambda call, text: None)
    line.enter("a")

    spoken = line.send(("ai_1", "ספר")).partition("=ai_2")[0]

    assert spoken.count("מילה") == 400
    assert all(len(message.split()) <= 150 for message in spoken.split(".t-"))


@pytest.mark.usefixtures("agent")
def test_malformed_names_of_the_agent_loop_are_ignored(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("כן")
    line.enter("a")

    assert line.send(("ai_", "x"), ("ai_w1", "x"), ("ai_9999999999", "x")).startswith("read=t-שלום=ai_1")
    assert line.send(("ai_1", "יש?")) == f"read=t-כן=ai_2,{LISTEN}"


@pytest.mark.usefixtures("agent")
def test_an_unknown_turn_number_is_answered_and_not_used_again(
    line: Line, provider: ScriptedProvider
) -> None:
    provider.answers("כן")
    line.enter("a")

    assert line.send(("ai_700", "יש?")) == f"read=t-כן=ai_701,{LISTEN}"


def test_an_unknown_input_mode_is_refused(flow: AIFlow) -> None:
    with pytest.raises(ConfigurationError, match="smell"):
        flow.ai_agent("a", listen="smell")


def test_invalid_settings_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="silences"):
        DialogSettings(max_silences=0)
    with pytest.raises(ConfigurationError, match="answer_wait"):
        DialogSettings(answer_wait=-1)


@pytest.mark.usefixtures("agent")
def test_star_after_a_restart_repeats_the_greeting(line: Line, provider: ScriptedProvider) -> None:
    provider.answers("ישן")
    line.enter("a")
    line.send(("ai_1", "שאלה"))
    line.send(("ai_2", "Digits-0"))

    assert line.send(("ai_3", "Digits-*")) == f"read=t-שלום=ai_4,{LISTEN}"


@pytest.mark.parametrize(
    "settings",
    [{"filler": ""}, {"filler": "…"}, {"not_heard": "..."}, {"apology": ""}, {"internal_error": ""}],
    ids=["no-filler", "dots", "not-heard", "apology", "internal-error"],
)
def test_an_unspeakable_sentence_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="spoken"):
        DialogSettings(**settings)  # type: ignore[arg-type]  # one name at a time


@pytest.mark.parametrize(
    "function", [lambda: None, lambda call: None, lambda a, b, c: None], ids=["0", "1", "3"]
)
def test_a_function_with_another_signature_is_refused(flow: AIFlow, function: Callable[..., None]) -> None:
    with pytest.raises(ConfigurationError, match="call, text"):
        flow.ai_agent("a")(function)


def test_an_object_that_is_not_a_provider_is_refused(flow: AIFlow) -> None:
    with pytest.raises(ConfigurationError, match="no provider"):
        flow.ai_agent("a", provider=5)  # type: ignore[arg-type]  # wrong on purpose


def test_a_function_that_times_out_leaves_no_running_model_call(
    provider: ScriptedProvider, line: Line
) -> None:
    provider.hangs()
    line.flow = AIFlow(YemotAI(provider=provider, turn_timeout=10))

    @line.flow.ai_agent("a")
    async def slow(call: AsyncAICall, text: str) -> str:
        await asyncio.sleep(5)
        return await call.ask_ai(text)

    line.enter("a")
    answer = line.send(("ai_1", "יש?"))
    polls = 0
    while "w" in answer:
        polls += 1
        answer = line.send((f"ai_1w{polls}", "None"))

    assert answer.startswith("read=t-סליחה")
    assert provider.running == 0


def test_the_message_of_a_functions_error_is_not_stored(
    flow: AIFlow, line: Line, provider: ScriptedProvider
) -> None:
    @flow.ai_agent("a", greeting="שלום")
    def answer_turn(call: AICall, text: str) -> None:
        call.play_message(("system_message", text))

    line.enter("a")
    line.send(("ai_1", "הסוד שלי"))
    session = provider.engine.run(flow.ai._runtime.store.load("c1"))

    assert session is not None
    failure = session.turns[-1].failure
    assert failure is not None
    assert failure.message.endswith("raised ConfigurationError")
