"""The engine: one event loop in a daemon thread, on which turns and providers run.

Yemot's requests come in the threads or loops of a web server; a turn must outlive its request, and a
shared client (OpenAI, Redis) must be used from one event loop only. So there is one loop per process,
started at first use and again after a fork::

    engine = Engine.shared()
    engine.run(some_coroutine())          # from a thread: blocks
    await engine.arun(some_coroutine())   # from any event loop, the engine's own included

``Engine.on_running_loop()`` starts no thread: it uses the loop on which it is created.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import os
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, ParamSpec, TypeVar

from yemot_ai._runtime.threads import await_in_daemon_thread
from yemot_ai._runtime.watchdog import Heartbeat, LoopMonitor, watch
from yemot_ai.errors import EngineLoopError
from yemot_ai.errors.unexpected import log_without_message

__all__ = ["Engine", "run_without_waiting"]

P = ParamSpec("P")
T = TypeVar("T")


WORKER_THREADS = 256
"""How many calls of one plain (``def``) handler or agent's function may run at once.

Each occupies a thread while a model writes.
"""

BACKGROUND_THREADS = 32
"""How many blocking functions that no caller waits for may run at once."""


class Engine:
    """An event loop in a daemon thread.

    Args:
        new_loop: creates the loop; tests pass one with virtual time.

    Attributes:
        waiting: how many requests, in any thread or loop, wait for the engine.
        working: how many worker threads run user code and do not wait for the engine. A virtual clock may
            only advance while ``working`` is 0 and ``waiting`` is not.
        monitor: what blocks the loop, and after how many seconds that is logged.
    """

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop) -> None:
        self.waiting = 0
        self.working = 0
        self.monitor = LoopMonitor()
        self._new_loop = new_loop
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._owns_loop = True
        self._reset_semaphores()
        self._local = threading.local()
        _engines.add(self)

    @staticmethod
    @functools.cache
    def shared() -> Engine:
        """Return the engine of this process."""
        return Engine()

    @staticmethod
    def existing() -> list[Engine]:
        """Return the engines of this process."""
        return list(_engines)

    @classmethod
    def on_running_loop(cls) -> Engine:
        """Return an engine that runs its work on the running loop, whatever drives that loop.

        It has no thread and never stops the loop. The thread of the loop must not block: it awaits the
        async methods.

        Raises:
            RuntimeError: if no loop runs in this thread.
        """
        engine = cls()
        engine._loop, engine._thread = asyncio.get_running_loop(), threading.current_thread()
        engine._owns_loop = False
        engine.watch_running_loop()
        return engine

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; started at the first access.

        Raises:
            EngineLoopError: if the engine was created on a running loop that no longer runs.
        """
        loop = self._loop
        if loop is None:
            return self._start()
        if not self._owns_loop and not loop.is_running():
            raise EngineLoopError(
                "the loop on which this engine was created no longer runs: create the engine, and what uses "
                "it, on the running loop, or use Engine.shared()"
            )
        return loop

    @property
    def is_current(self) -> bool:
        """Whether the calling code runs on the engine's loop."""
        running = asyncio._get_running_loop()  # noqa: SLF001 - the public one raises where no loop runs
        return running is not None and running is self._loop

    def watch_running_loop(self) -> None:
        """Log what blocks the running loop, which a server may drive; it must run in this thread."""
        watch(asyncio.get_running_loop(), threading.current_thread(), self.monitor)

    def _heartbeat(self, loop: asyncio.AbstractEventLoop) -> Heartbeat | None:  # noqa: ARG002 - for engines with a loop of their own
        """Return what says whether ``loop`` continues; None: the watchdog asks it."""
        return None

    def time(self) -> float:
        """Return Unix time in seconds; virtual on an engine with virtual time."""
        return time.time()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start ``coroutine`` on the loop and return at once."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop_for(coroutine))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` on the loop and block until it is done.

        Raises:
            EngineLoopError: if called in the thread of the engine's loop, which it would block forever.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise EngineLoopError(
                "a blocking method was called in an async handler: await its async variant instead "
                "(areply, aask, aend, ahandle_request)"
            )
        return self._submit_counted(coroutine).result()

    async def arun(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` on the loop and await it from any loop."""
        if self.is_current:
            return await coroutine
        return await asyncio.wrap_future(self._submit_counted(coroutine))

    async def run_in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function in a worker thread; a cancellation does not stop the thread."""
        return await self._run_in_thread(self._thread_slots, functools.partial(function, *args, **kwargs))

    async def call(self, function: Callable[..., Any], /, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - a developer's
        """Call a developer's function: a coroutine function on the loop, any other one in a worker thread.

        Each function has its ``WORKER_THREADS``, and may have parameters of any name.
        """
        if inspect.iscoroutinefunction(function):
            return await function(*args, **kwargs)
        # A function that waits for seconds, in hundreds of calls, must not keep the others from a thread.
        slots = self._slots_by_function.setdefault(id(function), asyncio.Semaphore(WORKER_THREADS))
        returned = await self._run_in_thread(slots, functools.partial(function, *args, **kwargs))
        return await returned if inspect.iscoroutine(returned) else returned

    async def run_in_background(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function that no caller waits for; if these block, handlers still get threads."""
        return await self._run_in_thread(self._background_slots, functools.partial(function, *args, **kwargs))

    async def _run_in_thread(self, semaphore: asyncio.Semaphore, function: Callable[[], T]) -> T:
        def work() -> T:
            self._local.is_worker = True
            try:
                return context.run(function)
            finally:
                self._local.is_worker = False  # the thread may work for another engine next

        context = contextvars.copy_context()
        # Counted on the loop, before the thread starts and after its result has arrived: a virtual clock
        # must not advance in between.
        self._count(working=1)
        try:
            async with semaphore:
                return await await_in_daemon_thread(work)
        finally:
            self._count(working=-1)

    def _submit_counted(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Submit a coroutine whose caller waits; a worker thread that waits does not count as working.

        Counted on the loop, where nothing runs between the count and the work: a virtual clock must not
        advance before work that was just submitted, nor before a waiter that just got its result.
        """
        loop = self._loop_for(coroutine)
        counted = self._counted(coroutine, int(getattr(self._local, "is_worker", False)))
        future = asyncio.run_coroutine_threadsafe(counted, loop)

        def close_if_cancelled(done: Future[T]) -> None:
            if done.cancelled():
                with contextlib.suppress(RuntimeError):  # the loop is closed: nothing will start
                    loop.call_soon_threadsafe(_close_unstarted, coroutine)

        future.add_done_callback(close_if_cancelled)
        return future

    def _loop_for(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.AbstractEventLoop:
        """Return the loop; if it cannot be used, close the coroutine, which would warn that it never ran."""
        try:
            return self.loop
        except EngineLoopError:
            coroutine.close()
            raise

    async def _counted(self, coroutine: Coroutine[Any, Any, T], worker: int) -> T:
        self._count(waiting=1 - worker, working=-worker)
        try:
            return await coroutine
        finally:
            self._count(waiting=worker - 1, working=worker)

    def _count(self, *, waiting: int = 0, working: int = 0) -> None:
        with self._lock:
            self.waiting += waiting
            self.working += working

    def close(self) -> None:
        """Stop the loop and its thread; a later use starts them again. A loop of others continues."""
        if not self._owns_loop:
            return
        with self._lock:
            loop, self._loop, self._thread = self._loop, None, None
        if loop is not None:
            _stop(loop)

    def _reset_semaphores(self) -> None:
        self._thread_slots = asyncio.Semaphore(WORKER_THREADS)
        # By id, for as long as the function runs somewhere: not every callable can be hashed.
        self._slots_by_function: weakref.WeakValueDictionary[int, asyncio.Semaphore] = (
            weakref.WeakValueDictionary()
        )
        self._background_slots = asyncio.Semaphore(BACKGROUND_THREADS)

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = self._new_loop()
                self._reset_semaphores()
                weakref.finalize(self, _stop, loop).atexit = False
                self._thread = threading.Thread(
                    target=_run_forever, args=(loop,), name="yemot-ai-engine", daemon=True
                )
                self._thread.start()
                self._loop = loop
                watch(loop, self._thread, self.monitor, self._heartbeat(loop))
            return self._loop

    def _reset_after_fork(self) -> None:
        # A forked child has copies of the parent's objects, but not its threads.
        self._lock = threading.Lock()
        self._loop = self._thread = None
        self._owns_loop = True
        self.waiting = self.working = 0


def _close_unstarted(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Close a coroutine that was cancelled before it started, which would warn that it was never awaited.

    Called on the loop: a coroutine that has started there must not be closed.
    """
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()


_engines: weakref.WeakSet[Engine] = weakref.WeakSet()
_stopped: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()


def _after_fork() -> None:
    for engine in Engine.existing():
        engine._reset_after_fork()  # noqa: SLF001 - the same module


os.register_at_fork(after_in_child=_after_fork)


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    """Stop the loop and end its thread; from any thread."""
    if loop in _stopped:
        return  # a second stop would interrupt the end of its tasks
    _stopped.add(loop)
    with contextlib.suppress(RuntimeError):  # closed already
        loop.call_soon_threadsafe(loop.stop)


def _run_forever(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while loop not in _stopped:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            # asyncio raises these two out of the loop; one handler must not end the calls of others.
            log_without_message(error, "something on the engine tried to end the process")
    _cancel_all(loop)
    loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))


def run_without_waiting(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, without an event loop.

    The async methods of an immediate store never wait; code that uses only these can run in the thread
    of the request.

    Raises:
        RuntimeError: if the coroutine waits.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # a coroutine's return value is untyped here
    coroutine.close()
    raise RuntimeError(f"{coroutine!r} had to wait: its store is not immediate")
