r"""Splits a text into sentences, and removes what is not spoken: markup, references, formulas' commands.

>>> [" ".join(plain_line(line).split()) for line in split_sentences("## כותרת\n- **פריט** אחד[1]. [שני](https://a.co)")]
['כותרת', 'פריט אחד.', 'שני']
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from yemot_ai.protocol.normalizer.characters import reduce_characters
from yemot_ai.protocol.normalizer.latex import mark_minus, plain_formulas
from yemot_ai.protocol.normalizer.links import ADDRESS, LETTER, WORD, decode_percent

__all__ = ["plain_line", "split_sentences"]

_REFERENCE: Final = re.compile(
    "【[^【】\n]{0,200}†[^【】\n]{0,200}】|【\\d{1,3}】"
    "|\ue200([^\ue200\ue201\n]{0,1000})\ue201|\ue200\\w*(?:\ue202\\w*)*"
    r"|:contentReference\[oaicite:\d{1,4}\](?:\{index=\d{1,4}\})?|\[oaicite:\d{1,4}\]"
    r"|(?<![A-Za-z])cite(?:turn\d{1,4}[a-z]{1,12}\d{1,4})+"
)
"""What models write for the sources of an answer; in the second line, with private characters."""
_ENTITY: Final = re.compile(r"&(?:amp;){0,2}(#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}\d{0,2});")
"""A character of HTML, also where its sign was written as one."""
_LABEL: Final = re.compile('^url\ue202([^\ue202]+)|^entity\ue202\\[ ?"[^"]*", ?"([^"]*)"')

_ABBREVIATED: Final = "".join(
    f"(?<! {word}\\.)(?<!^{word}\\.)"
    for word in ("טל", "מס", "עמ", "פרופ", "אינג", "Dr", "Mr", "Mrs", "Ms", r"[AaPp]\.[Mm]")
)
_SENTENCE_END: Final = re.compile(rf"([.!?]{_ABBREVIATED}[\"')\]}}*_~`]*) ")
"""The end of a sentence; not the full stop of ``פרופ. כהן``, which ends no streamed sentence either."""
_ENCODED_SLASH: Final = re.compile(r"(?<=[\w/?&=#:])%2[Ff]")
_RULE: Final = re.compile(r"[-|:=*_+~ ]*")
_BLOCK_MARKS: Final = (
    re.compile(r"(?:> |>(?!\d))+"),
    re.compile(r"#{1,6} "),
    re.compile(r"[-*+•] (?:\[[ xX]\] )?"),
    re.compile(r"\[\^\w{1,20}\]: ?"),
)
_BLOCK_STARTS: Final = frozenset(("", *"-|:=*_+~ >#•[0123456789"))
_ORDINAL: Final = re.compile(r"(\d{1,9})[.)] ")
_DEFINITION: Final = re.compile(r"\[[^\[\]]{1,60}\]: ?<?(?:[A-Za-z]{2,20}://|www\.)[^\s<>]+>?(?: [\"'(].*)?")
"""Where a link of the text leads: ``[1]: https://a.co``."""
_ONLY_NOTES: Final = re.compile(r"(?:\[\^?\d{1,3}\] ?)+[.,;:]?")

