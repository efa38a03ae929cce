"""What a caller gets of restarted streams, two messages, refused words and cut answers of Codex."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.support.codex import Codex, run_async
from yemot_ai.errors import AnswerEmptyError, OverloadedError, ProviderError, RefusedRequestError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider
from yemot_ai.providers.provider import Reply

if TYPE_CHECKING:
    from pathlib import Path

Provider: TypeAlias = CodexCLIProvider | CodexAppServerProvider
PROVIDERS = pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
FIRST, SECOND = "פתוח עד שבע. ", "בשישי עד אחת."
WHOLE = FIRST + SECOND


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))


def ask(codex: Codex, provider: type[Provider]) -> tuple[str, Reply]:
    """Return what one turn streams, and its reply."""

    async def turn() -> tuple[str, Reply]:
        asked = provider(codex.executable, timeout=20.0)
        try:
            *pieces, reply = [part async for part in asked.ask("עד מתי פתוח?", stream=True)]
        finally:
            if isinstance(asked, CodexAppServerProvider):
                await asked.aclose()
        assert isinstance(reply, Reply)
        return "".join(piece for piece in pieces if isinstance(piece, str)), reply

    heard, reply = run_async(turn())
    codex.assert_complete()
    assert heard in {"", reply.text}
    return heard, reply


@pytest.mark.slow
@PROVIDERS
@pytest.mark.parametrize(
    "broken", [(FIRST, "בש"), ("פתוח ע",), (FIRST, SECOND), ("",)], ids=["second", "first", "all", "nothing"]
)
def test_a_restarted_stream_is_heard_once(
    codex: Codex, provider: type[Provider], broken: tuple[str, ...]
) -> None:
    codex.reconnects(broken).reconnects("פת").answers([FIRST, SECOND])
    assert ask(codex, provider)[1].text == WHOLE


@pytest.mark.slow
@PROVIDERS
def test_a_stream_that_breaks_off_again_is_an_error(codex: Codex, provider: type[Provider]) -> None:
    codex.reconnects("פת").drops("פתוח")
    with pytest.raises(ProviderError, match="stream disconnected"):
        ask(codex, provider)


@pytest.mark.slow
@PROVIDERS
def test_a_restarted_stream_needs_a_step(codex: Codex, provider: type[Provider]) -> None:
    codex.reconnects("פת")
    with pytest.raises(ProviderError):
        ask(codex, provider)
    with pytest.raises(AssertionError, match="call without a step"):
        codex.assert_complete()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provider", "text"),
    [(CodexCLIProvider, WHOLE), (CodexAppServerProvider, f"רגע, בודק.\n{WHOLE}")],
    ids=["exec", "app-server"],
)
def test_the_message_before_the_answer_is_heard_from_a_server(
    codex: Codex, provider: type[Provider], text: str
) -> None:
    codex.answers([FIRST, SECOND], saying="רגע, בודק.")
    assert ask(codex, provider)[1].text == text


@pytest.mark.slow
@PROVIDERS
def test_refused_words_are_a_refusal(codex: Codex, provider: type[Provider]) -> None:
    codex.fails("refused_request")
    with pytest.raises(RefusedRequestError, match="Invalid prompt"):
        ask(codex, provider)


@pytest.mark.slow
@PROVIDERS
@pytest.mark.parametrize("text", [(FIRST, "בש"), ("פ",)], ids=["two", "one"])
def test_a_cut_answer_has_its_text_and_the_reason(
    codex: Codex, provider: type[Provider], text: tuple[str, ...]
) -> None:
    codex.cuts("length", text)
    reply = ask(codex, provider)[1]
    assert (reply.text, reply.cut) == ("".join(text), "max_output_tokens")


@pytest.mark.slow
@PROVIDERS
@pytest.mark.parametrize(
    ("reason", "text", "error"),
    [
        ("length", "", AnswerEmptyError),
        ("content_filter", FIRST, RefusedRequestError),
        ("error", FIRST, OverloadedError),
    ],
    ids=["nothing", "content_filter", "error"],
)
def test_a_cut_answer_without_a_use_is_an_error(
    codex: Codex, provider: type[Provider], reason: str, text: str, error: type[ProviderError]
) -> None:
    codex.cuts(reason, text)  # type: ignore[arg-type]  # the reasons of the parameters
    with pytest.raises(error):
        ask(codex, provider)
