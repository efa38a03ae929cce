"""An API as one server serves it: the standard shapes, its errors, and its quirks.

Pure: no server, no clock. The standard shapes are in the modules of the APIs; the tables of the servers are
in ``servers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from yemot_ai_testing.doubles.model_service.api import ErrorResponse
from yemot_ai_testing.doubles.steps import Answer, Calls, Cut, Failure, UnknownSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yemot_ai_testing.doubles.model_service.api import ModelAPI
    from yemot_ai_testing.doubles.steps import CutReason, FailureKind

__all__ = [
    "Ending",
    "Quirk",
    "Rewrite",
    "ServedAPI",
    "ServedAnswer",
    "ServedEvent",
    "ServerError",
    "ServerQuirks",
]

Ending = Literal["clean", "open", "unclean"]
"""What a server does after the last event of a stream: it ends the HTTP response, it leaves the connection
open until the client closes it, or it closes the connection without the end of the response."""

DEFAULT_WAIT: Final = 1.0
"""Seconds, in an error that always names a wait."""


@dataclass(frozen=True, slots=True)
class ServedEvent:
    """One event of a stream.

    Attributes:
        content: its JSON; a text is a comment.
        is_text: whether it is a piece of the answer.
        name: the name of an event whose API has none.
    """

    content: Mapping[str, Any] | str
    is_text: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class ServedAnswer:
    """One answer, whole and as a stream.

    Attributes:
        body: the JSON of the whole answer.
        events: the events of the stream.
        status: the HTTP status of the whole answer; a stream has 200.
        thoughts: what the model thinks before the answer, not yet in a notation.
        cut: why the answer has no end; None for a complete one.
        end: bytes after the last event.
        ending: what the server does after them.
    """

    body: Mapping[str, Any]
    events: tuple[ServedEvent, ...]
    status: int = 200
    thoughts: str = ""
    cut: CutReason | None = None
    end: bytes = b""
    ending: Ending = "clean"


Rewrite: TypeAlias = Callable[[ServedAnswer], ServedAnswer]
"""Changes the standard shape of an answer to the one of a server."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One deviation of a server from the standard shape.

    Attributes:
        rewrite: makes it.
        source: where it was reported or documented.
    """

    rewrite: Rewrite
    source: str


@dataclass(frozen=True, slots=True)
class ServerError:
    """One error of a server.

    Attributes:
        status: the HTTP status.
        body: the JSON; its texts may have ``{model}``, ``{response}`` (the id of the lost response) and
            ``{wait}`` (seconds).
        source: where it was reported or documented.
        streamed: whether a stream reports it in an event, after status 200.
        event_name: the name of that event, if the API's events have none.
        event_body: its JSON, if it is not that of the response.
        headers: the HTTP headers.
        retry_header: whether the server sends ``retry-after``.
    """

    status: int
    body: object
    source: str
    streamed: bool = False
    event_name: str = ""
    event_body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_header: bool = True


@dataclass(frozen=True, slots=True)
class ServedAPI:
    """One API of a server.

    Attributes:
        api: the standard shapes.
        errors: the server's errors, by the names of ``ProviderError.kind``; others have the standard shape.
        quirks: its deviations, applied in this order.
    """

    api: ModelAPI
    errors: Mapping[str, ServerError] = field(default_factory=dict)
    quirks: tuple[Quirk, ...] = ()

    def answer(
        self, step: Answer | Calls | Cut, unique_id: str, *, request: Mapping[str, Any]
    ) -> ServedAnswer:
        """Return an answer with the id ``unique_id``.

        Args:
            step: what the model answers.
            unique_id: the id of the answer, without the prefix of the API.
            request: the body of the request.
        """
        whole = step if isinstance(step, Answer) else Answer(step.pieces)
        if not self.api.HAS_ITEMS:
            whole = whole.as_one_message()
        cut = step.reason if isinstance(step, Cut) else None
        if isinstance(step, Calls):
            body = self.api.calls_body(step, unique_id, request=request)
        else:
            body = self.api.response_body(whole, unique_id, request=request)
        if cut in {"length", "content_filter"}:
            body = self.api.cut_body(body, cut)
        answer = ServedAnswer(
            body,
            tuple(self._events(body, whole.pieces)),
            thoughts=whole.thoughts,
            cut=cut,
            end=self.api.STREAM_END,
        )
        if cut == "error":
            answer = self._with_error(answer, unique_id, request=request)
        for quirk in self.quirks:
            answer = quirk.rewrite(answer)
        return answer

    def error(self, step: Failure | UnknownSession, *, request: Mapping[str, Any]) -> ErrorResponse:
        """Return the HTTP response of a failure; the parameters are those of ``answer``."""
        kind, wait = _kind_and_wait(step)
        row = self.errors.get(kind)
        if row is None:
            if isinstance(step, UnknownSession):
                raise LookupError("this API keeps no conversations")
            return self.api.error_response(step)
        headers = {} if wait is None or not row.retry_header else {"retry-after": f"{wait:g}"}
        values = {
            "{model}": str(request.get("model", "")),
            "{response}": str(request.get("previous_response_id", "")),
            "{wait}": f"{DEFAULT_WAIT if wait is None else wait:g}",
        }
        return ErrorResponse(row.status, {**row.headers, **headers}, _filled(row.body, values))

    def failed_stream(
        self, step: Failure | UnknownSession, unique_id: str, *, request: Mapping[str, Any]
    ) -> ServedAnswer:
        """Return a stream that fails after status 200; it has no events if the server sends an HTTP error."""
        row = self.errors.get(_kind_and_wait(step)[0])
        events: Sequence[Mapping[str, Any]] = ()
        name = row.event_name if row is not None else ""
        if row is None and isinstance(step, Failure):
            events = self.api.error_events(step, unique_id, request=request)
        elif row is not None and row.streamed:
            error = self.error(step, request=request)
            if row.event_body is not None:
                error = replace(error, body=row.event_body)
            events = self.api.failed_events(error, unique_id, request=request)
        served = tuple(ServedEvent(event, name=name) for event in events)
        return ServedAnswer({}, served, end=self.api.STREAM_END)

    def encode(self, event: ServedEvent) -> bytes:
        """Return the bytes of an event."""
        if isinstance(event.content, str):
            return f": {event.content}\n\n".encode()
        name = f"event: {event.name}\n".encode() if event.name else b""
        return name + self.api.encode_event(event.content)

    def _events(self, body: Mapping[str, Any], pieces: Sequence[str]) -> list[ServedEvent]:
        return [
            ServedEvent(event, self.api.is_delta(event)) for event in self.api.stream_events(body, pieces)
        ]

    def _with_error(
        self, answer: ServedAnswer, unique_id: str, *, request: Mapping[str, Any]
    ) -> ServedAnswer:
        """Replace the end of an answer by an error of the service."""
        error = self.error(Failure("overloaded"), request=request)
        last = max((number for number, event in enumerate(answer.events) if event.is_text), default=-1)
        failed = self.api.failed_events(error, unique_id, request=request)[-1]
        events = (*answer.events[: last + 1], ServedEvent(failed))
        return replace(answer, status=error.status, body=error.body, events=events)


@dataclass(frozen=True, slots=True)
class ServerQuirks:
    """A model server: the APIs that it serves, as it serves them.

    Attributes:
        name: its name for ``ModelServer(quirks=…)``.
        apis: its APIs; a request for another path is answered with 404.
    """

    name: str
    apis: tuple[ServedAPI, ...]

    @property
    def keeps_conversations(self) -> bool:
        """Whether a request can continue a conversation that the server keeps."""
        return any("session_lost" in one.errors for one in self.apis)

    def ending(self, ending: Ending) -> ServerQuirks:
        """Return the same server, with another end of its streams.

        Args:
            ending: what it does after the last event.

        Raises:
            ValueError: there is no such ending.
        """
        if ending not in get_args(Ending):
            raise ValueError(f"a stream ends {', '.join(get_args(Ending))}, not {ending!r}")
        quirk = Quirk(lambda answer: replace(answer, ending=ending), "the caller of ending()")
        apis = tuple(replace(one, quirks=(*one.quirks, quirk)) for one in self.apis)
        return replace(self, apis=apis)


def _kind_and_wait(step: Failure | UnknownSession) -> tuple[FailureKind | str, float | None]:
    return ("session_lost", None) if isinstance(step, UnknownSession) else (step.kind, step.retry_after)


def _filled(body: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return ``body`` with the placeholders of its texts replaced."""
    if isinstance(body, Mapping):
        return {name: _filled(value, values) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, values) for value in body]
    if isinstance(body, str):
        for placeholder, value in values.items():
            body = body.replace(placeholder, value)
    return body
