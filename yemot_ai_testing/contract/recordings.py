"""The recordings of the real Codex: where they lie, and what is in one.

A recording is what one run of the binary was given and what it wrote, with everything that differs
from run to run or machine to machine replaced by a placeholder such as ``{thread_id}``.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Line", "Recording", "folder", "newest", "problems", "read", "versions"]


@dataclass(frozen=True, slots=True)
class Line:
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
    """

    case: str
    version: str
    argv: tuple[str, ...]
    stdin: dict[str, Any]
    stdout: tuple[Line, ...]
    stderr: tuple[str, ...]
    exit_code: int

    def write(self, path: Path) -> None:
        """Write it as JSON that a person can read and compare."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Recording:
    """Read what ``Recording.write`` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    lines = tuple(Line(**line) for line in data.pop("stdout"))
    return Recording(**{**data, "argv": tuple(data["argv"]), "stderr": tuple(data["stderr"])}, stdout=lines)


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


def newest() -> dict[str, Recording]:
    """The recordings of the newest version, by case."""
    found = (read(path) for path in sorted((folder() / versions()[-1]).glob("*.json")))
    return {recording.case: recording for recording in found}


_FORBIDDEN: Final = (
    (
        "an absolute path",
        re.compile(r"(?<![\w.}/:<])/(?:home|Users|root|tmp|var|opt|work|private|etc|mnt)\b"),
    ),
    ("the address of a server", re.compile(r"https?://(?:127\.|localhost|\[::1\])|127\.0\.0\.1:\d+")),
    (
        "what looks like a secret",
        re.compile(r"\b(?:sk|pk|ghp|xox[bp])[-_][A-Za-z0-9]{6,}|Bearer [\w.-]{8,}|eyJ[\w-]{10,}"),
    ),
    ("an id of one run", re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")),
)


def problems(text: str) -> list[str]:
    """What in the text of a recording must not be published, in words; empty if nothing."""
    return [f"{what}: {found.group(0)!r}" for what, found in _found(text)]


def _found(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for what, pattern in _FORBIDDEN:
        for found in pattern.finditer(text):
            yield what, found
