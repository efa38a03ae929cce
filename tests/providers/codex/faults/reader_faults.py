"""Faults in reading the output of Codex, and the check for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.providers.codex.faults import checks
from tests.providers.codex.faults.planting import fault, replaces
from yemot_ai.errors import AnswerEmptyError, ProviderError
from yemot_ai.providers.codex import CodexCLIProvider, events, faults, session
from yemot_ai.providers.codex.events import EventReader, TurnOutcome, usage_delta
from yemot_ai.providers.codex.faults import error_from_text
from yemot_ai.providers.codex.home.folders import is_thread_id
from yemot_ai.providers.codex.process import LineFramer
from yemot_ai.providers.codex.session import CodexSession
from yemot_ai.providers.provider import Usage


@fault(checks.a_reconnected_stream_is_no_failure)
def treats_an_error_event_as_fatal(patch: pytest.MonkeyPatch) -> None:
    original = EventReader._read

    @replaces(patch, EventReader, EventReader._read)
    def read(self: EventReader, event: Mapping[str, Any]) -> None:
        original(self, event)
        if event.get("type") == "error":
            self._failure = self._last_error


@fault(checks.the_answer_is_the_last_message)
def returns_the_first_message(patch: pytest.MonkeyPatch) -> None:
    original = EventReader._read

    @replaces(patch, EventReader, EventReader._read)
    def read(self: EventReader, event: Mapping[str, Any]) -> None:
        first = self._answer
        original(self, event)
        self._answer = first or self._answer


@fault(checks.hebrew_is_decoded_as_utf_8)
def decodes_as_latin_1(patch: pytest.MonkeyPatch) -> None:
    original = events.parse_object

    @replaces(patch, events, events.parse_object)
    def parse_object(line: bytes) -> Mapping[str, Any] | None:
        return original(line.decode("latin-1").encode())


@fault(checks.output_on_standard_error_is_no_failure)
def treats_standard_error_as_a_failure(patch: pytest.MonkeyPatch) -> None:
    original = EventReader.finish

    @replaces(patch, EventReader, EventReader.finish)
    def finish(
        self: EventReader, *, exit_code: int, stderr_tail: str = "", expected: str = ""
    ) -> TurnOutcome:
        if "newer version" in stderr_tail:
            raise error_from_text(stderr_tail)
        return original(self, exit_code=exit_code, stderr_tail=stderr_tail, expected=expected)


@fault(checks.a_long_line_is_read_whole)
def reads_lines_of_64_kib(patch: pytest.MonkeyPatch) -> None:
    original = LineFramer._append

    @replaces(patch, LineFramer, LineFramer._append)
    def append(self: LineFramer, part: bytes) -> None:
        self._limit = 64 * 1024
        original(self, part)


@fault(checks.a_long_line_is_read_whole)
def drops_the_rest_of_a_chunk(patch: pytest.MonkeyPatch) -> None:
    original = LineFramer.feed

    @replaces(patch, LineFramer, LineFramer.feed)
    def feed(self: LineFramer, data: bytes) -> None:
        original(self, data[: data.rfind(b"\n") + 1])


@fault(checks.separators_inside_an_answer_do_not_cut_it)
def splits_lines_at_u2028(patch: pytest.MonkeyPatch) -> None:
    original = EventReader.feed

    @replaces(patch, EventReader, EventReader.feed)
    def feed(self: EventReader, line: bytes) -> None:
        for part in line.decode().splitlines():
            original(self, part.encode())


@fault(checks.a_last_line_without_an_end_is_read)
def drops_a_last_line_without_an_end(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, LineFramer, LineFramer.flush)
    def flush(self: LineFramer) -> None:
        pass


KNOWN_EVENTS: Final = frozenset(
    {
        "thread.started",
        "turn.started",
        "turn.completed",
        "turn.failed",
        "item.started",
        "item.updated",
        "item.completed",
        "error",
    }
)


@fault(checks.an_unknown_event_is_ignored)
def fails_at_an_unknown_event(patch: pytest.MonkeyPatch) -> None:
    original = EventReader._read

    @replaces(patch, EventReader, EventReader._read)
    def read(self: EventReader, event: Mapping[str, Any]) -> None:
        original(self, event)
        if event.get("type") not in KNOWN_EVENTS:
            self._failure = f"unknown event {event}"


@fault(checks.an_item_that_is_no_message_is_ignored)
def fails_at_an_unknown_item(patch: pytest.MonkeyPatch) -> None:
    original = EventReader._read

    @replaces(patch, EventReader, EventReader._read)
    def read(self: EventReader, event: Mapping[str, Any]) -> None:
        original(self, event)
        match event:
            case {"type": "item.completed", "item": {"type": str(kind)}}:
                if kind not in {"agent_message", "error"}:
                    self._failure = f"unknown item {kind}"


@fault(checks.a_turn_has_its_own_usage)
def reports_the_usage_of_the_whole_thread(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, session, usage_delta)
    def delta(before: Mapping[str, int] | None, after: Mapping[str, int]) -> Usage | None:
        return None if before is None else usage_delta({}, after)


@fault(checks.a_turn_that_was_not_completed_is_a_failure)
def does_not_require_turn_completed(patch: pytest.MonkeyPatch) -> None:
    original = EventReader.finish

    @replaces(patch, EventReader, EventReader.finish)
    def finish(
        self: EventReader, *, exit_code: int, stderr_tail: str = "", expected: str = ""
    ) -> TurnOutcome:
        self._usage = self._usage or {}
        return original(self, exit_code=exit_code, stderr_tail=stderr_tail, expected=expected)


@fault(checks.a_nonzero_exit_code_is_a_failure)
def ignores_the_exit_code(patch: pytest.MonkeyPatch) -> None:
    original = EventReader.finish

    @replaces(patch, EventReader, EventReader.finish)
    def finish(
        self: EventReader, *, exit_code: int, stderr_tail: str = "", expected: str = ""
    ) -> TurnOutcome:
        return original(self, exit_code=0, stderr_tail=stderr_tail, expected=expected)


@fault(checks.a_turn_without_an_answer_is_a_failure)
def accepts_an_empty_answer(patch: pytest.MonkeyPatch) -> None:
    original = EventReader.finish

    @replaces(patch, EventReader, EventReader.finish)
    def finish(
        self: EventReader, *, exit_code: int, stderr_tail: str = "", expected: str = ""
    ) -> TurnOutcome:
        try:
            return original(self, exit_code=exit_code, stderr_tail=stderr_tail, expected=expected)
        except AnswerEmptyError:
            return TurnOutcome("", self.thread_id, self._usage or {})


@fault(checks.a_line_that_is_no_event_is_a_failure)
def ignores_a_line_that_is_no_event(patch: pytest.MonkeyPatch) -> None:
    original = EventReader.feed

    @replaces(patch, EventReader, EventReader.feed)
    def feed(self: EventReader, line: bytes) -> None:
        original(self, line)
        self._malformed = None


@fault(checks.a_failure_has_exit_code_and_stderr)
def drops_the_stderr_tail(patch: pytest.MonkeyPatch) -> None:
    original = faults.with_details

    @replaces(patch, events, faults.with_details)
    def with_details(
        error: ProviderError, exit_code: int | None, stderr_tail: str, thread_id: str
    ) -> ProviderError:
        return original(error, exit_code, error.stderr_tail, thread_id)


@fault(checks.a_failure_has_exit_code_and_stderr)
def drops_the_exit_code(patch: pytest.MonkeyPatch) -> None:
    original = faults.with_details

    @replaces(patch, events, faults.with_details)
    def with_details(
        error: ProviderError, exit_code: int | None, stderr_tail: str, thread_id: str
    ) -> ProviderError:
        return original(error, error.exit_code, stderr_tail, thread_id)


@fault(checks.a_failed_turn_sends_one_request)
def retries_by_itself(patch: pytest.MonkeyPatch) -> None:
    original = CodexCLIProvider._run_turn

    @replaces(patch, CodexCLIProvider, CodexCLIProvider._run_turn)
    async def run_turn(
        self: CodexCLIProvider, session: CodexSession, prompt: str, instructions: str | None
    ) -> TurnOutcome:
        try:
            return await original(self, session, prompt, instructions)
        except ProviderError:
            return await original(self, session, prompt, instructions)


@fault(checks.an_answer_in_another_thread_is_an_error)
def ignores_which_thread_answered(patch: pytest.MonkeyPatch) -> None:
    original = EventReader.finish

    @replaces(patch, EventReader, EventReader.finish)
    def finish(
        self: EventReader, *, exit_code: int, stderr_tail: str = "", expected: str = ""
    ) -> TurnOutcome:
        return original(self, exit_code=exit_code, stderr_tail=stderr_tail)


@fault(checks.an_invalid_thread_id_starts_no_process)
def resumes_an_invalid_thread_id(patch: pytest.MonkeyPatch) -> None:
    @replaces(patch, session, is_thread_id)
    def accept_any(text: str) -> bool:
        return bool(text)
