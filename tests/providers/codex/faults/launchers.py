"""Launchers: programs that stand between a provider and Codex, as npm's, a wrapper of a company, a pipe.

They do to the real Codex, whose words nobody can choose, what a bad day does to it.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from tests.support.codex import Codex

__all__ = ["launcher"]

_TURNS: Final = {
    "warns on standard error": 'echo "a newer version is there" >&2; exec "$codex" "$@"',
    # As npm's launcher: the program is its child, and it waits for it.
    "stays until the end": '"$codex" "$@"; exit $?',
    "ends badly": '"$codex" "$@"; exit 3',
    "forgets which thread to resume": """
        for word do
            shift
            case $word in
                resume | ????????-????-????-????-????????????) ;;
                *) set -- "$@" "$word" ;;
            esac
        done
        exec "$codex" "$@"
    """,
    "loses the last line": '"$codex" "$@" | sed \'$d\'',
    "leaves the last line open": 'printf %s "$("$codex" "$@")"',
    "tells of an event of the future": 'echo \'{"type":"thread.renamed","name":"x"}\'; exec "$codex" "$@"',
    "talks in between": 'echo "Updating…"; exec "$codex" "$@"',
}


def launcher(codex: Codex, habit: str) -> Path:
    """A program that runs ``codex`` and, when it is asked for a turn, has this habit.

    It lies beside the executable, and goes when that goes.
    """
    folder = Path(codex.executable).parents[1] / "launchers"
    folder.mkdir(exist_ok=True)
    path = folder / habit.replace(" ", "-")
    write_executable(
        path,
        f"#!/bin/sh\ncodex={shlex.quote(str(codex.executable))}\n"
        f'case " $* " in *" --json "*) ;; *) exec "$codex" "$@" ;; esac\n{_TURNS[habit]}\n',
    )
    return path
