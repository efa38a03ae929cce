r"""Detect that the file of a thread, its rollout, has lost something.

Codex resumes a rollout whose end is missing, or that has NUL bytes in it, without an error, and the model
does not remember these exchanges (measured, 0.163 to 0.171). But Codex only appends to a rollout. So what a
turn has left in it must be its beginning at the next turn:

>>> checksum = Checksum.of(b"one\n")
>>> checksum.matches(b"one\ntwo\n"), checksum.matches(b"one")
(True, False)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from yemot_ai.providers.provider import JSON

__all__ = ["Checksum"]


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a rollout was.

    Attributes:
        size: its length in bytes.
        digest: the hash of its content.
    """

    size: int
    digest: str

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Return the checksum of a rollout."""
        return cls(len(data), hashlib.sha256(data).hexdigest()[:32])

    @classmethod
    def from_json(cls, value: object) -> Self | None:
        """Return the checksum that ``to_json`` wrote; None for anything else."""
        match value:
            case [int() as size, str() as digest]:
                return cls(size, digest)
        return None

    def to_json(self) -> JSON:
        """Return it for a session."""
        return [self.size, self.digest]

    def matches(self, data: bytes) -> bool:
        """Return whether a rollout begins with what it was."""
        return self == self.of(data[: self.size])
