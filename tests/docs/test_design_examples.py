"""The examples of the design document, corrected where they could not work.

Corrections: ``read`` is awaited or returns at once (yemot-flow's returned a coroutine that was never
awaited); ``play_message`` queues (yemot-flow's ended the handler); there is no ``call.record`` and no
``RecordingText``: speech comes from ``call.read(mode="stt")``; ``openai.ChatCompletion`` was removed from
the SDK; the provider handles the session id and the subprocess.
"""

from __future__ import annotations

import flask
import pytest

from yemot_ai import AICall, AIFlow, YemotAI
from yemot_ai.flow import Agent
from yemot_ai_testing import Caller, FakeCodex
from yemot_ai_testing.doubles.sdk_mocks import OpenAIMock


def test_a_menu_leads_to_the_agent(fake_codex: FakeCodex) -> None:
    fake_codex.answers("שלום גם לך")
    flow = AIFlow(YemotAI(mode="codex"), timeout=30000, print_log=False)

    @flow.get("")
    def welcome(call: AICall) -> None:
        call.play_message([("text", "שלום וברוך הבא! מה ברצונך לעשות?")])
        call.read([("text", "הקלד 1 לדבר עם סוכן AI או 2 לצאת")], max_digits=1)
        if call.params.get("Digits") == "1":
            call.goto("/ai_agent")
        call.hangup()

    @flow.ai_agent("/ai_agent")
    def handle_ai(call: AICall, text: str) -> None:
        pass

    caller = Caller(flow)
    assert "הקלד 1" in caller.dial()
    caller.presses("1")
    assert caller.says("שלום") == "שלום גם לך"
    caller.hangs_up()


def test_ask_ai_in_a_handler(fake_codex: FakeCodex) -> None:
    fake_codex.answers("פתוח עד שמונה").answers("להתראות לך")
    flow = AIFlow(YemotAI(mode="codex"))

    @flow.get("ai_agent")
    def ai_handler(call: AICall) -> None:
        user_text = call.read([("text", "מה ברצונך לומר?")], mode="stt", val_name="said")
        answer = call.ask_ai(user_text)
        call.play_message([("text", answer)])
        more = call.read([("text", "עוד משהו?")], mode="stt", val_name="said")
        call.play_message([("text", call.ask_ai(more))])

    caller = Caller(flow, extension="ai_agent")
    caller.dial()
    assert caller.says("עד מתי פתוח") == "פתוח עד שמונה עוד משהו?"
    assert caller.says("תודה").startswith("להתראות לך")
    assert [request.prompt for request in fake_codex.requests] == ["עד מתי פתוח", "תודה"]


def test_reply_in_a_handler(fake_codex: FakeCodex) -> None:
    fake_codex.answers("כמובן")
    ai = YemotAI(mode="codex", openai_api_key=None)
    flow = AIFlow(ai)

    @flow.get("assistant")
    def assistant(call: AICall) -> None:
        text = call.read([("text", "דברו")], mode="stt", val_name="Text")
        answer = ai.reply(call.params["ApiCallId"], text)
        call.play_message([("text", answer)])
        call.goto("/continue_or_end")

    @flow.get("continue_or_end")
    def continue_or_end(call: AICall) -> None:
        call.play_message([("text", "סוף")])
        call.hangup()

    caller = Caller(flow, extension="assistant")
    caller.dial()
    assert caller.says("אפשר פיצה?") == "כמובן סוף"


def test_an_agent_function_can_take_the_agent(fake_codex: FakeCodex) -> None:
    fake_codex.answers("אני כאן")
    flow = AIFlow(YemotAI(mode="codex"))

    @flow.ai_agent("")
    def ai_root(call: AICall, agent: Agent) -> None:
        pass

    caller = Caller(flow)
    caller.dial()
    assert caller.says("מי שם?") == "אני כאן"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["codex", "openai"])
def test_each_mode_answers_the_same_handlers(mode: str, fake_codex: FakeCodex) -> None:
    with OpenAIMock() as openai:
        double = openai if mode == "openai" else fake_codex
        double.answers("באיזה גודל?").answers("רשמתי")
        flow = AIFlow(YemotAI(mode=mode, openai_api_key="test"))
        flow.ai_agent("")(lambda call, text: None)
        caller = Caller(flow)
        caller.dial()

        # Real time: to import an SDK or to start a program may take longer than the first holds.
        assert caller.says("פיצה").replace("רק רגע ", "") == "באיזה גודל?"
        assert caller.says("גדולה").replace("רק רגע ", "") == "רשמתי"
        caller.hangs_up()
        double.assert_complete()


def test_flask_serves_a_flow(fake_codex: FakeCodex) -> None:
    fake_codex.answers("כן")
    flow = AIFlow(YemotAI(mode="codex"))
    flow.ai_agent("")(lambda call, text: None)
    app = flask.Flask(__name__)

    @app.route("/yemot", methods=["GET", "POST"])
    def yemot() -> flask.Response:
        # Not to_dict(): it would keep the first of repeated values, the oldest one.
        return flask.Response(flow.handle_request(flask.request.values), mimetype="text/plain")

    caller = Caller(lambda pairs: app.test_client().get("/yemot", query_string=pairs).get_data(as_text=True))
    caller.dial()
    assert caller.says("יש?") == "כן"
    caller.hangs_up()
    assert flow.ai.open_calls() == 0


def test_a_flow_is_mounted_as_wsgi_and_asgi(fake_codex: FakeCodex) -> None:
    fake_codex.answers("כן").answers("לא")
    flow = AIFlow(YemotAI(mode="codex"))
    flow.ai_agent("")(lambda call, text: None)

    for app, answer in ((flow.wsgi_app, "כן"), (flow.asgi_app, "לא")):
        with Caller(app) as caller:
            caller.dial()
            assert caller.says("יש?") == answer
