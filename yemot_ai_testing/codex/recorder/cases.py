"""The cases that are recorded of every Codex: the command line, and the script of the model."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.folders import TIMEOUT
from yemot_ai_testing.codex.recorder.session import RecordedRun, RecordingSession
from yemot_ai_testing.codex.redact import UNKNOWN_THREAD
from yemot_ai_testing.doubles.model_service import responses as api
from yemot_ai_testing.doubles.script import FAILURE_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from yemot_ai_testing.doubles.script import FailureKind

__all__ = ["CASES", "CASE_FAILURES", "EXEC", "SERVICE_ONLY_CASES"]

EXEC: Final = ("exec", "--json", "--skip-git-repo-check", "--sandbox", "read-only")
"""The arguments of a turn."""

_NO_TOOLS: Final = ("--disable", "shell_tool", "--disable", "unified_exec")
_QUESTION: Final = "מה השעה?"
_ANSWER: Final = "עכשיו שלוש וחצי."


def _run_case(session: RecordingSession, *arguments: str, stdin: str = _QUESTION) -> RecordedRun:
    return RecordedRun(arguments, stdin, session.run(*arguments, stdin=stdin))


def _start_thread(session: RecordingSession) -> str:
    session.model.answers("שלום, כאן הנציג.")
    return session.run(*EXEC, "-", stdin="שלום").thread_id


def _answer(session: RecordingSession) -> RecordedRun:
    session.model.answers(_ANSWER)
    return _run_case(session, *EXEC, "-")


def _characters(session: RecordingSession) -> RecordedRun:
    # A line separator, a direction mark, a surrogate pair in UTF-16, and braces.
    session.model.answers("א\u2028ב\u200fג 🙂 {usage}")
    return _run_case(session, *EXEC, "-")


def _plain_text(session: RecordingSession) -> RecordedRun:
    session.model.answers(_ANSWER)
    return _run_case(session, "exec", "--skip-git-repo-check", "-")


def _ephemeral(session: RecordingSession) -> RecordedRun:
    session.model.answers(_ANSWER)
    return _run_case(session, *EXEC, "--ephemeral", "-")


def _resumed(session: RecordingSession) -> RecordedRun:
    thread = _start_thread(session)
    session.model.answers(_ANSWER)
    return _run_case(session, *EXEC, "resume", thread, "-")


def _last(session: RecordingSession) -> RecordedRun:
    _start_thread(session)
    session.model.answers(_ANSWER)
    return _run_case(session, *EXEC, "resume", "--last", "-")


def _reasoning(session: RecordingSession) -> RecordedRun:
    session.model.emits(api.reasoning("**Looking at the clock**"), text=_ANSWER)
    return _run_case(session, *EXEC, "-")


def _two_messages(session: RecordingSession) -> RecordedRun:
    session.model.emits(api.message("רגע, אני בודק.", item_id="msg_0"), text=_ANSWER)
    return _run_case(session, *EXEC, "-")


def _no_message(session: RecordingSession) -> RecordedRun:
    session.model.emits()
    return _run_case(session, *EXEC, "-")


def _web_search(session: RecordingSession) -> RecordedRun:
    session.model.emits(api.web_search_call("השעה בירושלים"), text=_ANSWER)
    return _run_case(session, *EXEC, "-")


def _tool(command: str, answer: str, prompt: str, *options: str) -> Callable[[RecordingSession], RecordedRun]:
    def run_case(session: RecordingSession) -> RecordedRun:
        session.model.emits(api.function_call("exec_command", {"cmd": command}))
        session.model.answers(answer)
        return _run_case(session, *EXEC, *options, "-", stdin=prompt)

    return run_case


def _failing(kind: FailureKind) -> Callable[[RecordingSession], RecordedRun]:
    def run_case(session: RecordingSession) -> RecordedRun:
        session.model.fails(kind)
        return _run_case(session, *EXEC, "-")

    return run_case


def _cut_stream(session: RecordingSession) -> RecordedRun:
    session.model.drops("עכשיו ש")
    return _run_case(session, *EXEC, "-")


def _reconnected(session: RecordingSession) -> RecordedRun:
    session.model.drops("עכשיו ש")
    session.model.answers(_ANSWER)
    retries = "model_providers.yemot_ai_testing.stream_max_retries=1"
    return _run_case(session, *EXEC, "-c", retries, "-")


def _unscripted(session: RecordingSession) -> RecordedRun:
    return _run_case(session, *EXEC, "-")


def _unknown_session(session: RecordingSession) -> RecordedRun:
    return _run_case(session, *EXEC, "resume", UNKNOWN_THREAD, "-")


def _busy_session(session: RecordingSession) -> RecordedRun:
    thread = _start_thread(session)
    session.model.hangs()
    first = session.start(*EXEC, "resume", thread, "-", stdin="ראשון")
    session.model.wait_for_requests(2)
    # For a version that lets a second writer in; the others never ask.
    session.model.answers(_ANSWER)
    try:
        return _run_case(session, *EXEC, "resume", thread, "-")
    finally:
        first.process.kill()
        first.wait()


def _not_a_uuid(session: RecordingSession) -> RecordedRun:
    session.model.answers("אני לא זוכר דבר.")
    return _run_case(session, *EXEC, "resume", "not-a-uuid", "-")


def _signalled(number: signal.Signals) -> Callable[[RecordingSession], RecordedRun]:
    def run_case(session: RecordingSession) -> RecordedRun:
        session.model.hangs()
        run = session.start(*EXEC, "-", stdin=_QUESTION)
        session.model.wait_for_requests(1)
        # The model is called in one thread and the event is written in another; wait for both.
        run.turn_started.wait(TIMEOUT)
        run.process.send_signal(number)
        run.wait()
        return RecordedRun((*EXEC, "-"), _QUESTION, run)

    return run_case


def _plain(*arguments: str, stdin: str = _QUESTION) -> Callable[[RecordingSession], RecordedRun]:
    return lambda session: _run_case(session, *arguments, stdin=stdin)


CASES: Final[Mapping[str, Callable[[RecordingSession], RecordedRun]]] = {
    "answer": _answer,
    "characters": _characters,
    "plain": _plain_text,
    "ephemeral": _ephemeral,
    "resumed": _resumed,
    "last": _last,
    "reasoning": _reasoning,
    "two_messages": _two_messages,
    "no_message": _no_message,
    "web_search": _web_search,
    "tool_call": _tool("echo hello", "כתוב שם שלום.", "קרא קובץ"),
    "tool_slow": _tool("sleep 1; echo hello", "כתוב שם שלום.", "קרא קובץ"),
    "tool_failed": _tool("false", "לא הצליח.", "קרא קובץ"),
    "tool_refused": _tool("touch refused", "אי אפשר.", "צור קובץ"),
    "tool_unknown": _tool("touch refused", "אי אפשר.", "צור קובץ", *_NO_TOOLS),
    "unauthorized": _failing("unauthorized"),
    "rate_limited": _failing("rate_limited"),
    "overloaded": _failing("overloaded"),
    "context_overflow": _failing("context_overflow"),
    "quota_exceeded": _failing("quota_exceeded"),
    "unknown_model": _failing("unknown_model"),
    "cut_stream": _cut_stream,
    "reconnected": _reconnected,
    "unscripted": _unscripted,
    "unknown_session": _unknown_session,
    "busy_session": _busy_session,
    "not_a_uuid": _not_a_uuid,
    "terminated": _signalled(signal.SIGTERM),
    "interrupted": _signalled(signal.SIGINT),
    "untrusted_folder": _plain("exec", "--json", "-"),
    "no_prompt": _plain(*EXEC, "-", stdin=""),
    "review": _plain(*EXEC, "review"),
    "unknown_option": _plain("exec", "--frobnicate", "-"),
    "unknown_option_resume": _plain("exec", "resume", "--sandbox", "read-only", UNKNOWN_THREAD, "-"),
    "unknown_feature": _plain(*EXEC, "--disable", "frobnication", "-"),
    "unknown_value": _plain("exec", "--sandbox", "sandy", "-"),
    "missing_value": _plain("exec", "--model"),
    "too_many_words": _plain("exec", "--json", "one", "two"),
    "version": _plain("--version", stdin=""),
    "features": _plain("features", "list", stdin=""),
    "help_root": _plain("--help", stdin=""),
    "help": _plain("exec", "--help", stdin=""),
    "help_resume": _plain("exec", "resume", "--help", stdin=""),
}
"""The cases, by the name of their file."""

CASE_FAILURES: Final[Mapping[str, str]] = {
    **{kind: kind for kind in FAILURE_KINDS},
    "unknown_session": "session_lost",
    "not_a_uuid": "session_lost",
    "no_message": "empty",
    "busy_session": "session_busy",
}
"""The kind of ``ProviderError`` of each case that has no answer."""

SERVICE_ONLY_CASES: Final = frozenset(
    {
        *("reasoning", "two_messages", "no_message", "web_search", "reconnected"),
        *("tool_call", "tool_slow", "tool_failed", "tool_refused", "tool_unknown"),
    }
)
"""What only a model service can bring about; the fake plays the recording of it."""
