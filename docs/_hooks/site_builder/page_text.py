"""From a page as GitHub shows it to a page of the site.

* The comments that configure the examples go; ``<!-- file: line.py -->`` becomes the title of the block.
* ``<div dir="rtl">`` goes: a Hebrew page of the site has its direction.
* A list directly after a paragraph gets the empty line that Python-Markdown wants.
* Links to files of the repository that are no pages become their text, with the path.

>>> site_markdown("see [the map](architecture.md) and [code](../tests/x.py)", "testing.md")
'see [the map](architecture.md) and code (`tests/x.py`)'
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

__all__ = ["ROOT_PAGES", "site_markdown", "summary"]

ROOT_PAGES: Final = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Pages of the repository's root, and their paths in the site."""

_INDEX: Final = {"README.md": "index.md"}
_DOCS: Final = "docs/"
_DIRECTION_MARKS: Final = "\u200e\u200f"
_BEGIN: Final = re.compile(r"(?!```|\* )[\w\u200e\u200f`\[*\"]")
_SUMMARY_LENGTH: Final = 200

_FENCE: Final = re.compile(r" *```\w*$")
_COMMENT: Final = re.compile(r"<!-- (?P<word>[a-z ]+?)(?:: (?P<value>.*?))? -->")
_DIRECTION: Final = re.compile(r'<div dir="rtl">|</div>')
_LINK: Final = re.compile(
    r"(?P<text>\[(?:[^\[\]]|\[[^\[\]]*\])*\])\((?P<path>(?![a-z]+:)[^)#\s]+)(?P<anchor>#[^)\s]*)?\)"
)
_LABELS: Final = re.compile(r"(?<=\] )\[(?=(?:OFF|LIVE|LIB|CODE|\?)\])")
"""A label after a label: Markdown takes two brackets in a row for a link."""
_MARKUP: Final = re.compile(r"\*\*|`|!?\[(?P<text>[^\]]*)\]\([^)]*\)")
_ITEM: Final = re.compile(r"(?:[*-]|\d+\.) ")
_IN_LIST: Final = re.compile(r"(?:[*-]|\d+\.) | {2,}|<!-- ")
_CODE: Final = re.compile(r"`[^`]+`")
_SENTENCE: Final = re.compile(r"(?<=[.!?]) ")


def site_markdown(text: str, path: str) -> str:
    """Return the text of the page at ``path`` in the site."""
    return "\n".join(_lines(text, path))


def summary(text: str) -> str:
    r"""Return the first sentence of a page, without markup.

    >>> summary("# Title\n\n**A** `yemot_ai` page ([link](a.md)). More.")
    'A yemot_ai page (link).'
    """
    for paragraph in map(str.strip, text.split("\n\n")):
        if _BEGIN.match(paragraph):
            plain = " ".join(paragraph.split())
            while _MARKUP.search(plain):  # a link in bold text, code in a link
                plain = _MARKUP.sub(lambda found: found["text"] or "", plain)
            return _cut(_SENTENCE.split(plain)[0].strip(_DIRECTION_MARKS + " "))
    return ""


def _cut(text: str) -> str:
    return text if len(text) <= _SUMMARY_LENGTH else text[:_SUMMARY_LENGTH].rpartition(" ")[0] + " …"


def _lines(text: str, path: str) -> Iterator[str]:
    file, inside, previous = "", False, ""
    for line in text.splitlines():
        if not inside and _ITEM.match(line) and previous and not _IN_LIST.match(previous):
            yield ""
        previous = line
        if _FENCE.match(line):
            inside = not inside
            yield f'{line} title="{file}"' if inside and file else line
            file = ""
        elif inside:
            yield line
        elif comment := _COMMENT.fullmatch(line):
            file = comment["value"] if comment["word"] == "file" else file
        elif not _DIRECTION.fullmatch(line):
            linked = _LABELS.sub(r"\[", _LINK.sub(lambda link: _site_link(link, path), line))
            yield _CODE.sub(_unescape, linked) if line.startswith("|") else linked


def _unescape(code: re.Match[str]) -> str:
    """Return code in a cell of a table: GitHub wants its bars escaped, here they show."""
    return code[0].replace(r"\|", "|")


def _site_link(link: re.Match[str], path: str) -> str:
    source = next((name for name, page in ROOT_PAGES.items() if page == path), _DOCS + path)
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["path"]))
    page = _page(target)
    if page is None:
        text = link["text"][1:-1]
        return text if text.strip("`") in {target, link["path"]} else f"{text} (`{target}`)"
    relative = posixpath.relpath(page, posixpath.dirname(path) or ".")
    return f"{link['text']}({relative}{link['anchor'] or ''})"


def _page(target: str) -> str | None:
    """Return the path in the site of a file of the repository."""
    if target.startswith(_DOCS):
        return target.removeprefix(_DOCS)
    return (ROOT_PAGES | _INDEX).get(target)