_LABELLED: Final = (
    r"!?\[[^\[\]]+\]\((?:<[^<>]*+>|[^()\s]*+(?:\([^()\s]*+\)[^()\s]*+)*+)(?: +(?:\"[^\"]*\"|'[^']*'))? ?\)"
)
_NOTE: Final = r"\[\^?\d{1,3}(?: ?[,—-] ?\d{1,3})*\^?\]"
_SOURCE: Final = (
    r"\[(?ai:cite_start|(?:citation|cite|doc|ref|source|web|post|search|news)[:_ -]{0,2}\d{1,3}"
    r"(?: ?, ?(?:[a-z]{3,8}[:_ -]{0,2})?\d{1,3})*)\]|\^\[\d{1,3}\]\^?"
)
"""A reference that says what it is: of DeepSeek, Gemini, Azure, Perplexity."""
_ATTRIBUTES: Final = r"(?: [A-Za-z_:][\w:.-]*+ ?= ?(?:\"[^\"]*+\"|'[^']*+'|[A-Za-z0-9#%.:/_-]++)){0,20}+ ?/?>"
_BLOCK_TAG: Final = (
    r"</?(?ai:blockquote|br|caption|center|d[dlt]|details|div|figcaption|figure|footer|h[1-6]|header|hr|li|ol"
    r"|p|pre|section|summary|table|tbody|t[dhr]|tfoot|thead|ul)" + _ATTRIBUTES
)
_TAG: Final = (
    r"</?(?ai:a|abbr|b|bd[io]|big|cite|code|del|em|font|i|img|ins|kbd|label|mark|q|ref|s|samp|small|span|strong"
    r"|su[bp]|time|u|break|emphasis|phoneme|prosody|say-as|speak|voice)"
    + _ATTRIBUTES
    + "|</?co(?:: ?[0-9,]+)?>"
)
"""Tags of HTML and of SSML, in which models write for a voice."""
_ITALIC: Final = rf"[^\s\d*,.;:!?\"'`)\]}}]|[\"'`]{LETTER}"
"""What begins a text in italics; after the name of a key, such as ``"*"``, something else follows."""
_INLINE: Final = re.compile(
    "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in {
            "address": ADDRESS,
            "numbered": r"(?:(?<=\S) ?)?\[(?:\[\d{1,3}\]|\d{1,3})\]\([^()\s]*\)",
            "labelled": _LABELLED,
            "note": rf"(?<=[א-ת\d.!?,;:\"')*_~]){_NOTE}(?:,? ?{_NOTE})*|(?<=\w)(?:{_NOTE}){{2,}}",
            "footnote": r"\[\^\w{1,20}\]",
            "source": _SOURCE,
            "referenced": rf"(?<!{WORD})(?<!\])\[(?![\"'])(?=[^\[\]]*[א-תA-Za-z])[^\[\]]+\]"
            r"\[\d{0,3}\](?!\[)",
            "last_note": rf"(?<=[^\s,:]) {_NOTE}(?:(?:,? ?(?:ו-?)?)?{_NOTE})*(?=[.,;:!?)]|$)",
            "raised": r"<(?:sup|cite|ref)>\[?\d{1,3}\]?</(?:sup|cite|ref)>",
            "lowered": r"(?<=[A-Za-z)])<sub>\d{1,3}</sub>",
            "block_tag": _BLOCK_TAG,
            "tag": _TAG,
            "comment": r"<!--(?:[^-]|-(?!->)){0,500}+-->",
            "other_tag": r"(?<!<)</?[A-Za-z][A-Za-z0-9_-]{0,30} ?/?>(?!>)",
            "escape": r"\\(?=[*#_`~])",
            "power": r"(?<=\d)\*\*(?=\d)",
            "emphasis": r"(?:\*{2,}+|~{2,}+|`++)++",
            "italic": rf"(?<!{WORD})(?<!\*)\*(?={_ITALIC})[^*\n]*+(?<!\s)\*(?!{WORD}|\*)",
        }.items()
    )
)
_MARKED: Final = re.compile(r"[\[<*~`\\]")
_LABEL_AND_TARGET: Final = re.compile(r"!?\[([^\[\]]+)\]\(<?([^\s<>]*)")
_TARGET: Final = re.compile(r"(?ai:[a-z][a-z0-9+.-]*:|www\.)|[/#.]|[\w-]++(?:\.[\w-]++)+", re.ASCII)
_KEYS: Final = re.compile(
    r"(?:ה?קי?ש\w*|לח[צץ]\w*|מקש|ספרה|אפשרות|שלוחה|בחרו?|סעיף|מספר|חייגו?|(?<![א-ת])(?:או|רא[הו]|לפי))[ :]*$"
)
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_JOINED: Final = "-%—$₪€"


