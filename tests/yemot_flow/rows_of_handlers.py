"""Rows about the runs of a handler, their cancellation and their errors."""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.yemot_flow.difference import AnyCall, FlowFactory, answers, dial_in, difference
from yemot_ai_testing import Caller

TIMEOUT = 10.0
"""Seconds after which a waiting test gives up."""


@difference(
    13,
    "a handler runs again for a request that was answered before",
    "no source says that a request comes only once",
    "[?]",
    "it runs for each new value; a request that comes again, and a poll, are answered from memory",
    fault=r"6 runs",
    fixed=r"3 runs",
)
def each_request_twice(make: FlowFactory) -> str:
    runs: list[str] = []

    async def handler(call: AnyCall) -> None:
        runs.append("top")
        runs.append(await call.read([("text", "א")], val_name="a", max_digits=1))
        runs.append(await call.read([("text", "ב")], val_name="b", max_digits=1))
        call.hangup()

    caller = dial_in(make(), handler)
    caller.repeats()
    for key in "12":
        caller.presses(key)
        caller.repeats()
    return f"3 requests, each sent twice: {runs.count('top')} runs"


@difference(
    14,
    "a second question under one name is answered by the first",
    "a name read twice is sent twice; the names are meant to differ",
    "[OFF]",
    "the second goes out as `name_2`",
    fault=r"\['1', '1'\]",
    fixed=r"\['1', '2'\]",
)
def two_questions_with_one_name(make: FlowFactory) -> str:
    values: list[str] = []

    async def handler(call: AnyCall) -> None:
        values[:] = [await call.read([("text", text)], max_digits=1) for text in ("אחת", "שתיים")]
        call.hangup()

    caller = dial_in(make(), handler)
    keys = iter("12")
    while caller.question:
        caller.presses(next(keys))
    asked = sum(exchange.body.startswith("read=") for exchange in caller.exchanges)
    return f"two questions, asked {asked}; got {values}"


@difference(
    15,
    "a hang-up reaches no handler",
    "`hangup=yes` says that the caller is gone",
    "[OFF]",
    "the running handler is cancelled, the session ends, `ai.end_callbacks` are called",
    fault=r"answered noop; the handler continued",
    fixed=r"answered noop=ended; the handler was cancelled",
)
def hang_up_during_a_run(make: FlowFactory) -> str:
    """Hang up while the handler works; it works until it is cancelled or the hang-up was answered."""
    callers: list[Caller] = []
    log: list[str] = []
    started, ended = threading.Event(), threading.Event()

    async def handler(call: AnyCall) -> None:
        await call.read([("text", "מה")], val_name="q", max_digits=1)
        started.set()
        try:
            while not callers[0].exchanges[-1].hangup:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
            log.append("continued")
        except asyncio.CancelledError:
            log.append("was cancelled")
            raise
        finally:
            ended.set()

    callers.append(dial_in(make(), handler))
    callers[0].interrupts(when=started.is_set)
    callers[0].presses("1")
    ended.wait(TIMEOUT)
    body = next(exchange.body for exchange in callers[0].exchanges if exchange.hangup)
    return f"the hang-up is answered {body}; the handler {log[0]}"


@difference(
    16,
    "inside a running event loop an async handler does not run",
    "`noop` is ignored: nothing is asked",
    "[OFF]",
    "it runs; `ahandle_request` and the ASGI mount hold the line there as well",
    fault=r"^noop",
    fixed=r"^read=t-מה=q,",
)
def inside_an_event_loop(make: FlowFactory) -> str:
    flow = make()

    async def handler(call: AnyCall) -> None:
        await call.read([("text", "מה")], val_name="q", max_digits=1)

    async def endpoint(pairs: list[tuple[str, str]]) -> str:
        return flow.handle_request(dict(pairs))

    flow.add_route("7", handler)
    with warnings_ignored():
        caller = Caller(endpoint, extension="7", extensions=frozenset({"7"}), strict=False)
        caller.dial()
    return caller.raw  # on a busy machine a poll goes before it


@difference(
    17,
    "an exception in an async handler becomes a bare noop",
    "`noop` is ignored: the caller hears nothing, and leaves the extension",
    "[OFF]",
    "a sentence, and up; the exception is logged",
    fault=r"def: id_list_message=t-תקלה זמנית; async def: noop",
    fixed=r"def: (id_list_message=t-סליחה, אירעה תקלה&go_to_folder=\.\.); async def: \1$",
)
def exceptions(make: FlowFactory) -> str:
    def sync_handler(call: AnyCall) -> None:
        raise ValueError("a handler's mistake")

    async def async_handler(call: AnyCall) -> None:
        raise ValueError("a handler's mistake")

    with warnings_ignored():
        sync, awaited = (answers(dial_in(make(), handler)) for handler in (sync_handler, async_handler))
    return f"def: {sync}; async def: {awaited}"


@difference(
    18,
    "a handler that says nothing answers noop, and a returned answer is dropped",
    "a bare `noop` is not in the documentation",
    "[?]",
    "up, and a line in the log; a returned answer is checked and sent",
    fault=r"None: noop; a string: noop",
    fixed=r"None: go_to_folder=\.\.; a string: go_to_folder=/5",
)
def return_values(make: FlowFactory) -> str:
    async def return_none(call: AnyCall) -> None: ...

    def return_text(call: AnyCall) -> str:
        return "go_to_folder=/5"

    with warnings_ignored():
        none, text = (answers(dial_in(make(), handler)) for handler in (return_none, return_text))
    return f"None: {none}; a string: {text}"


@difference(
    27,
    "read asks nothing in a plain def",
    "nothing is asked unless a `read` goes out",
    "[OFF]",
    "it asks",
    fault=r"^noop",
    fixed=r"^read=t-מה=q,",
)
def read_in_a_plain_handler(make: FlowFactory) -> str:
    def handler(call: AnyCall) -> None:
        call.read([("text", "מה")], val_name="q", max_digits=1)

    with warnings_ignored():
        return answers(dial_in(make(), handler))


@difference(
    28,
    "the handler's own except Exception swallows a question",
    "nothing is asked unless a `read` goes out",
    "[OFF]",
    "the question is asked: the interruption is not an `Exception`",
    fault=r"^go_to_folder=/5",
    fixed=r"^read=t-מה=q,",
)
def except_in_the_handler(make: FlowFactory) -> str:
    async def handler(call: AnyCall) -> None:
        with suppress(Exception):  # the mistake of the handler
            await call.read([("text", "מה")], val_name="q", max_digits=1)
        call.goto("/5")

    return answers(dial_in(make(), handler))


@contextmanager
def warnings_ignored() -> Iterator[None]:
    """Ignore warnings and logs of the flows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        logging.disable()
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
