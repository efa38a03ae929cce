"""Launchers: scripts between a provider and Codex, such as npm's or a company's wrapper.

They change the input and output of the real Codex, whose own output cannot be scripted.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.executable import write_executable

if TYPE_CHECKING:
    from tests.support.codex import Codex

__all__ = ["launcher"]

_BEHAVIOURS: Final = {
    "warns on standard error": 'echo "a newer version is there" >&2; exec "$codex" "$@"',
    # As npm's launcher: the program is its child.
    "waits for its child": '"$codex" "$@"; exit $?',
    "exits with code 3": '"$codex" "$@"; exit 3',
    "drops the thread id": """
        for word do
            shift
            case $word in
                resume | ????????-????-????-????-????????????) ;;
                *) set -- "$@" "$word" ;;
            esac
        done
        exec "$codex" "$@"
    """,
    "drops the last line": '"$codex" "$@" | sed \'$d\'',
    "does not end the last line": 'printf %s "$("$codex" "$@")"',
    "prints an unknown event": 'echo \'{"type":"thread.renamed","name":"x"}\'; exec "$codex" "$@"',
    "prints other text": 'echo "Updating…"; exec "$codex" "$@"',
}


def launcher(codex: Codex, behaviour: str) -> Path:
    """Return a program that runs ``codex``, with this behaviour for ``--json``.

    It is beside the executable and is deleted with it.
    """
    folder = Path(codex.executable).parents[1] / "launchers"
    folder.mkdir(exist_ok=True)
    path = folder / behaviour.replace(" ", "-")
    write_executable(
        path,
        f"#!/bin/sh\ncodex={shlex.quote(str(codex.executable))}\n"
        f'case " $* " in *" --json "*) ;; *) exec "$codex" "$@" ;; esac\n{_BEHAVIOURS[behaviour]}\n',
    )
    return path
