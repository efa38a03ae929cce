"""The languages of the pages: pages in ``he/`` are Hebrew, all others English.

>>> language_of("he/start.md").direction
'rtl'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

__all__ = ["Language", "SiteFile", "alternates", "language_of"]


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the site.

    Attributes:
        code: of ISO 639-1.
        name: in the language itself.
        direction: ``"ltr"`` or ``"rtl"``.
        folder: of its pages, with a slash at the end.
        index: the name of its first page.
    """

    code: str
    name: str
    direction: str
    folder: str
    index: str


class SiteFile(Protocol):
    """A page of MkDocs."""

    src_uri: str
    url: str


ENGLISH: Final = Language("en", "English", "ltr", "", "index.md")
HEBREW: Final = Language("he", "עברית", "rtl", "he/", "README.md")


def language_of(path: str) -> Language:
    """Return the language of the page at ``path``, from its folder."""
    return HEBREW if path.startswith(HEBREW.folder) else ENGLISH


def alternates(path: str, files: Iterable[SiteFile]) -> list[dict[str, str]]:
    """Return the entries of the menu of languages: this page in each of them, else their first pages."""
    urls = {file.src_uri: file.url for file in files}
    own = language_of(path)
    name = path.removeprefix(own.folder)
    entries = []
    for language in (ENGLISH, HEBREW):
        index = language.folder + language.index
        counterpart = index if name == own.index else language.folder + name
        link = urls.get(counterpart, urls[index])
        entries.append({"name": language.name, "link": link, "lang": language.code})
    return entries
