"""Errors of the developer's own code, for a test that observes a call.

A flow answers a request with an apology where a handler, an agent's function or a hook fails. The log has the
error; an observer gets it too.

>>> with observe_code_errors() as errors:
...     report_code_error("the hook greet", KeyError("price"))
>>> str(errors[0])
"KeyError: 'price' (the hook greet)"
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from yemot_ai.errors.failure_place import describe_failure

__all__ = ["CodeError", "observe_code_errors", "report_code_error"]


@dataclass(frozen=True, slots=True)
class CodeError:
    """An error of the developer's own code; ``str()`` begins with its file and line.

    Attributes:
        source: which function failed, in words.
        error: the exception.
    """

    source: str
    error: BaseException

    def __str__(self) -> str:
        return f"{describe_failure(_first_error(self.error))} ({self.source})"


def _first_error(error: BaseException) -> BaseException:
    """Return the first error of a group of errors, as of a task group; it has the place and the cause."""
    return _first_error(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


_observed: Final[ContextVar[list[CodeError] | None]] = ContextVar("observed_code_errors", default=None)
"""Of the context that sends the requests; the tasks that answer them inherit it."""


@contextmanager
def observe_code_errors() -> Iterator[list[CodeError]]:
    """Collect the errors of the calls that are made in this context; a context manager."""
    errors: list[CodeError] = []
    token = _observed.set(errors)
    try:
        yield errors
    finally:
        _observed.reset(token)


def report_code_error(source: str, error: BaseException) -> None:
    """Report an error to the observer of the current call, if there is one.

    Args:
        source: which function failed, in words.
        error: the exception.
    """
    errors = _observed.get()
    if errors is not None:
        errors.append(CodeError(source, error))