def split_sentences(text: str) -> Iterator[str]:
    """Yield each sentence or line of a text, with single spaces and without block marks.

    The sentences are at least as short as those of an answer that is spoken while it is written, so both
    are spoken in the same way.
    """
    if "\ue200" in text or "[" in text or "【" in text or "turn" in text:
        text = _REFERENCE.sub(_reference_label, text)
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(f"&{match[1]};"), text)
    for line in reduce_characters(text).split("\n"):
        for sentence in _SENTENCE_END.sub(r"\1\n", " ".join(line.split())).split("\n"):
            if stripped := _strip_block_marks(sentence.strip()):
                yield stripped


def plain_line(sentence: str) -> str:
    """Return a sentence of ``split_sentences`` without inline markup, formulas' commands and references."""
    if "$" in sentence or "\\" in sentence:
        sentence = plain_formulas(sentence)
    if "%2" in sentence:
        sentence = _ENCODED_SLASH.sub("/", sentence)
    if "-" in sentence and ("=" in sentence or "(" in sentence):
        sentence = mark_minus(sentence)
    return _remove_inline(sentence) if _MARKED.search(sentence) else sentence


def _reference_label(match: re.Match[str]) -> str:
    """Return the label of a reference that has one: a link or a name; else a space or nothing."""
    label = _LABEL.match(match[1] or "")
    return (label[1] or label[2] or "") if label else ""


def _strip_block_marks(line: str) -> str:
    if line[:1] not in _BLOCK_STARTS:
        return line
    if _RULE.fullmatch(line) or _ONLY_NOTES.fullmatch(line) or _DEFINITION.fullmatch(line):
        return ""
    for mark in _BLOCK_MARKS:
        match = mark.match(line)
        line = line[match.end() :] if match else line
    return _ORDINAL.sub(r"\1, ", line, count=1) if _ORDINAL.match(line) else line


def _remove_inline(text: str) -> str:
    return _INLINE.sub(_replace_inline, text)


def _replace_inline(match: re.Match[str]) -> str:
    replace = _REPLACED.get(match.lastgroup or "")
    if replace is None:
        return match.group()
    return replace if isinstance(replace, str) else replace(match)


def _last_note(match: re.Match[str]) -> str:
    """Remove a reference at the end of a sentence, unless the word before it needs it, such as a key."""
    before = match.string[max(match.start() - 20, 0) : match.start()]
    return match.group() if _KEYS.search(before) else ""


def _replace_link(match: re.Match[str]) -> str:
    """Return the text of a link, with the number of a telephone link whose text has none."""
    found = _LABEL_AND_TARGET.match(match.group())
    if not found or not _TARGET.match(found[2]):
        return match.group()
    label = _remove_inline(found[1])
    scheme, _, number = found[2].partition(":")
    if scheme.lower() == "tel" and not re.search(r"\d", label):
        return f"{label} {decode_percent(number)}"
    return label if re.search(WORD, label) else found[2]


def _join_or_part(match: re.Match[str]) -> str:
    """Remove emphasis inside a word and beside a sign of numbers; elsewhere replace it by a space."""
    before = match.string[max(match.start() - 1, 0) : match.start()]
    after = match.string[match.end() : match.end() + 1]
    inside = re.fullmatch(LETTER, before) and re.fullmatch(LETTER, after)
    return "" if inside or (before and before in _JOINED) or (after and after in _JOINED) else " "


_REPLACED: Final[Mapping[str, str | Callable[[re.Match[str]], str]]] = {
    "labelled": _replace_link,
    "numbered": "",
    "note": "",
    "footnote": "",
    "last_note": _last_note,
    "source": "",
    "referenced": lambda match: _remove_inline(match.group()[1:].partition("]")[0]),
    "raised": lambda match: re.sub(r"\D", "", match.group()).translate(_RAISED),
    "lowered": lambda match: match.group()[5:-6],
    "block_tag": " , ",
    "tag": _join_or_part,
    "comment": " ",
    "other_tag": lambda match: f" {match.group().strip('</>')} ",
    "escape": " ",
    "power": "^",
    "emphasis": _join_or_part,
    "italic": lambda match: match.group()[1:-1],
}
"""What replaces each inline mark; an address stays."""
