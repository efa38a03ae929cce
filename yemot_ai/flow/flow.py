"""``AIFlow``: yemot-flow's ``Flow``, with agents."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Callable, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar

import yemot_flow

from yemot_ai import web
from yemot_ai._runtime.engine import run_without_waiting
from yemot_ai.ai import YemotAI
from yemot_ai.errors import ConfigurationError, EngineLoopError
from yemot_ai.errors.missing_names import missing_attribute
from yemot_ai.errors.source_place import describe_function
from yemot_ai.flow.access import EVERYONE, AccessPolicy
from yemot_ai.flow.admission import Admission
from yemot_ai.flow.agent.input_modes import InputMode, input_mode
from yemot_ai.flow.agent.loop import AgentLoop
from yemot_ai.flow.agent.turns import AgentFunction, AgentTurns
from yemot_ai.flow.call import BaseCall, CallFactory
from yemot_ai.flow.call_key import CallKey, key_function
from yemot_ai.flow.dialog import DialogSettings
from yemot_ai.flow.dispatcher import Dispatcher
from yemot_ai.flow.handler_run import is_async
from yemot_ai.flow.handlers import declaration
from yemot_ai.flow.handlers.local_calls import LocalCalls
from yemot_ai.flow.handlers.runner import Handler, HandlerRunner
from yemot_ai.flow.lifespan import ServerLifespan
from yemot_ai.flow.mounts import mount_asgi, mount_wsgi
from yemot_ai.flow.readiness import Readiness
from yemot_ai.flow.request_log import Observer, RequestLog
from yemot_ai.flow.store_outage import error_response
from yemot_ai.protocol import Record
from yemot_ai.protocol.request import Params
from yemot_ai.providers.adapter import AnyProvider
from yemot_ai.validation import check_number, check_type

__all__ = ["AIFlow"]

H = TypeVar("H", bound=Handler)
F = TypeVar("F", bound=AgentFunction)

NO_WAIT = 0.05
"""Seconds: inside a running event loop a request is answered at once, or with a poll."""

DRAIN_SECONDS = 5.0
"""How long running turns get when an ASGI server ends."""

GREETING = "שלום, במה אפשר לעזור?"


class AIFlow(yemot_flow.Flow):
    """A ``yemot_flow.Flow`` whose calls can ask the AI.

    >>> from yemot_ai import YemotAI
    >>> flow = AIFlow(YemotAI("codex"))
    >>> @flow.get("")
    ... def welcome(call):
    ...     call.play_message("ברוכים הבאים")
    ...     if call.read("הקישו 1", max_digits=1, val_name="menu") == "1":
    ...         call.goto("/ai_agent")
    >>> flow.handle_request({"ApiCallId": "c1", "ApiExtension": ""})
    'id_list_message=t-ברוכים הבאים&read=t-הקישו 1=menu,no,1,1,7,No,,,,,,,None,,no'

    Args:
        ai: answers what callers say.
        timeout: milliseconds, as in yemot-flow. A call is never dropped before the AI's
            ``session_ttl``: 30 s without a request is a normal pause on the phone.
        print_log: configure the root logger, as in yemot-flow.
        dialog: sentences, keys and times; an agent may have other ones.
        access: who may call; default: all.
        call_key: what identifies a call in its requests: ``"ApiCallId"`` [OFF]; ``"ApiYFCallId"`` [LIB], for
            lines that change ``ApiCallId`` between extensions [LIVE] or do not send it; or a function
            that gets the ``Request`` and returns a text, the same for every request of a call and no other's.
            The other id is used where one is missing, and both where the function fails.
        request_limits: the bounds of a request; a caller who reaches one hears
            ``DialogSettings.call_too_long``, then the call ends.

    Raises:
        ConfigurationError: ``call_key`` is neither a known name nor a plain function of one argument.
    """

    @declaration.declared_as("AIFlow(YemotAI('codex'))")
    def __init__(  # noqa: PLR0913 - the public constructor: every argument is a documented setting
        self,
        ai: YemotAI,
        *,
        timeout: float = 30_000,
        print_log: bool = False,
        dialog: DialogSettings | None = None,
        access: AccessPolicy | None = None,
        call_key: CallKey = "ApiCallId",
        request_limits: web.RequestLimits | None = None,
    ) -> None:
        check_type("ai", ai, YemotAI, "a YemotAI, such as YemotAI('codex')")
        check_number("timeout", timeout, "milliseconds, 0 or more", zero=True)
        check_type("dialog", dialog, (DialogSettings, NoneType), "DialogSettings(…)")
        check_type("access", access, (AccessPolicy, NoneType), "AccessPolicy(…)")
        check_type("request_limits", request_limits, (web.RequestLimits, NoneType), "RequestLimits(…)")
        super().__init__(timeout=timeout, print_log=print_log)
        self.ai = ai
        self.routes: dict[str, Handler] = {}  # type: ignore[assignment]  # ours get an AICall
        self.active_calls: dict[str, BaseCall] = {}  # type: ignore[assignment]  # ours are AICalls
        self.agents: dict[str, AgentLoop] = {}
        self.dialog = dialog or DialogSettings()
        self._admission = Admission(
            access or EVERYONE, request_limits or web.RequestLimits(), key_function(call_key), self.dialog
        )
        runtime = self._runtime = ai._runtime  # noqa: SLF001 - the parts that the two share
        kept_seconds = max(timeout / 1000, runtime.session_ttl)
        self._local_calls = LocalCalls(kept_seconds, lambda one: self.active_calls.pop(one, None))
        new_call = CallFactory(self, runtime)
        self._dispatcher = Dispatcher(
            runtime,
            routes=self.routes,
            agents=self.agents,
            handlers=HandlerRunner(runtime, new_call, self.dialog, self._local_calls),
            turns=AgentTurns(runtime, new_call, self._local_calls),
            local_calls=self._local_calls,
            dialog=self.dialog,
        )
        self._readiness = Readiness(self._runtime)
        self._request_log = RequestLog((self.routes, self.agents), self._planned_wait)
        self._warned = False
        ai.end_callbacks.append(self._drop_call)
        runtime.calls.unanswered.limits = self._admission.limits
        runtime.calls.local_calls.append(self._local_calls)
        runtime.running_tasks.append(self._local_calls.running_tasks)

    @declaration.declared_as("flow.add_route('1/2', function)")
    def add_route(  # type: ignore[override]  # as above
        self, extension: str, handler: Handler
    ) -> None:
        """Register ``handler`` for calls in ``extension`` ("" is the root).

        Raises:
            ConfigurationError: the extension is taken, or the handler does not take a call.
        """
        name = declaration.extension_name(extension, "add_route")
        self._check_not_taken(name)
        declaration.check_handler(handler)
        super().add_route(name, handler)  # type: ignore[arg-type]  # as above

    @declaration.declared_as("@flow.get('1/2')")
    def get(self, extension: str) -> Callable[[H], H]:
        """Register the decorated ``def`` or ``async def`` handler for ``extension``."""
        # Here: without parentheses, register is never called.
        name = declaration.extension_name(extension, "get")

        def register(handler: H) -> H:
            self.add_route(name, handler)
            return handler

        return register

    @declaration.declared_as("@flow.ai_agent('1/2', greeting='…')")
    def ai_agent(  # noqa: PLR0913 - the public decorator: every argument is a documented setting
        self,
        extension: str,
        *,
        provider: AnyProvider | None = None,
        greeting: str = GREETING,
        instructions: str | None = None,
        listen: str | InputMode = "voice",
        dialog: DialogSettings | None = None,
        stream: bool = True,
        tools: Sequence[Callable[..., Any]] | None = None,
    ) -> Callable[[F], F]:
        """Register an agent: it greets, listens, lets the AI answer, and listens again.

        The decorated function ``(call, text)`` or ``(call, agent)`` runs once per turn. A text that it
        returns is the answer; None lets the AI answer; ``call.goto`` and ``call.hangup`` end the visit.

        Args:
            extension: the extension of the agent.
            provider: answers in this extension, in a separate conversation.
            greeting: spoken when a visit starts.
            instructions: how to answer in this extension, in a separate conversation.
            listen: the input mode: ``"voice"``; ``"keyboard"`` for Hebrew typed on the keys; ``"record"`` or
                ``RecordingInput(…)`` for recordings, which the transcriber of ``YemotAI`` turns into text.
            dialog: sentences, keys and times of this agent.
            stream: speak whole sentences while the model writes the rest, if the provider streams, and let
                any key interrupt; False: speak whole answers.
            tools: functions that the model may call in this extension; those of ``YemotAI`` unless given.

        Raises:
            ConfigurationError: the extension is taken, an argument is invalid, or recordings have no
                token or no transcriber.
        """
        runtime, name = self._runtime, declaration.extension_name(extension, "ai_agent")
        check_type("greeting", greeting, str, "a text that callers hear first, or leave it out")
        check_type("instructions", instructions, (str, NoneType), "a text")
        check_type("dialog", dialog, (DialogSettings, NoneType), "DialogSettings(…)")
        check_type("stream", stream, bool, "True or False")
        check_type("tools", tools, (list, tuple, NoneType), "a list of functions")
        mode = input_mode(listen)
        transcriber = runtime.recording_transcriber if isinstance(mode.read_mode, Record) else None
        self._check_not_taken(name)
        if not (dialog or self.dialog).to_messages(greeting):
            raise ConfigurationError(f"the agent of extension {name!r} needs a greeting that can be spoken")
        conversation = runtime.conversation
        if provider is not None or instructions is not None or tools is not None:
            conversation = runtime.new_conversation(
                f"call:{name}", provider=provider, instructions=instructions, tools=tools
            )

        @declaration.declared_as("@flow.ai_agent('1/2') above one function")
        def register(function: F) -> F:
            self._check_not_taken(name)
            self.agents[name] = AgentLoop(
                name,
                conversation,
                greeting,
                dialog or self.dialog,
                function,
                is_async=is_async(function),
                wants_agent=declaration.wants_agent(function),
                input_mode=mode,
                transcriber=transcriber,
                is_streaming=stream and conversation.provider.streams,
            )
            return function

        return register

    def handle_request(self, params: Params, *, path: str = "") -> str:
        """Answer one request of the line; blocks until the response is there; callable from any thread.

        Does not wait inside a running event loop: await ``ahandle_request`` there.

        Args:
            params: the request's names and values, as a mapping or as pairs. Pairs are better: a
                framework's ``to_dict()`` drops the newest of repeated values.
            path: the URL's path, which may contain the secret of the ``AccessPolicy``.

        Returns:
            The response body, plain text.

        Raises:
            EngineLoopError: called on the engine's own loop.
        """
        max_wait = NO_WAIT if self._is_in_event_loop() else None
        request, started = self._admission.admit(params, path), time.perf_counter()
        if isinstance(request, str):
            return request
        engine, deciding = self._runtime.engine, self._dispatcher.decide(request)
        try:
            is_immediate = self._runtime.store.immediate
            decision = run_without_waiting(deciding) if is_immediate else engine.run(deciding)
            response = decision if isinstance(decision, str) else engine.run(decision(max_wait))
        except EngineLoopError:
            raise  # the developer's mistake; there is no caller to answer
        except Exception as error:  # noqa: BLE001 - outermost boundary: no error here must end the call
            response = error_response(request, error, self.dialog)
        self._request_log.add(request, response, time.perf_counter() - started)
        return response

    async def ahandle_request(self, params: Params, *, path: str = "") -> str:
        """Do what ``handle_request`` does, awaited from any event loop."""
        request, started = self._admission.admit(params, path), time.perf_counter()
        if isinstance(request, str):
            return request
        engine, deciding = self._runtime.engine, self._dispatcher.decide(request)
        engine.watch_running_loop()
        try:
            is_immediate = self._runtime.store.immediate
            decision = run_without_waiting(deciding) if is_immediate else await engine.arun(deciding)
            response = decision if isinstance(decision, str) else await engine.arun(decision(None))
        except Exception as error:  # noqa: BLE001 - outermost boundary: no error here must end the call
            response = error_response(request, error, self.dialog)
        self._request_log.add(request, response, time.perf_counter() - started)
        return response

    def on_request(self, observer: Observer) -> Observer:
        """Register ``observer(answered)`` for each answered request. Usable as a decorator.

        Called in the thread or loop of the request, with an ``AnsweredRequest``; it must return at once.
        """
        self._request_log.observers.append(observer)
        return observer

    if not TYPE_CHECKING:  # a type checker would take any name

        def __getattr__(self, name: str) -> object:
            raise missing_attribute(self, name, declaration.OTHER_NAMES)

    @property
    def access(self) -> AccessPolicy:
        """Who may call; it may be replaced."""
        return self._admission.access

    @access.setter
    def access(self, access: AccessPolicy) -> None:
        self._admission.access = access

    @property
    def wsgi_app(self) -> web.WSGIApp:
        """A WSGI application that answers the line at every path."""
        return mount_wsgi(self.handle_request, self._admission, self._readiness)

    @property
    def asgi_app(self) -> web.ASGIApp:
        """An ASGI application that answers the line at every path.

        When its server ends, running turns get 5 s, then the connections of ``ai`` are closed.
        """
        return self.make_asgi_app(drain_seconds=DRAIN_SECONDS)

    def make_asgi_app(self, *, drain_seconds: float) -> web.ASGIApp:
        """Return an ASGI application.

        Args:
            drain_seconds: how long running turns get when its server ends.
        """
        lifespan = ServerLifespan(self._runtime, drain_seconds)
        return mount_asgi(self.ahandle_request, self._admission, self._readiness, lifespan)

    def _planned_wait(self, extension: str) -> float:
        dialog = (self.agents.get(extension) or self).dialog
        return max(dialog.answer_wait, dialog.poll_wait)

    def _is_in_event_loop(self) -> bool:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        if not self._warned:
            self._warned = True
            warnings.warn(
                "handle_request() was called inside a running event loop and cannot wait there: "
                "use 'await flow.ahandle_request(params)', or mount flow.asgi_app",
                RuntimeWarning,
                stacklevel=3,
            )
        return True

    def _drop_call(self, call_id: str) -> None:
        call = self._local_calls.pop(call_id)
        if call is not None and call.inflight is not None:
            call.inflight.task.cancel()

    def _check_not_taken(self, name: str) -> None:
        taken = self.agents[name].function if name in self.agents else self.routes.get(name)
        if taken is not None:
            raise ConfigurationError(f"extension {name!r} already has a handler: {describe_function(taken)}")
