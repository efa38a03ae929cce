"""The rules for responses: code, level, source and hint of each.

Constructors, ``Response.parse`` and ``lint`` use these rules. Codes are stable. The source says how
certain a rule is: ``[OFF]`` the official text of the API module, ``[LIVE]`` reported from a real
line, ``[LIB]`` behaviour of the established libraries, ``[?]`` not confirmed. An unconfirmed rule is
never an error; one that all the established libraries enforce may be.

>>> RULES["after-read"].hint
'put read last: the line asks once per response, and sends a new request with the value'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["RULES", "Level", "LintRule", "Problem"]

Level: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class LintRule:
    """One rule.

    Attributes:
        code: stable, kebab-case.
        level: an error makes the whole response invalid; a warning does not.
        source: ``[OFF]``, ``[LIVE]``, ``[LIB]`` or ``[?]``.
        hint: what to write instead.
    """

    code: str
    level: Level
    source: str
    hint: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule broken at one place.

    Attributes:
        level: ``"error"`` or ``"warning"``.
        code: the rule's stable code, kebab-case.
        message: what is wrong, and the hint.
        position: index of the first invalid character.
        source: source of the rule: ``[OFF]``, ``[LIVE]``, ``[LIB]`` or ``[?]``.
    """

    level: Level
    code: str
    message: str
    position: int
    source: str

    @classmethod
    def from_rule(cls, code: str, reason: str, position: int) -> Problem:
        """Return the problem that the rule ``code`` is broken at ``position``, because of ``reason``."""
        rule = RULES[code]
        return cls(rule.level, code, f"{reason}; {rule.hint}", position, rule.source)


_ERRORS: Final = (
    ("empty-answer", "[OFF]", "answer with an action, e.g. go_to_folder=hangup"),
    ("not-plain-text", "[OFF]", "answer with bare text: no HTML, JSON or byte order mark"),
    ("unknown-action", "[OFF]", "use one of the documented actions"),
    ("empty-action", "[OFF]", "put exactly one & between two actions"),
    ("simple-answer", "[OFF]", "a simple answer is one bare word and the only action"),
    (
        "after-read",
        "[OFF]",
        "put read last: the line asks once per response, and sends a new request with the value",
    ),
    ("after-terminal", "[OFF]", "only id_list_message and music_on_hold may be followed by another action"),
    ("read-shape", "[OFF]", "write read=<messages>=<fields> with exactly one = between them"),
    ("empty-messages", "[OFF]", "give at least one message"),
    ("message-type", "[OFF]", "start each message with its type, e.g. t- or f-; a . ends a message"),
    ("go-to-not-last", "[OFF]", "make the g- message the last one"),
    ("empty-value", "[OFF]", "give it a value"),
    ("text-character", "[OFF]", "pass the text through speakable()"),
    ("text-quote", "[LIVE]", "pass the text through speakable(): quotes were met with M1607"),
    ("text-bar", "[LIB]", "pass the text through speakable(): the established libraries refuse |"),
    ("line-end", "[LIB]", "end the response with its last character: line ends are never sent"),
    ("character", "[OFF]", "remove the character"),
    ("name", "[OFF]", "choose a name without , = & . and not beginning with Api or hangup"),
    ("too-many-fields", "[OFF]", "drop the surplus fields: a shifted field changes its meaning"),
    ("number", "[OFF]", "write a whole number in ASCII digits"),
    ("choice", "[OFF]", "use one of the documented values"),
    ("format", "[OFF]", "write it in the documented form"),
    ("min-above-max", "[OFF]", "lower the minimum or raise the maximum"),
    ("record-folder", "[OFF]", "begin the folder with / and do not end it with /"),
    ("target", "[OFF]", "use /, /1/1, 1, ., .., ../1 or hangup"),
    ("too-many-words", "[OFF]", "split the text into messages of up to 150 words: speakable() does"),
)
_WARNINGS: Final = (
    ("bare-word", "[?]", "name it as a simple answer of Latin letters, or use an action"),
    ("empty-message", "[?]", "put exactly one . between two messages, and none at the end"),
    ("empty-text", "[?]", "say something, or play a silent file"),
    ("name-space", "[?]", "choose a name without white space"),
    ("trailing-slash", "[?]", "drop the / at the end"),
    ("hangup-folder", "[?]", "write hangup without / to end the call; this is a folder"),
    ("percent-encoded", "[?]", "answer with plain UTF-8: what is encoded would be read aloud"),
    ("name-reused", "[OFF]", "use a fresh name: the old value is sent too"),
    ("reuse", "[OFF]", "leave field 2 at no, or the line may answer at once with the old value"),
    ("star-for-unlimited", "[?]", "leave the field empty for no limit"),
    ("undocumented-value", "[?]", "leave the field empty"),
    ("letter-case", "[?]", "write it as documented"),
    ("colon", "[LIVE]", "write : only in times such as 12:30"),
    ("language-he-il", "[?]", "leave the language empty for Hebrew"),
    ("confirmation", "[OFF]", "send no in field 15, or the caller must approve what was typed"),
    ("bare-noop", "[?]", "write noop=comment, or better an action"),
    ("music-message", "[LIB]", "use the music_on_hold action"),
    ("keyboard-length", "[OFF]", "set fields 3 and 4: with such a keyboard both must be set"),
    ("without-record-engine", "[OFF]", "set field 7 to record, or leave fields 8 and 9 empty"),
    ("play-leaves", "[OFF]", "chain a read or go_to_folder: afterwards the caller leaves the extension"),
    ("two-plays", "[?]", "join the messages of both with a ."),
    ("unreachable", "[OFF]", "drop it: the g- message has moved the caller on"),
    ("unconfirmed-character", "[LIB]", "avoid the character: the established libraries refuse it"),
    ("file-extension", "[OFF]", "name the file without its extension"),
    ("long-text", "[LIVE]", "split the text into messages of up to 900 characters: speakable() does"),
    ("long-word", "[OFF]", "split the word: about 300 characters are spoken"),
)

RULES: Final[dict[str, LintRule]] = {
    code: LintRule(code, "error", source, hint) for code, source, hint in _ERRORS
} | {code: LintRule(code, "warning", source, hint) for code, source, hint in _WARNINGS}
"""All rules by code."""
