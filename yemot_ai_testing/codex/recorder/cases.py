"""The cases that are recorded of every Codex: the command line, and the script of the model."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias, get_args

from yemot_ai_testing.codex.home import TIMEOUT
from yemot_ai_testing.codex.redact import UNKNOWN_THREAD
from yemot_ai_testing.codex.rules.backends import STREAM_RETRIES
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.steps import (
    FAILURE_KINDS,
    Answer,
    Cut,
    CutReason,
    Drop,
    Failure,
    FailureKind,
    Hang,
    Reconnect,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from yemot_ai_testing.codex.recorder.session import RecordedRun, RecordingSession
    from yemot_ai_testing.doubles.steps import Step

__all__ = ["CASES", "CASE_FAILURES", "EXEC", "SERVICE_ONLY_CASES"]

EXEC: Final = ("exec", "--json", "--skip-git-repo-check", "--sandbox", "read-only")
"""The arguments of a turn."""

_NO_TOOLS: Final = ("--disable", "shell_tool", "--disable", "unified_exec")
_ONE_RETRY: Final = f"{STREAM_RETRIES}=1"
_QUESTION: Final = "מה השעה?"
_ANSWER: Final = Answer(("עכשיו שלוש וחצי.",))
_GREETING: Final = Answer(("שלום, כאן הנציג.",))
_BEGUN: Final = ("עכשיו ש",)

_RecordCase: TypeAlias = "Callable[[RecordingSession], RecordedRun]"


def _command(*arguments: str, script: Sequence[Step] = (), stdin: str = _QUESTION) -> _RecordCase:
    """Return a case: one process with these arguments, and what its model does."""

    def run_case(session: RecordingSession) -> RecordedRun:
        _script(session, *script)
        return session.run(*arguments, stdin=stdin)

    return run_case


def _turn(*script: Step, options: Sequence[str] = (), stdin: str = _QUESTION) -> _RecordCase:
    """Return a case: one turn of a new thread."""
    return _command(*EXEC, *options, "-", script=script, stdin=stdin)


def _tool(command: str, answer: str, prompt: str, *options: str) -> _RecordCase:
    call = Answer((), items=(api.function_call("exec_command", {"cmd": command}),))
    return _turn(call, Answer((answer,)), options=options, stdin=prompt)


def _script(session: RecordingSession, *steps: Step) -> None:
    for step in steps:
        session.model.add(step)


def _start_thread(session: RecordingSession) -> str:
    _script(session, _GREETING)
    return session.run(*EXEC, "-", stdin="שלום").thread_id


def _resumed(session: RecordingSession) -> RecordedRun:
    thread = _start_thread(session)
    return _command(*EXEC, "resume", thread, "-", script=[_ANSWER])(session)


def _last(session: RecordingSession) -> RecordedRun:
    _start_thread(session)
    return _command(*EXEC, "resume", "--last", "-", script=[_ANSWER])(session)


def _busy_session(session: RecordingSession) -> RecordedRun:
    thread = _start_thread(session)
    # The answer is for a version that lets a second writer in; the others never ask.
    _script(session, Hang(), _ANSWER)
    with session.start(*EXEC, "resume", thread, "-", stdin="ראשון").process:
        session.model.wait_for_requests(2)
        return session.run(*EXEC, "resume", thread, "-", stdin=_QUESTION)


def _signalled(number: signal.Signals) -> _RecordCase:
    def run_case(session: RecordingSession) -> RecordedRun:
        _script(session, Hang())
        run = session.start(*EXEC, "-", stdin=_QUESTION)
        # The model is called in one thread and the event is written in another; wait for both.
        run.process.read_until(b'"type":"turn.started"', TIMEOUT)
        session.model.wait_for_requests(1)
        run.process.send_signal(number)
        run.process.wait(TIMEOUT)
        return run

    return run_case


CASES: Final[Mapping[str, _RecordCase]] = {
    "answer": _turn(_ANSWER),
    # A line separator, a direction mark, a surrogate pair in UTF-16, and braces.
    "characters": _turn(Answer(("א\u2028ב\u200fג 🙂 {usage}",))),
    "plain": _command("exec", "--skip-git-repo-check", "-", script=[_ANSWER]),
    "ephemeral": _turn(_ANSWER, options=["--ephemeral"]),
    "resumed": _resumed,
    "last": _last,
    "reasoning": _turn(replace(_ANSWER, items=(api.reasoning("**Looking at the clock**"),))),
    "two_messages": _turn(replace(_ANSWER, saying="רגע, אני בודק.")),
    "no_message": _turn(Answer(())),
    "web_search": _turn(replace(_ANSWER, items=(api.web_search_call("השעה בירושלים"),))),
    "tool_call": _tool("echo hello", "כתוב שם שלום.", "קרא קובץ"),
    "tool_slow": _tool("sleep 1; echo hello", "כתוב שם שלום.", "קרא קובץ"),
    "tool_failed": _tool("false", "לא הצליח.", "קרא קובץ"),
    "tool_refused": _tool("touch refused", "אי אפשר.", "צור קובץ"),
    "tool_unknown": _tool("touch refused", "אי אפשר.", "צור קובץ", *_NO_TOOLS),
    **{kind: _turn(Failure(kind)) for kind in get_args(FailureKind)},
    **{f"cut_{reason}": _turn(Cut(reason, _BEGUN)) for reason in get_args(CutReason)},
    "cut_stream": _turn(Drop(_BEGUN)),
    "reconnected": _turn(Reconnect(_BEGUN), _ANSWER, options=["-c", _ONE_RETRY]),
    "unscripted": _turn(),
    "unknown_session": _command(*EXEC, "resume", UNKNOWN_THREAD, "-"),
    "busy_session": _busy_session,
    "not_a_uuid": _command(*EXEC, "resume", "not-a-uuid", "-", script=[Answer(("אני לא זוכר דבר.",))]),
    "terminated": _signalled(signal.SIGTERM),
    "interrupted": _signalled(signal.SIGINT),
    "untrusted_folder": _command("exec", "--json", "-"),
    "no_prompt": _command(*EXEC, "-", stdin=""),
    "review": _command(*EXEC, "review"),
    "unknown_option": _command("exec", "--frobnicate", "-"),
    "unknown_option_resume": _command("exec", "resume", "--sandbox", "read-only", UNKNOWN_THREAD, "-"),
    "unknown_feature": _command(*EXEC, "--disable", "frobnication", "-"),
    "unknown_value": _command("exec", "--sandbox", "sandy", "-"),
    "missing_value": _command("exec", "--model"),
    "too_many_words": _command("exec", "--json", "one", "two"),
    "version": _command("--version", stdin=""),
    "features": _command("features", "list", stdin=""),
    "help_root": _command("--help", stdin=""),
    "help": _command("exec", "--help", stdin=""),
    "help_resume": _command("exec", "resume", "--help", stdin=""),
}
"""The cases, by the name of their file."""

CASE_FAILURES: Final[Mapping[str, str]] = {
    **{kind: kind for kind in FAILURE_KINDS},
    "cut_length": "answer_cut",
    "cut_content_filter": "refused_request",
    "unknown_session": "session_lost",
    "not_a_uuid": "session_lost",
    "no_message": "empty",
    "busy_session": "session_busy",
}
"""The kind of ``ProviderError`` of each case that has no answer."""

SERVICE_ONLY_CASES: Final = frozenset(
    {
        *("reasoning", "no_message", "web_search"),
        *("tool_call", "tool_slow", "tool_failed", "tool_refused", "tool_unknown"),
    }
)
"""What only a model service can bring about; the fake plays the recording of it."""
