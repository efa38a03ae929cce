"""A conversation whose rollout is damaged is rebuilt from its history, with the real Codex."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.raw_responses import RawResponses, whole
from yemot_ai import YemotAI
from yemot_ai._runtime.engine import Engine
from yemot_ai.providers import CodexAppServerProvider, CodexCLIProvider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNKNOWN_THREAD = b"01a2021e-e1f2-71a2-898b-4fcd956cbb54"


def without_ordinal(lines: list[bytes]) -> bytes:
    last = json.loads(lines[-1])
    del last["ordinal"]
    return b"\n".join([*lines[:-1], json.dumps(last).encode(), b""])


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


def damage(folder: Path, name: str) -> None:
    (rollout,) = folder.glob("codex/home/sessions/*/*/*/rollout-*.jsonl")
    rollout.write_bytes(DAMAGES[name](rollout.read_bytes(), rollout.stem[-36:].encode()))


@pytest.mark.slow
@pytest.mark.parametrize("provider", [CodexCLIProvider, CodexAppServerProvider])
@pytest.mark.parametrize("name", DAMAGES)
def test_a_call_with_a_damaged_rollout_continues(
    real_binary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, provider: type, name: str
) -> None:
    monkeypatch.setenv("YEMOT_AI_HOME", str(tmp_path))
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "users"))
    with RawResponses(whole("נעים מאוד."), whole("שמך דוד.")) as service:
        codex = provider(real_binary, timeout=20.0, **service.codex_options())
        ai = YemotAI(provider=codex)
        assert ai.reply("call-1", "שמי דוד") == "נעים מאוד."
        if isinstance(codex, CodexAppServerProvider):
            # Otherwise the thread is still loaded; the next turn starts another server.
            Engine.shared().run(codex.aclose())
        damage(tmp_path, name)
        assert ai.reply("call-1", "מה שמי?") == "שמך דוד."
        assert len(service.sent) == 2
        assert "שמי דוד" in json.dumps(service.sent[-1], ensure_ascii=False)
        ai.close()
