"""What a caller hears if Codex restarts the model's stream, or the model writes several messages.

The streams are raw bytes, as a service sends them; the retries are the real Codex's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.codex import run_async
from tests.support.raw_responses import (
    RawResponses,
    begun,
    completed,
    created,
    events,
    failed,
    message,
    whole,
)
from yemot_ai.errors import ProviderError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = "פתוח עד שבע. ", "בשישי עד אחת."
WHOLE = FIRST + SECOND


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))


def ask(binary: Path, *responses: bytes, stream: bool = True) -> tuple[list[str], Reply]:
    """Return the pieces and the reply of one turn."""

    async def turn() -> tuple[list[str], Reply]:
        provider = CodexAppServerProvider(binary, timeout=25.0, **service.codex_options())
        try:
            *pieces, reply = [part async for part in provider.ask("עד מתי פתוח?", stream=stream)]
        finally:
            await provider.aclose()
        assert isinstance(reply, Reply)
        return [piece for piece in pieces if isinstance(piece, str)], reply

    with RawResponses(*responses) as service:
        return run_async(turn())


def cut(*deltas: str) -> bytes:
    """Return a stream whose connection ends in the middle of a message."""
    return events(created(), *begun(*deltas))


RESTARTS = {
    "in the second sentence": ([cut(FIRST, "בשישי ע")], [FIRST, SECOND], WHOLE),
    "in the first sentence": ([cut("פתוח ע")], [FIRST, SECOND], WHOLE),
    "between two sentences": ([cut(FIRST)], [FIRST, SECOND], WHOLE),
    "before the end of the first sentence is known": ([cut("פתוח עד שבע.")], [FIRST, SECOND], WHOLE),
    "after the whole text": ([cut(FIRST, SECOND)], [FIRST, SECOND], WHOLE),
    "twice": ([cut("פת"), cut(FIRST, "בש")], [FIRST, SECOND], WHOLE),
    "the incomplete sentence in other words": ([cut(FIRST, "אבל בש")], [FIRST, SECOND], WHOLE),
    "a heard sentence with other marks": (
        [cut("פתוח, עד שבע! ")],
        [FIRST, SECOND],
        f"פתוח, עד שבע! {SECOND}",
    ),
    "a heard sentence in other words": (
        [cut(FIRST)],
        ["אנחנו פתוחים עד שבע. ", SECOND],
        f"{FIRST}אנחנו פתוחים עד שבע. {SECOND}",
    ),
    "a sentence that the answer repeats": ([cut("כן. ")], ["כן. כן. ", SECOND], f"כן. כן. {SECOND}"),
    "in a list": (
        [cut("1. חלב\n2. ביצים\n3. ל")],
        ["1. חלב\n", "2. ביצים\n", "3. לחם"],
        "1. חלב\n2. ביצים\n3. לחם",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESTARTS)
def test_a_restarted_stream_is_heard_once(real_binary: Path, name: str) -> None:
    broken, again, heard = RESTARTS[name]
    pieces, reply = ask(real_binary, *broken, whole(*again))

    assert "".join(pieces) == reply.text == heard


@pytest.mark.slow
def test_a_failed_response_is_asked_again_and_heard_once(real_binary: Path) -> None:
    error = failed("server_error", "The server had an error while processing your request.")
    pieces, reply = ask(real_binary, events(created(), *begun(FIRST), error), whole(FIRST, SECOND))

    assert "".join(pieces) == reply.text == WHOLE


@pytest.mark.slow
def test_a_message_that_was_complete_before_the_restart_is_heard_once(real_binary: Path) -> None:
    pieces, reply = ask(real_binary, events(created(), *message(FIRST, SECOND)), whole(FIRST, SECOND))

    assert "".join(pieces) == reply.text == WHOLE


@pytest.mark.slow
def test_without_a_stream_a_restarted_answer_is_whole(real_binary: Path) -> None:
    assert ask(real_binary, cut(FIRST, "בשישי ע"), whole(FIRST, SECOND), stream=False)[1].text == WHOLE


@pytest.mark.slow
def test_an_exec_turn_has_a_restarted_answer_once(real_binary: Path) -> None:
    async def turn() -> Reply:
        provider = CodexCLIProvider(real_binary, timeout=25.0, **service.codex_options())
        (reply,) = [part async for part in provider.ask("עד מתי פתוח?")]
        assert isinstance(reply, Reply)
        return reply

    with RawResponses(cut(FIRST, "בשישי ע"), whole(FIRST, SECOND)) as service:
        assert run_async(turn()).text == WHOLE


@pytest.mark.slow
def test_two_messages_are_separated_by_a_line_end(real_binary: Path) -> None:
    two = [*message("רגע. ", "אני בודק את", item_id="msg_0"), *message("פתוח עד שבע. ", "ומחר עד שש")]
    pieces, reply = ask(real_binary, events(created(), *two, completed()))

    assert "".join(pieces) == reply.text == "רגע. אני בודק את\nפתוח עד שבע. ומחר עד שש"


@pytest.mark.slow
def test_commentary_is_not_heard(real_binary: Path) -> None:
    two = [
        *message("אני בודק. ", item_id="msg_0", phase="commentary"),
        *message(WHOLE, phase="final_answer"),
    ]
    pieces, reply = ask(real_binary, events(created(), *two, completed()))

    assert "".join(pieces) == reply.text == WHOLE


@pytest.mark.slow
def test_a_message_without_deltas_is_heard(real_binary: Path) -> None:
    two = [*message(FIRST, item_id="msg_0"), message(SECOND)[-1]]
    pieces, reply = ask(real_binary, events(created(), *two, completed()))

    assert "".join(pieces) == reply.text == WHOLE


@pytest.mark.slow
def test_a_message_whose_end_has_less_text_is_what_was_streamed(real_binary: Path) -> None:
    last = message(".")[-1]
    pieces, reply = ask(real_binary, events(created(), *begun(FIRST, SECOND), last, completed()))

    assert "".join(pieces) == reply.text == WHOLE


@pytest.mark.slow
def test_an_incomplete_sentence_is_not_heard_if_the_turn_fails(real_binary: Path) -> None:
    heard: list[str] = []

    async def turn() -> None:
        options = service.codex_options()
        options["config"]["model_providers.raw.stream_max_retries"] = 0
        provider = CodexAppServerProvider(real_binary, timeout=25.0, **options)
        try:
            async for part in provider.ask("עד מתי פתוח?", stream=True):
                assert isinstance(part, str)
                heard.append(part)
        finally:
            await provider.aclose()

    with RawResponses(cut(FIRST, "בשישי ע")) as service, pytest.raises(ProviderError):
        run_async(turn())
    assert heard == [FIRST]
