"""What the fake Codex needs to be an app-server: the recorded words, and each step as a server plays it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yemot_ai_testing.contract.app_server import recording
from yemot_ai_testing.doubles.script import Answer, Crash, Drop, Failure, Hang, Malformed, Step

if TYPE_CHECKING:
    from yemot_ai_testing.doubles.codex_layout import Replay

__all__ = ["server_step", "server_words"]


def server_words(version: str) -> dict[str, list[recording.Message]]:
    """What a recorded server of this version said, by case; empty if none was recorded."""
    return recording.of(version)


def server_step(step: Step | Replay) -> dict[str, Any]:
    """A step as plain values: what is written, after how many seconds, and how it ends.

    ``ends`` is the recorded case whose end is played: of an answer, of a refusal; empty for no end.
    """
    match step:
        case Answer(pieces=pieces, after=after):
            written = [piece for piece in pieces if piece]
            return {"pieces": written, "after": after, "ends": "answer" if written else "no_message"}
        case Failure(kind=kind, after=after):
            return {"pieces": [], "after": after, "ends": kind}
        case Drop(pieces=pieces):
            return {"pieces": list(pieces), "after": 0.0, "ends": "cut_stream"}
        case Hang(saying=saying):
            return {"pieces": [saying] if saying else [], "after": 0.0, "ends": ""}
        case Crash() | Malformed():
            return _death(step)
    # A recording of `codex exec`, or a rival who came too late: a server knows no such turn.
    return {"pieces": [], "after": 0.0, "ends": "unscripted"}


def _death(step: Crash | Malformed) -> dict[str, Any]:
    if isinstance(step, Malformed):
        return {"dies": 0, "stdout": step.text}
    ended = step.stderr if step.stderr.endswith("\n") or not step.stderr else f"{step.stderr}\n"
    return {"dies": step.exit, "stderr": ended}
