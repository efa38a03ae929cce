"""The command line grammar of a recorded version, as overrides of the fake's built-in grammar.

The built-in grammar (``yemot_ai_testing.codex.fake.program.argv``) is that of the newest measured version.
The overrides come from the recorded ``--help`` of the other version.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from yemot_ai_testing.codex.fake.program.argv import GRAMMARS, CommandGrammar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from yemot_ai_testing.codex.recordings import Recording

__all__ = ["GrammarOverrides", "grammar_overrides"]

GrammarOverrides: TypeAlias = "dict[str, dict[str, str | None]]"
"""For each command: options and subcommands (``:name``) with the name of their value; empty for those without
a value, None for those that this version does not have."""

_HELP: Final = {"": "help_root", "exec": "help", "resume": "help_resume"}
_OPTION: Final = re.compile(r"^ {2,6}(?:-\w, )?--([a-z][a-z-]*)(?: <([A-Z_0-9=a-z]+)>)?(?:\.\.\.)?$")
_SUBCOMMAND: Final = re.compile(r"^  ([a-z][a-z-]*)  +\S")


def grammar_overrides(recorded: Mapping[str, Recording], newest: Mapping[str, Recording]) -> GrammarOverrides:
    """Return how the grammar of ``recorded`` differs from the built-in one.

    Args:
        recorded: the recordings of a version.
        newest: the recordings of the version of the built-in grammar. An option that the grammar has and
            this help does not show is hidden: all versions are assumed to have it.
    """
    overrides: GrammarOverrides = {}
    for command, case in _HELP.items():
        if case in recorded:
            options, newest_options = _options_in_help(recorded[case]), _options_in_help(newest[case])
            overrides[command] = dict(_overrides(GRAMMARS[command], options, newest_options))
    return overrides


def _overrides(
    grammar: CommandGrammar, recorded: Mapping[str, str], newest: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    commands = {f":{name}": "" for name in grammar.commands}
    built_in = {**dict.fromkeys(grammar.flags, ""), **grammar.values, **commands}
    for name in built_in.keys() & newest.keys() - recorded.keys():
        yield name, None
    for name in recorded.keys() - built_in.keys():
        # Subcommands that the fake does not implement are plain words to it, in every version.
        if not name.startswith(":"):
            yield name, recorded[name]


def _options_in_help(help_text: Recording) -> dict[str, str]:
    lines = [line.text for line in help_text.stdout]
    options = {found[1]: found[2] or "" for line in lines if (found := _OPTION.match(line))}
    before = lines[: lines.index("Options:")] if "Options:" in lines else []
    commands = {f":{found[1]}": "" for line in before if (found := _SUBCOMMAND.match(line))}
    return {**options, **commands}
