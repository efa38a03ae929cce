"""Faults of the fake Codex as ``codex app-server``, and the rule that catches each.

Each fault is a function that replaces the function or method of the program named by ``replaces``. The
methods below are kept as the healthy program has them, so that a replacement can call what it replaces.
"""

from __future__ import annotations

from typing import Any, Final

from tests.codex.rules.fault import Fault, fault
from yemot_ai_testing.codex.fake.program.app_server import _AppServer
from yemot_ai_testing.codex.fake.program.app_server_messages import RecordedMessages
from yemot_ai_testing.codex.fake.program.app_server_turn import (
    ServerTurn,
    _outcome,
    _split_at_request,
    token_usage,
)
from yemot_ai_testing.codex.fake.program.threads import ThreadFile, delete_rollout, is_forked

__all__ = ["FAULTS"]

FAULTS: Final[dict[str, Fault]] = {}

_initialize: Final = _AppServer._initialize
_say: Final = _AppServer._respond
_interrupt: Final = _AppServer._interrupt_turn
_conclude: Final = ServerTurn._complete_turn
_notice: Final = ServerTurn._notify_recorded
_write: Final = ServerTurn._stream_pieces


# Requests.


@fault(
    FAULTS,
    "answers without a handshake",
    replaces=_AppServer._require_handshake,
    caught_by=("handshake-first",),
)
def no_handshake_required(self: _AppServer) -> None:
    pass


@fault(FAULTS, "greets twice", replaces=_initialize, caught_by=("handshake-once",))
def initializes_again(self: _AppServer, request_id: object, params: dict[str, Any]) -> None:
    self._initialized = False
    _initialize(self, request_id, params)


@fault(FAULTS, "answers with a number", replaces=_say, caught_by=("rpc-id-echoed",))
def answers_request_1(self: _AppServer, request_id: object, result: dict[str, object]) -> None:
    _say(self, 1, result)


# Threads.


@fault(
    FAULTS, "lets a second writer in", replaces=ThreadFile.acquire_lock, caught_by=("thread-second-writer",)
)
def claims_without_a_lock(self: ThreadFile) -> bool:
    return True


@fault(FAULTS, "deletes what a fork needs", replaces=is_forked, caught_by=("thread-forked-stays",))
def never_forked(home: str, thread_id: str) -> bool:
    return False


@fault(FAULTS, "keeps what was deleted", replaces=delete_rollout, caught_by=("thread-deleted",))
def deletes_nothing(path: str) -> None:
    pass


# Turns.


@fault(FAULTS, "counts the last turn only", replaces=token_usage, caught_by=("turn-usage",))
def usage_of_last_turn(messages: RecordedMessages, file: ThreadFile) -> dict[str, Any]:
    counted = token_usage(messages, file)
    return {**counted, "total": counted["last"]}


@fault(
    FAULTS,
    "begins another turn for further words",
    replaces=ServerTurn.cancel_model_call,
    caught_by=("turn-busy",),
)
def takes_no_further_words(self: ServerTurn) -> bool:
    return False


@fault(
    FAULTS,
    "interrupts whatever is named",
    replaces=_interrupt,
    caught_by=("turn-interrupt-another",),
)
def interrupts_any_turn(self: _AppServer, request_id: object, params: dict[str, Any]) -> None:
    turn = self._loaded_thread(params).turn
    _interrupt(self, request_id, {**params, "turnId": turn.id} if turn else params)


@fault(
    FAULTS,
    "tells the end of a turn as completed",
    replaces=_conclude,
    caught_by=("fails-overloaded",),
)
def failed_is_completed(self: ServerTurn, status: str, turn_status: str, **filled: object) -> None:
    _conclude(self, status, "completed" if turn_status == "failed" else turn_status, **filled)


@fault(FAULTS, "loses a piece", replaces=_write, caught_by=("turn-deltas",))
def writes_two_pieces(self: ServerTurn, call: int, pieces: list[str], case: str, every: float) -> bool:
    return _write(self, call, pieces[:2], case, every)


# Questions to the client.


@fault(
    FAULTS,
    "asks whoever is never to be asked",
    replaces=ServerTurn._may_ask,
    caught_by=("request-never",),
)
def may_always_ask(self: ServerTurn, kind: str) -> bool:
    return True


@fault(FAULTS, "asks before it waits", replaces=_split_at_request, caught_by=("request-waits",))
def nothing_before(
    messages: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    _, question, after = _split_at_request(messages)
    return [], question, after


@fault(
    FAULTS,
    "forgets the command that it asks about",
    replaces=_split_at_request,
    caught_by=("request-approval",),
)
def without_last_before(
    messages: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    before, question, after = _split_at_request(messages)
    return before[:-1], question, after


@fault(FAULTS, "takes an error for a decline", replaces=_outcome, caught_by=("request-refused",))
def always_declined(message: dict[str, Any]) -> str:
    return "declined"


@fault(FAULTS, "takes a decline for an error", replaces=_outcome, caught_by=("request-declined",))
def always_refused(message: dict[str, Any]) -> str:
    return "refused"


@fault(FAULTS, "tells of another question", replaces=_notice, caught_by=("request-resolved",))
def notice_of_question_99(self: ServerTurn, message: dict[str, Any], **filled: object) -> None:
    _notice(self, message, **dict.fromkeys(filled, 99))


@fault(
    FAULTS,
    "gives up over a refused tool",
    replaces=ServerTurn._run_next_step,
    caught_by=("request-tool-refused",),
)
def fails_instead_of_going_on(self: ServerTurn) -> None:
    self._complete_turn("", "failed")


@fault(
    FAULTS,
    "cannot be interrupted while it asks",
    replaces=_conclude,
    caught_by=("request-interrupted",),
)
def fails_when_interrupted(self: ServerTurn, status: str, turn_status: str, **filled: object) -> None:
    if turn_status != "interrupted":
        _conclude(self, status, turn_status, **filled)
    elif self._pending_request:
        _conclude(self, status, "failed", **filled)
