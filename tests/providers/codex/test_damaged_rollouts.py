"""A conversation whose rollout is damaged is rebuilt from its history, with the real Codex."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.raw_responses import RawResponses, created, events, failed, whole
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.errors import RateLimitedError
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST, SECOND = "שמי דוד", "נולדתי בחיפה"
UNKNOWN_THREAD = b"01a2021e-e1f2-71a2-898b-4fcd956cbb54"


def without_ordinal(lines: list[bytes]) -> bytes:
    last = json.loads(lines[-1])
    del last["ordinal"]
    return b"\n".join([*lines[:-1], json.dumps(last).encode(), b""])


def without_lines_after(data: bytes, text: str) -> bytes:
    """Return the lines up to the first one that contains ``text``, without that one."""
    lines = data.splitlines(keepends=True)
    first = next(index for index, line in enumerate(lines) if text.encode() in line)
    return b"".join(lines[:first])


def with_nul_bytes(data: bytes, start: int, end: int) -> bytes:
    return data[:start] + b"\0" * (end - start) + data[end:]


DAMAGES: dict[str, Callable[[bytes, bytes], bytes]] = {
    "emptied": lambda _data, _thread: b"",
    "without its first line": lambda data, _thread: data.partition(b"\n")[2],
    "NUL bytes": lambda data, _thread: b"\0" * len(data),
    "NUL bytes at its beginning": lambda data, _thread: b"\0" * 20 + data[20:],
    "last record without ordinal": lambda data, _thread: without_ordinal(data.splitlines()),
    "another file": lambda _data, _thread: b"hello\n",
    "not UTF-8": lambda _data, _thread: b"\xff\xfe\xfd\n" * 10,
    "of another thread": lambda data, thread: data.replace(thread, UNKNOWN_THREAD),
}


SILENT_DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "its last exchange is missing": lambda data: without_lines_after(data, SECOND),
    "all exchanges are missing": lambda data: without_lines_after(data, FIRST),
    "cut in the middle of a line": lambda data: data[: len(data) // 2],
    "NUL bytes at its end": lambda data: with_nul_bytes(data, len(data) // 2, len(data)),
    "NUL bytes in its middle": lambda data: with_nul_bytes(data, len(data) // 3, 2 * len(data) // 3),
    "other words": lambda data: data.replace(SECOND.encode(), "א".encode() * len(SECOND)),
}
"""What the real Codex resumes without an error."""


def rollout_in(folder: Path) -> Path:
    (rollout,) = folder.glob("codex/home/sessions/*/*/*/rollout-*.jsonl")
    return rollout


def damage(folder: Path, name: str) -> None:
    rollout = rollout_in(folder)
    rollout.write_bytes(DAMAGES[name](rollout.read_bytes(), rollout.stem[-36:].encode()))


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))
    return tmp_path


def unload(codex: object) -> None:
    """End the servers, so that the next turn loads the thread from disk."""
    if isinstance(codex, CodexAppServerProvider):
        Engine.shared().run(codex.aclose())


@pytest.mark.slow
@pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
@pytest.mark.parametrize("name", DAMAGES)
def test_a_call_with_a_damaged_rollout_continues(
    real_binary: Path, folder: Path, provider: type, name: str
) -> None:
    with RawResponses(whole("נעים מאוד."), whole("שמך דוד.")) as service:
        codex = provider(real_binary, timeout=20.0, **service.codex_options())
        ai = YemotAI(provider=codex)
        assert ai.reply("call-1", FIRST) == "נעים מאוד."
        unload(codex)
        damage(folder, name)
        assert ai.reply("call-1", "מה שמי?") == "שמך דוד."
        assert len(service.sent) == 2
        assert FIRST in json.dumps(service.sent[-1], ensure_ascii=False)
        ai.close()


@pytest.mark.slow
@pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
@pytest.mark.parametrize("name", SILENT_DAMAGES)
def test_a_call_whose_rollout_has_lost_words_remembers_them(
    real_binary: Path, folder: Path, provider: type, name: str
) -> None:
    with RawResponses(whole("נעים מאוד."), whole("עיר יפה."), whole("דוד מחיפה.")) as service:
        codex = provider(real_binary, timeout=20.0, **service.codex_options())
        ai = YemotAI(provider=codex)
        assert [ai.reply("call-1", words) for words in (FIRST, SECOND)] == ["נעים מאוד.", "עיר יפה."]
        unload(codex)
        rollout = rollout_in(folder)
        rollout.write_bytes(SILENT_DAMAGES[name](rollout.read_bytes()))
        assert ai.reply("call-1", "מי אני?") == "דוד מחיפה."
        sent = json.dumps(service.sent[-1], ensure_ascii=False)
        assert (len(service.sent), FIRST in sent, SECOND in sent) == (3, True, True)
        ai.close()


@pytest.mark.slow
@pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
def test_a_call_with_a_folder_in_place_of_its_rollout_continues(
    real_binary: Path, folder: Path, provider: type
) -> None:
    with RawResponses(whole("נעים מאוד."), whole("שמך דוד.")) as service:
        codex = provider(real_binary, timeout=20.0, **service.codex_options())
        ai = YemotAI(provider=codex)
        ai.reply("call-1", FIRST)
        unload(codex)
        rollout = rollout_in(folder)
        rollout.unlink()
        rollout.mkdir()
        assert ai.reply("call-1", "מה שמי?") == "שמך דוד."
        assert not rollout.exists()
        ai.close()


@pytest.mark.slow
@pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
def test_a_whole_rollout_is_resumed_after_a_turn_that_failed(
    real_binary: Path, folder: Path, provider: type
) -> None:
    limited = events(created(), failed("rate_limit_exceeded", "Please try again in 7m12s."))
    with RawResponses(whole("נעים מאוד."), limited, whole("שמך דוד.")) as service:
        options = service.codex_options()
        options["config"]["model_providers.raw.stream_max_retries"] = 0
        codex = provider(real_binary, timeout=20.0, **options)
        ai = YemotAI(provider=codex)
        ai.reply("call-1", FIRST)
        rollout = rollout_in(folder)
        with pytest.raises(RateLimitedError):
            ai.reply("call-1", SECOND)
        assert ai.reply("call-1", "מה שמי?") == "שמך דוד."
        assert rollout_in(folder) == rollout
        ai.close()
