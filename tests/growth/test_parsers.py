"""Parsers are linear in time and memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from benchmarks.protocol import JOBS, SHAPES, growth
from tests.growth.measure import TIME_BOUND, Job, assert_linear
from yemot_ai.errors import ProviderError, SessionDamagedError
from yemot_ai.protocol import Request
from yemot_ai.providers.codex.app_server.jsonrpc import JsonRpc, NotRpcError
from yemot_ai.providers.codex.events import EventReader
from yemot_ai.sessions import Session, Turn
from yemot_ai.sessions.serialization import decode, encode
from yemot_ai.transcription.download import _check_complete
from yemot_ai_testing.errors import ScenarioLoadError
from yemot_ai_testing.line.platform.ext_ini import read_ext_ini
from yemot_ai_testing.line.platform.ini_file import decode_ini
from yemot_ai_testing.scenario.format.load import loads

pytestmark = pytest.mark.generated

EXPECTED_ERRORS = (ProviderError, SessionDamagedError, ScenarioLoadError, NotRpcError)
SCENARIO = "- {name: s%d, turns: [{says: שלום, agent: {answers: כן}, hears: כן}]}\n"
MESSAGE_LINE = json.dumps(
    {"type": "item.completed", "item": {"type": "agent_message", "text": "ש" * 40}}
).encode()


def events(lines: list[bytes]) -> None:
    reader = EventReader()
    for line in lines:
        reader.feed(line)
    reader.finish(exit_code=0)


def wire(lines: list[bytes]) -> None:
    rpc = JsonRpc(lambda _: None, lambda *_: None)
    for line in lines:
        rpc.feed(line)


def calls_file(text: str) -> None:
    loads(text, Path("grown.call.yaml"))


def aliased(size: int) -> str:
    """Return a file whose scenarios share their turns through aliases, within the allowed size."""
    shared = "&turns [" + "{says: שלום, hears: כן}, " * 20 + "]"
    more = "".join(f"- {{name: s{number}, turns: *turns}}\n" for number in range(size // 40))
    return f"scenarios:\n- {{name: s, turns: {shared}}}\n{more}"


READERS: dict[str, Callable[[int], Job]] = {
    "events": lambda size: lambda: events([MESSAGE_LINE] * size),
    "broken events": lambda size: lambda: events([b"{"] * size),
    "one long event": lambda size: lambda: events([MESSAGE_LINE.replace(b"agent", b"x" * size * 100)]),
    "an endless error": lambda size: lambda: events(
        [json.dumps({"type": "turn.failed", "error": {"message": "try again in 1 " * size}}).encode()]
    ),
    "messages of a server": lambda size: lambda: wire([b'{"method":"a","params":{}}'] * size),
    "calls": lambda size: lambda: calls_file(
        "scenarios:\n" + "".join(SCENARIO % number for number in range(size // 5))
    ),
    "calls with mistakes": lambda size: lambda: calls_file("scenarios:\n" + "- {nam: x, turns: 5}\n" * size),
    "calls on one line": lambda size: lambda: calls_file(
        "scenarios: [" + ", ".join((SCENARIO % n)[2:-1] for n in range(size // 5)) + "]"
    ),
    "calls that share": lambda size: lambda: calls_file(aliased(size)),
    "aliases": lambda size: lambda: calls_file("name: &a x\n" + "".join(f"b{n}: *a\n" for n in range(size))),
    "one long scalar": lambda size: lambda: calls_file("name: " + "א " * size * 20),
    "settings": lambda size: lambda: read_ext_ini("type=api\n" + "api_link=http://a.co\n" * size),
    "unknown settings": lambda size: lambda: read_ext_ini(
        "type=api\n" + "".join(f"b{number}=1\n" for number in range(size))
    ),
    "answers of an extension": lambda size: lambda: read_ext_ini(
        "type=api\n" + "".join(f"api_answer_x_{number}=noop\n" for number in range(size))
    ),
    "questions of an extension": lambda size: lambda: read_ext_ini(
        "type=api\n"
        + "".join(f"api_{number:03}=a{number},no\n" for number in range(size // 3))
        + "".join(f"api_{number % 1000:03}_key_{number % 9}_say=a\n" for number in range(size))
    ),
    "one long setting": lambda size: lambda: read_ext_ini(
        "type=api\napi_answer_" + "1_" * size * 20 + "=noop"
    ),
    "a file that is no UTF-8": lambda size: lambda: decode_ini(b"\xf9\xec\n" * size * 20, "ext.ini"),
    "turns of a session": lambda size: lambda: decode(
        encode(Session("c1", turns=tuple(Turn(f"ai_{number}", "שלום") for number in range(size))))
    ),
    "no record": lambda size: lambda: decode("[" * size * 20),
    "chunks of a recording": lambda size: lambda: _check_complete(
        b"RIFF" + (4).to_bytes(4, "little") + b"WAVE" + b"fmt \0\0\0\0" * size
    ),
    "values": lambda size: lambda: Request.parse("&".join(f"ai_{number}=x" for number in range(size))),
}  # fmt: skip


IN_C = ("one long event", "an endless error", "one long scalar", "one long setting", "chunks of a recording")
"""Readers whose work is done in a few calls of C code, where calls are not counted: they are timed."""


def silenced(job: Job) -> Job:
    def run() -> None:
        with suppress(*EXPECTED_ERRORS):
            job()

    return run


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_is_linear_in_work_and_memory(reader: str) -> None:
    small, large = (silenced(READERS[reader](size)) for size in (150, 1_500))
    assert_linear(small, large)


@pytest.mark.parametrize("reader", IN_C)
def test_a_reader_in_c_is_not_quadratic_in_time(reader: str) -> None:
    assert (
        growth(lambda size: silenced(READERS[reader](int(size)))(), str, small=2_000, rounds=3) < TIME_BOUND
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("job", JOBS)
def test_the_protocol_is_linear_in_work_and_memory(job: str, shape: str) -> None:
    small, large = (partial(JOBS[job], SHAPES[shape](size)) for size in (2_000, 20_000))
    assert_linear(small, large)
