"""What the library costs beside what an application would do without it."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import openai
import yemot_flow

from benchmarks.performance.rounds import Action, Ratio, in_turn
from tests.foreign import node
from tests.foreign.process import serving
from yemot_ai import AIFlow, AsyncAICall, YemotAI
from yemot_ai.providers import (
    CodexAppServerProvider,
    CodexCLIProvider,
    OpenAIProvider,
    Provider,
    SupportsAclose,
    read_reply,
)
from yemot_ai_testing import FakeCodex, ScriptedProvider
from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE, ModelServer

ANSWER = "אנחנו פתוחים עד שמונה"
QUESTION = "מתי אתם פתוחים"
INSTRUCTIONS = "ענה בקצרה"
MODEL = "gpt-5"
ROOT = Path(__file__).parent.parent.parent


@contextmanager
def asking(provider: Provider, own_runner: asyncio.Runner | None = None) -> Iterator[Action]:
    """Yield a function that asks the provider one question after the other, in one conversation."""
    with own_runner or asyncio.Runner() as runner:
        first = runner.run(read_reply(provider.ask(QUESTION, instructions=INSTRUCTIONS), provider.name))
        session = [first.session]

        def ask() -> None:
            reply = runner.run(read_reply(provider.ask(QUESTION, session=session[0]), provider.name))
            assert reply.text == ANSWER
            session[0] = reply.session

        yield ask
        if isinstance(provider, SupportsAclose):
            runner.run(provider.aclose())


def codex_exec(rounds: int) -> Ratio:
    """Compare ``CodexCLIProvider`` with ``subprocess.run(["codex", "exec", …])``."""
    with FakeCodex() as codex:
        for _ in range(2 * rounds + 3):
            codex.answers(ANSWER)
        command = [str(codex.executable), "exec", "--json", "--skip-git-repo-check", "-"]

        def recipe() -> None:
            done = subprocess.run(command, input=QUESTION, capture_output=True, text=True, check=True)
            events = [json.loads(line) for line in done.stdout.splitlines()]
            assert any(event.get("item", {}).get("text") == ANSWER for event in events)

        with asking(CodexCLIProvider()) as ask:
            figures = in_turn(ask, recipe, rounds=rounds)
    return Ratio(
        "codex-exec",
        "a turn of `CodexCLIProvider` (fake Codex)",
        '`subprocess.run(["codex", "exec", "--json", …])`',
        *figures,
    )


def openai_sdk(rounds: int) -> Ratio:
    """Compare ``OpenAIProvider`` with the bare SDK."""
    with ModelServer() as server:
        for _ in range(2 * rounds + 3):
            server.answers(ANSWER)
        client = openai.AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0)
        runner, previous = asyncio.Runner(), [""]

        def bare() -> None:
            response = runner.run(
                client.responses.create(
                    model=MODEL,
                    input=QUESTION,
                    instructions=INSTRUCTIONS,
                    previous_response_id=previous[0] or openai.omit,
                )
            )
            assert response.output_text == ANSWER
            previous[0] = response.id

        provider = OpenAIProvider(api_key="none", base_url=server.base_url, model=MODEL, api="responses")
        with asking(provider, runner) as ask:
            figures = in_turn(ask, bare, rounds=rounds)
            runner.run(client.close())
    return Ratio(
        "openai",
        "a turn of `OpenAIProvider` (a service on this machine that answers at once)",
        "`await client.responses.create(…)`",
        *figures,
    )


async def menu(call: AsyncAICall) -> None:
    """Ask two questions, and speak."""
    choice = await call.read([("text", "לעוגה הקישו 1")], val_name="choice", max_digits=1)
    amount = await call.read([("text", "כמה יחידות")], val_name="amount", max_digits=2)
    await call.play_message([("text", f"הזמנתם {choice} פעמים {amount}")])


def requests_of(call_id: str) -> list[list[tuple[str, str]]]:
    """Return the requests of a call to ``menu``."""
    own = [("ApiCallId", call_id), ("ApiPhone", "0501234567"), ("ApiDID", "0771234567"), ("ApiExtension", "")]
    return [own, [*own, ("choice", "1")], [*own, ("choice", "1"), ("amount", "12")]]


def plain_flow(rounds: int) -> Ratio:
    """Compare a plain handler of ``AIFlow`` with the same one of yemot-flow."""
    calls = 50
    ours, theirs = AIFlow(YemotAI(provider=ScriptedProvider())), yemot_flow.Flow(print_log=False)
    ours.get("")(menu)
    theirs.get("")(menu)
    numbers = itertools.count()

    def live(handle: Callable[[Any], object]) -> Action:
        def run() -> None:
            for _ in range(calls):
                for pairs in requests_of(f"{next(numbers):040x}"):
                    heard = handle(pairs)
                assert "הזמנתם 1 פעמים 12" in str(heard), heard

        return run

    figures = in_turn(
        live(ours.handle_request),
        live(lambda pairs: theirs.handle_request(dict(pairs))),
        rounds=rounds,
        operations=calls * 3,
    )
    return Ratio(
        "yemot-flow", "a request of a plain handler of `AIFlow`", "the same handler of yemot-flow", *figures
    )


LINE = """
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import ScriptedProvider

