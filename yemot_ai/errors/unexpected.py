"""Contain an exception of foreign code whose message may contain what a caller said.

A provider, a transcriber or a hook of a developer may raise any exception, and its message may quote the
prompt. Its type and its frames are enough to find the bug, so only these are logged, and the error that
is raised instead does not refer to it.
"""

from __future__ import annotations

import logging
import traceback
from collections import UserString
from typing import Final

from yemot_ai.errors.provider import ProviderError

__all__ = ["UNEXPECTED", "contain", "log_without_message"]

log = logging.getLogger("yemot_ai")

UNEXPECTED: Final = (Exception, SystemExit, KeyboardInterrupt)
"""The exceptions to contain; not a cancellation, which belongs to the caller of the foreign code."""

_MAX_GROUP_DEPTH: Final = 10
"""Levels of nested exception groups that are logged."""


def contain(error: BaseException, *, source: str, provider: str = "") -> ProviderError:
    """Log ``error`` without its message and return the error to raise for it.

    Raise the result ``from None``: a logged traceback of it would print the message of its cause.

    Args:
        error: the exception of foreign code.
        source: the code that raised it, for the log and the message: the name of a provider or a class.
        provider: ``ProviderError.provider`` of the result.
    """
    log_without_message(error, f"{source} raised an unexpected exception")
    return ProviderError(f"{source} raised {type(error).__name__}", provider=provider)


def log_without_message(error: BaseException, event: str) -> None:
    """Log ``event`` with the type and the frames of ``error``, and of the exceptions in a group.

    Args:
        error: the exception; its message is not logged.
        event: what happened, as the first words of the log record.
    """
    log.error("%s: %s", event, _Description("".join(_describe(error, _MAX_GROUP_DEPTH))))


class _Description(UserString):
    """A text of several lines; line ends in a ``str`` would be escaped."""


def _describe(error: BaseException, levels: int) -> list[str]:
    frames = "".join(traceback.format_tb(error.__traceback__))
    lines = [f"{type(error).__name__}\nTraceback:\n{frames}"]
    if levels and isinstance(error, BaseExceptionGroup):
        lines += [line for inner in error.exceptions for line in _describe(inner, levels - 1)]
    return lines
