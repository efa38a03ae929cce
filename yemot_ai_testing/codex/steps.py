"""Script steps that only Codex has, in addition to those of every model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["ClientRequest", "ClientRequestKind", "Replay"]

ClientRequestKind: TypeAlias = Literal["approval", "tool"]
"""What an app-server asks its client for: approval of a command, or a tool call."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """The app-server sends its client a request before the model takes the next step.

    Attributes:
        kind: which request.
    """

    kind: ClientRequestKind


@dataclass(frozen=True, slots=True)
class Replay:
    """The process writes the output of a recorded turn.

    Attributes:
        case: the name of the recording.
    """

    case: str
