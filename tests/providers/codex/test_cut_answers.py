"""An answer that the model did not finish is never taken for a whole one, with the real Codex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.codex import run_async
from tests.support.raw_responses import RawResponses, begun, completed, created, events, message, whole
from yemot_ai import YemotAI
from yemot_ai.errors import AnswerCutError, AnswerEmptyError, ProviderError, RefusedRequestError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    from pathlib import Path

PROVIDERS = [CodexCLIProvider, CodexAppServerProvider]
DELTAS = ("זה עולה. ", "מאה ועש")


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))


def incomplete(reason: str) -> dict[str, object]:
    response = {"id": "resp_1", "status": "incomplete", "incomplete_details": {"reason": reason}}
    return {"type": "response.incomplete", "response": response}


def ask(binary: Path, provider: type, response: bytes) -> Reply:
    async def turn() -> Reply:
        options = service.codex_options()
        options["config"]["model_providers.raw.stream_max_retries"] = 0
        asked = provider(binary, timeout=20.0, **options)
        try:
            *pieces, reply = [part async for part in asked.ask("כמה?", stream=True)]
        finally:
            if isinstance(asked, CodexAppServerProvider):
                await asked.aclose()
        assert isinstance(reply, Reply)
        assert "".join(pieces) in {"", reply.text}
        return reply

    with RawResponses(response) as service:
        return run_async(turn())


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_reached_the_maximum_of_tokens_is_cut(real_binary: Path, provider: type) -> None:
    reply = ask(real_binary, provider, events(created(), *message(*DELTAS), incomplete("max_output_tokens")))
    assert (reply.text, reply.cut) == ("".join(DELTAS), "max_output_tokens")


@pytest.mark.slow
def test_a_message_that_was_not_ended_is_cut_too(real_binary: Path) -> None:
    response = events(created(), *begun(*DELTAS), incomplete("max_output_tokens"))
    reply = ask(real_binary, CodexAppServerProvider, response)
    assert (reply.text, reply.cut) == ("".join(DELTAS), "max_output_tokens")


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_model_that_reached_the_maximum_before_its_first_word_has_no_answer(
    real_binary: Path, provider: type
) -> None:
    with pytest.raises(AnswerEmptyError, match="max_output_tokens"):
        ask(real_binary, provider, events(created(), incomplete("max_output_tokens")))


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_filtered_answer_is_a_refusal(real_binary: Path, provider: type) -> None:
    with pytest.raises(RefusedRequestError):
        ask(real_binary, provider, events(created(), *message(*DELTAS), incomplete("content_filter")))


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_stream_that_ends_after_a_message_is_no_answer(real_binary: Path, provider: type) -> None:
    with pytest.raises(ProviderError, match=r"response\.completed"):
        ask(real_binary, provider, events(created(), *message(*DELTAS)))


@pytest.mark.slow
def test_an_answer_whose_message_has_no_end_is_whole(real_binary: Path) -> None:
    reply = ask(real_binary, CodexAppServerProvider, events(created(), *begun(*DELTAS), completed()))
    assert (reply.text, reply.cut) == ("".join(DELTAS), "")


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_call_goes_on_after_a_cut_answer(real_binary: Path, provider: type) -> None:
    cut = events(created(), *message(*DELTAS), incomplete("max_output_tokens"))
    with RawResponses(cut, whole("מאה ועשרים.")) as service:
        ai = YemotAI(provider=provider(real_binary, timeout=20.0, **service.codex_options()))
        with pytest.raises(AnswerCutError) as caught:
            ai.reply("call-1", "כמה?")
        assert (caught.value.reason, caught.value.text) == ("max_output_tokens", "".join(DELTAS))
        assert ai.reply("call-1", "כמה בדיוק?") == "מאה ועשרים."
        assert len(service.sent) == 2
        ai.close()
