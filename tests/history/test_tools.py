"""Tools: what the model calls runs once, before the hang-up, and the model gets its result."""

from __future__ import annotations

import pytest

from yemot_ai_testing.history import (
    Budget,
    CallerInterrupted,
    CallerSpoke,
    FaultInjected,
    History,
    HistoryEvent,
    ModelAnswered,
    ModelAsked,
    ProcessStalled,
    RequestSent,
    ResponseReceived,
    ToolCalled,
    ToolReturned,
    Violation,
    WorkerRestarted,
    check,
)
from yemot_ai_testing.history.recorders.app import record_request, record_response

BUDGET = Budget(hangup=2.0, lease=5.0)
SAID = CallerSpoke(0, "call 1", "7001")
SAID_ELSEWHERE = CallerSpoke(0, "call 2", "7009")


def violations(*events: HistoryEvent, budget: Budget = BUDGET) -> list[Violation]:
    history = History(now=lambda: 0.0)
    for event in events:
        history.add(event)
    assert History.loads(history.dumps()).events == tuple(sorted(events, key=lambda event: event.at))
    return check(History.loads(history.dumps()), budget)


def kinds(*events: HistoryEvent, budget: Budget = BUDGET) -> list[str]:
    return [violation.kind for violation in violations(*events, budget=budget)]


def asked(
    at: float, model_call_id: str, *results: tuple[str, str], utterance: str = "7001", worker: str = ""
) -> ModelAsked:
    session = "conversation" if utterance == "7002" else ""
    prompt = f"אמירה {utterance}"
    return ModelAsked(at, model_call_id, prompt, utterance, session, worker=worker, tool_results=results)


def calls(at: float, model_call_id: str, *ids: str) -> ModelAnswered:
    made = tuple((one, "order", f'{{"of": "{one}"}}') for one in ids)
    return ModelAnswered(at, model_call_id, tool_calls=made)


def answers(at: float, model_call_id: str) -> ModelAnswered:
    return ModelAnswered(at, model_call_id, "conversation", text=f"תשובה {model_call_id} על אמירה 7001")


def runs(
    at: float, run_id: int, tool_call_id: str, *, worker: str = "", repeatable: bool = False
) -> ToolCalled:
    return ToolCalled(
        at, run_id, "call 1", "order", "{}", f"key of {tool_call_id}", tool_call_id, repeatable, worker
    )


def returns(at: float, run_id: int, result: str) -> ToolReturned:
    return ToolReturned(at, run_id, result)


def heard(at: float, model_call_id: str, request_id: int = 9) -> tuple[HistoryEvent, ...]:
    """Return the events of a response with an answer, after which the line waits for the caller."""
    body = f"read=t-תשובה {model_call_id} על אמירה 7001=ai_2,no,voice"
    history = History(now=lambda: at)
    number = record_request(history, (("ApiCallId", "1"), ("ai_1", "x")))
    record_response(history, number, body)
    return history.events


ASKS = (SAID, asked(1, "1"), calls(2, "1", "a"))
TURN = (
    *ASKS,
    runs(3, 1, "a"),
    returns(4, 1, "done a"),
    asked(5, "2", ("a", "done a")),
    answers(6, "2"),
    *heard(7, "2"),
)


def test_a_turn_with_a_tool_breaks_no_rule() -> None:
    assert kinds(*TURN) == []


def test_a_turn_with_several_rounds_breaks_no_rule() -> None:
    known = ("a", "done a"), ("b", "done b")
    first = SAID, asked(1, "1"), calls(2, "1", "a", "b"), runs(3, 1, "a"), returns(3, 1, "done a")
    second = runs(4, 2, "b"), returns(4, 2, "done b"), asked(5, "2", *known), calls(5, "2", "c")
    third = runs(6, 3, "c"), returns(6, 3, "done c"), asked(7, "3", *known, ("c", "done c")), answers(8, "3")
    assert kinds(*first, *second, *third, *heard(9, "3")) == []


