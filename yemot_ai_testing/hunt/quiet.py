"""Keep what an application prints and logs off the terminal, and note the exceptions that it logs.

>>> with quiet() as errors:
...     print("not shown")
...     try:
...         {}["key"]
...     except KeyError:
...         logging.getLogger("shop").exception("call 1")
>>> errors.texts[0].partition(" (at ")[0]
"KeyError: 'key'"
"""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import traceback
import warnings
from collections.abc import Iterator

__all__ = ["LoggedErrors", "quiet"]


class LoggedErrors(logging.Handler):
    """Collects the exceptions that are logged as errors.

    Attributes:
        texts: each exception once, with the place where it was raised.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the exception of a record."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return
        while error.__cause__ is not None:  # the product names the function, its cause the fault
            error = error.__cause__
        frames = traceback.extract_tb(error.__traceback__)
        place = f" (at {frames[-1].filename}:{frames[-1].lineno})" if frames else ""
        text = f"{type(error).__name__}: {error}{place}"
        if text not in self.texts:
            self.texts.append(text)

    def stop(self) -> None:
        """Discard all that is logged from now on."""
        logging.disable(logging.CRITICAL)


@contextlib.contextmanager
def quiet() -> Iterator[LoggedErrors]:
    """Discard what is printed, warned of and logged; a context manager."""
    errors, root = LoggedErrors(), logging.getLogger()
    disabled, handlers, excepthook = root.manager.disable, root.handlers, threading.excepthook
    logging.disable(logging.WARNING)
    root.handlers = [errors]
    threading.excepthook = lambda _failure: None
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield errors
    finally:
        threading.excepthook = excepthook
        root.handlers = handlers
        logging.disable(disabled)
