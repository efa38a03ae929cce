"""The rules of ``codex exec --json``, chapter by chapter.

Each was read off the real binary first, and written down then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from yemot_ai_testing.contract.rules.argv import ARGV
from yemot_ai_testing.contract.rules.argv_resume import ARGV_RESUME
from yemot_ai_testing.contract.rules.events import EVENTS
from yemot_ai_testing.contract.rules.failures import FAILURES
from yemot_ai_testing.contract.rules.home import HOME
from yemot_ai_testing.contract.rules.output import OUTPUT
from yemot_ai_testing.contract.rules.signals import SIGNALS
from yemot_ai_testing.contract.rules.stdin import STDIN
from yemot_ai_testing.contract.rules.threads import THREADS

if TYPE_CHECKING:
    from yemot_ai_testing.contract.bench import Bench
    from yemot_ai_testing.contract.case import Chapter

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