class TestRunOnce:
    def test_a_tool_that_runs_again_is_found(self) -> None:
        again = runs(4.2, 2, "a"), returns(4.4, 2, "done a")
        (found,) = violations(*TURN, *again)
        assert (found.kind, found.call, found.utterance) == ("tool_ran_twice", "call 1", "7001")
        assert found.message == "order ran again in call 1, for the same call of the model"
        assert any("call 1 runs order {} (run 2)" in line for line in found.trace)
        assert any("run 1 returns done a" in line for line in found.trace)

    def test_a_tool_that_runs_again_after_its_worker_died_is_found(self) -> None:
        died = (*ASKS, runs(3, 1, "a", worker="1"), WorkerRestarted(3.5, "1"), runs(4, 2, "a", worker="2"))
        assert kinds(*died) == ["tool_ran_twice"]

    def test_a_tool_that_may_be_repeated_may_run_again(self) -> None:
        again = runs(3.2, 2, "a", repeatable=True), returns(3.4, 2, "done a")
        assert kinds(*ASKS, runs(3, 1, "a", repeatable=True), *again, *TURN[5:]) == []

    def test_a_run_with_another_key_for_the_same_call_of_the_model_is_found(self) -> None:
        again = ToolCalled(4.2, 2, "call 1", "order", "{}", "another key", "a")
        assert kinds(*TURN, again) == ["tool_ran_twice"]

    def test_a_run_with_the_same_key_is_found_though_the_model_was_asked_again(self) -> None:
        died = asked(4, "2", worker="2"), calls(4.5, "2", "b")
        again = ToolCalled(5, 2, "call 1", "order", "{}", "key of a", "b")
        assert "tool_ran_twice" in kinds(*ASKS, runs(3, 1, "a"), WorkerRestarted(3.5), *died, again)

    def test_the_same_key_in_another_call_is_another_run(self) -> None:
        other = ToolCalled(3, 2, "call 2", "order", "{}", "key of a", "a")
        assert kinds(*TURN, other) == []

    def test_the_service_may_use_an_id_again_in_a_later_turn(self) -> None:
        said = CallerSpoke(8, "call 1", "7002")
        later = asked(8, "3", utterance="7002"), calls(8, "3", "a")
        again = ToolCalled(9, 2, "call 1", "order", "{}", "key of the later one", "a")
        known = returns(9, 2, "done later"), asked(9.5, "4", ("a", "done later"), utterance="7002")
        assert kinds(*TURN, said, *later, again, *known) == []


class TestHangUp:
    OVER = (
        RequestSent(2.5, 1, "call 1", "hangup", is_hangup=True, worker="1"),
        ResponseReceived(2.6, 1, "noop=ended"),
    )

    def test_a_tool_that_begins_after_the_hang_up_is_found(self) -> None:
        (found,) = violations(*ASKS, *self.OVER, runs(3, 1, "a", worker="1"))
        assert found.kind == "tool_ran_after_hangup"
        assert found.message == "order began to run after call 1 had hung up"

    def test_a_tool_that_began_before_may_end_afterwards(self) -> None:
        assert kinds(*ASKS, runs(2.2, 1, "a"), *self.OVER, returns(30, 1, "done a")) == []

    def test_another_worker_may_not_know_of_the_hang_up_yet(self) -> None:
        assert kinds(*ASKS, *self.OVER, runs(3, 1, "a", worker="2")) == []
        late = runs(5, 1, "a", worker="2")
        assert kinds(*ASKS, *self.OVER, late) == ["tool_ran_after_hangup"]
        assert kinds(*ASKS, *self.OVER, ProcessStalled(4.9, 2.0, "2"), late) == []

    def test_a_hang_up_that_could_not_be_stored_forbids_nothing(self) -> None:
        fault = FaultInjected(2.55, "store away", "call 1")
        assert kinds(*ASKS, self.OVER[0], fault, self.OVER[1], runs(3, 1, "a", worker="1")) == []


