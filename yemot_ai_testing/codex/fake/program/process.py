"""One run of the fake Codex: what it was given, what it notes for the test, and what it says.

Run inside the fake executable, where each import costs a millisecond.
"""

from __future__ import annotations

import marshal
import os
import time

from yemot_ai_testing.codex.fake.program.threads import read

__all__ = ["Ended", "Process", "Step", "Told", "encoded", "filled", "say"]

Told = tuple[int, str, str]
Step = tuple[float, int, str, str, str, Told]


class Ended(Exception):  # noqa: N818 - not an error: the way out of the process
    """The process is over, with this code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Process:
    """One run: its arguments, its state folder, and what it notes for the test."""

    __slots__ = ("argv", "home", "note", "state")

    def __init__(self, state: str, argv: list[str]) -> None:
        self.state = state
        self.argv = argv
        self.home = os.environ.get("CODEX_HOME") or f"{os.environ.get('HOME', '')}/.codex"
        self.note: dict[str, object] = {
            "argv": argv,
            "cwd": os.getcwd(),  # noqa: PTH109 - as above
            "env": sorted(os.environ),
            "pid": os.getpid(),
            "prompt": b"",
            "resumes": "",
            "thread": "",
            "asked": False,
            "unscripted": False,
            "instructions": None,
        }

    def reply(self, case: str) -> Told:
        """A recording: exit code, standard output, standard error."""
        code, out, err = marshal.loads(read(f"{self.state}/replies/{case}"))  # noqa: S302 - our own file
        return code, out, err

    def grammar(self) -> dict[str, dict[str, str | None]] | None:
        """What this version's command line has otherwise; mostly nothing."""
        try:
            found: dict[str, dict[str, str | None]] = marshal.loads(read(f"{self.state}/replies/grammar"))  # noqa: S302 - our own file
        except FileNotFoundError:
            return None
        return found

    def jot(self) -> None:
        """Write down what was asked, in one piece, and ring."""
        name = f"{time.time_ns():020d}-{os.getpid()}"
        draft = f"{self.state}/drafts/{name}"
        with open(draft, "wb") as file:  # noqa: PTH123 - as above
            marshal.dump(self.note, file)
        os.rename(draft, f"{self.state}/runs/{name}")  # noqa: PTH104 - as above
        try:
            bell = os.open(f"{self.state}/bell", os.O_WRONLY | os.O_NONBLOCK)
            os.write(bell, b"!")
            os.close(bell)
        except OSError:
            # Nobody listens, or the pipe is full: the note is written all the same.
            return

    def claim(self, *kinds: str) -> tuple[str, Step] | None:
        """Take the next step, if it is of one of these kinds (any, if none is named)."""
        for name in sorted(os.listdir(f"{self.state}/steps")):  # noqa: PTH208 - as above
            kind = name.partition("-")[2]
            if kinds and kind not in kinds:
                return None
            taken = f"{self.state}/taken/{name}"
            try:
                os.rename(f"{self.state}/steps/{name}", taken)  # noqa: PTH104 - as above
            except FileNotFoundError:
                continue
            return kind, marshal.loads(read(taken))  # noqa: S302 - our own file
        return None

    def wait_at_gate(self) -> None:
        """Opening a pipe for reading blocks until somebody opens it for writing."""
        try:
            os.close(os.open(f"{self.state}/gate", os.O_RDONLY))
        except FileNotFoundError:
            return


def filled(text: str, process: Process, places: dict[str, str]) -> str:
    """Fill in the places of a recording."""
    if "{" not in text:
        return text
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    if "{folder}" in text or "{time}" in text:
        text = text.replace("{folder}/work", str(process.note["cwd"])).replace("{folder}/home", process.home)
        text = text.replace("{temporary}", "/tmp")  # noqa: S108 - a word of a warning
        text = text.replace("{time}", time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()))
    return text


def encoded(text: str) -> bytes:
    """Return the bytes that are written for a text."""
    return text.encode("utf-8", "surrogatepass")


def say(fd: int, text: str) -> None:
    """Write a text, whole."""
    data = encoded(text)
    while data:
        data = data[os.write(fd, data) :]
