"""Rows about the memory of a call and the values of its questions."""

from __future__ import annotations

import time

import flask
import yemot_flow

from tests.yemot_flow.difference import AnyCall, FlowFactory, answers, ask_once, dial_in, difference
from yemot_ai import AIFlow
from yemot_ai_testing import Caller

LISTEN = {"mode": "stt", "block_typing": "", "use_records_recognition_engine": "", "max_digits": ""}
"""Arguments with which yemot-flow listens at all, in spite of the faults of rows 7 and 8."""


@difference(
    19,
    "a call is forgotten after a pause of 30 s",
    "one `ApiCallId` stands for the whole call, pauses included",
    "[OFF]",
    "after `session_ttl`: an hour",
    fault=r"unknown's$",
    fixed=r"דוד's$",
)
def pause_longer_than_timeout(make: FlowFactory) -> str:
    """Let the caller pause for longer than ``timeout``: 1 ms here, 30 s by default."""
    values: list[str] = []

    async def handler(call: AnyCall) -> None:
        if "a" not in call.params:
            call.name = "דוד"
        await call.read([("text", "מה")], val_name="a", max_digits=1)
        values.append(getattr(call, "name", "unknown"))
        call.hangup()

    caller = dial_in(make(timeout=1), handler)
    time.sleep(0.01)
    caller.presses("1")
    return f"after the pause the call is {values[0]}'s"


@difference(
    20,
    "values of an earlier visit answer the questions of the next",
    "what is sent on re-entry is contradictory: cleared, or kept",
    "[?]",
    "each visit starts afresh, whichever it is",
    fault=r"\['1', '1'\], kept: \['1', '1'\]",
    fixed=r"\['1', '2'\], kept: \['1', '2'\]",
)
def second_visit(make: FlowFactory) -> str:
    return f"two visits, values cleared: {visits(make, kept=False)}, kept: {visits(make, kept=True)}"


def visits(make: FlowFactory, *, kept: bool) -> list[str]:
    flow = make()
    values: list[str] = []

    async def shop(call: AnyCall) -> None:
        values.append(await call.read([("text", "מה")], val_name="a", max_digits=1))
        call.goto("/")

    def root(call: AnyCall) -> None:
        call.goto("/7" if len(values) < 2 else "hangup")

    flow.add_route("7", shop)
    flow.add_route("", root)
    caller = Caller(flow, strict=False, retain_values=kept)
    caller.dial()
    keys = iter("12")
    while caller.question:
        caller.presses(next(keys))
    return values


@difference(
    21,
    "to_dict() keeps the oldest of repeated values",
    "a name read twice is sent twice; the last is the newest",
    "[LIB] [LIVE]",
    "the mounts hand over pairs, and the newest counts",
    fault=r"to_dict\(\): go_to_folder=/1$",
    fixed=r"wsgi_app: go_to_folder=/2; asgi_app: go_to_folder=/2$",
)
def repeated_name(make: FlowFactory) -> str:
    """Mount each flow as its documentation says: with ``to_dict()``, or with the mounts."""
    flow = make()

    async def handler(call: AnyCall) -> None:
        call.goto("/" + await call.read([("text", "לאן")], val_name="to", max_digits=1))

    flow.add_route("7", handler)
    sent = (("to", "1"), ("to", "2"))
    apps: dict[str, object] = {"to_dict()": flask_app(flow)}
    if isinstance(flow, AIFlow):
        apps = {"wsgi_app": flow.wsgi_app, "asgi_app": flow.asgi_app}
    shown = []
    for name, app in apps.items():
        with Caller(app, extension="7", strict=False, constants=sent, extensions=frozenset({"7"})) as caller:
            caller.dial()
            shown.append(f"{name}: {answers(caller)}")
    return f"to=1&to=2: {'; '.join(shown)}"


def flask_app(flow: yemot_flow.Flow) -> flask.Flask:
    app = flask.Flask(__name__)

    @app.route("/", methods=["GET", "POST"])
    def yemot() -> flask.Response:
        return flask.Response(flow.handle_request(flask.request.values.to_dict()), mimetype="text/plain")

    return app


@difference(
    22,
    "speech arrives cut: keys as text, telephone numbers and filler words as nothing",
    "keys pressed at a spoken question are sent as `Digits-…`",
    "[OFF]",
    "keys as digits; speech as it was recognized",
    fault=r"'Digits-12'; .*: ''; .*: ''$",
    fixed=r": '12'; .*: 'אפס חמש'; .*: 'אוקיי נו'$",
)
def keys_and_speech(make: FlowFactory) -> str:
    def listen(name: str, answer: str) -> str:
        caller, values = ask_once(make, val_name=name, **LISTEN)
        _ = caller.presses(answer) if answer.isdigit() else caller.says(answer)
        return values[0]

    keys, phone, filler = listen("x", "12"), listen("phone", "אפס חמש"), listen("x", "אוקיי נו")
    return f"keys 12: {keys!r}; phone 'אפס חמש': {phone!r}; 'אוקיי נו': {filler!r}"


@difference(
    23,
    "silence is an answer, and a question cannot be asked again",
    "silence at a spoken question is an empty value",
    "[LIB]",
    "it still is; `amount_attempts=3` asks again, up to three times",
    fault=r"got ''$",
    fixed=r"got 'שלום'$",
)
def silence_at_a_spoken_question(make: FlowFactory) -> str:
    caller, values = ask_once(make, amount_attempts=3, **LISTEN)
    caller.silent()
    if caller.question:
        caller.says("שלום")
    return f"amount_attempts=3, silence, then שלום: got {values[0]!r}"


@difference(
    25,
    "a request without ApiCallId is answered noop",
    "`api_call_id_send=no` leaves it out",
    "[OFF]",
    "`ApiYFCallId` identifies the call; without both: a sentence, and the call ends",
    fault=r"^noop",
    fixed=r"^go_to_folder=/5; without both: id_list_message=t-[^&]+&go_to_folder=hangup$",
)
def no_call_id(make: FlowFactory) -> str:
    def answer(*omitted: str) -> str:
        return answers(dial_in(make(), lambda call: call.goto("/5"), omitted=frozenset(omitted)))

    return f"{answer('ApiCallId')}; without both: {answer('ApiCallId', 'ApiYFCallId')}"


@difference(
    26,
    "an unknown extension leaves the caller to the line's settings",
    "after `id_list_message` alone: `api_end_goto`, else one level up",
    "[OFF]",
    "a sentence, and up",
    fault=r"^id_list_message=t-שלוחה לא קיימת$",
    fixed=r"^id_list_message=t-[^&]+&go_to_folder=\.\.$",
)
def unknown_extension(make: FlowFactory) -> str:
    caller = Caller(make(), extension="8", strict=False, extensions=frozenset({"8"}))
    caller.dial()
    return answers(caller)
