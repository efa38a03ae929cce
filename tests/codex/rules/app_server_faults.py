"""Faults of the fake Codex as ``codex app-server``, and the rule that catches each.

Each fault is a function that replaces the function or method of the program named by ``replaces``. The
methods below are the original ones, so that a replacement can call what it replaces.
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
_respond: Final = _AppServer._respond
_interrupt: Final = _AppServer._interrupt_turn
_complete_turn: Final = ServerTurn._complete_turn
_notify_recorded: Final = ServerTurn._notify_recorded
_stream_pieces: Final = ServerTurn._stream_pieces
_fail: Final = ServerTurn._fail
_count_tokens: Final = ServerTurn._count_tokens


# Requests.


@fault(
    FAULTS,
    "answers without a handshake",
    replaces=_AppServer._require_handshake,
    caught_by=("handshake-first",),
)
def no_handshake_required(self: _AppServer) -> None:
    pass


@fault(FAULTS, "accepts a second handshake", replaces=_initialize, caught_by=("handshake-once",))
def initializes_again(self: _AppServer, request_id: object, params: dict[str, Any]) -> None:
    self._initialized = False
    _initialize(self, request_id, params)


@fault(FAULTS, "answers with a fixed id", replaces=_respond, caught_by=("rpc-id-echoed",))
def answers_request_1(self: _AppServer, request_id: object, result: dict[str, object]) -> None:
    _respond(self, 1, result)


# Threads.


@fault(
    FAULTS, "lets a second writer in", replaces=ThreadFile.acquire_lock, caught_by=("thread-second-writer",)
)
def claims_without_a_lock(self: ThreadFile) -> bool:
    return True


@fault(FAULTS, "deletes a forked thread", replaces=is_forked, caught_by=("thread-forked-stays",))
def never_forked(home: str, thread_id: str) -> bool:
    return False


@fault(FAULTS, "keeps a deleted thread", replaces=delete_rollout, caught_by=("thread-deleted",))
def deletes_nothing(path: str) -> None:
    pass


# Turns.


@fault(FAULTS, "counts the last turn only", replaces=token_usage, caught_by=("turn-usage",))
def usage_of_last_turn(messages: RecordedMessages, file: ThreadFile) -> dict[str, Any]:
    counted = token_usage(messages, file)
    return {**counted, "total": counted["last"]}


@fault(
    FAULTS,
    "starts another turn for a second prompt",
    replaces=ServerTurn.cancel_model_call,
    caught_by=("turn-busy",),
)
def refuses_second_prompt(self: ServerTurn) -> bool:
    return False


@fault(
    FAULTS,
    "interrupts a turn with any id",
    replaces=_interrupt,
    caught_by=("turn-interrupt-another",),
)
def interrupts_any_turn(self: _AppServer, request_id: object, params: dict[str, Any]) -> None:
    turn = self._loaded_thread(params).turn
    _interrupt(self, request_id, {**params, "turnId": turn.id} if turn else params)


@fault(
    FAULTS,
    "reports a failed turn as completed",
    replaces=_complete_turn,
    caught_by=("fails-overloaded",),
)
def failed_is_completed(self: ServerTurn, status: str, turn_status: str, **filled: object) -> None:
    _complete_turn(self, status, "completed" if turn_status == "failed" else turn_status, **filled)


@fault(FAULTS, "loses a piece", replaces=_stream_pieces, caught_by=("turn-deltas",))
def writes_two_pieces(  # noqa: PLR0913 - as the method
    self: ServerTurn, call: int, pieces: list[str], case: str, every: float, *, item_id: str = "msg_1"
) -> bool:
    return _stream_pieces(self, call, pieces[:2], case, every, item_id=item_id)


@fault(
    FAULTS,
    "leaves the first message out",
    replaces=ServerTurn._say,
    caught_by=("turn-two-messages",),
)
def says_nothing(self: ServerTurn, call: int, text: str) -> bool:
    return True


@fault(
    FAULTS,
    "leaves a broken stream out",
    replaces=ServerTurn._retry_streams,
    caught_by=("turn-reconnected",),
)
def hides_retries(self: ServerTurn, call: int, broken: list[list[str]]) -> bool:
    return True


@fault(
    FAULTS,
    "leaves the message of a cut answer open",
    replaces=_fail,
    caught_by=("turn-cut-length", "turn-cut-content-filter"),
)
def ends_no_message(self: ServerTurn, case: str, *, ends_message: bool) -> None:
    _fail(self, case, ends_message=False)


@fault(
    FAULTS,
    "completes the message of a failed answer",
    replaces=_fail,
    caught_by=("turn-cut-error",),
)
def ends_every_message(self: ServerTurn, case: str, *, ends_message: bool) -> None:
    _fail(self, case, ends_message=True)


@fault(
    FAULTS,
    "counts the tokens of a cut answer as those of a turn",
    replaces=_count_tokens,
    caught_by=("turn-cut-usage",),
)
def counts_as_answer(self: ServerTurn, case: str) -> None:
    _count_tokens(self, "answer")


# Requests to the client.


@fault(
    FAULTS,
    "requests approval with the policy never",
    replaces=ServerTurn._may_ask,
    caught_by=("request-never",),
)
def may_always_ask(self: ServerTurn, kind: str) -> bool:
    return True


@fault(
    FAULTS,
    "does not set the status before a request",
    replaces=_split_at_request,
    caught_by=("request-waits",),
)
def nothing_before(
    messages: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    _, request, after = _split_at_request(messages)
    return [], request, after


@fault(
    FAULTS,
    "omits the item of the command",
    replaces=_split_at_request,
    caught_by=("request-approval",),
)
def without_last_before(
    messages: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, Any], list[dict[str, Any]]]:
    before, request, after = _split_at_request(messages)
    return before[:-1], request, after


@fault(FAULTS, "treats an error as a decline", replaces=_outcome, caught_by=("request-refused",))
def always_declined(message: dict[str, Any]) -> str:
    return "declined"


@fault(FAULTS, "treats a decline as an error", replaces=_outcome, caught_by=("request-declined",))
def always_refused(message: dict[str, Any]) -> str:
    return "refused"


@fault(FAULTS, "resolves another request", replaces=_notify_recorded, caught_by=("request-resolved",))
def notifies_request_99(self: ServerTurn, message: dict[str, Any], **filled: object) -> None:
    _notify_recorded(self, message, **dict.fromkeys(filled, 99))


@fault(
    FAULTS,
    "fails the turn after a refused tool",
    replaces=ServerTurn._run_next_step,
    caught_by=("request-tool-refused",),
)
def fails_instead_of_continuing(self: ServerTurn) -> None:
    self._complete_turn("", "failed")


@fault(
    FAULTS,
    "fails instead of being interrupted during a request",
    replaces=_complete_turn,
    caught_by=("request-interrupted",),
)
def fails_when_interrupted(self: ServerTurn, status: str, turn_status: str, **filled: object) -> None:
    if turn_status != "interrupted":
        _complete_turn(self, status, turn_status, **filled)
    elif self._pending_request:
        _complete_turn(self, status, "failed", **filled)
