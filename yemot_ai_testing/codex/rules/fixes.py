"""What to change in a wrapper of Codex that breaks a rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yemot_ai_testing.conformance.rule import AnyRule, Breach

__all__ = ["wrapper_fix"]

_STDIN: Final = "leave standard input to Codex: read nothing of it, keep it open as long as the caller does"
_LINES: Final = "copy each line at once in both directions, byte by byte; one line is one message"

_EXIT_CODE: Final = "return the exit code of Codex: `exec codex …` or `exit $?`, not `|| true`"
_SIGNALS: Final = "replace the wrapper by Codex (`exec codex …`), or pass signals on and end as Codex ended"
_STDOUT: Final = "write what the wrapper says to standard error, and keep the two apart (no `2>&1`)"
_STDERR: Final = "leave standard error as it is: neither `2>/dev/null` nor `2>&1`"

_BY_SYMPTOM: Final = tuple(
    (re.compile(expected), re.compile(actual), fix)
    for expected, actual, fix in (
        (r"^exit code\b.*: -\d+$", r"", _SIGNALS),
        (r"^exit code\b", r"^0$", _EXIT_CODE),
        (r"^an end within ", r"^it still runs$", _SIGNALS),
        (r"^lines of standard output that are JSON objects|^standard output: b''$", r"", _STDOUT),
        (r"^standard error: ", r"^$", _STDERR),
    )
)
"""What was expected, what happened instead, and the fix; they say more than the rule."""

_BY_RULE: Final[Mapping[str, str]] = {
    "argv": 'pass all arguments on, each as it is: `exec codex "$@"`, not `$*`, not one text for all',
    "argv-dash": _STDIN,
    "argv-no-prompt": _STDIN,
    "argv-version": "pass `--version` on to Codex, too",
    "argv-features": "pass `features list` on to Codex, too",
    "resume": "pass the arguments on in their order: after `resume` other options are valid than before it",
    "stdin": _STDIN,
    "stdin-white-space": "pass standard input on byte by byte: do not strip it or split it into lines",
    "stdin-long": "pass standard input on to its end, not in one read of a fixed size",
    "events": "pass standard output on byte by byte: add, change and reorder no line",
    "events-streams": _STDOUT,
    "events-long-line": "read lines without a limit of their length, or do not read them at all",
    "output": "pass standard output and the paths of files on as they are, and stay in the working folder",
    "failure": f"{_EXIT_CODE}; repeat nothing",
    "thread": "keep CODEX_HOME and the working folder: threads are files of the home; change no id",
    "thread-second-writer": "do not let the second process wait for the first, and do not repeat it",
    "signal": _SIGNALS,
    "signal-leftovers": "wait for every process that the wrapper has started",
    "signal-stdout-closed": "let Codex write to standard output itself, so that it sees that it is closed",
    "home": "pass HOME, CODEX_HOME and the working folder on; set, create and change none of them",
    "server": _LINES,
    "server-stdin": "close the server's standard input when the wrapper's own is closed",
    "server-request": f"{_LINES}; answer no request of the server in place of the client",
    "server-fails": f"{_LINES}; repeat no turn that has failed",
}
"""By the beginning of the rule's id; the longest one counts."""


def wrapper_fix(rule: AnyRule, breach: Breach) -> str:
    """Return what to change in a wrapper that breaks a rule in this way."""
    for expected, actual, fix in _BY_SYMPTOM:
        if expected.search(breach.expected) and actual.search(breach.actual):
            return fix
    parts = rule.id.split("-")
    beginnings = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_BY_RULE[one] for one in beginnings if one in _BY_RULE), "")
