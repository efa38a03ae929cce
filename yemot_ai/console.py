"""Run a command in a terminal, in a pipe, or without any: what its output may meet is no traceback.

>>> run_command("shop", lambda: 0)
0
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, Final

__all__ = ["INTERRUPTED", "run_command"]

INTERRUPTED: Final = 130
"""The exit code of a command that Ctrl-C has ended."""


def run_command(program: str, command: Callable[[], int]) -> int:
    """Run a command and return its exit code.

    Characters that the terminal lacks are escaped; a standard stream that is closed is ``/dev/null``.

    Args:
        program: the name that begins the message of an error.
        command: parses the arguments, does the work and returns the exit code.

    Returns:
        The exit code of the command; 1 if the reader of its output is gone (``| head``), 2 for a file or
        an output that the system refuses, 130 after Ctrl-C.
    """
    _open_closed_streams()
    _escape_what_cannot_be_encoded()
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        _discard_output()
        print(f"{program}: {_described(error)}", file=sys.stderr)  # noqa: T201 - a command line prints
        return 2
    return code


def _open_closed_streams() -> None:
    """Open what the program was started without; else a file or a socket would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            # As Python opens its own: not closed at the end, of which it would warn.
            setattr(sys, name, open(opened, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _escape_what_cannot_be_encoded() -> None:
    stdout: Any = sys.stdout
    if hasattr(stdout, "reconfigure"):
        stdout.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Let the interpreter flush the rest into nothing: the write that failed would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _described(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
