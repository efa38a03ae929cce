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

from yemot_ai.ai import YemotAI, current_run
from yemot_ai.errors import (
    CallEndedError,
    ConfigurationError,
    HoldLostError,
    LimitReachedError,
    ResponseSyntaxError,
)
from yemot_ai.flow.call import AICall
from yemot_ai.flow.dialog import DialogSettings, to_text_messages
from yemot_ai.flow.handler_run import HandlerInterrupted, HandlerRun, check_saveable, parse_returned
from yemot_ai.flow.handlers.inflight import InflightRun, run_key
from yemot_ai.flow.handlers.local_calls import LocalCall, LocalCalls
from yemot_ai.flow.rendering import HANGUP, one_level_up, poll_read
from yemot_ai.flow.value_names import Cursor, newest_cursor, visible_values, without_polls
from yemot_ai.flow.visits import cached_response, find_identical_response, find_response
from yemot_ai.protocol import GoToFolder, Message, Play, Request, Response
from yemot_ai.sessions import HandlerOutcome, Session, Visit, hold_key
from yemot_ai.sessions.retry import PendingWrites, retry_while_store_is_away
from yemot_ai.turns.conversation import Conversation

__all__ = ["HANGUP_RESPONSE", "Handler", "HandlerRunner"]

log = logging.getLogger("yemot_ai")

Handler = Callable[[Any], Any]
"""``def`` or ``async def`` of one argument, the call."""

HANGUP_RESPONSE = str(Response((HANGUP,)))

MAX_FAULTS_IN_A_ROW = 3
"""After so many failed visits a caller is let go instead of being led round in a circle."""