class TestResults:
    def test_results_that_were_exchanged_are_found(self) -> None:
        both = SAID, asked(1, "1"), calls(2, "1", "a", "b"), runs(3, 1, "a"), returns(3, 1, "done a")
        known = asked(5, "2", ("a", "done b"), ("b", "done a"))
        found = violations(*both, runs(4, 2, "b"), returns(4, 2, "done b"), known)
        assert [one.kind for one in found] == ["wrong_result", "wrong_result"]
        assert "the model got 'done b' of order, the result of order {} in call 1" in found[0].message

    def test_a_result_of_another_call_is_found(self) -> None:
        other = ToolCalled(2, 7, "call 2", "order", "{}", "key", "z"), returns(2, 7, "done z")
        called = SAID_ELSEWHERE, asked(1, "9", utterance="7009"), calls(1, "9", "z")
        wrong = asked(5, "2", ("a", "done z"))
        assert kinds(*called, *ASKS, *other, runs(3, 1, "a"), returns(4, 1, "done a"), wrong) == [
            "wrong_result"
        ]

    def test_a_result_of_an_earlier_turn_is_found(self) -> None:
        later = CallerSpoke(8, "call 1", "7002"), asked(8, "3", utterance="7002"), calls(9, "3", "b")
        run = runs(9, 2, "b"), returns(9, 2, "done b")
        wrong = asked(10, "4", ("b", "done a"), utterance="7002")
        assert kinds(*TURN, *later, *run, wrong) == ["wrong_result"]

    def test_a_result_of_another_call_is_found_though_the_tool_did_not_run(self) -> None:
        other = SAID_ELSEWHERE, asked(1, "9", utterance="7009"), calls(1, "9", "z")
        ran = ToolCalled(2, 7, "call 2", "order", "{}", "key", "z"), returns(2, 7, "done z")
        wrong = asked(5, "2", ("a", "done z"))
        assert kinds(*other, *ran, *ASKS, wrong) == ["wrong_result"]

    def test_nothing_is_known_of_a_tool_that_is_not_recorded(self) -> None:
        other = SAID_ELSEWHERE, asked(1, "9", utterance="7009"), calls(1, "9", "z")
        ran = ToolCalled(2, 7, "call 2", "another", "{}", "key", "z"), returns(2, 7, "done")
        assert kinds(*other, *ran, *ASKS, asked(5, "2", ("a", "done"))) == []

    def test_equal_results_of_two_tools_are_no_exchange(self) -> None:
        both = SAID, asked(1, "1"), calls(2, "1", "a", "b"), runs(3, 1, "a"), returns(3, 1, "done")
        known = asked(5, "2", ("a", "done"), ("b", "done"))
        assert kinds(*both, runs(4, 2, "b"), returns(4, 2, "done"), known) == []

    def test_a_tool_that_returned_is_not_unknown(self) -> None:
        unknown = asked(5, "2", ("a", "it is not known whether this was done"))
        (found,) = violations(*ASKS, runs(3, 1, "a"), returns(4, 1, "done a"), unknown)
        assert (found.kind, found.utterance) == ("lost_result", "7001")
        assert found.message.endswith("though order had returned 'done a'")

    @pytest.mark.parametrize(
        "died",
        [WorkerRestarted(4.5, "1"), ProcessStalled(4.9, 4.0, "1"), FaultInjected(4.5, "store away")],
        ids=["died", "stalled", "could not store"],
    )
    def test_the_result_of_a_worker_that_died_is_unknown(self, died: HistoryEvent) -> None:
        unknown = asked(5, "2", ("a", "it is not known"), worker="2")
        ran = runs(3, 1, "a", worker="1"), returns(4, 1, "done a")
        assert kinds(SAID, asked(0, "1", worker="1"), calls(1, "1", "a"), *ran, died, unknown) == []

    def test_a_tool_that_has_not_returned_in_time_is_unknown(self) -> None:
        known = ("a", "it took more than 20 s")
        again = asked(6, "2", known), calls(6, "2", "b"), runs(7, 2, "b"), returns(7, 2, "done b")
        later = asked(8, "3", known, ("b", "done b"))
        assert kinds(*ASKS, runs(3, 1, "a"), *again[:2], returns(6.5, 1, "done a"), *again[2:], later) == []

    def test_a_tool_that_did_not_run_may_be_refused(self) -> None:
        assert kinds(*ASKS, asked(5, "2", ("a", "there is no tool 'order'")), answers(6, "2")) == []

    def test_a_tool_that_failed_tells_any_text(self) -> None:
        failed = runs(3, 1, "a"), ToolReturned(4, 1, error="ValueError")
        assert kinds(*ASKS, *failed, asked(5, "2", ("a", "the tool failed")), answers(6, "2")) == []


