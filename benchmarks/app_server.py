"""What one warm Codex server costs: a turn, beside a bare JSON-RPC loop and beside ``codex exec resume``.

The real binary, answered at once by a model service on this machine; no key and no network::

    python benchmarks/app_server.py [--turns 60] [--codex PATH]

Goals: a turn takes at most 60 ms at the median and at most 1.3 times a bare loop over the same pipes; it is
at least 4 times faster than ``subprocess.run(["codex", "exec", "resume", …])``; 50 calls at once fit into
300 MiB, and 200 are answered by as many servers as the default allows. The rounds of the first three are
interleaved, so that a busy machine is busy for all of them.
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
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from yemot_ai.providers.codex import CodexAppServerProvider
from yemot_ai.providers.codex.app_server.server import ThreadConfig
from yemot_ai.providers.codex.capabilities import probe
from yemot_ai.providers.codex.command import server_command
from yemot_ai.providers.codex.home import CodexHome, new_key
from yemot_ai_testing.codex.binary import locate
from yemot_ai_testing.doubles.model_service.server import CODEX_KEY_VARIABLE, ModelServer

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTRUCTIONS = "ענה בקצרה"
CALLS = 50
MANY = 200
CLOSED = {
    CODEX_KEY_VARIABLE: "none",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
}


class BareLoop:
    """The least that can be written: one thread, blocking pipes, a line out and lines in."""

    def __init__(self, command: Sequence[str], env: dict[str, str], setup: ThreadConfig) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
            cwd=setup.work_dir,
        )
        self.asked = 0
        client = {"name": "bare", "title": "bare", "version": "1"}
        self.ask("initialize", {"clientInfo": client}, lambda told: told.get("id") == self.asked)
        self.write({"method": "initialized"})
        opened = self.ask("thread/start", setup.params(), lambda told: told.get("id") == self.asked)
        self.thread = opened["result"]["thread"]["id"]

    def write(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: dict[str, Any], ends: Any) -> dict[str, Any]:  # noqa: ANN401 - a predicate
        assert self.process.stdout
        self.asked += 1
        self.write({"id": self.asked, "method": method, "params": params})
        for line in self.process.stdout:
            told: dict[str, Any] = json.loads(line)
            if ends(told):
                return told
        raise EOFError(method)

    def turn(self, prompt: str) -> None:
        params = {"threadId": self.thread, "input": [{"type": "text", "text": prompt}]}
        told = self.ask("turn/start", params, lambda told: told.get("method") == "turn/completed")
        assert told["params"]["turn"]["status"] == "completed"

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def peak(pid: int) -> float:
    """The most memory that the processes of a group have held, in MiB."""
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


class Crowd(NamedTuple):
    """What it took to answer many calls at once, two turns each."""

    turns: float
    servers: int
    memory: float

    def told(self) -> str:
        return f"{self.memory:6.1f} MiB in {self.servers} server(s), {self.turns:.1f} turns/s"


async def crowd(provider: CodexAppServerProvider, size: int) -> Crowd:
    began = time.perf_counter()
    calls = (provider.start_session(f"שיחה {call}", instructions=INSTRUCTIONS) for call in range(size))
    replies = await asyncio.gather(*calls)
    again = (provider.continue_session(one.session, "עוד", instructions=INSTRUCTIONS) for one in replies)
    await asyncio.gather(*again)
    took = time.perf_counter() - began
    servers = [server.pid for server in provider._pool().servers]  # noqa: SLF001 - whose memory is asked for
    return Crowd(2 * size / took, len(servers), sum(map(peak, servers)))


async def timed(turn: Any) -> float:  # noqa: ANN401 - an awaitable
    began = time.perf_counter()
    await turn
    return (time.perf_counter() - began) * 1000


async def measure(binary: Path, model: ModelServer, turns: int) -> None:
    config = model.codex_config()
    for _ in range(3 * turns + 2 * (CALLS + MANY) + 20):
        model.answers("בסדר")
    provider = CodexAppServerProvider(binary, timeout=60.0, config=config, env=CLOSED)
    home, key = CodexHome.for_codex_home(None), new_key()
    home.prepare(key)
    env, setup = home.environment(CLOSED), ThreadConfig(INSTRUCTIONS, home.work_dir(key), "read-only", None)
    told = await probe(str(binary), env=env, cwd=setup.work_dir)
    line = server_command(
        str(binary),
        capabilities=told,
        databases=home.databases_dir(key),
        models=home.models_file(told.models),
        config=config,
    )
    settings = [part for name, value in config.items() for part in ("-c", f"{name}={value}")]
    bare = BareLoop(line, env, setup)
    reply = await provider.start_session("שלום", instructions=INSTRUCTIONS)
    bare.turn("שלום")
    exec_first = [str(binary), *settings, "exec", "--json", "--skip-git-repo-check"]
    begun = await asyncio.to_thread(resumed, [*exec_first, "-"], env, setup.work_dir, "שלום")
    thread = json.loads(begun.split(b"\n")[0])["thread_id"]

    ours: list[float] = []
    loops: list[float] = []
    execs: list[float] = []
    for number in range(turns):
        ours.append(await timed(provider.continue_session(reply.session, "עוד", instructions=INSTRUCTIONS)))
        loops.append(await timed(asyncio.to_thread(bare.turn, "עוד")))
        if number % 4 == 0:
            command = [*exec_first, "resume", thread, "-"]
            execs.append(await timed(asyncio.to_thread(resumed, command, env, setup.work_dir, "עוד")))
    bare.close()

    few = await crowd(provider, CALLS)
    many = await crowd(provider, MANY)
    await provider.aclose()

    turn, loop, run = map(median, (ours, loops, execs))
    print(f"a turn, median of {turns}: {turn:6.1f} ms   (goal: 60)")
    print(f"bare loop:            {loop:6.1f} ms   ours is {turn / loop:.2f} x (goal: 1.3)")
    print(f"codex exec resume:    {run:6.1f} ms   ours is {run / turn:.1f} times faster (goal: 4)")
    print(f"{CALLS} calls at once:     {few.told()}   (goal: 300 MiB)")
    print(f"{MANY} calls at once:    {many.told()}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=60)
    parser.add_argument("--codex", default="real")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ModelServer() as model:
        nobody = Path(folder) / "nobody"
        nobody.mkdir()
        os.environ.update(YEMOT_AI_HOME=f"{folder}/home", CODEX_HOME=str(nobody))
        asyncio.run(measure(locate(given.codex), model, given.turns))
    return 0


if __name__ == "__main__":
    sys.exit(main())
