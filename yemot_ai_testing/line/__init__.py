"""The simulated line: callers, calls, and transports to an application."""

from __future__ import annotations

from yemot_ai_testing.line.transcript import (
    Beep,
    CallEnded,
    CallerActed,
    ExtensionEntered,
    HoldMusic,
    ServerActed,
    Sound,
    SystemSound,
    Transcript,
)

__all__ = [
    "Beep",
    "CallEnded",
    "CallerActed",
    "ExtensionEntered",
    "HoldMusic",
    "ServerActed",
    "Sound",
    "SystemSound",
    "Transcript",
]
