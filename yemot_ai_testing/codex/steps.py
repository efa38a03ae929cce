"""Steps that only a Codex can take, beside those of every model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["ClientRequest", "ClientRequestKind", "Replay"]

ClientRequestKind: TypeAlias = Literal["approval", "tool"]
"""What an app-server can be made to ask its client: to run a command, or to be a tool."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """The app-server asks its client, before the model goes on with the next step.

    Attributes:
        kind: about what.
    """

    kind: ClientRequestKind


@dataclass(frozen=True, slots=True)
class Replay:
    """The process takes its turn as a recorded one did, word for word.

    Attributes:
        case: the name of the recording.
    """

    case: str