class TestLostResults:
    def test_a_model_that_is_asked_again_without_the_result_is_found(self) -> None:
        (found,) = violations(*ASKS, runs(3, 1, "a"), WorkerRestarted(4), asked(5, "2"))
        assert found.kind == "lost_result"
        assert found.message == "the model was asked 7001 again, without a result of order"

    def test_a_worker_that_lost_the_turn_may_not_know_the_result(self) -> None:
        first = SAID, asked(0, "0", worker="2"), ModelAnswered(0.5, "0", "", "overloaded")
        other = asked(6, "1"), calls(6, "1", "a"), runs(6.5, 1, "a")
        stalled = ProcessStalled(5.5, 4.9, "2"), asked(8, "2", worker="2")
        assert kinds(*first, stalled[0], *other, stalled[1]) == []
        assert "lost_result" in kinds(*first, *other, stalled[1])

    def test_an_answer_without_the_result_is_found(self) -> None:
        (found,) = violations(*ASKS, runs(3, 1, "a"), returns(4, 1, "done a"), *heard(6, "1"))
        assert found.kind == "lost_result"
        assert found.message == "the model has called order for 7001, and got no result"

    def test_a_call_of_the_model_that_nobody_runs_is_found(self) -> None:
        assert kinds(*ASKS, *heard(6, "1")) == ["lost_result"]

    def test_an_apology_excuses_a_tool_that_took_too_long(self) -> None:
        history = History(now=lambda: 6.0)
        record_response(history, record_request(history, (("ApiCallId", "1"),)), "read=t-סליחה=ai_2,no,voice")
        assert kinds(*ASKS, runs(3, 1, "a"), *history.events) == []

    def test_a_caller_who_interrupts_ends_the_tools_of_the_turn(self) -> None:
        interrupted = CallerInterrupted(5, "call 1", "7001")
        assert kinds(*ASKS, runs(3, 1, "a"), returns(4, 1, "done a"), interrupted, *heard(6, "1")) == []

    def test_a_tool_that_waited_for_consent_is_reported_in_the_next_turn(self) -> None:
        history = History(now=lambda: 2.5)
        number = record_request(history, (("ApiCallId", "1"), ("ai_1", "x")))
        record_response(history, number, "read=t-להזמין את 7001=ai_2,no,voice")
        agreed = CallerSpoke(3, "call 1", "7002"), runs(4, 1, "a"), returns(5, 1, "done a")
        turns = *ASKS, *history.events, *agreed
        assert kinds(*turns, asked(6, "2", ("a", "done a"), utterance="7002")) == []
        called = SAID_ELSEWHERE, asked(1, "9", utterance="7009"), calls(1, "9", "z")
        other = *called, ToolCalled(1, 7, "call 2", "order", "{}", "key", "z"), returns(1, 7, "done z")
        wrong = asked(6, "2", ("a", "done z"), utterance="7002")
        assert kinds(*other, *turns, wrong) == ["wrong_result"]


