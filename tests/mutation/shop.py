"""A line with everything that a fault can break: a menu, an agent, questions for numbers."""

from __future__ import annotations

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider


def line() -> AIFlow:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))

    @flow.get("")
    def menu(call: AICall) -> None:
        call.play_message("ברוכים הבאים")
        key = call.read(
            "להזמנות הקישו 1, לברורים הקישו 2", val_name="menu", max_digits=1, digits_allowed=[1, 2]
        )
        call.goto(f"/{key}")

    flow.ai_agent("1", greeting="מה תרצו להזמין?")(lambda call, text: None)

    @flow.get("2")
    def callback(call: AICall) -> None:
        name = call.read("מה שמכם", val_name="name", mode="stt")
        code = call.read("הקישו קוד", val_name="code", max_digits=4, min_digits=3)
        key = call.read("הקישו מספר", val_name="amount", max_digits=4, min_digits=3)
        call.play_message(f"{name}, רשמנו קוד {code} ומספר {key}")
        call.hangup()

    return flow


def broken_line() -> AIFlow:
    flow = AIFlow(YemotAI(provider=ScriptedProvider()))
    flow.ai_agent("", greeting="שלום")(lambda call, text: {"א": "ב"}[text])
    return flow
