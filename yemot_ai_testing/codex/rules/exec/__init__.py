"""The rules of ``codex exec --json``, chapter by chapter.

Each was read off the real binary first, and written down then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.rules.exec.argv import ARGV
from yemot_ai_testing.codex.rules.exec.argv_resume import ARGV_RESUME
from yemot_ai_testing.codex.rules.exec.events import EVENTS
from yemot_ai_testing.codex.rules.exec.failures import FAILURES
from yemot_ai_testing.codex.rules.exec.home import HOME
from yemot_ai_testing.codex.rules.exec.output import OUTPUT
from yemot_ai_testing.codex.rules.exec.signals import SIGNALS
from yemot_ai_testing.codex.rules.exec.stdin import STDIN
from yemot_ai_testing.codex.rules.exec.threads import THREADS

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.bench import Bench
    from yemot_ai_testing.conformance.rule import Chapter

__all__ = ["CHAPTERS"]

CHAPTERS: Final[tuple[Chapter[Bench], ...]] = (
    ARGV,
    ARGV_RESUME,
    STDIN,
    EVENTS,
    OUTPUT,
    FAILURES,
    THREADS,
    SIGNALS,
    HOME,
)
"""In the order in which the cases are numbered."""