class TestModelCalls:
    def test_the_model_is_asked_once_with_the_same_results(self) -> None:
        again = asked(6.5, "3", ("a", "done a"))
        assert "asked_twice" in kinds(*TURN[:-2], again)

    def test_the_model_is_not_asked_again_before_its_tools_have_run(self) -> None:
        assert kinds(*ASKS, asked(2.5, "2")) == ["asked_twice"]

    def test_each_round_has_its_own_tries(self) -> None:
        failed = [
            event
            for number in (2, 3)
            for event in (
                asked(number + 3, str(number), ("a", "done a")),
                ModelAnswered(number + 3.5, str(number), "", "overloaded"),
            )
        ]
        turn = *TURN[:5], *failed
        last = asked(8, "4", ("a", "done a"))
        assert kinds(*turn, last) == []
        too_many = ModelAnswered(8.5, "4", "", "overloaded"), asked(9, "5", ("a", "done a"))
        assert kinds(*turn, last, *too_many) == ["asked_twice"]

    def test_a_failure_after_the_tools_is_retried(self) -> None:
        failed = asked(5, "2", ("a", "done a")), ModelAnswered(6, "2", "", "overloaded")
        history = History(now=lambda: 7.0)
        record_response(history, record_request(history, (("ApiCallId", "1"),)), "read=t-סליחה=ai_2,no,voice")
        turn = *TURN[:5], *failed, *history.events
        assert kinds(*turn, budget=Budget(retries=1)) == ["gave_up"]
        assert kinds(*turn) == []

    def test_calls_of_tools_are_no_answer_to_hear(self) -> None:
        history = History(now=lambda: 7.0)
        record_response(history, record_request(history, (("ApiCallId", "1"),)), "read=t-סליחה=ai_2,no,voice")
        failed = asked(5, "2", ("a", "done a")), ModelAnswered(6, "2", "", "rate_limited")
        assert kinds(*TURN[:5], *failed, *history.events) == []


class TestMatching:
    """Runs that do not know the ID of the model's call."""

    def test_runs_are_matched_by_their_arguments(self) -> None:
        both = SAID, asked(1, "1"), calls(2, "1", "a", "b")
        first = ToolCalled(3, 1, "call 1", "order", '{"of":  "a"}', "k1"), returns(3, 1, "done a")
        second = ToolCalled(4, 2, "call 1", "order", '{"of": "b"}', "k2"), returns(4, 2, "done b")
        right, wrong = (("a", "done a"), ("b", "done b")), (("a", "done b"), ("b", "done a"))
        assert kinds(*both, *first, *second, asked(5, "2", *right)) == []
        assert kinds(*both, *first, *second, asked(5, "2", *wrong)) == ["wrong_result"] * 2

    def test_arguments_may_be_converted(self) -> None:
        made = ModelAnswered(2, "1", tool_calls=(("a", "order", '{"id": "7", "all": 1}'),))
        run = ToolCalled(3, 1, "call 1", "order", '{"all": 1, "id": 7}', "k1"), returns(3, 1, "done")
        unknown = asked(5, "2", ("a", "it is not known"))
        assert kinds(SAID, asked(1, "1"), made, *run, unknown) == ["lost_result"]

    def test_two_equal_calls_in_a_message_run_once_each(self) -> None:
        made = ModelAnswered(2, "1", tool_calls=(("a", "order", "{}"), ("b", "order", "{}")))
        run = [ToolCalled(3, number, "call 1", "order", "{}", f"k{number}") for number in (1, 2, 3)]
        assert kinds(SAID, asked(1, "1"), made, *run[:2]) == []
        assert kinds(SAID, asked(1, "1"), made, *run) == ["tool_ran_twice"]

    @pytest.mark.parametrize("arguments", ["", "[1]", "{broken"])
    def test_arguments_that_are_no_object_are_compared_as_they_are(self, arguments: str) -> None:
        made = ModelAnswered(2, "1", tool_calls=(("a", "order", arguments),))
        run = [ToolCalled(3, number, "call 1", "order", arguments) for number in (1, 2)]
        assert kinds(SAID, asked(1, "1"), made, *run) == ["tool_ran_twice"]

    def test_a_run_that_no_model_has_called_is_judged_by_its_key_only(self) -> None:
        run = [ToolCalled(3, number, "call 1", "order", "{}", "k") for number in (1, 2)]
        assert kinds(SAID, run[0], returns(4, 1, "done")) == []
        assert kinds(SAID, *run) == ["tool_ran_twice"]
