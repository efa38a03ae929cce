"""How often a handler runs, what it is told, and what becomes of its mistakes."""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.yemot_flow.difference import AnyCall, Difference, Make, answers, dialled
from yemot_ai_testing import Caller

__all__ = ["ROWS"]

PATIENCE = 10.0
"""Seconds after which a gate is taken for stuck; nothing waits that long when all is well."""


def each_request_twice(make: Make) -> str:
    runs: list[str] = []

    async def handler(call: AnyCall) -> None:
        runs.append("top")
        runs.append(await call.read([("text", "א")], val_name="a", max_digits=1))
        runs.append(await call.read([("text", "ב")], val_name="b", max_digits=1))
        call.hangup()

    caller = dialled(make(), handler)
    caller.repeats()
    for key in "12":
        caller.presses(key)
        caller.repeats()
    return f"3 requests, each sent twice: {runs.count('top')} runs"


def one_name_twice(make: Make) -> str:
    got: list[str] = []

    async def handler(call: AnyCall) -> None:
        got[:] = [await call.read([("text", text)], max_digits=1) for text in ("אחת", "שתיים")]
        call.hangup()

    caller = dialled(make(), handler)
    keys = iter("12")
    while caller.question:
        caller.presses(next(keys))
    asked = sum(exchange.body.startswith("read=") for exchange in caller.exchanges)
    return f"two questions, asked {asked}; got {got}"


def hung_up_at_work(make: Make) -> str:
    """Hang up while the handler thinks; it thinks until it is told, or until the hang-up was answered."""
    callers: list[Caller] = []
    log: list[str] = []
    thinking, over = threading.Event(), threading.Event()

    async def handler(call: AnyCall) -> None:
        await call.read([("text", "מה")], val_name="q", max_digits=1)
        thinking.set()
        try:
            while not callers[0].exchanges[-1].hangup:  # noqa: ASYNC110 - nobody could set an event
                await asyncio.sleep(0.01)
            log.append("thought on")
        except asyncio.CancelledError:
            log.append("was told")
            raise
        finally:
            over.set()

    callers.append(dialled(make(), handler))
    callers[0].interrupts(when=thinking.is_set)
    callers[0].presses("1")
    over.wait(PATIENCE)
    told = next(exchange.body for exchange in callers[0].exchanges if exchange.hangup)
    return f"the hang-up is answered {told}; the handler {log[0]}"


def inside_a_loop(make: Make) -> str:
    flow = make()

    async def handler(call: AnyCall) -> None:
        await call.read([("text", "מה")], val_name="q", max_digits=1)

    async def endpoint(pairs: list[tuple[str, str]]) -> str:
        return flow.handle_request(dict(pairs))

    flow.add_route("7", handler)
    with complaints_ignored():
        caller = Caller(endpoint, extension="7", extensions=frozenset({"7"}), strict=False)
        caller.dial()
    return caller.raw  # on a busy machine a poll goes before it


def exceptions(make: Make) -> str:
    def plainly(call: AnyCall) -> None:
        raise ValueError("a handler's mistake")

    async def awaited(call: AnyCall) -> None:
        raise ValueError("a handler's mistake")

    with complaints_ignored():
        return f"def: {answers(dialled(make(), plainly))}; async def: {answers(dialled(make(), awaited))}"


def nothing_and_a_string(make: Make) -> str:
    async def nothing(call: AnyCall) -> None: ...

    def string(call: AnyCall) -> str:
        return "go_to_folder=/5"

    with complaints_ignored():
        return f"None: {answers(dialled(make(), nothing))}; a string: {answers(dialled(make(), string))}"


def read_in_a_plain_handler(make: Make) -> str:
    def handler(call: AnyCall) -> None:
        call.read([("text", "מה")], val_name="q", max_digits=1)

    with complaints_ignored():
        return answers(dialled(make(), handler))


def caught_by_the_handler(make: Make) -> str:
    async def handler(call: AnyCall) -> None:
        with suppress(Exception):  # the handler's own carelessness
            await call.read([("text", "מה")], val_name="q", max_digits=1)
        call.goto("/5")

    return answers(dialled(make(), handler))


@contextmanager
def complaints_ignored() -> Iterator[None]:
    """Let pass what either flow warns of and logs: here its answers are looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        logging.disable()
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


ROWS = (
    Difference(
        13,
        "a handler runs again for a request that was answered before",
        "no source says that a request comes only once",
        "[?]",
        "it runs for each new value; a request that comes again, and a poll, are answered from memory",
        each_request_twice,
        fault=r"6 runs",
        mended=r"3 runs",
    ),
    Difference(
        14,
        "a second question under one name is answered by the first",
        "a name read twice is sent twice; the names are meant to differ",
        "[OFF]",
        "the second goes out as `name_2`",
        one_name_twice,
        fault=r"\['1', '1'\]",
        mended=r"\['1', '2'\]",
    ),
    Difference(
        15,
        "a hang-up is told to nobody",
        "`hangup=yes` says that the caller is gone",
        "[OFF]",
        "the handler at work is cancelled, the session ends, `ai.ending` is called",
        hung_up_at_work,
        fault=r"answered noop; the handler thought on",
        mended=r"answered noop=ended; the handler was told",
    ),
    Difference(
        16,
        "inside a running event loop an async handler does not run",
        "`noop` is ignored: nothing is asked",
        "[OFF]",
        "it runs; `ahandle_request` and the ASGI mount hold the line there as well",
        inside_a_loop,
        fault=r"^noop",
        mended=r"^read=t-מה=q,",
    ),
    Difference(
        17,
        "an exception in an async handler becomes a bare noop",
        "`noop` is ignored: the caller hears nothing, and leaves the extension",
        "[OFF]",
        "a sentence, and up; the exception is logged",
        exceptions,
        fault=r"def: id_list_message=t-תקלה זמנית; async def: noop",
        mended=r"def: (id_list_message=t-סליחה, אירעה תקלה&go_to_folder=\.\.); async def: \1$",
    ),
    Difference(
        18,
        "a handler that says nothing answers noop, and a returned answer is dropped",
        "a bare `noop` is not in the documentation",
        "[?]",
        "up, and a line in the log; a returned answer is checked and sent",
        nothing_and_a_string,
        fault=r"None: noop; a string: noop",
        mended=r"None: go_to_folder=\.\.; a string: go_to_folder=/5",
    ),
    Difference(
        27,
        "read asks nothing in a plain def",
        "nothing is asked unless a `read` goes out",
        "[OFF]",
        "it asks",
        read_in_a_plain_handler,
        fault=r"^noop",
        mended=r"^read=t-מה=q,",
    ),
    Difference(
        28,
        "the handler's own except Exception swallows a question",
        "nothing is asked unless a `read` goes out",
        "[OFF]",
        "the question is asked: what carries it out is no `Exception`",
        caught_by_the_handler,
        fault=r"^go_to_folder=/5",
        mended=r"^read=t-מה=q,",
    ),
)
