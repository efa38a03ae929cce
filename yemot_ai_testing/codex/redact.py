"""What of a recording must not be published: found, and replaced where it is known.

``Redactor`` replaces what the recorder knows of this machine; ``find_private_data`` refuses whatever still looks
like a secret, an address, a path or an id afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["UNKNOWN_THREAD", "Redactor", "UnpublishableError", "find_private_data"]

UNKNOWN_THREAD: Final = "00000000-0000-7000-8000-000000000000"
"""The id of a thread that no Codex can have."""

_UUID: Final = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
_FORBIDDEN: Final = (
    (
        "an absolute path",
        re.compile(
            r"(?<![\w.}/:<])/(?:home|Users|root|tmp|var|opt|work|private|etc|mnt|srv|data|Volumes)\b"
            r"|\b[A-Z]:\\\\?\w+"
        ),
    ),
    ("the address of a server", re.compile(r"https?://(?:127\.|localhost|\[::1\])|127\.0\.0\.1:\d+")),
    ("an address of somebody", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", re.IGNORECASE)),
    (
        "what looks like a secret",
        re.compile(
            r"\b(?:sk|pk|rk|ghp|gho|ghs|ghu|xox[abprs]|sess|org)[-_][A-Za-z0-9]{6,}"
            r"|\b(?:github_pat_|AKIA|AIza)\w{8,}"
            r"|Bearer [\w.-]{8,}|eyJ[\w-]{10,}|-----BEGIN [A-Z ]+-----"
            r"|(?i:password|secret|api[_-]?key|token)['\"]?\s*[=:]\s*['\"]?[\w./+-]{8,}"
            # Long, and of all three kinds of characters: a person writes no such word.
            r"|(?<![\w/+-])(?=[\w/+-]*[a-z])(?=[\w/+-]*[A-Z])(?=[\w/+-]*\d)[\w/+-]{40,}"
        ),
    ),
    ("an id of one run", re.compile(_UUID)),
)


class UnpublishableError(ValueError):
    """A recording still holds something of this machine or of this run."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces what differs from run to run, and what is nobody's business.

    Attributes:
        replacements: what is known to stand for something, ``{"/tmp/x": "{folder}"}``; the longest goes first.
    """

    replacements: Mapping[str, str]

    def __call__(self, text: str) -> str:
        """The text without it."""
        for word in sorted(self.replacements, key=len, reverse=True):
            text = text.replace(word, self.replacements[word])
        text = re.sub(r"/\S*/(bash|zsh|sh)\b", r"\1", text)
        text = re.sub(r"^\d{4}-\d\d-\d\dT[\d:.]+Z", "{time}", text)
        text = text.replace(UNKNOWN_THREAD, "{unknown_thread_id}")
        return re.sub(_UUID, "{thread_id}", text)


def find_private_data(text: str) -> list[str]:
    """What in the text of a recording must not be published, in words; empty if nothing."""
    return [f"{what}: {found.group(0)!r}" for what, found in _matches(text)]


def _matches(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for what, pattern in _FORBIDDEN:
        for found in pattern.finditer(text):
            yield what, found