flow = AIFlow(YemotAI(provider=ScriptedProvider()))

@flow.get("")
async def root(call):
    cake = await call.read([("text", "לעוגה הקישו 1"), ("text", "ללחם הקישו 2")], max_digits=1)
    name = await call.read([("text", "מה שמכם")], mode="stt")
    await call.play_message([("text", f"שלום {name}")])
"""


def get(url: str, pairs: list[tuple[str, str]]) -> str:
    """Send one request over a new connection, as the platform does."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as connection:
        connection.request("GET", f"/?{urlencode(pairs)}")
        response = connection.getresponse()
        body = response.read().decode()
        assert response.status == http.HTTPStatus.OK, body
        return body


def router2(rounds: int) -> Ratio:
    """Compare ``yemot-ai serve`` with a server on yemot-router2."""
    calls = 30
    numbers = itertools.count()

    def live(url: str) -> Action:
        def run() -> None:
            for _ in range(calls):
                own = [("ApiCallId", f"{next(numbers):040x}"), ("ApiPhone", ""), ("ApiExtension", "")]
                for value in ("1", "דוד"):
                    asked = get(url, own)
                    name = asked.rpartition("=")[2].split(",")[0]
                    own.append((name, value))
                get(url, [*own, ("hangup", "yes")])

        return run

    folder = Path(os.environ["PERFORMANCE_FOLDER"])
    (folder / "line.py").write_text(LINE, encoding="utf-8")
    ours = [sys.executable, "-m", "yemot_ai", "serve", "line:flow", "--port", "0"]
    with serving(ours, folder) as our_url, serving(*node.start()) as their_url:
        figures = in_turn(live(our_url), live(their_url), rounds=rounds, operations=calls * 3)
    return Ratio(
        "router2",
        "a request to `yemot-ai serve`, over HTTP",
        "a request to a server on yemot-router2 (Node)",
        *figures,
    )


def app_server(rounds: int) -> Ratio:
    """Compare ``CodexAppServerProvider`` with a minimal client over the same pipes; needs the real Codex."""
    from benchmarks.app_server import OFFLINE, BareLoop, bare_setup  # noqa: PLC0415 - the full profile only

    with ModelServer() as model:
        for _ in range(2 * rounds + 3):
            model.answers(ANSWER)
        config, binary = model.codex_config(), locate("real")
        assert CODEX_KEY_VARIABLE in OFFLINE
        provider = CodexAppServerProvider(binary, timeout=60.0, config=config, env=OFFLINE)
        with closing(BareLoop(*asyncio.run(bare_setup(binary, config)))) as bare, asking(provider) as ask:
            figures = in_turn(ask, lambda: bare.turn(QUESTION), rounds=rounds)
    return Ratio(
        "app-server",
        "a turn of `CodexAppServerProvider` (real Codex, a service on this machine)",
        "a JSON-RPC loop of 40 lines over the same pipes",
        *figures,
    )


COMPARISONS: dict[str, Callable[[int], Ratio]] = {
    "codex-exec": codex_exec,
    "openai": openai_sdk,
    "yemot-flow": plain_flow,
    "router2": router2,
    "app-server": app_server,
}
"""By their names: functions of the number of rounds."""
