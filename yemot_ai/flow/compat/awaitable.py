"""The results of ``call.read`` and ``call.ask_ai``: a ``str`` that an async handler may also await.

In a plain handler the value is there when the method returns. In an async handler this holds for
``read`` (which otherwise ends the run), while ``ask_ai`` has to be awaited.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, Never, Self

from yemot_ai.errors import ConfigurationError

__all__ = ["AwaitableStr", "PendingStr"]


class AwaitableStr(str, Coroutine[Any, Any, str]):
    """A text; awaiting it returns the same text.

    >>> import asyncio
    >>> async def handler():
    ...     return await AwaitableStr("5")
    >>> AwaitableStr("5") == "5" == asyncio.run(handler())
    True
    """

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, str]:
        return str(self)
        yield  # an __await__ has to be a generator

    def send(self, value: Any, /) -> Never:  # noqa: ANN401, ARG002 - the signature of Coroutine
        """Raise ``StopIteration`` with the text."""
        raise StopIteration(str(self))

    def throw(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,  # noqa: ARG002 - the signature of Coroutine
    ) -> Never:
        """Raise the exception: nothing here could handle it."""
        if isinstance(typ, BaseException):
            raise typ
        raise val if isinstance(val, BaseException) else typ()

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def __hash__(self) -> int:
        return str.__hash__(self)


class PendingStr(AwaitableStr):
    """An answer that is not there yet: an async handler has to await it.

    Printing it, adding it to a text or taking its length raises ``ConfigurationError``, which names the
    missing ``await``.
    """

    __slots__ = ("_coroutine",)
    _coroutine: Coroutine[Any, Any, str]

    def __new__(cls, coroutine: Coroutine[Any, Any, str]) -> Self:
        """Wrap the coroutine that returns the answer."""
        pending = super().__new__(cls, "")
        pending._coroutine = coroutine
        return pending

    def __await__(self) -> Generator[Any, Any, str]:
        return self._coroutine.__await__()

    def send(self, value: Any, /) -> Any:  # noqa: ANN401 - see AwaitableStr
        """Resume the coroutine."""
        return self._coroutine.send(value)

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:  # noqa: ANN401 - see AwaitableStr
        """Raise inside the coroutine."""
        if val is None and tb is None:
            return self._coroutine.throw(typ)
        return self._coroutine.throw(typ, val, tb)

    def close(self) -> None:
        """Close the coroutine."""
        self._coroutine.close()

    # Compare by identity: asyncio.gather drops equal awaitables, and as texts all would be equal.

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __str__(self) -> str:
        raise ConfigurationError("the answer is not there yet: write 'await call.ask_ai(…)'")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __add__(self, other: str) -> str:
        return str(self) + other

    def __radd__(self, other: str) -> str:
        return other + str(self)

    def __len__(self) -> int:
        return len(str(self))

    def __bool__(self) -> bool:
        return bool(str(self))
