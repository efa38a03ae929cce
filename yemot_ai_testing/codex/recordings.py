"""The recordings of the real Codex: their folder and their formats.

A ``Recording`` has the input and the output of one ``codex exec``, as JSON. A ``ServerRecording`` has the
messages between a ``codex app-server`` and its client, as JSON lines. Values that differ from run to run or
from machine to machine are replaced by placeholders such as ``{thread_id}``.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from yemot_ai_testing.codex.redact import find_private_data

__all__ = [
    "Message",
    "OutputLine",
    "Recording",
    "ServerRecording",
    "check_recorded",
    "find_private_data",
    "folder",
    "load_folder",
    "load_newest",
    "load_version",
    "read_file",
    "server_messages",
    "server_versions",
    "versions",
]

Message: TypeAlias = dict[str, Any]
"""A message of an app-server or of its client."""


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line of standard output.

    Attributes:
        at: seconds after the start of the process.
        text: the line, without its newline.
    """

    at: float
    text: str

    @property
    def event(self) -> dict[str, Any]:
        """The line as an event; empty if it is plain text."""
        try:
            event = json.loads(self.text)
        except ValueError:
            return {}
        return event if isinstance(event, dict) else {}


@dataclass(frozen=True, slots=True)
class Recording:
    """One run of the real binary.

    Attributes:
        case: the name of the case.
        version: of the binary.
        argv: its arguments, without the settings that select the model server.
        stdin: ``sha256`` and ``bytes`` of its standard input.
        stdout: the lines of its standard output.
        stderr: the lines of its standard error.
        exit_code: as in ``Popen.returncode``: negative for a signal.
        fate: the kind of failure that was scripted; empty for none, or if it is unknown.
    """

    suffix: ClassVar = ".json"

    case: str
    version: str
    argv: tuple[str, ...]
    stdin: dict[str, Any]
    stdout: tuple[OutputLine, ...]
    stderr: tuple[str, ...]
    exit_code: int
    fate: str = ""

    def write(self, path: Path) -> None:
        """Write the recording as JSON for people and diffs: one line for each recorded line."""
        data = {**asdict(self), "stdout": ["{}"], "stderr": list(self.stderr)}
        text = json.dumps(data, ensure_ascii=False, indent=1)
        lines = [json.dumps(asdict(line), ensure_ascii=False) for line in self.stdout]
        stdout = "[\n  " + ",\n  ".join(lines) + "\n ]" if lines else "[]"
        path.write_text(text.replace('[\n  "{}"\n ]', stdout, 1) + "\n", encoding="utf-8")

    def private_data(self) -> list[str]:
        """Return descriptions of the private data in the recording; empty if there is none."""
        texts = (*self.argv, *(line.text for line in self.stdout), *self.stderr)
        return [problem for text in texts for problem in find_private_data(text)]


@dataclass(frozen=True, slots=True)
class ServerRecording:
    """The conversation of a real app-server with its client.

    Attributes:
        case: the name of the case.
        version: of the binary.
        lines: ``{"by": "client" | "server", "message": {…}}``, in the order of the messages.
    """

    suffix: ClassVar = ".jsonl"

    case: str
    version: str
    lines: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write the lines."""
        path.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")

    def private_data(self) -> list[str]:
        """Return descriptions of the private data in the recording; empty if there is none."""
        return [problem for line in self.lines for problem in find_private_data(line)]


def read_file(path: Path) -> Recording:
    """Read one recording.

    Raises:
        ValueError: if the file has no recording.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        lines = tuple(OutputLine(**line) for line in data.pop("stdout"))
        fields = {**data, "argv": tuple(data["argv"]), "stderr": tuple(data["stderr"])}
        return Recording(**fields, stdout=lines)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a recording of Codex: {error}") from error


def load_folder(folder: Path | str) -> dict[str, Recording]:
    """Return the recordings in a folder, by case.

    Raises:
        FileNotFoundError: if there are none.
    """
    found = [read_file(path) for path in sorted(Path(folder).glob("*.json"))]
    if not found:
        raise FileNotFoundError(f"no recordings of Codex in {folder}: yemot-ai-testing record writes some")
    return {recording.case: recording for recording in found}


def folder() -> Path:
    """Return the folder of the recordings: in the installed package, or in the checkout.

    Raises:
        FileNotFoundError: if it is in neither.
    """
    package = Path(__file__).resolve().parents[1]
    for candidate in (package.parent / "fixtures" / "codex", package / "recorded"):
        if any(candidate.glob("*/answer.json")):
            return candidate
    raise FileNotFoundError(f"no recordings of Codex near {package}: reinstall yemot-ai")


def versions() -> tuple[str, ...]:
    """Return the recorded versions of ``codex exec``, oldest first."""
    return _versions_in(folder(), "answer.json")


def server_versions() -> tuple[str, ...]:
    """Return the recorded versions of ``codex app-server``, oldest first."""
    return _versions_in(folder() / "app-server", "answer.jsonl")


def _versions_in(folder: Path, file: str) -> tuple[str, ...]:
    found = (path.parent.name for path in folder.glob(f"*/{file}"))
    return tuple(sorted(found, key=lambda version: tuple(map(int, re.findall(r"\d+", version)))))


def check_recorded(version: str) -> None:
    """Check that ``codex exec`` of this version is recorded.

    Raises:
        LookupError: if not; the message has the recorded versions.
    """
    recorded = versions()
    if version not in recorded:
        raise LookupError(
            f"Codex {version} is not recorded; recorded are {', '.join(recorded)}. "
            f"For the real binary: real@{version}"
        )


def load_version(version: str) -> dict[str, Recording]:
    """Return the recordings of one version, by case.

    Raises:
        LookupError: if it is not recorded; the message has the recorded versions.
    """
    check_recorded(version)
    return load_folder(folder() / version)


def load_newest() -> dict[str, Recording]:
    """Return the recordings of the newest version, by case."""
    return load_version(versions()[-1])


def server_messages(version: str) -> dict[str, list[Message]]:
    """Return the messages of an app-server of this version, by case; empty if it is not recorded."""
    files = sorted((folder() / "app-server" / version).glob("*.jsonl"))
    return {path.stem: _messages_of_server(path) for path in files}


def _messages_of_server(path: Path) -> list[Message]:
    # Split at "\n" only: a string may contain U+2028.
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return [line["message"] for line in lines if line["by"] == "server"]
