"""How the command line of a recorded Codex differs from the one that the fake reads by itself.

The fake's own grammar (``fake_codex_argv``) is that of the newest measured version; what an older or a
newer one takes stands in its recorded ``--help``.
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
"""For each level of the command line: options and subcommands (``:name``) with the name of their value,
empty for those without, or None for those that this version does not have."""

_HELP: Final = {"": "help_root", "exec": "help", "resume": "help_resume"}
_OPTION: Final = re.compile(r"^ {2,6}(?:-\w, )?--([a-z][a-z-]*)(?: <([A-Z_0-9=a-z]+)>)?(?:\.\.\.)?$")
_SUBCOMMAND: Final = re.compile(r"^  ([a-z][a-z-]*)  +\S")


def grammar_overrides(recorded: Mapping[str, Recording], newest: Mapping[str, Recording]) -> GrammarOverrides:
    """What the grammar of ``recorded`` has otherwise than the fake's own.

    Args:
        recorded: the recordings of a version.
        newest: those of the version whose grammar the fake reads by itself. What its help does not show,
            but its grammar has, is hidden: every version is believed to have it.
    """
    found: GrammarOverrides = {}
    for level, case in _HELP.items():
        if case in recorded:
            own = _options_in_help(newest[case])
            told = _options_in_help(recorded[case])
            found[level] = dict(_overrides(GRAMMARS[level], told, own))
    return found


def _overrides(
    level: CommandGrammar, recorded: Mapping[str, str], newest: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    has = {**dict.fromkeys(level.flags, ""), **level.values, **{f":{name}": "" for name in level.commands}}
    for name in has.keys() & newest.keys() - recorded.keys():
        yield name, None
    for name in recorded.keys() - has.keys():
        # Subcommands that the fake plays no part in are words to it, in every version.
        if not name.startswith(":"):
            yield name, recorded[name]


def _options_in_help(help_text: Recording) -> dict[str, str]:
    lines = [line.text for line in help_text.stdout]
    options = {found[1]: found[2] or "" for line in lines if (found := _OPTION.match(line))}
    before = lines[: lines.index("Options:")] if "Options:" in lines else []
    commands = {f":{found[1]}": "" for line in before if (found := _SUBCOMMAND.match(line))}
    return {**options, **commands}
