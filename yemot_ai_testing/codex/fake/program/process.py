"""One process of the fake Codex: its state folder, its run record, and its output.

Run inside the fake executable, where each import costs a millisecond.
"""

from __future__ import annotations

import marshal
import os
import time

from yemot_ai_testing.codex.fake.program.threads import read_bytes

__all__ = [
    "EncodedStep",
    "FakeProcess",
    "Output",
    "ProcessExit",
    "encode_text",
    "fill_placeholders",
    "write_text",
]

Output = tuple[int, str, str]
EncodedStep = tuple[float, int, str, str, tuple[str, ...], bool, Output]


class ProcessExit(Exception):  # noqa: N818 - control flow, not an error
    """Ends the process with an exit code."""

    def __init__(self, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(exit_code)


class FakeProcess:
    """One run: its arguments, its state folder, and its run record for the test."""

    __slots__ = ("argv", "home", "run_record", "state")

    def __init__(self, state: str, argv: list[str], default_home: str = "") -> None:
        self.state = state
        self.argv = argv
        default_home = default_home or f"{os.environ.get('HOME', '')}/.codex"
        self.home = os.environ.get("CODEX_HOME") or default_home
        self.run_record: dict[str, object] = {
            "argv": argv,
            "cwd": os.getcwd(),  # noqa: PTH109 - as above
            "env": sorted(os.environ),
            "pid": os.getpid(),
            "prompt": b"",
            "resumed_thread": "",
            "thread": "",
            "called_model": False,
            "unscripted": False,
            "step": "",
            "instructions": None,
        }

    def recorded_output(self, case: str) -> Output:
        """Return the exit code, standard output and standard error of a recording."""
        code, out, err = marshal.loads(read_bytes(f"{self.state}/replies/{case}"))  # noqa: S302 - our own file
        return code, out, err

    def grammar_overrides(self) -> dict[str, dict[str, str | None]] | None:
        """Return how this version's command line differs from the built-in grammar; usually None."""
        try:
            data = read_bytes(f"{self.state}/replies/grammar")
        except FileNotFoundError:
            return None
        overrides: dict[str, dict[str, str | None]] = marshal.loads(data)  # noqa: S302 - written by the test
        return overrides

    def write_run_record(self) -> None:
        """Write the run record atomically, and notify the test."""
        name = f"{time.time_ns():020d}-{os.getpid()}"
        temporary = f"{self.state}/tmp/{name}"  # noqa: S108 - a folder of the test
        with open(temporary, "wb") as file:  # noqa: PTH123 - as above
            marshal.dump(self.run_record, file)
        os.rename(temporary, f"{self.state}/runs/{name}")  # noqa: PTH104 - as above
        try:
            pipe = os.open(f"{self.state}/notify", os.O_WRONLY | os.O_NONBLOCK)
            os.write(pipe, b"!")
            os.close(pipe)
        except OSError:
            # The test does not read the pipe, or it is full; the record is written anyway.
            return

    def claim_step(self, *kinds: str) -> tuple[str, EncodedStep] | None:
        """Take the next step if it is of one of these kinds; without kinds, take any."""
        while names := os.listdir(f"{self.state}/steps"):  # noqa: PTH208 - as above
            name = min(names)
            kind = name.partition("-")[2]
            if kinds and kind not in kinds:
                return None
            taken = f"{self.state}/taken/{name}"
            try:
                os.rename(f"{self.state}/steps/{name}", taken)  # noqa: PTH104 - as above
            except FileNotFoundError:  # another process took it, and a new one may be there since
                continue
            self.run_record["step"] = name
            return kind, marshal.loads(read_bytes(taken))  # noqa: S302 - our own file
        return None

    def wait_at_gate(self) -> None:
        """Block until the test opens the gate; opening a pipe for reading waits for a writer."""
        try:
            os.close(os.open(f"{self.state}/gate", os.O_RDONLY))
        except FileNotFoundError:
            return


def fill_placeholders(text: str, process: FakeProcess, values: dict[str, str]) -> str:
    """Replace the placeholders of a recording."""
    if "{" not in text:
        return text
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    if "{folder}" in text or "{time}" in text:
        text = text.replace("{folder}/work", str(process.run_record["cwd"])).replace(
            "{folder}/home", process.home
        )
        text = text.replace("{temporary}", "/tmp")  # noqa: S108 - a word of a warning
        text = text.replace("{time}", time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()))
    return text


def encode_text(text: str) -> bytes:
    """Encode a text for output."""
    return text.encode("utf-8", "surrogatepass")


def write_text(fd: int, text: str) -> None:
    """Write a whole text to a file descriptor."""
    data = encode_text(text)
    while data:
        data = data[os.write(fd, data) :]
