"""What the fake Codex needs to be an app-server: the recorded words, and each step as a server plays it."""

from __future__ import annotations

from typing import Any

from yemot_ai_testing.codex import app_server_recordings as recording
from yemot_ai_testing.codex.steps import ClientRequest, Replay
from yemot_ai_testing.doubles.script import Answer, Crash, Drop, Failure, Hang, Malformed, Step

__all__ = ["encode_server_step", "recorded_messages"]


def recorded_messages(version: str) -> dict[str, list[recording.Message]]:
    """What a recorded server of this version said, by case; empty if none was recorded."""
    return recording.load_version(version)


def encode_server_step(step: Step | Replay | ClientRequest) -> dict[str, Any]:
    """A step as plain values: what is written, after how many seconds, and how it ends.

    ``case`` is the recorded case whose end is played: of an answer, of a refusal; empty for no end.
    """
    # Unless it is one of these, it is a recording of `codex exec`, or a rival who came too late.
    played: dict[str, Any] = {"case": "unscripted"}
    match step:
        case Answer(pieces=pieces, after=after, every=every):
            written = [piece for piece in pieces if piece]
            ends = "answer" if written else "no_message"
            played = {"pieces": written, "after": after, "every": every, "case": ends}
        case Failure(kind=kind, after=after):
            played = {"after": after, "case": kind}
        case Drop(pieces=pieces):
            played = {"pieces": list(pieces), "case": "cut_stream"}
        case Hang(saying=saying):
            played = {"pieces": [saying] if saying else [], "case": ""}
        case Crash() | Malformed():
            return _encode_exit(step)
        case ClientRequest(kind=question):
            return {"client_request": question}
    return {"pieces": [], "after": 0.0, **played}


def _encode_exit(step: Crash | Malformed) -> dict[str, Any]:
    if isinstance(step, Malformed):
        return {"exit_code": 0, "stdout": step.text}
    ended = step.stderr if step.stderr.endswith("\n") or not step.stderr else f"{step.stderr}\n"
    return {"exit_code": step.exit, "stderr": ended}
