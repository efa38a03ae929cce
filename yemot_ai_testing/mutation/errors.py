"""Why no mutation can be planted."""

from __future__ import annotations

from collections.abc import Sequence

from yemot_ai_testing.errors import ToolkitError

__all__ = ["BaselineError", "MutationError", "UnknownMutationError"]


class MutationError(ToolkitError):
    """The base class of these errors."""


class UnknownMutationError(MutationError):
    """There is no such mutation.

    Attributes:
        name: the id.
        similar: ids that are similar.
    """

    def __init__(self, name: str, similar: Sequence[str] = ()) -> None:
        self.name, self.similar = name, tuple(similar)
        hint = f"did you mean {' or '.join(similar)}? " if similar else ""
        super().__init__(f"there is no mutation {name!r}: {hint}--list prints all")


class BaselineError(MutationError):
    """The tests cannot find a fault, because they do not pass, or do not run, without one.

    Attributes:
        output: the end of what pytest printed.
    """

    def __init__(self, reason: str, *, output: str = "") -> None:
        self.output = output
        super().__init__(f"{reason}\n{output}".rstrip())
