"""What a model writes that is no answer reaches no caller, with the real Codex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.providers.codex.app_server.test_answer_text import ANSWER, NO_ANSWERS, THOUGHT
from tests.support.codex import run_async
from tests.support.raw_responses import RawResponses, completed, created, events, message, whole
from yemot_ai.errors import AnswerEmptyError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    from pathlib import Path

PROVIDERS = [CodexCLIProvider, CodexAppServerProvider]


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))


def ask(binary: Path, provider: type, *responses: bytes, stream: bool = True) -> list[str]:
    """Return what a caller hears in each turn: the pieces, and without pieces the reply."""

    async def turns() -> list[str]:
        asked = provider(binary, timeout=20.0, **service.codex_options())
        try:
            return [await turn(asked) for _ in responses]
        finally:
            if isinstance(asked, CodexAppServerProvider):
                await asked.aclose()

    async def turn(asked: CodexCLIProvider | CodexAppServerProvider) -> str:
        *pieces, reply = [part async for part in asked.ask("מה השעה?", stream=stream)]
        assert isinstance(reply, Reply)
        heard = "".join(str(piece) for piece in pieces)
        assert heard in {"", reply.text}
        return reply.text

    with RawResponses(*responses) as service:
        return run_async(turns())


def in_deltas(text: str) -> bytes:
    return whole(*(text[start : start + 5] for start in range(0, len(text), 5)))


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_no_answer_is_not_heard(real_binary: Path, provider: type) -> None:
    responses = [in_deltas(text) for text in NO_ANSWERS.values()]
    assert [heard.strip() for heard in ask(real_binary, provider, *responses)] == [ANSWER] * len(responses)


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_a_stream_nothing_before_a_lone_end_of_thoughts_is_heard(
    real_binary: Path, provider: type
) -> None:
    thought = in_deltas(f"{THOUGHT}\n</think>\n\n{ANSWER}")
    assert ask(real_binary, provider, thought, stream=False) == [ANSWER]


@pytest.mark.slow
def test_after_a_lone_end_of_thoughts_the_next_answer_is_withheld_up_to_it(real_binary: Path) -> None:
    thought = in_deltas(f"{THOUGHT}\n</think>\n\n{ANSWER}")
    assert ask(real_binary, CodexAppServerProvider, thought, thought)[1] == ANSWER


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_turn_with_thoughts_only_has_no_answer(real_binary: Path, provider: type) -> None:
    with pytest.raises(AnswerEmptyError):
        ask(real_binary, provider, in_deltas(f"<think>{THOUGHT}</think>"))


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_call_of_a_tool_after_the_answer_does_not_hide_it(real_binary: Path, provider: type) -> None:
    call = message('<tool_call>{"name": "clock", "arguments": {}}</tool_call>', item_id="msg_2")
    response = events(created(), *message(ANSWER), *call, completed())
    assert ask(real_binary, provider, response) == [ANSWER]
