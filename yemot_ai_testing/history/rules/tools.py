"""Rules about tools: each call of the model runs once, and the model gets its result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

from yemot_ai_testing.history.index import HistoryIndex
from yemot_ai_testing.history.trace import shorten
from yemot_ai_testing.history.views import ModelCallView, RequestView, ToolRunView, UtteranceView
from yemot_ai_testing.history.violation import Budget, Violation

__all__ = ["results_are_of_their_calls", "results_reach_the_model", "tools_run_once"]


def tools_run_once(index: HistoryIndex, _budget: Budget) -> Iterator[Violation]:
    """A tool runs once for a call of the model, unless it may be repeated."""
    for call in index.calls.values():
        runs: dict[Hashable, ToolRunView] = {}
        for run in call.tool_runs:
            names = _names(run)
            before = next((runs[name] for name in names if name in runs), None)
            if before is not None and not run.event.repeatable:
                message = f"{run.event.name} ran again in {call.name}, for the same call of the model"
                related = _indexes(before)
                yield index.violation("tool_ran_twice", message, run.called_index, run.subject, *related)
                break
            runs.update(dict.fromkeys(names, run))


def _names(run: ToolRunView) -> list[Hashable]:
    """Return what names the model's call of a tool: the key of its runs, and its place in the message."""
    asked = run.model_call
    place = [(asked.event.model_call_id, run.tool_call_id)] if asked else []
    return [*place, *([run.event.key] if run.event.key else [])]


def _indexes(run: ToolRunView) -> list[int]:
    return [at for at in (run.called_index, run.returned_index) if at >= 0]


def results_are_of_their_calls(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """The model gets for its call of a tool what the run for this call has returned."""
    by_result: dict[str, list[ToolRunView]] = defaultdict(list)
    for run in index.tools.runs.values():
        by_result[run.result].append(run)
    by_result.pop("", None)
    recorded = {run.event.name for run in index.tools.runs.values()}
    for utterance in index.utterances:
        for model_call, tool_call_id, result in _first_results(utterance):
            own, at = _runs_of(index, utterance, tool_call_id), model_call.asked_index
            name = index.tools.name(utterance.call, tool_call_id)
            if name not in recorded or any(run.result == result for run in own):
                continue
            asked = f"when it was asked {utterance.utterance_id}, the model got {shorten(result)!r} of {name}"
            others = (run for run in by_result.get(result, ()) if run.returned_before(at))
            # A run whose call of the model is not known may be the own one.
            if other := next((run for run in others if run.model_call), None):
                message = f"{asked}, the result of {_description(other)}"
                yield index.violation("wrong_result", message, at, utterance.subject, *_indexes(other))
            elif lost := next((run for run in own if _could_keep(index, utterance, run, at, budget)), None):
                message = f"{asked}, though {lost.event.name} had returned {shorten(lost.result)!r}"
                yield index.violation("lost_result", message, at, utterance.subject, *_indexes(lost))


def _first_results(utterance: UtteranceView) -> Iterator[tuple[ModelCallView, str, str]]:
    """Iterate over the results that the model gets, each once: (model call, ID of the call, result)."""
    seen: set[str] = set()
    for model_call in utterance.model_calls:
        for tool_call_id, result in model_call.event.tool_results:
            if tool_call_id not in seen:
                seen.add(tool_call_id)
                yield model_call, tool_call_id, result


def _runs_of(index: HistoryIndex, utterance: UtteranceView, tool_call_id: str) -> list[ToolRunView]:
    """Return the runs for a call of the model; it was made for an earlier utterance if it needed consent."""
    own = [run for model_call in utterance.model_calls for run in model_call.runs_of(tool_call_id)]
    return own or index.tools.runs_for(utterance.call, tool_call_id)


def _description(run: ToolRunView) -> str:
    return f"{run.event.name} {shorten(run.event.arguments)} in {run.event.call}"


def _could_keep(
    index: HistoryIndex, utterance: UtteranceView, run: ToolRunView, at: int, budget: Budget
) -> bool:
    """Whether a run returned before ``at``, and its worker and the store could keep the result."""
    worker = run.event.worker
    return (
        run.returned_before(at)
        and bool(run.result)
        and not index.had_fault(run.event.call, run.called_index, at)
        and not index.had_restart(worker, run.called_index, at)
        and not index.stalled_too_long(worker, utterance.spoken_index, at, budget)
    )


def results_reach_the_model(index: HistoryIndex, budget: Budget) -> Iterator[Violation]:
    """The model gets the result of each tool that it has called, or why there is none."""
    for utterance in index.utterances:
        for model_call in utterance.model_calls:
            if run := _unreported_run(index, utterance, model_call, budget):
                at, asked = model_call.asked_index, f"the model was asked {utterance.utterance_id} again"
                message = f"{asked}, without a result of {run.event.name}"
                yield index.violation("lost_result", message, at, utterance.subject, *_indexes(run))
                break
    for utterance, settled in index.settled_utterances():
        if tool := _unanswered_tool(index, utterance, settled, budget):
            message = f"the model has called {tool} for {utterance.utterance_id}, and got no result"
            at = settled.received_index
            yield index.violation("lost_result", message, at, utterance.subject, settled.sent_index)


def _unreported_run(
    index: HistoryIndex, utterance: UtteranceView, model_call: ModelCallView, budget: Budget
) -> ToolRunView | None:
    """Return a run whose result a later model call should have had."""
    for prior in utterance.model_calls:
        for run in prior.tool_runs:
            if run.called_index > model_call.asked_index or run.tool_call_id in model_call.result_ids:
                continue
            # A worker that was away for too long does not know yet that it has lost the turn.
            if not index.presumed_dead(model_call, run.called_index, budget):
                return run
    return None


def _unanswered_tool(
    index: HistoryIndex, utterance: UtteranceView, settled: RequestView, budget: Budget
) -> str:
    """Return a tool whose result the model never got, though its answer was heard; or ""."""
    end = settled.received_index
    if 0 <= utterance.interrupted_index < end or index.was_answered_by_keys(utterance, end):
        return ""
    known = {one for model_call in utterance.model_calls for one in model_call.result_ids}
    answers = (request for request, model_call_id in utterance.spoken_answers if model_call_id)
    if not any(0 <= request.received_index <= end for request in answers):
        return ""  # the turn may have failed, or a tool asks the caller for consent
    names = (
        name
        for model_call in utterance.model_calls
        if index.was_usable(model_call, utterance, end, budget)
        for tool_call_id, name, _ in model_call.tool_calls
        if tool_call_id not in known
    )
    return next(names, "")