class HandlerRunner:
    """Runs handlers; lives on the engine's loop.

    Args:
        flow: whose handlers they are.
        ai: who answers ``ask_ai``.
        dialog: what is said while a handler works, and when it fails.
        local_calls: the calls of this process.
    """

    def __init__(
        self, flow: yemot_flow.Flow, ai: YemotAI, dialog: DialogSettings, local_calls: LocalCalls
    ) -> None:
        self._flow = flow
        self._ai = ai
        self._dialog = dialog
        self._local_calls = local_calls
        self._pending_writes: PendingWrites[HandlerOutcome] = PendingWrites()

    async def answer(self, handler: Handler, request: Request, max_wait: float | None) -> str:
        """Answer ``request`` by the run it belongs to.

        Args:
            handler: whose extension the line is in.
            request: what the line sent.
            max_wait: seconds that the request may be held; None: as the manners say.
        """
        session = await self._ai.store.load(request.call_id) or Session(request.call_id)
        if session.ended:
            return HANGUP_RESPONSE
        visit = session.visit or Visit()
        live = self._local_calls.get_or_create(request.call_id)
        running = self._join_or_start(handler, visit, request, live)
        cursor = newest_cursor(request.values, visit.first_turn)
        polled = cursor is not None and cursor.poll > 0
        usual = self._dialog.poll_wait if polled else self._dialog.answer_wait
        await asyncio.wait({running.task}, timeout=usual if max_wait is None else max_wait)
        if not running.task.done():
            return await self._poll_response(running, live, request, cursor)
        if running.task.cancelled() or isinstance(running.task.exception(), CallEndedError):
            return HANGUP_RESPONSE
        return await self._finish_request(running.task.result(), request)

    def _join_or_start(
        self, handler: Handler, visit: Visit, request: Request, local_call: LocalCall
    ) -> InflightRun:
        """Join what works on this logical request, or begin; an older one is left to itself."""
        key = run_key(visit, request)
        running = local_call.inflight
        if running is not None and running.key == key and not running.has_failed:
            return running
        begun: asyncio.Future[InflightRun] = asyncio.get_running_loop().create_future()
        task = asyncio.get_running_loop().create_task(self._run_or_wait(handler, request, local_call, begun))
        task.add_done_callback(_retrieve_exception)
        running = local_call.inflight = InflightRun(key, task)
        begun.set_result(running)
        return running

    async def _run_or_wait(
        self,
        handler: Handler,
        request: Request,
        local_call: LocalCall,
        registered: asyncio.Future[InflightRun],
    ) -> HandlerOutcome:
        """Execute the handler, or wait for the worker that does; one that has died is replaced."""
        call_id, running = request.call_id, await registered
        key = hold_key("run", call_id, running.key)
        with self._ai.hangup_watch.watching(call_id):
            while True:
                try:
                    async with self._ai.store.hold(key, lease=self._ai.lease):
                        session = await self._ai.store.load(call_id) or Session(call_id)
                        if session.ended:
                            raise CallEndedError(call_id)
                        known = session.find_outcome(running.key)
                        return known or await self._run_handler(
                            handler, session, request, local_call, running
                        )
                except HoldLostError as lost:
                    log.warning("call %s: %s; joining who has it now", call_id, lost)
                    # What has been done already is not done again: nobody may have overtaken us.
                    await self._pending_writes.wait(key)

    async def _run_handler(
        self,
        handler: Handler,
        session: Session,
        request: Request,
        local_call: LocalCall,
        inflight: InflightRun,
    ) -> HandlerOutcome:
        visit = session.visit or Visit()
        run = inflight.run = HandlerRun(
            session.call_id,
            turn_prefix=f"v{visit.number}s",
            values=request.latest,
            names_before=visit.names_before,
        )
        call = self.new_call(run, session, request, local_call)
        answer = await self._response_of(handler, run, call)
        finished = HandlerOutcome(inflight.key, "" if answer is None else str(answer), failed=run.failed)

        def is_newest(now: Session) -> bool:
            moved_on = (
                now.visit is None or now.visit.number != visit.number or local_call.inflight is not inflight
            )
            return not moved_on and not _has_newer_values(now.visit, request)

        writing = self._save_outcome(session.call_id, run, finished, is_newest)
        return await self._pending_writes.write(hold_key("run", session.call_id, inflight.key), writing)

    async def _save_outcome(
        self, call_id: str, run: HandlerRun, outcome: HandlerOutcome, is_newest: Callable[[Session], bool]
    ) -> HandlerOutcome:
        """Write down what a run came to, unless another worker has overtaken us; then that counts.

        Of one that the line has left behind only the answer is kept, should it be asked for again.
        """

        def write(now: Session) -> Session:
            if now.ended:
                raise CallEndedError(now.call_id)
            if now.find_outcome(outcome.run):
                return now
            if not is_newest(now):
                return now.with_outcome(outcome)
            return replace(
                now,
                names={**now.names, **run.names},
                state=now.state if run.failed else run.state,
                faults=now.faults + 1 if run.failed else 0,
            ).with_outcome(outcome)

        session = await retry_while_store_is_away(
            lambda: self._ai.update_session(call_id, write), f"call {call_id}: a run"
        )
        return session.find_outcome(outcome.run) or outcome

    def new_call(
        self,
        run: HandlerRun,
        session: Session,
        request: Request,
        local_call: LocalCall,
        conversation: Conversation | None = None,
    ) -> AICall:
        """Make the call that a handler or an agent's function sees."""
        visit = session.visit or Visit()
        own = {name: value for name, value in request.latest.items() if name.startswith("Api")}
        params = own | visible_values(request.values, session.names, visit.names_before)
        call = AICall(
            params,
            flow=self._flow,
            run=run,
            engine=self._ai.engine,
            conversation=conversation or self._ai.conversation,
            state=copy.deepcopy(dict(session.state)),
            attributes=local_call.attributes,
        )
        self._flow.active_calls[session.call_id] = call
        return call

    async def _response_of(self, handler: Handler, run: HandlerRun, call: AICall) -> Response | None:
        """Return what the handler came to; None when it failed."""
        current_run.set(run)
        try:
            returned = await self.call_function(handler, call)
        except HandlerInterrupted:
            returned = None
        except yemot_flow.CallInterrupted as interrupted:
            returned = interrupted.response
        except CallEndedError:
            raise
        except asyncio.CancelledError as cancelled:
            if _is_being_cancelled():
                raise
            self._record_fault(run, call, cancelled)
            returned = None
        except BaseExceptionGroup as group:
            # A task group wraps the interruption of one of its tasks.
            if run.outcome is None:
                self._record_fault(run, call, group)
            returned = None
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever a handler raises, the caller hears a sentence
            if run.outcome is None:
                self._record_fault(run, call, error)
            returned = None
        return self._finish_run(run, call, returned)

    async def call_function(self, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401 - a developer's
        """Call a developer's function: a coroutine function on the loop, any other in a thread."""
        if inspect.iscoroutinefunction(function):
            return await function(*args)
        returned = await self._ai.engine.run_in_thread(function, *args)
        return await returned if inspect.iscoroutine(returned) else returned

    def _finish_run(self, run: HandlerRun, call: AICall, returned: object) -> Response | None:
        try:
            if returned is not None:
                run.set_outcome(*parse_returned(returned))
            run.state = check_saveable(call.state)
        except (ConfigurationError, ResponseSyntaxError) as error:
            self._record_fault(run, call, error)
        if run.failed:
            return None  # what is said then is decided when the session is known
        answer = run.build_response()
        if answer is None:
            log.warning(
                "call %s: the handler of %r said nothing; the call goes up", run.call_id, call.extension
            )
            answer = Response((one_level_up(call.extension),))
        return answer

    def _record_fault(self, run: HandlerRun, call: AICall, error: BaseException) -> None:
        if isinstance(error, LimitReachedError):
            log.info("call %s: %s", run.call_id, error)
            run.set_outcome(Play(to_text_messages(self._dialog.limit_reached)), one_level_up(call.extension))
            return
        log.error("call %s: the handler of extension %r failed", run.call_id, call.extension, exc_info=error)
        run.failed = True

    async def _poll_response(
        self, inflight: InflightRun, local_call: LocalCall, request: Request, cursor: Cursor | None
    ) -> str:
        known = find_identical_response(local_call.polls, request)
        if known:
            return known
        polled = cursor if cursor and cursor.poll else None
        if not inflight.poll_turn and polled is None:
            return await self._first_poll_response(inflight, request)
        turn = inflight.poll_turn = inflight.poll_turn or (polled.turn if polled else 0)
        number = polled.poll + 1 if polled and polled.turn == turn else 1
        answer = self._render_poll(turn, number, _take_queue(inflight))
        local_call.add_poll(cached_response(request, answer))
        return answer

    async def _first_poll_response(self, inflight: InflightRun, request: Request) -> str:
        """Poll under a new number; kept with the session, so that any worker repeats it."""
        answer, queue = "", _take_queue(inflight)

        def write(session: Session) -> Session:
            nonlocal answer
            if session.ended:
                answer = HANGUP_RESPONSE
                return session
            answer = find_response(session.recent, request) or ""
            if answer:
                return session
            answer = self._render_poll(session.next_turn, 1, queue)
            kept = cached_response(request, answer)
            visit = replace(session.visit or Visit(), seen=request.values)
            return replace(session, next_turn=session.next_turn + 1, visit=visit).with_response(kept)

        session = await self._ai.update_session(request.call_id, write)
        inflight.poll_turn = session.next_turn - 1
        return answer

    def _render_poll(self, turn: int, number: int, queue: tuple[Message, ...]) -> str:
        ask = poll_read(self._dialog, turn=turn, number=number)
        return str(Response((Play(queue), ask) if queue else (ask,)))

    async def _finish_request(self, outcome: HandlerOutcome, request: Request) -> str:
        answer = HANGUP_RESPONSE

        def write(session: Session) -> Session:
            nonlocal answer
            if session.ended:
                answer = HANGUP_RESPONSE
                return session
            known = find_response(session.recent, request)
            if known is not None:  # another worker was faster, or the line has gone on
                answer = known
                return session
            response = (
                self._fault_response(session, request) if outcome.failed else Response.parse(outcome.answer)
            )
            answer = str(response)
            return _with_response(session, request, response)

        await self._ai.update_session(request.call_id, write)
        return answer

    def _fault_response(self, session: Session, request: Request) -> Response:
        """Say sorry and go on: up, from the root to the root again, but not for ever."""
        move: GoToFolder = one_level_up(request.extension) if request.extension else GoToFolder("/")
        if session.faults >= MAX_FAULTS_IN_A_ROW:
            move = HANGUP
        return Response((Play(to_text_messages(self._dialog.internal_error)), move))


def _take_queue(inflight: InflightRun) -> tuple[Message, ...]:
    return inflight.run.take_queue() if inflight.run else ()


def _retrieve_exception(task: asyncio.Task[HandlerOutcome]) -> None:
    """Look at what went wrong: the line may have stopped asking."""
    if not task.cancelled():
        task.exception()


def _has_newer_values(visit: Visit | None, request: Request) -> bool:
    """Tell whether the line has brought further values since ``request``, to whichever worker."""
    seen = visit.seen if visit else ()
    return len(without_polls(seen)) > len(without_polls(request.values))


def _is_being_cancelled() -> bool:
    """Tell a hang-up from a ``CancelledError`` that a handler's own code let out."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _with_response(session: Session, request: Request, response: Response) -> Session:
    visit = session.visit or Visit()
    return replace(session, visit=replace(visit, seen=request.values, left=response.leaves)).with_response(
        cached_response(request, str(response), left=response.leaves)
    )
