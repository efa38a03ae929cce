"""Where a ``goto`` leads, and whether a flow has a handler there.

>>> resolve_target("1", "2/3"), resolve_target("1/2", "../5"), resolve_target("ai_agent", "..")
('1/2/3', '1/5', '')
>>> print(find_unknown_target("old", "thanks", {"old", "thanks"}))
leads to /old/thanks, for which there is no handler: did you mean '/thanks'? Without a slash it is below /old

Source: [OFF] the target forms of the official texts on the API module and on global settings.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import yemot_flow

from yemot_ai.errors.missing_names import closest
from yemot_ai.flow.code_warnings import warn_once

__all__ = [
    "UnknownTarget",
    "extensions_of",
    "find_unknown_target",
    "resolve_target",
    "warn_of_unknown_target",
]


@dataclass(frozen=True, slots=True)
class UnknownTarget:
    """A target for which a flow has no handler.

    Attributes:
        extension: where it leads.
        suggestion: the target that is probably meant; "" if none is similar.
        below: the extension that it is relative to, if its slash is missing; else "".
    """

    extension: str
    suggestion: str = ""
    below: str = ""

    def __str__(self) -> str:
        missing = f"leads to /{self.extension}, for which there is no handler"
        meant = f": did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{missing}{meant}" + (f" Without a slash it is below /{self.below}" if self.below else "")


def resolve_target(extension: str, target: str) -> str | None:
    """Return the extension that a target means.

    Args:
        extension: where the caller is, without outer slashes; "" is the root.
        target: ``/``, ``/1/1``, ``1`` (a child), ``.``, ``..``, ``../..``, ``../1`` or ``hangup``.

    Returns:
        The extension, or None if the call ends: for ``hangup``, and above the root.
    """
    if target == "hangup":
        return None
    steps = [] if target.startswith("/") or not extension else extension.split("/")
    for step in target.split("/"):
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step not in {"", "."}:
            steps.append(step)
    return "/".join(steps)


def extensions_of(flow: yemot_flow.Flow) -> frozenset[str]:
    """Return the extensions that a flow answers, without outer slashes."""
    return frozenset((*flow.routes, *getattr(flow, "agents", ())))


def find_unknown_target(extension: str, target: str, known: Collection[str]) -> UnknownTarget | None:
    """Return a target that is probably a mistake; None for any other one.

    A folder above an extension of the flow exists on the line, even if the flow does not answer there; so
    does a folder above the caller's.

    Args:
        extension: where the caller is.
        target: the target.
        known: the extensions that the flow answers.
    """
    meant = resolve_target(extension, target)
    if not meant or any(f"{name}/".startswith(f"{meant}/") for name in (extension, *known)):
        return None
    from_root = target.strip("/")
    if not target.startswith("/") and from_root in known:
        return UnknownTarget(meant, f"/{from_root}", below=extension)
    similar = closest(meant, sorted(known))
    return UnknownTarget(meant, f"/{similar}" if similar else "")


def warn_of_unknown_target(
    flow: yemot_flow.Flow, extension: str, target: str, written: str, *, place: str = ""
) -> None:
    """Log a target that is probably a mistake, once for each place in the developer's code.

    Args:
        flow: the flow of the call.
        extension: where the caller is.
        target: the target.
        written: what the developer has written.
        place: ``file:line`` of it; where it has called this package unless given.
    """
    unknown = find_unknown_target(extension, target, extensions_of(flow))
    if unknown:
        warn_once(f"{written} {unknown}", place=place)
