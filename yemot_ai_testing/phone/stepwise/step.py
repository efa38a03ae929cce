"""One command at a time, for scripts and coding agents: a process in the background keeps the calls.

The state file has the address of that process. It ends when its last call is over, or after half an hour
without a command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.phone.command import COMMAND_NAMES, CommandError, unknown_command

__all__ = ["StepError", "StepState", "check_step", "has_log", "log_of", "perform_step", "start_keeper"]

JSONObject = dict[str, Any]

KEEPER: Final = "yemot_ai_testing.phone.stepwise.keeper"

STEPS: Final = ("dial", "view", "save", "replay")
"""The steps that are no commands of a call."""

STEPS_WITHOUT_TEXT: Final = {
    "dial": ": --extension EXTENSION --step dial dials an extension, --phone NUMBER sets the caller's",
    "view": "",
}
"""By their names: what to write instead."""

START_SECONDS: Final = 60.0
WAIT_SECONDS: Final = 20
"""Seconds that one request waits for the line; a command that takes longer is asked for again."""

LOOK_INTERVAL: Final = 0.05


class StepError(ToolkitError):
    """There is no call to continue, or the process that keeps it does not answer."""


@dataclass(frozen=True, slots=True)
class StepState:
    """What the state file says.

    Attributes:
        url: the address of the process that keeps the calls, with its token.
        pid: its process id.
        call: the number of the call that the next command is for.
        rows: how many rows of the call were shown.
        exchanges: how many exchanges were shown.
    """

    url: str
    pid: int
    call: int = 0
    rows: int = 0
    exchanges: int = 0

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a state file.

        Raises:
            StepError: there is none, or it is none.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise StepError(f"there is no call in {path}: begin with --step dial") from error
        except (OSError, ValueError, TypeError) as error:
            raise StepError(
                f"{path} is no state of a phone: delete it, and begin with --step dial"
            ) from error

    def write(self, path: Path) -> None:
        """Write the state file, readable by its owner only: the address has the token."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(file, "w", encoding="utf-8") as stream:  # noqa: PTH123 - the descriptor has the mode
            stream.write(json.dumps(asdict(self)))
        temporary.replace(path)

    def request(self, path: str, values: Mapping[str, str] | None = None) -> JSONObject:
        """Send a request to the process that keeps the calls.

        Raises:
            StepError: it does not answer, or refuses.
        """
        data = None if values is None else json.dumps(values).encode()
        try:
            with _OPENER.open(f"{self.url}api/{path}", data, timeout=WAIT_SECONDS + 10) as response:
                answer: JSONObject = json.load(response)
        except urllib.error.HTTPError as error:
            raise StepError(_refusal(error)) from error
        except (OSError, ValueError) as error:
            raise StepError(
                f"the call is over: its process has ended ({error}); --step dial begins"
            ) from error
        return answer


def _refusal(response: urllib.error.HTTPError) -> str:
    """Return why a request was refused; another server may have taken the address."""
    try:
        return str(json.load(response)["error"])
    except (ValueError, LookupError, TypeError):
        return (
            f"the call is over: another server has its address (status {response.code}); --step dial begins"
        )


_INTERNAL: Final = frozenset({"busy", "waiting", "row_count", "exchange_count"})

_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without proxies: the process is on this machine."""


def log_of(state: Path) -> Path:
    """Return the file with what the process that keeps the calls writes; deleted at its end if empty."""
    return state.with_name(f"{state.name}.log")


def has_log(state: Path) -> bool:
    """Return whether the process that keeps the calls has written anything, such as the log of a flow."""
    try:
        return bool(log_of(state).stat().st_size)
    except FileNotFoundError:
        return False


def start_keeper(arguments: Sequence[str], state: Path) -> StepState:
    """Start the process that keeps the calls, and return its state once it answers.

    Args:
        arguments: those of ``yemot-ai phone``: the target and its options.
        state: the state file.

    Raises:
        StepError: it ended at once; the message says why.
    """
    state.unlink(missing_ok=True)
    log = log_of(state)
    log.unlink(missing_ok=True)  # a process that still ends has its own, and must not write into this one
    command = [
        sys.executable,
        "-m",
        "yemot_ai_testing.phone.stepwise.keeper",
        str(state.resolve()),
        *arguments,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - this Python, and the person's arguments
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while not state.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise StepError(said.removeprefix("yemot-ai: ") or "the phone did not start")
        time.sleep(LOOK_INTERVAL)  # another process writes the file, and nothing announces it
    return StepState.read(state)


def check_step(words: Sequence[str]) -> None:
    """Raise an error if there is no such step, or it takes no text.

    Raises:
        CommandError: see above.
    """
    name, rest = words[0], " ".join(words[1:])
    if name not in STEPS and name.lower().replace("_", "-") not in COMMAND_NAMES:
        raise unknown_command(name, [*STEPS, *COMMAND_NAMES])
    if rest and name in STEPS_WITHOUT_TEXT:
        raise CommandError(f"{name} takes no text, not {rest!r}{STEPS_WITHOUT_TEXT[name]}")


def perform_step(
    state: StepState, words: Sequence[str], dialling: Mapping[str, str]
) -> tuple[StepState, JSONObject]:
    """Do one step.

    Args:
        state: the state before.
        words: ``dial``, ``view``, ``save NAME``, ``replay FILE``, or a command such as ``says שלום``.
        dialling: ``phone`` and ``extension`` of ``dial``.

    Returns:
        The state afterwards, and the JSON to print: what is new in the call, or the path of the saved file.

    Raises:
        StepError: the step cannot be done.
        CommandError: there is no such step.
    """
    name, rest = words[0], " ".join(words[1:])
    check_step(words)
    if name == "save":
        return state, state.request(f"calls/{state.call}/save", {"name": rest})
    seen = f"rows={state.rows}&exchanges={state.exchanges}&wait={WAIT_SECONDS}"
    if name == "dial":
        answer = state.request(f"calls?wait={WAIT_SECONDS}", dialling)
    elif name == "replay":
        file = str(Path(rest).resolve()) if rest else ""
        answer = state.request(f"replays?wait={WAIT_SECONDS}", {"file": file})
    elif name == "view":
        answer = state.request(f"calls/{state.call}")
    else:
        answer = state.request(f"calls/{state.call}/commands?{seen}", {"command": " ".join(words)})
    while answer["busy"]:
        answer = state.request(f"calls/{answer['call']}?{seen}&busy=true")
    after = StepState(state.url, state.pid, answer["call"], answer["row_count"], answer["exchange_count"])
    return after, _essentials(answer)


def _essentials(answer: JSONObject) -> JSONObject:
    """Return what is new in a call, without what repeats itself in each request."""
    rows = [{key: row[key] for key in ("at", "origin", "kind", "text", "seconds")} for row in answer["rows"]]
    exchanges = [
        {
            "sent": {name: value for name, value in one["pairs"] if not name.startswith("Api")},
            "received": one["body"],
            "seconds": one["seconds"],
            "problems": one["problems"],
        }
        for one in answer["exchanges"]
    ]
    kept = {key: value for key, value in answer.items() if key not in _INTERNAL}
    return {**kept, "rows": rows, "exchanges": exchanges}
