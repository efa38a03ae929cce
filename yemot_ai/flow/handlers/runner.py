"""Plain handlers: started once per logical request, joined by repeats and polls."""

from __future__ import annotations

import asyncio
import copy
import inspect
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import yemot_flow

from yemot_ai.ai import YemotAI, asking
from yemot_ai.errors import (
    CallEndedError,
    ConfigurationError,
    HoldLostError,
    LimitReachedError,
    ResponseSyntaxError,
)
from yemot_ai.flow.call import AICall
from yemot_ai.flow.dialog import Manners, sentence
from yemot_ai.flow.handler_run import Run
from yemot_ai.flow.handlers.inflight import Running, key_of
from yemot_ai.flow.handlers.local_calls import LiveCall, LiveCalls
from yemot_ai.flow.interruption import Interruption
from yemot_ai.flow.polling import hang_up, poll, up
from yemot_ai.flow.returned import response_of
from yemot_ai.flow.state import saveable
from yemot_ai.flow.value_names import Cursor, newest_cursor, visible, without_polls
from yemot_ai.flow.visits import answered, known_answer, recall
from yemot_ai.protocol import GoToFolder, Message, Play, Request, Response
from yemot_ai.sessions import Finished, Session, Visit, hold_key
from yemot_ai.sessions.retry import Writings, persistently
from yemot_ai.turns.conversation import Conversation

__all__ = ["HANG_UP", "Handler", "PlainHandlers"]

log = logging.getLogger("yemot_ai")

Handler = Callable[[Any], Any]
"""``def`` or ``async def`` of one argument, the call."""

HANG_UP = str(Response((hang_up,)))

FAULTS_IN_A_ROW = 3
"""After so many failed visits a caller is let go instead of being led round in a circle."""


