"""The applications of the scenarios that a hunt writes: the original one, with the model of the hunt.

``app: yemot_ai_testing.hunt.replay:shop.flow.whole.unheard`` is ``shop:flow`` with a model that writes whole
answers (``streamed``: sentence by sentence), and ``shop.flow.POST.whole.unheard`` gets its requests by POST.
As soon as a call has a violation of the kind ``unheard``, the
application raises it, so that the scenario fails with the trace of the hunt.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from yemot_ai.protocol import Request
from yemot_ai.protocol.request import KEYS_PREFIX
from yemot_ai.sessions import MemoryStore
from yemot_ai_testing.history import (
    VIOLATION_KINDS,
    Budget,
    CallerSpoke,
    ConversationReset,
    History,
    OpenCallsCounted,
    RecordedApp,
    ViolationKind,
    check,
)
from yemot_ai_testing.history.correlation import utterance_ids
from yemot_ai_testing.history.recorders.app import call_name
from yemot_ai_testing.hunt.app_loader import AppLoader
from yemot_ai_testing.hunt.replacement import ReplacedStores
from yemot_ai_testing.line.transports.transport import Method, Pairs
from yemot_ai_testing.property import EchoProvider, ViolationError
from yemot_ai_testing.virtual_time import VirtualEngine

__all__ = ["POST", "STREAMED", "WHOLE", "ReplayedApp", "replay_name"]

WHOLE: Final = "whole"
STREAMED: Final = "streamed"
POST: Final = "POST"
PATH_START: Final = "_2F"
SENTENCES: Final = {WHOLE: 1, STREAMED: 3}
"""The sentences of an answer, as in ``CallMachine`` and ``StreamingMachine``."""

RESET_KEY: Final = "0"

REPEATED_REQUESTS: Final = 3
"""The last requests of a call that a machine repeats."""

SHARED: Final[Collection[ViolationKind]] = frozenset({"crossed_calls", "crossed_sessions"})
"""Kinds for which the scenarios of a file call one application, one after the other."""


class ReplayedApp:
    """An application of a found scenario.

    Args:
        target: ``module:attr`` of the original.
        sentences: sentences of an answer of the model.
        kind: the kind of violation to raise.
        method: how the original gets its requests.

    Attributes:
        ai: has the model and its engine, for the scenario player.
    """

    def __init__(self, target: str, sentences: int, kind: ViolationKind, method: Method = "GET") -> None:
        history = History()
        provider = EchoProvider(history=history, sentences=sentences)
        history.now = provider.clock.now
        stores = ReplacedStores(lambda: MemoryStore(now=provider.engine.time))
        with AppLoader(target) as loader:
            self._loaded = loader.load(provider, stores)
        self.ai: object = self._loaded.ais[0] if self._loaded.ais else _Model(provider)
        self._kind = kind
        self._history = history
        self._open_calls: set[str] = set()
        self._recorded = RecordedApp(
            self._loaded.app,
            history,
            clock=provider.clock,
            method=method,
            path=self._loaded.path,
            wait_until_idle=provider.wait_until_idle,
        )

    def handle_request(self, pairs: Pairs) -> str:
        """Answer a request.

        Raises:
            NoAnswerError: there is no usable response.
            ViolationError: the calls have a violation of the kind.
        """
        request = Request.parse(pairs)
        self._note_caller(request)
        try:
            return self._recorded.handle_request(pairs)
        finally:
            self._send_again(request)
            self._note_open_calls(request)
            self._raise_violation()

    async def ahandle_request(self, pairs: Pairs) -> str:
        """Answer a request in a thread."""
        return await self._recorded.ahandle_request(pairs)

    def _note_caller(self, request: Request) -> None:
        """Note what the caller has done; the request has only its value."""
        value = request.values[-1][1] if request.values else ""
        now, call = self._history.now(), call_name(request.call_id)
        typed = value.startswith(KEYS_PREFIX)
        said = set(self._said(call))
        for utterance_id in utterance_ids(value):
            if utterance_id not in said:
                self._history.add(CallerSpoke(now, call, utterance_id, typed=typed))
        if value.removeprefix(KEYS_PREFIX) == RESET_KEY:
            self._history.add(ConversationReset(now, call))

    def _said(self, call: str) -> Sequence[str]:
        return [
            event.utterance_id
            for event in self._history.events
            if isinstance(event, CallerSpoke) and event.call == call
        ]

    def _send_again(self, request: Request) -> None:
        """Send requests again, as the line of the hunt did: a scenario can repeat its last request only."""
        if self._kind == "unstable":
            for back in range(REPEATED_REQUESTS):
                self._recorded.resend(request.call_id, back=back)
        elif self._kind == "spoke_after_hangup" and request.hangup:
            self._recorded.resend(request.call_id, back=1)

    def _note_open_calls(self, request: Request) -> None:
        (self._open_calls.discard if request.hangup else self._open_calls.add)(request.call_id)
        open_sessions = self._loaded.open_calls()
        if open_sessions is not None:
            counted = OpenCallsCounted(self._history.now(), open_sessions, len(self._open_calls))
            self._history.add(counted)

    def _raise_violation(self) -> None:
        budget = Budget(retries=int(self._kind == "gave_up"))
        violations = [one for one in check(self._history, budget) if one.kind == self._kind]
        if violations:
            raise ViolationError([replace(violations[0], trace=())])  # the file has the trace


@dataclass(frozen=True, slots=True)
class _Model:
    """The model of an application that has no ``YemotAI``."""

    provider: EchoProvider

    @property
    def engine(self) -> VirtualEngine:
        return self.provider.engine


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that ends with how the model answers, and with a kind."""

    parts: tuple[str, ...]

    def __getattr__(self, name: str) -> object:
        return _resolve((*self.parts, name))


def __getattr__(name: str) -> object:
    # Not for other names: pytest looks for ``pytest_plugins`` in every module.
    if not _is_module(name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: there is no such module")
    return _resolve((name,))


def _resolve(parts: tuple[str, ...]) -> object:
    """Return the factory that a complete name stands for, else a longer name."""
    *target, answers, kind = ("", "", *parts)
    if answers not in SENTENCES or kind not in VIOLATION_KINDS:
        return _Name(parts)
    method: Method = "POST" if target[-1] == POST else "GET"

    def create() -> ReplayedApp:
        open_ = _shared_app if kind in SHARED else ReplayedApp
        name = _target(target[2:-1] if method == POST else target[2:])
        return open_(name, SENTENCES[answers], kind, method)

    return create


@functools.cache
def _shared_app(target: str, sentences: int, kind: ViolationKind, method: Method) -> ReplayedApp:
    return ReplayedApp(target, sentences, kind, method)


def replay_name(target: str) -> str:
    """Return the name of an application of this module.

    >>> replay_name("shop.web:app/yemot.php")
    'shop.web.app._2Fyemot_2Ephp'
    """
    name, slash, path = target.replace(":", ".", 1).partition("/")
    signs = re.sub(rb"[^0-9A-Za-z]", lambda sign: b"_%02X" % ord(sign[0]), (slash + path).encode())
    return f"{name}.{signs.decode()}" if slash else name


def _target(parts: Sequence[str]) -> str:
    """Return ``module:attr``, of which ``parts`` are the names: the longest one of a module, and the rest."""
    if parts[-1].startswith(PATH_START):
        return _target(parts[:-1]) + unquote(parts[-1].replace("_", "%"))
    for length in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:length])
        if _is_module(module):
            return f"{module}:{'.'.join(parts[length:])}"
    return f"{parts[0]}:{'.'.join(parts[1:])}"


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):  # a parent is no package, or the name is that of no module
        return False
