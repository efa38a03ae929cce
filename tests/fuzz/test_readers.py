"""Readers of foreign data raise only their documented errors."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz
from tests.fuzz.mutations import (
    SESSION,
    altered_bytes,
    altered_json,
    altered_text,
    encode_loosely,
    junk_json,
)
from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors import ProviderError, SessionDamagedError, SessionFormatError
from yemot_ai.protocol import Request, Response, lint
from yemot_ai.providers.codex.app_server.jsonrpc import JsonRpc, NotRpcError
from yemot_ai.providers.codex.app_server.turn import AppServerTurn
from yemot_ai.providers.codex.events import EventReader
from yemot_ai.sessions import Session
from yemot_ai.sessions.serialization import decode, encode
from yemot_ai.transcription.download import _check_complete
from yemot_ai_testing.codex import recordings
from yemot_ai_testing.doubles.platform_server import wav_file
from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.line.platform.ext_ini import read_ext_ini
from yemot_ai_testing.line.platform.ini_file import decode_ini
from yemot_ai_testing.property import EchoProvider, codex_streams, ext_inis, requests
from yemot_ai_testing.property.strategies import CodexStream, RawRequest
from yemot_ai_testing.scenario.format.load import loads

CALLS = """\
name: pizza
app: shop.phone:flow
caller: {phone: "0501234567", extension: "1"}
scenarios:
  - name: הזמנה בקול
    turns:
      - hears: ברוכים הבאים
      - says: אני רוצה פיצה
        agent: {answers: ["באיזה", " גודל?"], after: 6s}
        hears: {contains: &size גודל, within: [2s, 4s], matches: "ג.*ל", read: {mode: voice}}
      - presses: "1#"
        agent: {fails: rate_limited}
        hears: {excludes: *size}
        meanwhile: {hangs_up: true, after: 500ms}
    afterwards: {agent_turns: 2, sessions_open: 0}
