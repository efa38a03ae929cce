from __future__ import annotations

import asyncio

import pytest

from yemot_ai import AIFlow, YemotAI
from yemot_ai._calls.caller_memory import DAY
from yemot_ai.errors import ConfigurationError
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing import Caller
from yemot_ai_testing.doubles.scripted_provider import ScriptedProvider
from yemot_ai_testing.doubles.steps import UnknownSession

PHONE = "0501234567"


@pytest.fixture
def ai(provider: ScriptedProvider) -> YemotAI:
    return YemotAI(provider=provider, remember="caller")


@pytest.fixture
def flow(ai: YemotAI) -> AIFlow:
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow


def make_call(flow: AIFlow, *said: str, phone: str = PHONE) -> list[str]:
    """Make a call; return the answers."""
    caller = Caller(flow, phone=phone)
    caller.dial()
    heard = [caller.says(words) for words in said]
    caller.hangs_up()
    return heard


def test_a_second_call_from_the_same_number_continues_the_same_thread(
    flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("נעים מאוד").answers("דוד")

    make_call(flow, "קוראים לי דוד")
    assert make_call(flow, "איך קוראים לי") == ["דוד"]

    assert [request.session for request in provider.requests] == [None, "scripted-1"]
    assert provider.ended_sessions == []


def test_without_it_each_call_starts_without_history(provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב")
    flow = AIFlow(YemotAI(provider=provider))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)

    make_call(flow, "אחת")
    make_call(flow, "שתיים")

    assert [(request.session, request.history) for request in provider.requests] == [(None, ()), (None, ())]
    assert provider.ended_sessions == ["scripted-1", "scripted-2"]


def test_a_thread_that_the_provider_has_lost_is_rebuilt_from_the_earlier_call(
    flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("נעים מאוד").add(UnknownSession())
    provider.answers("דוד")

    make_call(flow, "קוראים לי דוד")
    assert make_call(flow, "איך קוראים לי") == ["דוד"]

    rebuilt = provider.requests[-1]
    assert rebuilt.session is None
    assert [(old.prompt, old.answer) for old in rebuilt.history] == [("קוראים לי דוד", "נעים מאוד")]


@pytest.mark.parametrize("withheld", ["", "anonymous"])
def test_withheld_numbers_share_nothing_and_leave_nothing(
    flow: AIFlow, provider: ScriptedProvider, withheld: str
) -> None:
    provider.answers("א").answers("ב")

    make_call(flow, "סוד", phone=withheld)
    make_call(flow, "מה אמרתי", phone=withheld)

    assert [(request.session, request.history) for request in provider.requests] == [(None, ()), (None, ())]
    assert provider.ended_sessions == ["scripted-1", "scripted-2"]


def test_another_number_remembers_nothing(flow: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב")

    make_call(flow, "סוד")
    make_call(flow, "מה אמרתי", phone="0527654321")

    assert [(request.session, request.history) for request in provider.requests] == [(None, ()), (None, ())]


def test_two_calls_at_once_from_one_number_do_not_write_into_one_thread(
    flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("א").answers("ב").answers("ג").answers("ד")
    make_call(flow, "קודם")
    first, second = Caller(flow, phone=PHONE), Caller(flow, phone=PHONE)
    for caller in (first, second):
        caller.dial()

    first.says("אחת")
    second.says("שתיים")

    asked = [(request.session, len(request.history)) for request in provider.requests[1:]]
    assert asked == [("scripted-1", 0), (None, 1)]
    first.hangs_up()
    second.hangs_up()
    # One thread is remembered; no call would continue the other first.
    assert provider.ended_sessions == ["scripted-1"]
    assert make_call(flow, "ומה אמרתי") == ["ד"]
    assert provider.requests[-1].session == "scripted-2"


def test_the_restart_key_forgets_earlier_calls_too(flow: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב").answers("ג")
    make_call(flow, "סוד")

    caller = Caller(flow, phone=PHONE)
    caller.dial()
    caller.says("מה אמרתי")
    caller.presses("0")
    caller.hangs_up()

    assert provider.ended_sessions == ["scripted-1"]
    make_call(flow, "מה אמרתי")
    assert (provider.requests[-1].session, provider.requests[-1].history) == (None, ())


def test_the_restart_key_forgets_although_it_is_pressed_before_the_first_question(
    flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("א").answers("ב")
    make_call(flow, "סוד")

    caller = Caller(flow, phone=PHONE)
    caller.dial()
    caller.presses("0")
    caller.says("מה אמרתי")
    assert (provider.requests[-1].session, provider.requests[-1].history) == (None, ())
    caller.hangs_up()

    assert provider.ended_sessions == ["scripted-1"]


def test_the_restart_key_forgets_although_nothing_was_asked_after_it(
    flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("א").answers("ב")
    make_call(flow, "סוד")

    caller = Caller(flow, phone=PHONE)
    caller.dial()
    caller.presses("0")
    caller.hangs_up()

    assert provider.ended_sessions == ["scripted-1"]
    make_call(flow, "מה אמרתי")
    assert (provider.requests[-1].session, provider.requests[-1].history) == (None, ())


def test_the_restart_of_one_agent_keeps_the_memory_of_the_other(
    ai: YemotAI, provider: ScriptedProvider
) -> None:
    provider.answers("א").answers("ב").answers("ג").answers("ד")
    flow = AIFlow(ai)
    flow.ai_agent("1", greeting="ראשון")(lambda call, text: None)
    flow.ai_agent("2", greeting="שני", instructions="אחרת")(lambda call, text: None)

    for keys in ("", "0"):
        for extension in ("1", "2"):
            caller = Caller(flow, phone=PHONE, extension=extension)
            caller.dial()
            if keys and extension == "2":
                caller.presses(keys)
            caller.says("מה אמרתי")
            caller.hangs_up()

    assert [request.session for request in provider.requests] == [None, None, "scripted-1", None]


@pytest.mark.parametrize("written", [PHONE, "050-123-4567", "+972 50-1234567", "00972501234567"])
def test_a_caller_is_forgotten_here_and_at_the_provider_in_every_spelling_of_the_number(
    ai: YemotAI, flow: AIFlow, provider: ScriptedProvider, written: str
) -> None:
    provider.answers("א").answers("ב")
    make_call(flow, "סוד")

    ai.forget_caller(written)

    assert provider.ended_sessions == ["scripted-1"]
    make_call(flow, "מה אמרתי")
    assert (provider.requests[-1].session, provider.requests[-1].history) == (None, ())


def test_a_caller_is_forgotten_after_the_memory_ttl(provider: ScriptedProvider) -> None:
    provider.answers("א").answers("ב")
    ai = YemotAI(provider=provider, remember="caller", memory_ttl=7 * DAY)
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    make_call(flow, "סוד")

    provider.engine.clock.sleep(6.9 * DAY)  # type: ignore[attr-defined]  # its time is virtual
    assert provider.ended_sessions == []
    provider.engine.clock.sleep(0.2 * DAY)  # type: ignore[attr-defined]

    assert provider.ended_sessions == ["scripted-1"]
    make_call(flow, "מה אמרתי")
    assert (provider.requests[-1].session, provider.requests[-1].history) == (None, ())


def test_a_call_id_with_the_reserved_prefix_is_refused(
    ai: YemotAI, flow: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("א").answers("ב")
    make_call(flow, "סוד")
    request = {"ApiCallId": f"caller:{PHONE}", "ApiExtension": "", "ApiPhone": "0500000000"}

    for values in ({}, {"ai_1": "מה אמרתי"}, {"hangup": "yes"}):
        assert flow.handle_request({**request, **values}).endswith("go_to_folder=hangup")
    with pytest.raises(ConfigurationError, match="cannot be a call's id"):
        ai.reply(f"caller:{PHONE}", "מה אמרתי")

    assert len(provider.requests) == 1
    make_call(flow, "עוד אני")
    assert provider.requests[-1].session == "scripted-1"


def test_a_call_that_ends_during_recall_leaves_no_thread(
    provider: ScriptedProvider,
) -> None:
    provider.answers("א")
    store = MemoryStore(now=provider.engine.time)
    ai = YemotAI(provider=provider, store=store, remember="caller")
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    make_call(flow, "סוד")
    recall = ai._runtime.calls.caller_memory.recall

    async def recall_and_end(session: object) -> object:
        recalled = await recall(session)  # type: ignore[arg-type]
        stored = await store.load("c2")
        assert stored is not None
        await store.save(stored.tombstone(), ttl=60)
        return recalled

    ai._runtime.calls.caller_memory.recall = recall_and_end  # type: ignore[method-assign,assignment]
    line = {"ApiCallId": "c2", "ApiExtension": "", "ApiPhone": PHONE}
    flow.handle_request(line)

    assert flow.handle_request({**line, "ai_1": "מה אמרתי"}) == "go_to_folder=hangup"
    assert provider.ended_sessions == ["scripted-1"]
    tombstone = asyncio.run(store.load("c2"))
    assert tombstone is not None
    assert tombstone.threads == {}
