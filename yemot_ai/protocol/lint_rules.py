"""The rules for responses: code, level, source and hint of each.

Constructors, ``Response.parse`` and ``lint`` use these rules. Codes are stable. The source says how
certain a rule is: ``[OFF]`` the official text of the API module, ``[LIVE]`` reported from a real
line, ``[LIB]`` what libraries do, ``[CODE]`` seen in code, ``[?]`` not confirmed. Only what the official
text or a real line confirms is an error.

>>> RULES["after-read"].hint
'put read last: the line asks once per response, and sends a new request with the value'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from yemot_ai.protocol.normalizer.substitutes import describe_substitutes

__all__ = ["RULES", "Level", "LintRule", "Problem"]

Level: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class LintRule:
    """One rule.

    Attributes:
        code: stable, kebab-case.
        level: an error makes the whole response invalid; a warning does not.
        source: ``[OFF]``, ``[LIVE]``, ``[LIB]``, ``[CODE]`` or ``[?]``.
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
        source: source of the rule: ``[OFF]``, ``[LIVE]``, ``[LIB]``, ``[CODE]`` or ``[?]``.
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


def _speakable(characters: str) -> str:
    return f"pass the text through speakable(); in another language, {describe_substitutes(characters)}"


_ERRORS: Final = (
    ("empty-answer", "[OFF]", "answer with an action, e.g. go_to_folder=hangup"),
    ("not-plain-text", "[OFF]", "answer with bare text: no HTML and no JSON"),
    ("unknown-action", "[OFF]", "use one of the documented actions"),
    (
        "simple-answer",
        "[OFF]",
        f"a simple answer is one word, alone, and names no action; in a text, {describe_substitutes('&')}",
    ),
    (
        "after-read",
        "[OFF]",
        "put read last: the line asks once per response, and sends a new request with the value",
    ),
    ("after-terminal", "[OFF]", "only id_list_message and music_on_hold may be followed by another action"),
    ("read-mode", "[OFF]", "write voice, record, or the most digits, in field 3"),
    ("read-shape", "[OFF]", "write read=<messages>=<fields> with exactly one = between them"),
    ("empty-messages", "[OFF]", "give at least one message"),
    (
        "message-type",
        "[OFF]",
        "start each message with its type, e.g. t- or f-; a . ends a message, so in a text "
        + describe_substitutes("."),
    ),
    ("go-to-not-last", "[OFF]", "make the g- message the last one"),
    ("empty-value", "[OFF]", "give it a value"),
    ("text-character", "[OFF]", _speakable(".-")),
    ("text-quote", "[LIVE]", _speakable("\"'")),
    ("character", "[OFF]", "remove the character, and answer in UTF-8; between actions, write &"),
    ("name", "[OFF]", "choose a name without , = & . that does not begin with Api and is not hangup"),
    ("too-many-fields", "[OFF]", "drop the surplus fields: a shifted field changes its meaning"),
    ("number", "[OFF]", "write up to 100 digits 0-9, without a sign"),
    ("choice", "[OFF]", "use one of the documented values"),
    ("format", "[OFF]", "write it in the documented form"),
    ("min-above-max", "[OFF]", "lower the minimum or raise the maximum: no input has both"),
    ("record-folder", "[OFF]", "begin the folder with / and do not end it with /"),
    ("target", "[OFF]", "use /, /1/1, 1, ., .., ../1 or hangup"),
)
_WARNINGS: Final = (
    ("line-end", "[?]", "send nothing around it: that the line accepts this is not confirmed"),
    ("byte-order-mark", "[?]", "save the source file as UTF-8 without a byte order mark"),
    (
        "white-space",
        "[?]",
        "remove the blanks and invisible marks: that the line ignores them is not confirmed",
    ),
    (
        "hangup-space",
        "[?]",
        "write exactly hangup: this may be a folder, and the call continues",
    ),
    ("empty-action", "[?]", "put exactly one & between two actions"),
    ("bare-word", "[?]", "name it as a simple answer of Latin letters, or use an action"),
    ("answer-setting", "[OFF]", "answer with what follows api_answer_, which is for ext.ini"),
    ("empty-message", "[?]", "put exactly one . between two messages, and none at the end"),
    ("empty-key", "[?]", "put exactly one . between two keys, and none at the end"),
    ("comma-joined", "[?]", "join messages with a ."),
    ("empty-text", "[?]", "say something, or play a silent file"),
    ("equals-sign", "[?]", f"avoid = outside fields: in a text, {describe_substitutes('=')}"),
    ("text-bar", "[LIB]", f"{_speakable('|')}: some libraries refuse it"),
    ("text-line-end", "[?]", _speakable("\n\t") + "; between actions, write &"),
    ("too-many-words", "[OFF]", "split the text into messages of up to 150 words: speakable() does"),
    ("name-space", "[?]", "choose a name without white space"),
    ("trailing-slash", "[?]", "drop the / at the end"),
    ("hangup-folder", "[?]", "write hangup without / to end the call; this is a folder"),
    ("percent-encoded", "[?]", "answer with plain UTF-8: what is encoded would be read aloud"),
    ("name-reused", "[OFF]", "use a fresh name: the old value is sent too"),
    ("reuse", "[OFF]", "leave field 2 at no, or the line may answer at once with the old value"),
    ("star-for-unlimited", "[?]", "leave the field empty for no limit"),
    ("undocumented-value", "[?]", "leave the field empty"),
    ("letter-case", "[?]", "write it as documented"),
    ("phone-number", "[?]", "write digits only: whether the line dials anything else is not confirmed"),
    ("leading-zero", "[?]", "send the digits with d-: a number is spoken without its leading zeros"),
    ("padded-number", "[?]", "write the number without leading zeros"),
    ("long-number", "[?]", "check the number: it has more than 20 digits"),
    ("empty-fields", "[?]", "drop the commas at the end: the official table ends there"),
    (
        "undescribed-field",
        "[?]",
        "leave it out: the official text mentions but does not describe it",
    ),
    ("missing-seconds", "[?]", "write the seconds before it, or two commas"),
    ("colon", "[LIVE]", "write : only in times such as 12:30"),
    ("language-he-il", "[?]", "leave the language empty for Hebrew"),
    ("confirmation", "[OFF]", "send no in field 15"),
    ("bare-noop", "[?]", "write noop=comment, or better an action"),
    ("music-message", "[LIB]", "use the music_on_hold action"),
    ("keyboard-length", "[OFF]", "set fields 3 and 4: with such a keyboard both must be set"),
    ("without-record-engine", "[OFF]", "set field 7 to record, or leave both empty"),
    ("play-leaves", "[OFF]", "chain a read or go_to_folder: afterwards the caller leaves the extension"),
    ("two-plays", "[?]", "join the messages of both with a ."),
    ("unreachable", "[OFF]", "drop it: the g- message has moved the caller on"),
    ("unconfirmed-character", "[LIB]", "avoid the character: some libraries refuse it"),
    ("file-extension", "[OFF]", "name the file without its extension"),
    ("long-text", "[CODE]", "split the text into messages of up to 900 characters: speakable() does"),
    ("long-word", "[OFF]", "split the word: about 300 characters are spoken"),
)

RULES: Final[dict[str, LintRule]] = {
    code: LintRule(code, "error", source, hint) for code, source, hint in _ERRORS
} | {code: LintRule(code, "warning", source, hint) for code, source, hint in _WARNINGS}
"""All rules by code."""
