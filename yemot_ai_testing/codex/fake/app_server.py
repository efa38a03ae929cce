"""The files of the fake app-server: the recorded messages, and each step as plain values."""

from __future__ import annotations

from typing import Any

from yemot_ai_testing.codex import recordings
from yemot_ai_testing.codex.steps import ClientRequest, Replay
from yemot_ai_testing.doubles.steps import Answer, Crash, Cut, Drop, Failure, Hang, Malformed, Reconnect, Step

__all__ = ["encode_server_step", "recorded_messages"]


def recorded_messages(version: str) -> dict[str, list[recordings.Message]]:
    """Return the messages of a recorded server of this version, by case; empty if none is recorded."""
    return recordings.server_messages(version)


def encode_server_step(step: Step | Replay | ClientRequest) -> dict[str, Any]:
    """Return a step as plain values: the messages, the delays in seconds, and how the turn ends.

    ``case`` is the recorded case with the messages at the end of the turn; empty if the turn does not end.
    ``ends_message`` is whether the last message is complete in a turn that fails.
    """
    # Other steps are replays of `codex exec`, or session steps for a thread that is not resumed.
    encoded: dict[str, Any] = {"case": "unscripted"}
    match step:
        case Answer(pieces=pieces, after=after, every=every, saying=saying):
            texts = [piece for piece in pieces if piece]
            case = "answer" if texts else "no_message"
            encoded = {"pieces": texts, "after": after, "every": every, "case": case, "saying": saying}
        case Failure(kind=kind, after=after):
            encoded = {"after": after, "case": kind}
        case Drop(pieces=pieces):
            encoded = {"pieces": list(pieces), "case": "cut_stream"}
        case Cut(reason=reason, pieces=pieces):
            texts = [piece for piece in pieces if piece]
            encoded = {"pieces": texts, "case": f"cut_{reason}", "ends_message": reason != "error"}
        case Reconnect(pieces=pieces):
            encoded = {"pieces": list(pieces), "case": "reconnected"}
        case Hang(saying=saying):
            encoded = {"pieces": [saying] if saying else [], "case": ""}
        case Crash() | Malformed():
            return _encode_exit(step)
        case ClientRequest(kind=request_kind):
            return {"client_request": request_kind}
    return {"pieces": [], "after": 0.0, **encoded}


def _encode_exit(step: Crash | Malformed) -> dict[str, Any]:
    if isinstance(step, Malformed):
        return {"exit_code": 0, "stdout": step.text}
    stderr = step.stderr if step.stderr.endswith("\n") or not step.stderr else f"{step.stderr}\n"
    return {"exit_code": step.exit, "stderr": stderr}
