"""Remove private data from recordings.

``Redactor`` replaces the values of this machine that the recorder knows; ``find_private_data`` finds what
still looks like a secret, an address, a path or an id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["UNKNOWN_THREAD", "Redactor", "UnpublishableError", "find_private_data"]

UNKNOWN_THREAD: Final = "00000000-0000-7000-8000-000000000000"
"""A thread id that no Codex generates."""

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
    ("an email address", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", re.IGNORECASE)),
    (
        "what looks like a secret",
        re.compile(
            r"\b(?:sk|pk|rk|ghp|gho|ghs|ghu|xox[abprs]|sess|org)[-_][A-Za-z0-9]{6,}"
            r"|\b(?:github_pat_|AKIA|AIza)\w{8,}"
            r"|Bearer [\w.-]{8,}|eyJ[\w-]{10,}|-----BEGIN [A-Z ]+-----"
            r"|(?i:password|secret|api[_-]?key|token)['\"]?\s*[=:]\s*['\"]?[\w./+-]{8,}"
            # At least 40 characters, with small letters, capitals and digits: a random string.
            r"|(?<![\w/+-])(?=[\w/+-]*[a-z])(?=[\w/+-]*[A-Z])(?=[\w/+-]*\d)[\w/+-]{40,}"
        ),
    ),
    ("an id of one run", re.compile(_UUID)),
)


class UnpublishableError(ValueError):
    """A recording contains private data of this machine or of this run."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces private values, and values that differ from run to run.

    Attributes:
        replacements: value → placeholder, ``{"/tmp/x": "{folder}"}``; the longest value is replaced first.
    """

    replacements: Mapping[str, str]

    def __call__(self, text: str) -> str:
        """Return the text with placeholders."""
        for word in sorted(self.replacements, key=len, reverse=True):
            text = text.replace(word, self.replacements[word])
        text = re.sub(r"/\S*/(bash|zsh|sh)\b", r"\1", text)
        text = re.sub(r"^\d{4}-\d\d-\d\dT[\d:.]+Z", "{time}", text)
        text = text.replace(UNKNOWN_THREAD, "{unknown_thread_id}")
        return re.sub(_UUID, "{thread_id}", text)


def find_private_data(text: str) -> list[str]:
    """Return descriptions of the private data in the text of a recording; empty if there is none."""
    return [f"{what}: {found.group(0)!r}" for what, found in _matches(text)]


def _matches(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for what, pattern in _FORBIDDEN:
        for found in pattern.finditer(text):
            yield what, found
