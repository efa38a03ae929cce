"""Attacks by requests: forged ids, numbers, times and names, in the process of the test."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

import pytest

from yemot_ai import AccessPolicy, AICall, AIFlow, YemotAI
from yemot_ai.protocol.phone_numbers import normalize_number
from yemot_ai.providers import JSON, Exchange, Reply
from yemot_ai_testing import Caller, ScriptedProvider

PHONE, OTHER = "0501234567", "0527654321"
REFUSED = "id_list_message=t-אין אפשרות להשתמש בשירות הזה&go_to_folder=hangup"


class Counting:
    """Answers each prompt with its number."""

    name = "counting"

    def __init__(self) -> None:
        self.count = 0

    async def start_session(
        self, prompt: str, *, instructions: str | None = None, history: Sequence[Exchange] = ()
    ) -> Reply:
        self.count += 1
        return Reply(f"תשובה {self.count}", session="1")

    async def continue_session(self, session: JSON, prompt: str, *, instructions: str | None = None) -> Reply:
        return await self.start_session(prompt)


@pytest.fixture
def counting() -> AIFlow:
    flow = AIFlow(YemotAI(provider=Counting()))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    return flow


@pytest.fixture
def agent(flow: AIFlow) -> AIFlow:
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    flow.ai_agent("other", greeting="כאן הסוכן השני")(lambda call, text: None)
    return flow


def send(flow: AIFlow, *values: tuple[str, str], call_id: str = "c1", **own: str) -> str:
    sent = {"ApiCallId": call_id, "ApiPhone": PHONE, "ApiExtension": "", **own}
    return flow.handle_request([*sent.items(), *values])


@pytest.mark.parametrize("phone", [OTHER, "", "anonymous"], ids=["other", "withheld", "word"])
@pytest.mark.parametrize("value", ["*", "0", "9", "מה נאמר לי?"])
def test_another_phone_with_the_id_of_a_call_hears_and_changes_nothing(
    agent: AIFlow, provider: ScriptedProvider, phone: str, value: str
) -> None:
    provider.answers("סוד").answers("המשך")
    send(agent)
    send(agent, ("ai_1", "שאלה"))

    assert send(agent, ("ai_2", value), ApiPhone=phone) == REFUSED
    assert send(agent, ("ai_1", "x"), ("ai_2", "y"), ("ai_3", f"Digits-{value}"), ApiPhone=phone) == REFUSED
    assert send(agent, ApiPhone=phone, hangup="yes") == REFUSED
    assert "המשך" in send(agent, ("ai_1", "שאלה"), ("ai_2", "ועוד"))


def test_a_number_in_another_spelling_is_the_same_phone(agent: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("תשובה")
    send(agent)

    assert "תשובה" in send(agent, ("ai_1", "שאלה"), ApiPhone="+972-50-123-4567")


def test_an_extension_that_sends_no_number_continues_the_call(
    agent: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("תשובה")
    send(agent)
    silent = {"ApiPhone": "", "ApiExtension": "other"}

    assert "כאן הסוכן השני" in send(agent, **silent)
    assert "תשובה" in send(agent, ("ai_2", "שאלה"), **silent)
    assert send(agent, ApiPhone=OTHER, ApiExtension="other") == REFUSED
    assert "שלום" in send(agent)


def test_a_withheld_call_stays_as_it_was(agent: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("תשובה")
    send(agent, ApiPhone="")

    assert "תשובה" in send(agent, ("ai_1", "שאלה"), ApiPhone="")


FORGED_NAMES = [
    "ai_999999", "ai_9999999", "ai_" + "9" * 200, "ai_10000", "ai_9999", "ai_3w999999", "ai_x9999",
    "ai_x999999", "ai_000002",
]  # fmt: skip


@pytest.mark.parametrize("name", FORGED_NAMES, ids=lambda name: name[:12])
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_a_forged_name_never_keeps_a_call_from_going_on(
    counting: AIFlow, name: str, *, is_first: bool
) -> None:
    if not is_first:
        send(counting)
    for _ in range(2):
        send(counting, (name, "x"))
    heard, values = [send(counting)], []
    for number in range(4):
        asked = heard[-1].split("=")[2].split(",")[0]
        values.append((asked, f"שאלה {number}"))
        heard.append(send(counting, *values))

    assert len(set(heard[-4:])) == 4


@pytest.mark.parametrize(
    "time",
    [
        "999999999999999",
        "9" * 30,
        "9" * 5000,
        "-5",
        "-1",
        "-62135596801",
        "253402300799",
        "253402300800",
        "NaN",
        "inf",
        "1e9",
        "1e400",
        "9999-12-31",
        "1_700_000_000",
        "0x10",
        "\n1700000001",
        "",
        "٣",
        "0",
        "1700007200",
    ],
    ids=lambda time: f"{time[:16]!a} {len(time)}",
)
def test_a_forged_time_does_no_harm(agent: AIFlow, provider: ScriptedProvider, time: str) -> None:
    provider.answers("אחת").answers("שתיים")
    send(agent, ApiTime="1700000000")
    send(agent, ApiTime=time)

    assert "אחת" in send(agent, ("ai_1", "א"), ApiTime="1700000010")
    assert "שתיים" in send(agent, ("ai_1", "א"), ("ai_2", "ב"), ApiTime="1700000020")


@pytest.mark.parametrize(
    "call_id",
    [
        "x\n2026-01-01 CRITICAL yemot_ai FAKE",
        "x\r\nFAKE",
        "\x1b[2Jx",
        "x\x00y",
        "x\u2028y",
        "x\u202ey",
        "x\x85y",
        "x" * 201,
    ],
    ids=["line", "crlf", "escape", "nul", "separator", "bidi", "nel", "long"],
)
def test_no_id_reaches_the_log_raw(flow: AIFlow, caplog: pytest.LogCaptureFixture, call_id: str) -> None:
    caplog.set_level(logging.DEBUG)

    @flow.get("boom")
    def boom(call: AICall) -> None:
        raise ValueError(call.call_id)

    for extension in ("", "boom", "missing"):
        send(flow, call_id=call_id, ApiExtension=extension)
    send(flow, call_id=call_id, hangup="yes")

    lines = [record.getMessage() + (record.exc_text or "") for record in caplog.records]
    assert lines
    assert all(len(line) < 200 and line.isprintable() for line in lines), lines


def test_an_id_of_a_developer_reaches_the_log_without_control_characters(
    ai: YemotAI, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    provider.answers("תשובה")
    ai.reply("x\n2026-01-01 CRITICAL yemot_ai FAKE\x1b[2J", "שאלה")
    ai.end("x\n2026-01-01 CRITICAL yemot_ai FAKE\x1b[2J")

    assert "FAKE" in caplog.text
    assert all(record.getMessage().isprintable() for record in caplog.records)


SPELLINGS = [
    "٠٥٠١٢٣٤٥٦٧", "۰۵۰۱۲۳۴۵۶۷", "०५०१२३४५६७", "０５０１２３４５６７", "𝟎𝟓𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕", "⁰⁵⁰¹²³⁴⁵⁶⁷",
    "0501234567;ext=1", "tel:0501234567", "tel:+972-50-1234567;phone-context=+972",
    "sip:0501234567@example.com",
    "+972501234567", "＋972501234567", "00972501234567", "972501234567", "+972 (0)50-123.4567", "501234567",
    "050\u200f1234567", "\u202a+972501234567\u202c", "0501234567,,1", "0501234567 ext. 12", "0501234567x5",
    "tel:050%2D1234567", "%30501234567", "+972%2050%201234567", "050%E2%80%8F1234567", "%D9%A0501234567",
    "౦౫౦౧౨౩౪౫౬౭", "๐๕๐๑๒๓๔๕๖๗", "၀၅၀၁၂၃၄၅၆၇", "⓪⑤⓪①②③④⑤⑥⑦", "₀₅₀₁₂₃₄₅₆₇", "050\u00ad1234567",
    "0501234567\x00", "050\n1234567", "<sip:+972501234567@example.com>", "0501234567;isub=1",
    "0501234567#1", "0501234567?x=1", "0501234567 שלוחה 3", "050/1234567", "050 123 4567",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_a_blocked_number_is_blocked_in_every_spelling(spelling: str) -> None:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()), access=AccessPolicy(block=[PHONE]))

    assert normalize_number(spelling) == PHONE
    assert send(flow, ApiPhone=spelling) == REFUSED


@pytest.mark.slow
def test_callers_in_a_slow_handler_keep_no_agent_from_its_turn(
    agent: AIFlow, provider: ScriptedProvider
) -> None:
    provider.answers("תשובה")
    stuck = threading.Event()

    @agent.get("slow")
    def slow(call: AICall) -> None:
        stuck.wait()

    async def main() -> str:
        slow = [
            asyncio.create_task(agent.ahandle_request({"ApiCallId": f"s{number}", "ApiExtension": "slow"}))
            for number in range(270)
        ]
        await asyncio.wait(slow)  # all of them are polls: their handlers are stuck
        await agent.ahandle_request({"ApiCallId": "c1"})
        async with asyncio.timeout(30):  # the handlers are stuck until the test ends
            return await agent.ahandle_request({"ApiCallId": "c1", "ai_1": "שאלה"})

    try:
        assert "תשובה" in asyncio.run(main())
    finally:
        stuck.set()


@pytest.mark.slow
def test_a_hundred_long_turns_are_no_attack(counting: AIFlow) -> None:
    caller = Caller(counting, method="POST")
    caller.dial()
    answers = [caller.says("אני רוצה לדעת מתי אתם פתוחים ומה המחיר " * 15) for _ in range(100)]
    caller.hangs_up()

    assert answers == [f"תשובה {number}" for number in range(1, 101)]


def test_an_honest_caller_is_not_changed_by_any_of_this(agent: AIFlow, provider: ScriptedProvider) -> None:
    provider.answers("אחת").answers("שתיים")
    caller = Caller(agent)

    assert caller.dial() == "שלום"
    assert (caller.says("א"), caller.says("ב")) == ("אחת", "שתיים")
    caller.hangs_up()
