from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bakery.phone import line
from hypothesis import given, settings
from hypothesis import strategies as st

from yemot_ai.providers import OpenAIProvider
from yemot_ai_testing import Caller, ModelServer, OpenAIMock, contract

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from yemot_ai_testing import FakeCodex


def test_the_menu_is_unchanged(yemot_caller: Caller, yemot_snapshot: SnapshotAssertion) -> None:
    yemot_caller.dial()
    assert yemot_caller.raw == yemot_snapshot


@pytest.mark.yemot(extension="1")
def test_the_instructions_ask_for_hebrew(yemot_caller: Caller, fake_codex: FakeCodex) -> None:
    fake_codex.answers("באיזה גודל?")
    yemot_caller.dial()
    assert yemot_caller.says("עוגה").endswith("באיזה גודל?")
    assert "בעברית" in (fake_codex.requests[0].instructions or "")


@pytest.mark.yemot(extension="2")
def test_openai_remembers_the_call(yemot_caller: Caller, openai_mock: OpenAIMock) -> None:
    openai_mock.answers("בשמונה").answers("גם מחר בשמונה")
    yemot_caller.dial()
    assert yemot_caller.says("מתי פותחים?").endswith("בשמונה")  # the import of the SDK can take a second
    assert yemot_caller.says("ומחר?") == "גם מחר בשמונה"
    assert openai_mock.requests[1].session is not None


@pytest.mark.yemot(extension="2")
def test_an_overloaded_service_is_asked_again(yemot_caller: Caller, openai_mock: OpenAIMock) -> None:
    openai_mock.fails("overloaded").answers("בשמונה")
    yemot_caller.dial()
    assert yemot_caller.says("מתי פותחים?").endswith("בשמונה")


def test_the_service_keeps_the_rules_of_providers() -> None:
    suite = contract.provider(
        lambda server: OpenAIProvider(api_key="test", base_url=server.base_url), backend=ModelServer
    )
    suite.check("answer-whole", "session-workers", "failure-overloaded")


@settings(max_examples=20, deadline=None)
@given(st.text("אבגדהו ", min_size=1).filter(lambda words: words.strip() not in {"", "די"}))
def test_each_question_is_answered(words: str) -> None:
    with OpenAIMock() as openai, Caller(line(), extension="2") as caller:
        openai.answers("אין לי מושג")
        caller.dial()
        assert caller.says(f"שאלה {words}").endswith("אין לי מושג")
