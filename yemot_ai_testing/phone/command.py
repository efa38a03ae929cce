"""What a person does on the phone, as a command: the same words in the terminal, the page and ``--step``.

>>> parse_command("says שלום לכם")
PhoneCommand(verb='says', text='שלום לכם')
>>> str(PhoneCommand("hangs_up"))
'hangs-up'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yemot_ai.errors.missing_names import closest
from yemot_ai.protocol import Tap, Voice
from yemot_ai.protocol.read_modes import Mode
from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.states import (
    Asking,
    Confirming,
    Holding,
    Idle,
    Outside,
    Over,
    Paying,
    Performing,
    RecordingMenu,
    Requesting,
    State,
    Transferred,
)

__all__ = [
    "COMMANDS",
    "COMMAND_NAMES",
    "CommandError",
    "PhoneCommand",
    "parse_command",
    "possible_commands",
    "unknown_command",
]


@dataclass(frozen=True, slots=True)
class CommandSyntax:
    """One command.

    Attributes:
        text: what its text is; empty for none.
        purpose: what it does.
        needs_text: whether it can do nothing without its text.
        passes_text: whether the text is the argument of the caller's method.
    """

    text: str
    purpose: str
    needs_text: bool = True
    passes_text: bool = True


COMMANDS: Final = {
    "says": CommandSyntax("TEXT", "speak"),
    "mumbles": CommandSyntax("", "speak unclearly", needs_text=False, passes_text=False),
    "presses": CommandSyntax("KEYS", "press keys: digits, * and #"),
    "records": CommandSyntax("TEXT", "record TEXT", needs_text=False, passes_text=False),
    "silent": CommandSyntax(
        "", "say nothing until the line stops waiting", needs_text=False, passes_text=False
    ),
    "repeats": CommandSyntax(
        "", "send the last request again, as a line that got no answer", needs_text=False, passes_text=False
    ),
    "goes_to": CommandSyntax("TARGET", "go to another folder of the line"),
    "hangs_up": CommandSyntax("", "hang up", needs_text=False, passes_text=False),
}
"""By the name of the caller's method."""


class CommandError(ToolkitError):
    """A command that a phone does not have, or one without its text."""


@dataclass(frozen=True, slots=True)
class PhoneCommand:
    """One command; ``verb`` is a name of ``COMMANDS``."""

    verb: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.verb.replace('_', '-')} {self.text}".rstrip()

    def perform(self, caller: Caller) -> str:
        """Do it, and return what is heard then.

        Raises:
            WrongVerbError: the line does not take it now.
            EndlessLineError: the line does not wait for the caller again.
        """
        arguments = (self.text,) if COMMANDS[self.verb].passes_text else ()
        heard: str = getattr(caller, self.verb)(*arguments)
        return heard


COMMAND_NAMES: Final = tuple(str(PhoneCommand(verb)) for verb in COMMANDS)


def unknown_command(name: str, names: Sequence[str]) -> CommandError:
    """Return the error for a command that is none of ``names``; it suggests a similar one."""
    similar = closest(name, names)
    hint = f": did you mean {similar!r}? It" if similar else "; it"
    return CommandError(f"a phone has no command {name!r}{hint} has {', '.join(names)}")


def parse_command(text: str) -> PhoneCommand:
    """Return the command that a person has written, such as ``says שלום`` or ``hangs-up``.

    Raises:
        CommandError: there is no such command, or its text is missing.
    """
    name, _, rest = text.strip().partition(" ")
    verb, rest = name.replace("-", "_").lower(), rest.strip()
    syntax = COMMANDS.get(verb)
    if syntax is None:
        raise unknown_command(name, COMMAND_NAMES)
    if syntax.needs_text and not rest:
        raise CommandError(f"{name} needs {syntax.text}: {name} {syntax.text}")
    if not syntax.text and rest:
        raise CommandError(f"{name} takes no text, not {rest!r}")
    return PhoneCommand(verb, rest)


def possible_commands(state: State) -> tuple[str, ...]:
    """Return the verbs that the line takes in a state; it decides itself about their texts."""
    if isinstance(state, Asking):
        return (*_verbs_for(state.read.mode), "repeats", "hangs_up")
    return _VERBS_BY_STATE[type(state)]


_VERBS_BY_STATE: Final[dict[type[State], tuple[str, ...]]] = {
    Idle: (),
    Requesting: ("hangs_up",),
    Performing: ("hangs_up",),
    Confirming: ("presses", "silent", "repeats", "hangs_up"),
    RecordingMenu: ("presses", "silent", "repeats", "hangs_up"),
    Paying: ("presses", "repeats", "hangs_up"),
    Holding: ("presses", "hangs_up"),
    Outside: ("presses", "goes_to", "hangs_up"),
    Transferred: ("hangs_up",),
    Over: (),
}


def _verbs_for(mode: Mode) -> tuple[str, ...]:
    """Return what answers a question."""
    match mode:
        case Voice(block_keys=block_keys, record_engine=record_engine):
            keys = () if block_keys or record_engine else ("presses",)
            return ("says", *keys, "silent", "mumbles")
        case Tap():
            return ("presses", "silent")
    return ("records",)
