"""Measure a turn of a Codex app-server against a bare JSON-RPC loop and against ``codex exec resume``.

It uses the real binary and a model service on this machine that answers at once; no key and no network::

    python benchmarks/app_server.py [--turns 60] [--codex real|real@VERSION|PATH]

Goals: a turn takes at most 60 ms at the median and at most 1.3 times a bare loop over the same pipes; it is
at least 4 times faster than ``subprocess.run(["codex", "exec", "resume", …])``; 50 calls at once fit into
300 MiB, and 200 are answered by as many servers as the default allows. The rounds of the first three are
interleaved, so that the load of the machine affects all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from yemot_ai.providers import JSON, Reply, read_reply
from yemot_ai.providers.codex import CodexAppServerProvider
from yemot_ai.providers.codex.app_server.server import ThreadConfig
from yemot_ai.providers.codex.capabilities import probe
from yemot_ai.providers.codex.command import Program, server_command
from yemot_ai.providers.codex.home.folders import CodexHome, new_key
from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE, ModelServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSTRUCTIONS = "ענה בקצרה"
CALLS = 50
MANY = 200
OFFLINE = {
    CODEX_KEY_VARIABLE: "none",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
}


class BareLoop:
    """A minimal client: one thread, blocking pipes, one line out and lines in."""

    def __init__(self, command: Sequence[str], env: dict[str, str], setup: ThreadConfig) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
            cwd=setup.work_dir,
        )
        self.last_id = 0
        client = {"name": "bare", "title": "bare", "version": "1"}
        self.request("initialize", {"clientInfo": client}, lambda message: message.get("id") == self.last_id)
        self.write({"method": "initialized"})
        answer = self.request(
            "thread/start", setup.params(), lambda message: message.get("id") == self.last_id
        )
        self.thread = answer["result"]["thread"]["id"]

    def write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method: str, params: dict[str, Any], is_last: Any) -> dict[str, Any]:  # noqa: ANN401 - a predicate
        assert self.process.stdout
        self.last_id += 1
        self.write({"id": self.last_id, "method": method, "params": params})
        for line in self.process.stdout:
            message: dict[str, Any] = json.loads(line)
            if is_last(message):
                return message
        raise EOFError(method)

    def turn(self, prompt: str) -> None:
        params = {"threadId": self.thread, "input": [{"type": "text", "text": prompt}]}
        ended = self.request("turn/start", params, lambda message: message.get("method") == "turn/completed")
        assert ended["params"]["turn"]["status"] == "completed"

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def peak(pid: int) -> float:
    """Return the peak memory of the processes of a group, in MiB."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if os.getpgid(int(status.parent.name)) == pid:
                fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
                total += int(fields.get("VmHWM", "0 kB").split()[0])
        except (ProcessLookupError, FileNotFoundError):
            continue
    return total / 1024


def resumed(command: Sequence[str], env: dict[str, str], cwd: Path, prompt: str) -> bytes:
    run = subprocess.run(command, input=prompt.encode(), capture_output=True, check=True, env=env, cwd=cwd)
    assert b'"turn.completed"' in run.stdout
    return run.stdout


class LoadResult(NamedTuple):
    """The result of many calls at once, with two turns each."""

    turns: float
    servers: int
    memory: float

    def summary(self) -> str:
        return f"{self.memory:6.1f} MiB in {self.servers} server(s), {self.turns:.1f} turns/s"


async def ask(provider: CodexAppServerProvider, prompt: str, session: JSON = None) -> Reply:
    return await read_reply(provider.ask(prompt, session=session, instructions=INSTRUCTIONS), provider.name)


async def run_calls(provider: CodexAppServerProvider, size: int) -> LoadResult:
    start = time.perf_counter()
    replies = await asyncio.gather(*(ask(provider, f"שיחה {call}") for call in range(size)))
    await asyncio.gather(*(ask(provider, "עוד", one.session) for one in replies))
    seconds = time.perf_counter() - start
    servers = [server.pid for server in provider._pool().servers]  # noqa: SLF001 - their memory is measured
    return LoadResult(2 * size / seconds, len(servers), sum(map(peak, servers)))


async def timed(turn: Any) -> float:  # noqa: ANN401 - an awaitable
    start = time.perf_counter()
    await turn
    return (time.perf_counter() - start) * 1000


async def bare_setup(
    binary: Path, config: Mapping[str, str]
) -> tuple[Sequence[str], dict[str, str], ThreadConfig]:
    """Return the arguments of a ``BareLoop`` in a home of its own."""
    home, key = CodexHome.for_codex_home(None), new_key()
    home.prepare(key)
    env, setup = home.environment(OFFLINE), ThreadConfig(INSTRUCTIONS, home.work_dir(key), "read-only", None)
    capabilities = await probe(str(binary), env=env, cwd=setup.work_dir)
    models = home.models_file(capabilities.models)
    line = server_command(Program(str(binary), capabilities, home.databases_dir(key), models, config))
    return line, env, setup


async def measure(binary: Path, model: ModelServer, turns: int) -> None:
    config = model.codex_config()
    for _ in range(3 * turns + 2 * (CALLS + MANY) + 20):
        model.answers("בסדר")
    provider = CodexAppServerProvider(binary, timeout=60.0, config=config, env=OFFLINE)
    line, env, setup = await bare_setup(binary, config)
    settings = [part for name, value in config.items() for part in ("-c", f"{name}={value}")]
    bare = BareLoop(line, env, setup)
    reply = await ask(provider, "שלום")
    bare.turn("שלום")
    exec_first = [str(binary), *settings, "exec", "--json", "--skip-git-repo-check"]
    first = await asyncio.to_thread(resumed, [*exec_first, "-"], env, setup.work_dir, "שלום")
    thread = json.loads(first.split(b"\n")[0])["thread_id"]

    ours: list[float] = []
    loops: list[float] = []
    execs: list[float] = []
    for number in range(turns):
        ours.append(await timed(ask(provider, "עוד", reply.session)))
        loops.append(await timed(asyncio.to_thread(bare.turn, "עוד")))
        if number % 4 == 0:
            command = [*exec_first, "resume", thread, "-"]
            execs.append(await timed(asyncio.to_thread(resumed, command, env, setup.work_dir, "עוד")))
    bare.close()

    few = await run_calls(provider, CALLS)
    many = await run_calls(provider, MANY)
    await provider.aclose()

    turn, loop, run = map(median, (ours, loops, execs))
    print(f"a turn, median of {turns}: {turn:6.1f} ms   (goal: 60)")
    print(f"bare loop:            {loop:6.1f} ms   ours is {turn / loop:.2f} x (goal: 1.3)")
    print(f"codex exec resume:    {run:6.1f} ms   ours is {run / turn:.1f} times faster (goal: 4)")
    print(f"{CALLS} calls at once:     {few.summary()}   (goal: 300 MiB)")
    print(f"{MANY} calls at once:    {many.summary()}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--codex", default="real")
    arguments = parser.parse_args()
    temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with temporary as folder, closing(ModelServer()) as model:
        codex_home = Path(folder) / "codex-home"
        codex_home.mkdir()
        os.environ.update(YEMOT_AI_HOME=f"{folder}/home", CODEX_HOME=str(codex_home))
        asyncio.run(measure(locate(arguments.codex), model, arguments.turns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
