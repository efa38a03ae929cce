"""One execution of a handler, from its top to its response.

A handler runs from its top for every request that brings a new value; a ``read`` whose value is
already there returns it at once.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from yemot_ai.errors import ConfigurationError
from yemot_ai.errors.source_place import function_place, source_place
from yemot_ai.flow.value_names import unused_name
from yemot_ai.protocol import Action, Message, Play, Read, Response
from yemot_ai.providers.provider import JSON

__all__ = ["HandlerInterrupted", "HandlerRun", "check_saveable", "is_async"]

T = TypeVar("T")


class HandlerInterrupted(BaseException):
    """Raised by ``BaseCall`` when the response is known: the rest of the handler does not run.

    Not an ``Exception``: a handler's own ``except Exception`` must not swallow it.
    """


class HandlerRun:
    """State of one execution of a handler: its questions, its message queue, its outcome.

    Args:
        call_id: the call.
        step_prefix: prefix of the steps' turn ids: ``v2s`` for the visit, ``ai_3.`` in a turn.
        turn_id: the turn that an agent's function answers; "" in a plain handler.
        line_ids: the line's own ids of the call, if others identify it.
        rewrite: ``DialogSettings.rewrite``, applied to the texts that the handler plays.
        values: newest value of each name that the line has sent.
        names_before: the line's names that were used before this visit.

    Attributes:
        call_id: the call.
        turn_id, line_ids, rewrite: see above.
        names: the line's names used in this visit, with the names that the handler gave.
        outcome: the handler's first decision; later ones are ignored.
        failed: the handler raised before it decided anything.
        apology: what a caller hears of a run that failed ("" for ``DialogSettings.internal_error``).
        state: ``call.state`` at the end of the run.
        step_ids: the turn ids of the steps so far.
        read_place: ``file:line`` of the ``read`` of an agent's function, which is a mistake.
    """

    def __init__(  # noqa: PLR0913 - called in two places
        self,
        call_id: str,
        *,
        step_prefix: str,
        values: Mapping[str, str],
        names_before: Iterable[str],
        rewrite: Callable[[str], str] = str,
        turn_id: str = "",
        line_ids: tuple[str, ...] = (),
    ) -> None:
        self.call_id = call_id
        self.line_ids = line_ids
        self.turn_id = turn_id
        self.rewrite = rewrite
        self.names: dict[str, str] = {}
        self.outcome: Response | None = None
        self.failed = False
        self.apology = ""
        self.read_place = ""
        self.state: Mapping[str, JSON] = {}
        self._step_prefix = step_prefix
        self._values = values
        # Tuples: every call holds its last run, and even an empty set takes 216 bytes.
        self._used_names = tuple(names_before)
        self._step_count = 0
        self.step_ids: tuple[str, ...] = ()
        self._repeated_ids: tuple[str, ...] = ()
        self._unawaited: tuple[tuple[Coroutine[Any, Any, Any], str], ...] = ()
        self._queue: list[Message] = []
        self._lock = threading.Lock()

    def next_value_name(self, name: str, val_name: str) -> str:
        """Return the line's name for the next use of ``name``.

        Args:
            name: a name that the line takes.
            val_name: the handler's name for the value.
        """
        with self._lock:
            line_name = unused_name(name, self._used_names)
            self._used_names += (line_name,)
            self.names[line_name] = val_name
            return line_name

    def value(self, line_name: str) -> str | None:
        """Return the value that the line has sent under ``line_name``, or None."""
        return self._values.get(line_name)

    def start_step(self, turn_id: str | None = None) -> str:
        """Start a step; return its turn id, which is its position unless ``turn_id`` is given."""
        with self._lock:
            if not turn_id:
                self._step_count += 1
                turn_id = f"{self._step_prefix}{self._step_count}"
            self.step_ids += (turn_id,)
            return turn_id

    def mark_repeated(self, turn_id: str) -> bool:
        """Record that a step has a stored answer; return whether it is the first time in this run."""
        with self._lock:
            is_first = turn_id not in self._repeated_ids
            self._repeated_ids += (turn_id,)
            return is_first

    def track(self, coroutine: Coroutine[Any, Any, T], name: str) -> Coroutine[Any, Any, T]:
        """Return ``coroutine``; ``check_awaited`` finds it if it was never awaited or made a task.

        Args:
            coroutine: what a method of the call returns to an async handler.
            name: the method, for the error.
        """
        place = f"{source_place()}: {name}"
        with self._lock:
            started = tuple(pair for pair in self._unawaited if _is_unawaited(pair[0]))
            self._unawaited = (*started, (coroutine, place))
        return coroutine

    def check_awaited(self) -> None:
        """Check that the handler has awaited what it has called, unless a ``read`` has ended the run.

        Call it on the engine's loop.

        Raises:
            ConfigurationError: names file, line and method of the first call that was never awaited.
        """
        with self._lock:
            unawaited = [pair for pair in self._unawaited if _is_unawaited(pair[0])]
            self._unawaited = ()
        in_tasks = {task.get_coro() for task in asyncio.all_tasks()} if unawaited else set()
        places = [place for coroutine, place in unawaited if coroutine not in in_tasks]
        for coroutine, _ in unawaited:
            if coroutine not in in_tasks:
                coroutine.close()
        is_asking = self.outcome is not None and isinstance(tuple(self.outcome)[-1], Read)
        if places and not is_asking:
            place = places[0].rpartition(": ")[0]
            raise ConfigurationError(f"{places[0]} was never awaited: write 'await' before it", place=place)

    def queue_messages(self, messages: tuple[Message, ...]) -> None:
        """Queue messages for the next action of the handler."""
        with self._lock:
            if self.outcome is None:
                self._queue.extend(messages)

    def clear_queue(self) -> None:
        """Drop the queue: the messages before an answered step have been played."""
        with self._lock:
            self._queue.clear()

    def take_queue(self) -> tuple[Message, ...]:
        """Return and empty the queue."""
        with self._lock:
            queue, self._queue = tuple(self._queue), []
            return queue

    def set_outcome(self, *actions: Action) -> None:
        """Set the outcome unless it is set; the queue is played before it."""
        with self._lock:
            if self.outcome is None:
                self.outcome = Response(actions)

    def build_response(self) -> Response | None:
        """Return queue and outcome as one response, or None if both are empty."""
        queue = self.take_queue()
        actions = tuple(self.outcome) if self.outcome else ()
        if queue and actions and isinstance(actions[0], Play):
            # Two id_list_message in a row are not documented.
            actions = (Play((*queue, *actions[0].messages)), *actions[1:])
        elif queue:
            actions = (Play(queue), *actions)
        return Response(actions) if actions else None


def _is_unawaited(coroutine: Coroutine[Any, Any, Any]) -> bool:
    return inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether calling ``function`` returns a coroutine, so that it gets an ``AsyncAICall``.

    Also true for an object with an ``async def __call__``, for ``functools.partial``, and for a decorator
    with ``functools.wraps`` around an ``async def``.
    """
    return any(
        inspect.iscoroutinefunction(candidate)
        for candidate in (function, inspect.unwrap(function), getattr(function, "__call__", None))  # noqa: B004 - its kind is asked
    )


def check_saveable(state: Mapping[str, JSON], function: Callable[..., Any]) -> Mapping[str, JSON]:
    """Return ``call.state`` as it will be saved; ``function`` has set it.

    Raises:
        ConfigurationError: it holds a value that JSON cannot represent.
    """
    if not state:
        return {}
    try:
        saved: Mapping[str, JSON] = json.loads(json.dumps(state))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"call.state cannot be saved: {error}; keep text, numbers and lists in it",
            place=function_place(function),
        ) from error
    return saved
