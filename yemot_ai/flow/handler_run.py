"""One execution of a handler, from its top to its response.

A handler runs from its top for every request that brings a new value; a ``read`` whose value is
already there returns it at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.value_names import unused_name
from yemot_ai.protocol import Action, Message, Play, Response
from yemot_ai.providers.provider import JSON

__all__ = ["HandlerInterrupted", "HandlerRun", "check_saveable", "parse_returned"]


class HandlerInterrupted(BaseException):
    """Raised by ``AICall`` when the response is known: the rest of the handler does not run.

    Not an ``Exception``: a handler's own ``except Exception`` must not swallow it.
    """


class HandlerRun:
    """State of one execution of a handler: its questions, its message queue, its outcome.

    Args:
        call_id: the call.
        turn_prefix: prefix of the steps' turn ids: ``v2s`` for the visit, ``ai_3.`` in a turn.
        values: newest value of each name that the line has sent.
        names_before: the line's names that were used before this visit.

    Attributes:
        names: the line's names used in this visit, with the names that the handler gave.
        outcome: the handler's first decision; later ones are ignored.
        failed: the handler raised before it decided anything.
        state: ``call.state`` at the end of the run.
    """

    def __init__(
        self,
        call_id: str,
        *,
        turn_prefix: str,
        values: Mapping[str, str],
        names_before: Iterable[str],
    ) -> None:
        self.call_id = call_id
        self.names: dict[str, str] = {}
        self.outcome: Response | None = None
        self.failed = False
        self.state: Mapping[str, JSON] = {}
        self._turn_prefix = turn_prefix
        self._values = values
        # Tuples: every call holds its last run, and even an empty set takes 216 bytes.
        self._used_names = tuple(names_before)
        self._step_count = 0
        self._asked_ids: tuple[str, ...] = ()
        self._queue: list[Message] = []
        self._lock = threading.Lock()

    def next_value_name(self, name: str) -> str:
        """Return the line's name for the next use of ``name``."""
        with self._lock:
            line_name = unused_name(name, self._used_names)
            self._used_names += (line_name,)
            self.names[line_name] = name
            return line_name

    def value(self, line_name: str) -> str | None:
        """Return the value that the line has sent under ``line_name``, or None."""
        return self._values.get(line_name)

    def next_step_id(self) -> str:
        """Return the turn id of the next step, by position."""
        with self._lock:
            self._step_count += 1
            return f"{self._turn_prefix}{self._step_count}"

    def mark_asked(self, turn_id: str) -> bool:
        """Record that this run asks ``turn_id``; return whether it is the first time."""
        with self._lock:
            is_first = turn_id not in self._asked_ids
            self._asked_ids += (turn_id,)
            return is_first

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


def parse_returned(returned: object) -> Response:
    """Return what a handler returned as a response; accepts what yemot-flow accepts.

    Raises:
        ConfigurationError: it is not a response, a text or a tuple of actions.
        ResponseSyntaxError: a text is not a valid response.
    """
    if isinstance(returned, Response):
        return returned
    if isinstance(returned, str):
        return Response.parse(returned)
    actions: tuple[Action, ...] = tuple(returned) if isinstance(returned, tuple) else ()
    if actions:
        return Response(actions)
    raise ConfigurationError(
        f"a handler returned {type(returned).__name__}; return nothing, or a response to the line"
    )


def check_saveable(state: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Return ``call.state`` as it will be saved.

    Raises:
        ConfigurationError: it holds a value that JSON cannot represent.
    """
    if not state:
        return {}
    try:
        saved: Mapping[str, JSON] = json.loads(json.dumps(state))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"call.state cannot be saved: {error}; keep text, numbers and lists in it"
        ) from error
    return saved
