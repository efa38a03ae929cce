"""The recordings of the real Codex: where they lie, and what is in one.

A recording is what one run of the binary was given and what it wrote, with everything that differs
from run to run or machine to machine replaced by a placeholder such as ``{thread_id}``.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from yemot_ai_testing.codex.redact import find_private_data

__all__ = [
    "OutputLine",
    "Recording",
    "find_private_data",
    "folder",
    "load_folder",
    "load_newest",
    "load_version",
    "read_file",
    "versions",
]


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One line of standard output.

    Attributes:
        at: seconds after the start of the process.
        text: the line, without its end.
    """

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Recording:
    """One run of the real binary.

    Attributes:
        case: its name.
        version: of the binary.
        argv: its arguments, without the settings that lead it to the model server.
        stdin: ``sha256`` and ``bytes`` of what it was given to read.
        stdout: the lines it wrote.
        stderr: the lines it wrote there.
        exit_code: as ``Popen`` sees it: negative for a signal.
        fate: the kind of failure that the turn was made to have; empty for none, or if nobody knows.
    """

    case: str
    version: str
    argv: tuple[str, ...]
    stdin: dict[str, Any]
    stdout: tuple[OutputLine, ...]
    stderr: tuple[str, ...]
    exit_code: int
    fate: str = ""

    def write(self, path: Path) -> None:
        """Write it as JSON that a person can read and compare, one line for each that was recorded."""
        told = {**asdict(self), "stdout": ["{}"], "stderr": list(self.stderr)}
        text = json.dumps(told, ensure_ascii=False, indent=1)
        lines = [json.dumps(asdict(line), ensure_ascii=False) for line in self.stdout]
        shown = "[\n  " + ",\n  ".join(lines) + "\n ]" if lines else "[]"
        path.write_text(text.replace('[\n  "{}"\n ]', shown, 1) + "\n", encoding="utf-8")

    def private_data(self) -> list[str]:
        """What in it must not be published, in words; empty if nothing."""
        texts = (*self.argv, *(line.text for line in self.stdout), *self.stderr)
        return [problem for text in texts for problem in find_private_data(text)]


def read_file(path: Path) -> Recording:
    """Read one recording.

    Raises:
        ValueError: the file holds no recording.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        lines = tuple(OutputLine(**line) for line in data.pop("stdout"))
        told = {**data, "argv": tuple(data["argv"]), "stderr": tuple(data["stderr"])}
        return Recording(**told, stdout=lines)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no recording of Codex: {error}") from error


def load_folder(folder: Path | str) -> dict[str, Recording]:
    """The recordings in a folder, by case.

    Raises:
        FileNotFoundError: there are none.
    """
    found = [read_file(path) for path in sorted(Path(folder).glob("*.json"))]
    if not found:
        raise FileNotFoundError(f"no recordings of Codex in {folder}: yemot-ai-testing record writes some")
    return {recording.case: recording for recording in found}


def folder() -> Path:
    """Where the recordings lie: inside the installed package, or in the checkout it was installed from.

    Raises:
        FileNotFoundError: in neither.
    """
    package = Path(__file__).resolve().parents[1]
    for place in (package.parent / "fixtures" / "codex", package / "recorded"):
        if any(place.glob("*/answer.json")):
            return place
    raise FileNotFoundError(f"no recordings of Codex beside {package}: reinstall yemot-ai")


def versions() -> tuple[str, ...]:
    """The versions that were recorded, oldest first."""
    found = (path.parent.name for path in folder().glob("*/answer.json"))
    return tuple(sorted(found, key=lambda version: tuple(map(int, re.findall(r"\d+", version)))))


def load_version(version: str) -> dict[str, Recording]:
    """The recordings of one version, by case.

    Raises:
        LookupError: it was not recorded; the message names those that were.
    """
    known = versions()
    if version not in known:
        raise LookupError(
            f"Codex {version} is not recorded; recorded are {', '.join(known)}. "
            f"For the real binary: real@{version}"
        )
    return load_folder(folder() / version)


def load_newest() -> dict[str, Recording]:
    """The recordings of the newest version, by case."""
    return load_version(versions()[-1])
