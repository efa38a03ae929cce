"""What a pytest run with a planted fault has to do, and which tests failed: files in its private folder.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> Order("hangup-ignored", files=("tests/test_a.py",)).write(folder)
>>> Order.read(folder).mutation
'hangup-ignored'
>>> Failure("tests/test_a.py::test_b", "E assert 1 == 2").add_to(folder)
>>> Failure.read_all(folder)[0].node_id
'tests/test_a.py::test_b'
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

__all__ = ["FOLDER_VARIABLE", "Failure", "Order", "read_target_problem", "write_target_problem"]

FOLDER_VARIABLE: Final = "YEMOT_AI_MUTATION_FOLDER"
"""The environment variable with the private folder of the run."""

_ORDER: Final = "order.json"
_FAILURES: Final = "failures.jsonl"
_TARGET_PROBLEM: Final = "target.txt"


@dataclass(frozen=True, slots=True)
class Order:
    """One run.

    Attributes:
        mutation: the id of the fault; empty for none.
        files: the files whose tests run; None for all.
        target: the application, ``module:attr``.
        is_baseline: this run checks the target.
        calls: a folder of scenarios that are played instead of the tests.
        explores: calls are made on the target instead of the tests, and written to the folder ``calls``.
    """

    mutation: str = ""
    files: tuple[str, ...] | None = None
    target: str = ""
    is_baseline: bool = False
    calls: str = ""
    explores: bool = False

    def write(self, folder: Path) -> None:
        """Write it into the folder of the run."""
        (folder / _ORDER).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it from the folder of the run."""
        return cls(**json.loads((folder / _ORDER).read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed.

    Attributes:
        node_id: its id in pytest; of a scenario ``file::name``.
        reason: the line that says why.
    """

    node_id: str
    reason: str

    def add_to(self, folder: Path) -> None:
        """Append it to the failures of the run."""
        with (folder / _FAILURES).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(self)) + "\n")

    @classmethod
    def read_all(cls, folder: Path) -> tuple[Self, ...]:
        """Return the failures of the run, the first one first."""
        path = folder / _FAILURES
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return tuple(dict.fromkeys(cls(**json.loads(line)) for line in lines))


def write_target_problem(folder: Path, reason: str) -> None:
    """Write why the target of the run cannot be called."""
    (folder / _TARGET_PROBLEM).write_text(reason, encoding="utf-8")


def read_target_problem(folder: Path) -> str:
    """Return why the target of the run cannot be called; empty if nothing was written."""
    path = folder / _TARGET_PROBLEM
    return path.read_text(encoding="utf-8") if path.exists() else ""
