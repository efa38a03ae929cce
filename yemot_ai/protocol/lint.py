"""What is wrong with an answer, all of it, with the way out; never raises.

Errors come from the grammar that ``Response.parse`` uses, so that no error means it parses.
Warnings tell what is valid and may surprise, or what nobody has confirmed.

>>> for problem in lint("id_list_message=t-ב-3 בערב&read=t-מה=wish,yes,voice"):
...     print(problem.level, problem.code, problem.position, problem.source)
error text-character 19 [OFF]
warning reuse 27 [OFF]
>>> lint("id_list_message=t-שלום&go_to_folder=hangup")
[]
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from yemot_ai.protocol.actions import Action, Play, Read
from yemot_ai.protocol.grammar import Reading, read_answer
from yemot_ai.protocol.limits import MAX_CHARACTERS, MAX_WORD_CHARACTERS, MAX_WORDS
from yemot_ai.protocol.messages import GoTo, Message, MusicOnHoldMessage, Text
from yemot_ai.protocol.modes import Tap, Voice
from yemot_ai.protocol.rules import Problem
from yemot_ai.protocol.spoken import STRAY_COLON

__all__ = ["lint"]

_Finding = tuple[str, str]


def lint(text: str, known_names: Collection[str] = ()) -> list[Problem]:
    """Tell all that is wrong or doubtful in an answer.

    Args:
        text: the answer's whole body.
        known_names: the names that the call has values of already.

    Returns:
        Problems by position; without an error among them ``Response.parse`` succeeds.
    """
    reading = read_answer(text)
    for index, (action, position) in enumerate(reading.actions):
        for code, reason in _doubts(action, known_names):
            reading.tell(code, reason, position)
        for code, reason in _chain_doubts(reading, index):
            reading.tell(code, reason, position)
    return sorted(reading.problems, key=lambda one: (one.position, one.level))


def _doubts(action: Action, known_names: Collection[str]) -> Iterator[_Finding]:
    if isinstance(action, Play | Read):
        for message in action.messages:
            yield from _message_doubts(message)
    if isinstance(action, Read):
        yield from _read_doubts(action, known_names)


def _message_doubts(message: Message) -> Iterator[_Finding]:
    if isinstance(message, MusicOnHoldMessage):
        yield "music-message", "an h- message is not in the official table"
    if not isinstance(message, Text):
        return
    words = message.text.split()
    if len(words) > MAX_WORDS:
        yield "too-many-words", f"a message has {len(words)} words"
    if len(message.text) > MAX_CHARACTERS:
        yield "long-text", f"a message has {len(message.text)} characters"
    longest = max(map(len, words))
    if longest > MAX_WORD_CHARACTERS:
        yield "long-word", f"a word has {longest} characters"
    if STRAY_COLON.search(message.text):
        yield "colon", "a : stands outside a time"


def _read_doubts(read: Read, known_names: Collection[str]) -> Iterator[_Finding]:
    mode = read.mode
    if read.name in known_names:
        yield "name-reused", f"the call has a value named {read.name!r} already"
    if read.reuse:
        yield "reuse", f"{read.name!r} is not asked if the call has a value of it"
    if isinstance(read.messages[-1], GoTo):
        yield "unreachable", "a g- message ends the question"
    if isinstance(mode, Tap) and mode.confirm and mode.keyboard != "No":
        yield "confirmation", "the caller must approve what was typed"
    if isinstance(mode, Voice) and not mode.record_engine and (mode.silence_seconds or mode.max_seconds):
        yield "without-record-engine", "fields 8 and 9 belong to the record engine"


def _chain_doubts(reading: Reading, index: int) -> Iterator[_Finding]:
    action = reading.actions[index][0]
    if not isinstance(action, Play):
        return
    moves = isinstance(action.messages[-1], GoTo)
    following = [one for one, _ in reading.actions[index + 1 : index + 2]]
    if following and moves:
        yield "unreachable", "an action follows a g- message"
    if following and isinstance(following[0], Play):
        yield "two-plays", "one id_list_message follows another; the second may cancel the first"
    if not following and not moves:
        yield "play-leaves", "the answer ends with id_list_message"
