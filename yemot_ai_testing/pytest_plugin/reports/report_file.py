"""Writes a file at the end of a run; an error of it fails the run, and hides none of its results."""

from __future__ import annotations

from collections.abc import Callable

import pytest

__all__ = ["write_at_end"]


def write_at_end(session: pytest.Session, option: str, write: Callable[[], object]) -> str:
    """Write the file of an option.

    Args:
        session: fails if the file cannot be written.
        option: for the message.
        write: writes the file.

    Returns:
        Why the file was not written; empty if it was.
    """
    try:
        write()
    except OSError as error:
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return f"{option}: {error.filename} was not written: {error.strerror}"
    return ""