"""
RECORD = encode(SESSION)
SERVER_MESSAGES = [
    message["message"]
    for path in sorted((recordings.folder() / "app-server").glob("*/*.jsonl"))
    for message in map(json.loads, path.read_text("utf-8").splitlines())
    if message["by"] == "server"
]
NUMBERS = itertools.count()


@fuzz(120)
@given(codex_streams(), st.sampled_from(["", "t"]))
def test_a_run_of_codex_gives_an_outcome_or_a_provider_error(stream: CodexStream, expected: str) -> None:
    reader = EventReader()
    for line in stream.lines:
        reader.feed(line)
    with suppress(ProviderError):
        outcome = reader.finish(exit_code=stream.exit_code, stderr_tail=stream.stderr, expected=expected)
        assert outcome.text.strip()
        assert outcome.text.encode()


LINES = [encode_loosely(message) for message in SERVER_MESSAGES]
DELTA = {"method": "item/agentMessage/delta", "params": {"itemId": [], "delta": "ש"}}


@fuzz(200)
@given(st.lists(st.sampled_from(SERVER_MESSAGES).flatmap(altered_json) | junk_json, max_size=6))
@example([DELTA])
@example([{"id": [[]], "method": "execCommandApproval"}])
def test_any_message_of_a_codex_server_is_handled_or_refused(messages: list[Any]) -> None:
    feed([encode_loosely(message) for message in messages], "thread/start", "turn/start")


def feed(lines: list[bytes], *methods: str) -> None:
    """Let a server send these lines while requests and a turn are open."""

    async def run() -> None:
        turn = AppServerTurn("t", lambda piece: piece.encode())
        rpc = JsonRpc(lambda _: None, turn.handle)
        requests = [rpc.request(method, {}) for method in methods]
        for line in lines:
            with suppress(NotRpcError):
                rpc.feed(line)
        assert all(future.cancel() or future.done() for future in requests)
        turn.fail(ProviderError("the end"))

    asyncio.run(run())


@fuzz(150)
@given(st.lists(st.sampled_from(LINES).flatmap(altered_bytes) | st.binary(max_size=40), max_size=6))
@example([b"[" * 100_000])
@example([b'{"id":1,"result":' + b"9" * 5_000 + b"}"])
@example([b'{"id":1,"error":{"code":1e999,"message":[]}}'])
def test_any_line_of_a_codex_server_is_handled_or_refused(lines: list[bytes]) -> None:
    feed(lines, "thread/start")


@pytest.mark.parametrize("answered", [True, 1.0])
def test_only_the_exact_id_answers_a_request(answered: object) -> None:
    async def run() -> bool:
        rpc = JsonRpc(lambda _: None, lambda *_: None)
        request = rpc.request("thread/start", {})
        with suppress(NotRpcError):
            rpc.feed(json.dumps({"id": answered, "result": {}}).encode())
        return request.done()

    assert not asyncio.run(run())


@fuzz(150)
@given(altered_text(CALLS) | st.text(st.characters(exclude_categories=()), max_size=40))
@example(CALLS.replace('"ג.*ל"', '"a{99999999999999999999}"'))
@example(CALLS.replace('"ג.*ל"', f'"{"(" * 3_000}{")" * 3_000}"'))
@example(CALLS.replace('"ג.*ל"', "'[[א]'"))
@example(CALLS + "\ud800")
@example("\ufeff" + CALLS.replace("\n", "\r\n"))
@example("[" * 200_000)
@example("- " * 200_000)
@example("".join(f"{' ' * depth}a:\n" for depth in range(2_000)))
@example("!!python/object/apply:os.system [x]")
def test_a_scenario_file_is_loaded_or_raises_a_load_error(text: str) -> None:
    with suppress(ScenarioLoadError):
        loads(text, Path("calls.call.yaml"))


def test_aliases_cannot_expand_without_limit() -> None:
    pieces = f"&pieces [{'א, ' * 60}]"
    steps = f"&steps [{{answers: {pieces}}}, {'{answers: *pieces}, ' * 60}]"
    turns = f"&turns [{{says: ב, agent: {steps}}}, {'{says: ב, agent: *steps}, ' * 60}]"
    more = "".join(f"- {{name: s{number}, turns: *turns}}\n" for number in range(60))
    with pytest.raises(ScenarioLoadError, match="aliases expand"):
        loads(f"scenarios:\n- {{name: s, turns: {turns}}}\n{more}", Path("laughs.call.yaml"))


def test_an_alias_may_be_shared_by_many_scenarios() -> None:
    shared = ", ".join(["{says: שלום, hears: כן}"] * 20)
    more = "".join(f"- {{name: s{number}, turns: *turns}}\n" for number in range(100))
    loaded = loads(f"scenarios:\n- {{name: s, turns: &turns [{shared}]}}\n{more}", Path("shared.call.yaml"))
    assert len(loaded.scenarios) == 101


@fuzz(200)
@given(altered_json(json.loads(RECORD)).map(json.dumps) | altered_text(RECORD))
@example(RECORD.replace("3.5", "[" * 100_000))
@example(RECORD.replace("3.5", "9" * 5_000))
@example(RECORD.replace('"version":1', '"version":4,"version":1'))
def test_a_session_record_is_decoded_or_raises_a_session_error(text: str) -> None:
    with suppress(SessionDamagedError, SessionFormatError):
        assert isinstance(decode(text), Session)


@fuzz(200)
@given(ext_inis() | st.binary(max_size=60))
def test_any_ext_ini_is_read(content: str | bytes) -> None:
    text = content if isinstance(content, str) else decode_ini(content, "ext.ini")[0]
    assert all(warning.message for warning in read_ext_ini(text).warnings)


@fuzz(200)
@given(altered_bytes(wav_file(bytes(320))) | st.binary(max_size=60))
def test_a_recording_is_complete_or_refused(audio: bytes) -> None:
    with suppress(ProviderError):
        assert _check_complete(audio) == audio


@pytest.fixture(scope="module")
def flow() -> Iterator[AIFlow]:
    flow = AIFlow(YemotAI(provider=EchoProvider()))
    flow.ai_agent("", greeting="שלום")(lambda call, text: None)
    flow.ai_agent("1/2", greeting="שלום")(lambda call, text: None)
    yield flow
    flow.ai.close()


@fuzz(125)
@given(requests())
def test_every_request_gets_a_valid_response(flow: AIFlow, sent: RawRequest) -> None:
    params = Request.parse(sent).pairs
    answer = flow.handle_request(params)
    assert str(Response.parse(answer)) == answer
    assert [problem for problem in lint(answer) if problem.level == "error"] == []
