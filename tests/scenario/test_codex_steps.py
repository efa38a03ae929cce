"""A scenario with a Codex double plays restarted streams, two messages, refused words and cut answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.codex import Codex
from tests.support.scenario_calls import play_turns
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import FakeCodex, ScriptedProvider

if TYPE_CHECKING:
    from yemot_ai_testing.scenario.play.leftovers import ModelDouble

CALL = """
- says: תקלל אותי
  agent: {fails: refused_request}
  hears: {equals: "סליחה, על זה אי אפשר לענות, אפשר לשאול משהו אחר"}
- says: כמה זה עולה
  agent: {cuts: length, text: "זה עולה מאה. ובשב"}
  hears: {equals: "זה עולה מאה סליחה, התשובה נקטעה, אפשר לשאול שוב"}
- says: עד מתי פתוח
  agent: [{reconnects: ["פתוח עד שבע. ", "בש"]}, {answers: ["פתוח עד שבע. ", "בשישי עד אחת."]}]
  hears: {equals: "פתוח עד שבע בשישי עד אחת"}
- says: ומתי
  agent: {answers: בשמונה, saying: "רגע, בודק."}
  hears: {contains: בשמונה}
"""


def failure_of_call(provider: object, double: ModelDouble) -> object:
    ai = YemotAI(provider=provider) if isinstance(provider, ScriptedProvider) else YemotAI(str(provider))
    flow = AIFlow(ai)
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    failure = play_turns(CALL, flow, double=double).failure
    ai.close()
    return failure


@pytest.mark.slow
def test_a_scenario_plays_what_goes_wrong_at_the_model_of_codex(codex: Codex) -> None:
    assert failure_of_call("codex", codex) is None


@pytest.mark.slow
def test_a_scenario_plays_what_goes_wrong_at_the_model_of_a_server(fake: FakeCodex) -> None:
    # The real server takes the number of its retries when it starts, before the scenario has scripted any.
    assert failure_of_call("codex-app-server", fake) is None


def test_a_scenario_plays_the_same_with_a_scripted_provider() -> None:
    provider = ScriptedProvider()
    assert failure_of_call(provider, provider) is None