class PlainHandlers:
    """Runs handlers; lives on the engine's loop.

    Args:
        flow: whose handlers they are.
        ai: who answers ``ask_ai``.
        manners: what is said while a handler works, and when it fails.
        live: the calls of this process.
    """

    def __init__(self, flow: yemot_flow.Flow, ai: YemotAI, manners: Manners, live: LiveCalls) -> None:
        self._flow = flow
        self._ai = ai
        self._manners = manners
        self._live = live
        self._writings: Writings[Finished] = Writings()

    async def answer(self, handler: Handler, request: Request, hold: float | None) -> str:
        """Answer ``request`` by the run it belongs to.

        Args:
            handler: whose extension the line is in.
            request: what the line sent.
            hold: seconds that the request may be held; None: as the manners say.
        """
        session = await self._ai.store.load(request.call_id) or Session(request.call_id)
        if session.ended:
            return HANG_UP
        visit = session.visit or Visit()
        live = self._live.of(request.call_id)
        running = self._running(handler, visit, request, live)
        cursor = newest_cursor(request.values, visit.first_turn)
        polled = cursor is not None and cursor.poll > 0
        usual = self._manners.poll_hold if polled else self._manners.hold
        await asyncio.wait({running.task}, timeout=usual if hold is None else hold)
        if not running.task.done():
            return await self._poll(running, live, request, cursor)
        if running.task.cancelled() or isinstance(running.task.exception(), CallEndedError):
            return HANG_UP
        return await self._conclude(running.task.result(), request)

    def _running(self, handler: Handler, visit: Visit, request: Request, live: LiveCall) -> Running:
        """Join what works on this logical request, or begin; an older one is left to itself."""
        key = key_of(visit, request)
        running = live.run
        if running is not None and running.key == key and not running.is_broken:
            return running
        begun: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
        task = asyncio.get_running_loop().create_task(self._work(handler, request, live, begun))
        task.add_done_callback(_seen)
        running = live.run = Running(key, task)
        begun.set_result(running)
        return running

    async def _work(
        self, handler: Handler, request: Request, live: LiveCall, begun: asyncio.Future[Running]
    ) -> Finished:
        """Execute the handler, or wait for the worker that does; one that has died is replaced."""
        call_id, running = request.call_id, await begun
        key = hold_key("run", call_id, running.key)
        with self._ai.watch.over(call_id):
            while True:
                try:
                    async with self._ai.store.hold(key, lease=self._ai.lease):
                        session = await self._ai.store.load(call_id) or Session(call_id)
                        if session.ended:
                            raise CallEndedError(call_id)
                        known = session.outcome(running.key)
                        return known or await self._execute(handler, session, request, live, running)
                except HoldLostError as lost:
                    log.warning("call %s: %s; joining who has it now", call_id, lost)
                    # What has been done already is not done again: nobody may have overtaken us.
                    await self._writings.wait(key)

    async def _execute(
        self, handler: Handler, session: Session, request: Request, live: LiveCall, running: Running
    ) -> Finished:
        visit = session.visit or Visit()
        run = running.run = Run(
            session.call_id,
            turn_prefix=f"v{visit.number}s",
            values=request.latest,
            names_before=visit.names_before,
        )
        call = self.new_call(run, session, request, live)
        answer = await self._handle(handler, run, call)
        finished = Finished(running.key, "" if answer is None else str(answer), failed=run.failed)

        def is_newest(now: Session) -> bool:
            moved_on = now.visit is None or now.visit.number != visit.number or live.run is not running
            return not moved_on and not _goes_beyond(now.visit, request)

        writing = self._write_down(session.call_id, run, finished, is_newest)
        return await self._writings.down(hold_key("run", session.call_id, running.key), writing)

    async def _write_down(
        self, call_id: str, run: Run, finished: Finished, is_newest: Callable[[Session], bool]
    ) -> Finished:
        """Write down what a run came to, unless another worker has overtaken us; then that counts.

        Of one that the line has left behind only the answer is kept, should it be asked for again.
        """

        def write(now: Session) -> Session:
            if now.ended:
                raise CallEndedError(now.call_id)
            if now.outcome(finished.run):
                return now
            if not is_newest(now):
                return now.with_outcome(finished)
            return replace(
                now,
                names={**now.names, **run.names},
                state=now.state if run.failed else run.state,
                faults=now.faults + 1 if run.failed else 0,
            ).with_outcome(finished)

        session = await persistently(lambda: self._ai.update(call_id, write), f"call {call_id}: a run")
        return session.outcome(finished.run) or finished

    def new_call(
        self,
        run: Run,
        session: Session,
        request: Request,
        live: LiveCall,
        conversation: Conversation | None = None,
    ) -> AICall:
        """Make the call that a handler or an agent's function sees."""
        visit = session.visit or Visit()
        own = {name: value for name, value in request.latest.items() if name.startswith("Api")}
        params = own | visible(request.values, session.names, visit.names_before)
        call = AICall(
            params,
            flow=self._flow,
            run=run,
            engine=self._ai.engine,
            conversation=conversation or self._ai.conversation,
            state=copy.deepcopy(dict(session.state)),
            attributes=live.attributes,
        )
        self._flow.active_calls[session.call_id] = call
        return call

    async def _handle(self, handler: Handler, run: Run, call: AICall) -> Response | None:
        """Return what the handler came to; None when it failed."""
        asking.set(run)
        try:
            returned = await self.execute(handler, call)
        except Interruption:
            returned = None
        except yemot_flow.CallInterrupted as interrupted:
            returned = interrupted.response
        except CallEndedError:
            raise
        except asyncio.CancelledError as cancelled:
            if _is_cancelled_by_us():
                raise
            self._fault(run, call, cancelled)
            returned = None
        except BaseExceptionGroup as group:
            # A task group wraps the interruption of one of its tasks.
            if run.outcome is None:
                self._fault(run, call, group)
            returned = None
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever a handler raises, the caller hears a sentence
            if run.outcome is None:
                self._fault(run, call, error)
            returned = None
        return self._finish(run, call, returned)

    async def execute(self, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401 - a developer's
        """Call a developer's function: a coroutine function on the loop, any other in a thread."""
        if inspect.iscoroutinefunction(function):
            return await function(*args)
        returned = await self._ai.engine.in_thread(function, *args)
        return await returned if inspect.iscoroutine(returned) else returned

    def _finish(self, run: Run, call: AICall, returned: object) -> Response | None:
        try:
            if returned is not None:
                run.decide(*response_of(returned))
            run.state = saveable(call.state)
        except (ConfigurationError, ResponseSyntaxError) as error:
            self._fault(run, call, error)
        if run.failed:
            return None  # what is said then is decided when the session is known
        answer = run.answer()
        if answer is None:
            log.warning(
                "call %s: the handler of %r said nothing; the call goes up", run.call_id, call.extension
            )
            answer = Response((up(call.extension),))
        return answer

    def _fault(self, run: Run, call: AICall, error: BaseException) -> None:
        if isinstance(error, LimitReachedError):
            log.info("call %s: %s", run.call_id, error)
            run.decide(Play(sentence(self._manners.limit_reached)), up(call.extension))
            return
        log.error("call %s: the handler of extension %r failed", run.call_id, call.extension, exc_info=error)
        run.failed = True

    async def _poll(self, running: Running, live: LiveCall, request: Request, cursor: Cursor | None) -> str:
        known = known_answer(live.polls, request)
        if known:
            return known
        polled = cursor if cursor and cursor.poll else None
        if not running.poll_turn and polled is None:
            return await self._first_poll(running, request)
        turn = running.poll_turn = running.poll_turn or (polled.turn if polled else 0)
        number = polled.poll + 1 if polled and polled.turn == turn else 1
        answer = self._rendered_poll(turn, number, _queue(running))
        live.polled(answered(request, answer))
        return answer

    async def _first_poll(self, running: Running, request: Request) -> str:
        """Poll under a new number; kept with the session, so that any worker repeats it."""
        answer, queue = "", _queue(running)

        def write(session: Session) -> Session:
            nonlocal answer
            if session.ended:
                answer = HANG_UP
                return session
            answer = recall(session.recent, request) or ""
            if answer:
                return session
            answer = self._rendered_poll(session.next_turn, 1, queue)
            kept = answered(request, answer)
            visit = replace(session.visit or Visit(), seen=request.values)
            return replace(session, next_turn=session.next_turn + 1, visit=visit).with_answer(kept)

        session = await self._ai.update(request.call_id, write)
        running.poll_turn = session.next_turn - 1
        return answer

    def _rendered_poll(self, turn: int, number: int, queue: tuple[Message, ...]) -> str:
        ask = poll(self._manners, turn=turn, number=number)
        return str(Response((Play(queue), ask) if queue else (ask,)))

    async def _conclude(self, finished: Finished, request: Request) -> str:
        answer = HANG_UP

        def write(session: Session) -> Session:
            nonlocal answer
            if session.ended:
                answer = HANG_UP
                return session
            known = recall(session.recent, request)
            if known is not None:  # another worker was faster, or the line has gone on
                answer = known
                return session
            response = self._apology(session, request) if finished.failed else Response.parse(finished.answer)
            answer = str(response)
            return _written(session, request, response)

        await self._ai.update(request.call_id, write)
        return answer

    def _apology(self, session: Session, request: Request) -> Response:
        """Say sorry and go on: up, from the root to the root again, but not for ever."""
        move: GoToFolder = up(request.extension) if request.extension else GoToFolder("/")
        if session.faults >= FAULTS_IN_A_ROW:
            move = hang_up
        return Response((Play(sentence(self._manners.fault)), move))


def _queue(running: Running) -> tuple[Message, ...]:
    return running.run.take_queue() if running.run else ()


def _seen(task: asyncio.Task[Finished]) -> None:
    """Look at what went wrong: the line may have stopped asking."""
    if not task.cancelled():
        task.exception()


def _goes_beyond(visit: Visit | None, request: Request) -> bool:
    """Tell whether the line has brought further values since ``request``, to whichever worker."""
    seen = visit.seen if visit else ()
    return len(without_polls(seen)) > len(without_polls(request.values))


def _is_cancelled_by_us() -> bool:
    """Tell a hang-up from a ``CancelledError`` that a handler's own code let out."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _written(session: Session, request: Request, response: Response) -> Session:
    visit = session.visit or Visit()
    return replace(session, visit=replace(visit, seen=request.values, left=response.leaves)).with_answer(
        answered(request, str(response), left=response.leaves)
    )
