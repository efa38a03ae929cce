"""Runs plain handlers: each run is started once; repeated requests and polls join it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

import yemot_flow

from yemot_ai._calls.runtime import Runtime
from yemot_ai._runtime.tasks import KeyedTasks, name_task, retrieve_exception
from yemot_ai.ai import current_run
from yemot_ai.errors import (
    CallEndedError,
    ConfigurationError,
    HoldLostError,
    LimitReachedError,
    ProviderError,
    ResponseSyntaxError,
)
from yemot_ai.errors.code_errors import report_code_error
from yemot_ai.errors.source_place import describe_function
from yemot_ai.flow.call import AICall, AsyncAICall, BaseCall, CallFactory
from yemot_ai.flow.compat.awaitables import DONE
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.flow.handler_run import HandlerInterrupted, HandlerRun, check_saveable, is_async
from yemot_ai.flow.handlers.inflight import InflightRun, run_key
from yemot_ai.flow.handlers.local_calls import LocalCall, LocalCalls
from yemot_ai.flow.handlers.returned import parse_returned, warn_of_moves
from yemot_ai.flow.rendering import HANGUP, HANGUP_RESPONSE, failure_sentence, one_level_up, poll_read
from yemot_ai.flow.value_names import Cursor, newest_cursor
from yemot_ai.flow.visits import (
    cached_response,
    find_identical_response,
    find_response,
    has_newer_values,
    with_response,
)
from yemot_ai.protocol import Action, GoToFolder, Message, Play, Request, Response
from yemot_ai.sessions import HandlerOutcome, Session, Visit, hold_key
from yemot_ai.sessions.retry import retry_while_store_is_away

__all__ = ["Handler", "HandlerRunner"]

log = logging.getLogger("yemot_ai")

HandlerResult: TypeAlias = Response | str | tuple[Action, ...] | None

Handler: TypeAlias = Callable[[AICall], HandlerResult] | Callable[[AsyncAICall], Awaitable[HandlerResult]]
"""``def`` or ``async def`` of one argument, the call."""

MAX_FAULTS_IN_A_ROW = 3
"""After this many failed visits the call is ended, so that it does not loop."""


class HandlerRunner:
    """Runs plain handlers, on the engine's loop.

    Args:
        runtime: has the store and the engine.
        new_call: makes the calls of the handlers.
        dialog: sentences for a handler that is slow or fails.
        local_calls: the calls of this process.
    """

    def __init__(
        self, runtime: Runtime, new_call: CallFactory, dialog: DialogSettings, local_calls: LocalCalls
    ) -> None:
        self._runtime = runtime
        self._new_call = new_call
        self._dialog = dialog
        self._local_calls = local_calls
        self._pending_writes: KeyedTasks[str, HandlerOutcome] = KeyedTasks()

    async def answer(self, handler: Handler, request: Request, max_wait: float | None) -> str:
        """Return the response to ``request`` from its run, or a poll.

        Args:
            handler: the handler of the extension.
            request: the request.
            max_wait: maximum wait in seconds; None: as in the dialog settings.
        """
        session = await self._runtime.store.load(request.call_key) or Session(request.call_key)
        if session.ended:
            return HANGUP_RESPONSE
        visit = session.visit or Visit()
        local_call = self._local_calls.get_or_create(request.call_key)
        inflight = self._join_or_start(handler, visit, request, local_call)
        cursor = newest_cursor(request.values, visit.first_turn, session.next_turn)
        is_poll = cursor is not None and cursor.poll > 0
        default_wait = self._dialog.poll_wait if is_poll else self._dialog.answer_wait
        await asyncio.wait({inflight.task}, timeout=default_wait if max_wait is None else max_wait)
        if not inflight.task.done():
            return await self._poll_response(inflight, local_call, request, cursor)
        if inflight.task.cancelled() or isinstance(inflight.task.exception(), CallEndedError):
            return HANGUP_RESPONSE
        return await self._finish_request(inflight.task.result(), request)

    def _join_or_start(
        self, handler: Handler, visit: Visit, request: Request, local_call: LocalCall
    ) -> InflightRun:
        """Join the run that answers ``request``, or start it; an older run of the call continues."""
        key = run_key(visit, request)
        inflight = local_call.inflight
        if inflight is not None and inflight.key == key and not inflight.has_failed:
            return inflight
        loop = asyncio.get_running_loop()
        registered: asyncio.Future[InflightRun] = loop.create_future()
        task = loop.create_task(self._run_or_wait(handler, request, local_call, registered))
        task.add_done_callback(retrieve_exception)
        inflight = local_call.inflight = InflightRun(key, task)
        registered.set_result(inflight)
        return inflight

    async def _run_or_wait(
        self,
        handler: Handler,
        request: Request,
        local_call: LocalCall,
        registered: asyncio.Future[InflightRun],
    ) -> HandlerOutcome:
        """Run the handler, or wait for the worker that runs it; run it if that worker dies."""
        call_id, inflight = request.call_key, await registered
        key = hold_key("run", call_id, inflight.key)
        with self._runtime.hangup_watch.watching(call_id):
            while True:
                try:
                    async with self._runtime.store.hold(key, lease=self._runtime.lease):
                        session = await self._runtime.store.load(call_id) or Session(call_id)
                        if session.ended:
                            raise CallEndedError(call_id)
                        stored = session.find_outcome(inflight.key)
                        return stored or await self._run_handler(
                            handler, session, request, local_call, inflight
                        )
                except HoldLostError as error:
                    log.warning("call %s: %s; waiting for its new holder", call_id, error)
                    # The handler may be done, with its outcome still to be written: do not run it again.
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
            step_prefix=visit.step_prefix,
            values=request.latest,
            names_before=visit.names_before,
            rewrite=self._dialog.rewrite,
            line_ids=request.line_ids,
        )
        call = self._new_call(run, session, request, local_call.attributes, is_async=is_async(handler))
        response = await self._response_of(handler, run, call)
        outcome = HandlerOutcome(inflight.key, "" if response is None else str(response), failed=run.failed)

        def is_newest(now: Session) -> bool:
            same_visit = now.visit is not None and now.visit.number == visit.number
            return same_visit and local_call.inflight is inflight and not has_newer_values(now.visit, request)

        saving = self._save_outcome(session.call_id, run, outcome, is_newest)
        return await self._pending_writes.run(hold_key("run", session.call_id, inflight.key), saving)

    async def _save_outcome(
        self, call_id: str, run: HandlerRun, outcome: HandlerOutcome, is_newest: Callable[[Session], bool]
    ) -> HandlerOutcome:
        """Save the outcome of a run, unless another worker has saved one; return the saved outcome.

        Of a run that is not the newest, only the response is saved, for repeated requests.
        """

        def write(now: Session) -> Session:
            if now.ended:
                raise CallEndedError(now.call_id)
            if now.find_outcome(outcome.run):
                return now
            if not is_newest(now):
                return now.with_outcome(outcome)
            if run.failed:
                now = now.without_unspoken_handler_steps()
            return replace(
                now,
                names={**now.names, **run.names},
                state=now.state if run.failed else run.state,
                faults=now.faults + 1 if run.failed else 0,
            ).with_outcome(outcome)

        session = await retry_while_store_is_away(
            lambda: self._runtime.update_session(call_id, write), f"call {call_id}: a run"
        )
        return session.find_outcome(outcome.run) or outcome

    async def _response_of(self, handler: Handler, run: HandlerRun, call: BaseCall) -> Response | None:
        """Run the handler and return its response; of one that failed only its own apology, or None."""
        current_run.set(run)
        name_task(run.call_id, f"the handler of extension {call.extension!r}")
        try:
            returned = await self._runtime.engine.call(handler, call)
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
            # A task group wraps the HandlerInterrupted of one of its tasks.
            if run.outcome is None:
                self._record_fault(run, call, group)
            returned = None
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - foreign code: the caller hears an apology
            if run.outcome is None:
                self._record_fault(run, call, error)
            returned = None
        return self._finish_run(handler, run, call, returned)

    def _finish_run(
        self, handler: Handler, run: HandlerRun, call: BaseCall, returned: object
    ) -> Response | None:
        try:
            if returned is not None and returned is not DONE:
                run.set_outcome(*parse_returned(returned, handler))
            run.check_awaited()
            run.state = check_saveable(call.state, handler)
        except (ConfigurationError, ResponseSyntaxError) as error:
            self._record_fault(run, call, error)
        if run.failed:  # _fault_response adds the move, which depends on the session
            return Response((Play(self._dialog.to_messages(run.apology)),)) if run.apology else None
        response = run.build_response()
        if response is None:
            log.warning(
                "call %s: %s, the handler of %r, said nothing; the call goes up",
                run.call_id,
                describe_function(handler),
                call.extension,
            )
            response = Response((one_level_up(call.extension),))
        elif returned is not None:
            warn_of_moves(response, handler, call)
        return response

    def _record_fault(self, run: HandlerRun, call: BaseCall, error: BaseException) -> None:
        if isinstance(error, LimitReachedError):
            log.info("call %s: %s", run.call_id, error)
            run.set_outcome(
                Play(self._dialog.to_messages(self._dialog.limit_reached)), one_level_up(call.extension)
            )
            return
        log.error("call %s: the handler of extension %r failed", run.call_id, call.extension, exc_info=error)
        run.failed = True
        if isinstance(error, ProviderError):
            run.apology = failure_sentence(error, self._dialog)
        else:
            report_code_error(f"the handler of extension {call.extension!r}", error)

    async def _poll_response(
        self, inflight: InflightRun, local_call: LocalCall, request: Request, cursor: Cursor | None
    ) -> str:
        cached = find_identical_response(local_call.polls, request)
        if cached:
            return cached
        polled = cursor if cursor and cursor.poll else None
        if not inflight.poll_turn and polled is None:
            return await self._first_poll_response(inflight, request)
        turn = inflight.poll_turn = inflight.poll_turn or (polled.turn if polled else 0)
        number = polled.poll + 1 if polled and polled.turn == turn else 1
        queue = inflight.take_queue()
        response = self._render_poll(turn, number, queue)
        if queue:
            await self._runtime.update_session(request.call_key, Session.with_spoken_handler_steps)
        local_call.add_poll(cached_response(request, response))
        return response

    async def _first_poll_response(self, inflight: InflightRun, request: Request) -> str:
        """Return a poll with a new turn number, stored so that every worker repeats it."""
        queue = inflight.take_queue()

        def decide(session: Session) -> tuple[Session, str]:
            if session.ended:
                return session, HANGUP_RESPONSE
            cached = find_response(session.recent, request)
            if cached:
                return session, cached
            response = self._render_poll(session.next_turn, 1, queue)
            visit = replace(session.visit or Visit(), seen=request.values)
            session = replace(session, next_turn=session.next_turn + 1, visit=visit)
            session = session.with_spoken_handler_steps() if queue else session
            return session.with_response(cached_response(request, response)), response

        session, response = await self._runtime.calls.decide(request.call_key, decide)
        inflight.poll_turn = session.next_turn - 1
        return response

    def _render_poll(self, turn: int, number: int, queue: tuple[Message, ...]) -> str:
        read = poll_read(self._dialog, turn=turn, number=number)
        return str(Response((Play(queue), read) if queue else (read,)))

    async def _finish_request(self, outcome: HandlerOutcome, request: Request) -> str:
        def decide(session: Session) -> tuple[Session, str]:
            if session.ended:
                return session, HANGUP_RESPONSE
            cached = find_response(session.recent, request)
            if cached is not None:  # another worker was faster, or the line sent a newer request
                return session, cached
            response = (
                self._fault_response(session, request, outcome)
                if outcome.failed
                else Response.parse(outcome.answer)
            )
            return with_response(session, request, response).with_spoken_handler_steps(), str(response)

        _, response = await self._runtime.calls.decide(request.call_key, decide)
        return response

    def _fault_response(self, session: Session, request: Request, outcome: HandlerOutcome) -> Response:
        """Apologize, then move up (from the root to the root); end the call after too many faults."""
        move: GoToFolder = one_level_up(request.extension) if request.extension else GoToFolder("/")
        if session.faults >= MAX_FAULTS_IN_A_ROW:
            move = HANGUP
        if outcome.answer:
            return Response((*Response.parse(outcome.answer), move))
        return Response((Play(self._dialog.to_messages(self._dialog.internal_error)), move))


def _is_being_cancelled() -> bool:
    """Return whether the task is cancelled, by a hang-up; else a ``CancelledError`` is the handler's."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
