"""What each key of ``*.call.yaml`` means: the ``description`` that editors and the reference show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yemot_ai.protocol.read_modes import READ_RECORD, READ_TAP, READ_VOICE
from yemot_ai_testing.line.platform.settings import line_settings

__all__ = ["DESCRIPTIONS"]

_CALLED: Final = {
    "app": "the application that is called, in this process",
    "serve": "the command that starts the server that is called, once for all scenarios with the same one",
    "path": "the path of the application or server that the line calls",
    "caller": "who calls, and how the line behaves",
}
_READ: Final = {
    "mode": "how the line takes the answer: keys, speech or a recording",
    **READ_TAP.titles,
    **READ_VOICE.titles,
    **READ_RECORD.titles,
    "max_digits": "the most digits",
    "confirm": "the caller approves the input",
}

DESCRIPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "a call file": {
        **_CALLED,
        "tool": "what runs in the place of tools in all scenarios, by the name of the tool",
        "name": "the name of the file in reports",
        "scenarios": "the calls",
    },
    "a scenario": {
        **_CALLED,
        "name": "the name of the call in reports; unique in the file",
        "turns": "what the caller does and hears, in this order",
        "tool": "what runs in the place of tools, by the name of the tool",
        "order": "an order of tasks that a call machine has found",
        "afterwards": "what is expected after the call",
    },
    "serve": {
        "command": "a program with its arguments, split without a shell",
        "path": "the path that the line calls; default: /",
        "within": "the time until the server accepts connections; default: 30s",
    },
    "caller": {
        "phone": "the caller's number; empty: withheld",
        "extension": "the extension that is dialled; default: the root",
        "method": "of the line's requests",
        "line": "settings of the line that no source confirms",
    },
    "caller.line": {name: setting.meaning for name, setting in line_settings().items()},
    "a turn": {
        "says": "speaks; the result of the speech recognition",
        "presses": "presses keys",
        "records": "records; the value that your server receives",
        "silent": "does nothing until the line stops waiting",
        "repeats": "the line sends its last request again",
        "hangs_up": "hangs up",
        "hears": "what is heard then, or what the response is; a bare text is the same as contains",
        "agent": "what the model does; a list has one step for each question to the model",
        "meanwhile": "what happens while the line waits for the answer",
    },
    "hears": {
        "contains": "each of the texts is heard",
        "excludes": "none of the texts is heard",
        "equals": "everything that is heard",
        "matches": "a regular expression that what is heard matches",
        "read": "the question that the response ends with; true: any; false: none",
        "play": "messages of a play action, as written in the response",
        "goto": "the target of a go_to_folder",
        "ends": "whether the call has left your extensions, or who ended it",
        "same": "whether the response is byte for byte the one before",
        "within": "the longest silence; of two, the first warns and the second fails",
    },
    "hears.read": _READ,
    "agent": {
        "after": "the time before the answer, call, transcript or failure",
        "answers": "the answer; of a list, the pieces in which it is streamed",
        "calls": "the model calls this tool, or these in one message; the next step answers the results",
        "transcribes": "the transcript of this turn's recording",
        "fails": "the model service refuses or fails",
        "hangs": "the model never answers",
        "drops": "the connection breaks off",
        "cuts": "the service ends the answer before it is whole, for this reason",
        "crash": "the process of Codex ends",
        "malformed": "Codex prints what its protocol does not allow",
        "reconnects": "the stream breaks off after this text, and Codex asks again",
        "unknown_session": "Codex does not know the conversation",
        "busy_session": "another process writes to the conversation",
        "thoughts": "with answers: what the model thinks before",
        "saying": "with answers or calls: a complete message before",
        "with": "with calls: the arguments, such as {id: 7}; of several calls a list",
        "then": "with calls: what the model does with the results; the same as the next step of a list",
        "text": "with cuts: the answer up to there",
    },
    "tool": {
        "returns": "the result, a value of JSON",
        "raises": "what the model is told instead of a result",
        "after": "the time before that; alone: before the tool itself runs",
    },
    "crash": {"exit": "the exit code", "stderr": "the standard error"},
    "meanwhile": {
        "hangs_up": "the caller hangs up",
        "presses": "the caller presses keys",
        "posts": "a POST to this path of the server",
        "data": "with posts: the form",
        "calls": "a GET of a path of the server, or the call of a Python function",
        "after": "the time since the caller's verb; default: at once",
    },
    "afterwards": {
        "agent_turns": "turns in which the model was asked",
        "sessions_open": "calls that have not ended",
        "processes": "child processes that still run",
        "errors": "errors of the application's own code, which otherwise fail the scenario",
        "tools": "the tools that ran, in this order, by name or with arguments: cancel_order: {id: 7}",
        "check": "a function that is called with the outcome of the call, and fails or returns False",
    },
}
"""By the titles of the schema's mappings, then by key."""
