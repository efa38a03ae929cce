"""Plays the scenario of an item as often as the run asks for, and makes one record of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.line.clock import clock_of, is_virtual
from yemot_ai_testing.pytest_plugin.options import repeat_count, run_settings
from yemot_ai_testing.pytest_plugin.scenarios.baseline import baseline_of_run
from yemot_ai_testing.pytest_plugin.scenarios.servers import servers_for_run
from yemot_ai_testing.scenario.play.result import EXPECTATION_KINDS, ScenarioFailure, ScenarioResult
from yemot_ai_testing.scenario.play.runner import play_scenario
from yemot_ai_testing.scenario.play.target import REFERENCE_APP, PlayTarget, can_order_tasks, open_target
from yemot_ai_testing.scenario.report.call_record import UPDATE_HINTS, CallRecord
from yemot_ai_testing.scenario.report.declared import declared_extensions

if TYPE_CHECKING:
    import pytest

    from yemot_ai_testing.pytest_plugin.scenarios.update import UpdatePlugin
    from yemot_ai_testing.scenario.format.model import Scenario

__all__ = ["PlayedItem", "play_item"]

REFERENCE_HINT: Final = (
    f"the reference agent {REFERENCE_APP} was called, because nothing names another one: "
    "app: in the file, --yemot-app, or the ini key yemot_app"
)


@dataclass(frozen=True, slots=True)
class PlayedItem:
    """What an item has played.

    Attributes:
        call: the record of the first play that failed, else of the first.
        failure: why it failed; None if it did not.
        fake_only: why only a fake can play it; None if it was played.
        outputs: what the server wrote, one text for each play; empty without a server.
    """

    call: CallRecord
    failure: ScenarioFailure | None
    fake_only: str | None
    outputs: tuple[str, ...] = ()


def play_item(item: pytest.Item, scenario: Scenario, replay: str) -> PlayedItem:
    """Play a scenario once, or as often as ``--yemot-repeat`` says.

    Args:
        item: its item.
        scenario: the scenario.
        replay: the command that plays it again.
    """
    count = repeat_count(item.config)
    plays = [_play(item, scenario, number, count) for number in range(1, count + 1)]
    failed = [play for play in plays if play.failure is not None]
    shown = (failed or plays)[0]
    call = replace(shown.call, replay=replay, plays=count, failed_plays=len(failed))
    if len(failed) < count:  # a flaky call: what it should have heard was heard in the other plays
        call = replace(call, hints=tuple(hint for hint in call.hints if hint not in UPDATE_HINTS.values()))
    return replace(shown, call=call)


def _play(item: pytest.Item, written: Scenario, number: int, count: int) -> PlayedItem:
    settings, config = run_settings(item.config), item.config
    with open_target(settings, written.app, servers_for_run(config)) as target:
        scenario = _ordered(written, target, number) if count > 1 else written
        result = _checked(item, _result(item, scenario, target), is_virtual(clock_of(target.app)))
        outputs = () if target.output is None else (target.output(),)
    record = CallRecord.from_result(result)
    hints = [*_order_hints(written, scenario), *_target_hints(config, written)] if result.failure else []
    call = replace(
        record,
        hints=(*hints, *record.hints),
        called=str(settings.target(written.app)),
        declared=declared_extensions(target.app),
        is_virtual=is_virtual(clock_of(target.app)),
    )
    return PlayedItem(call, result.failure, result.fake_only, outputs)


def _ordered(scenario: Scenario, target: PlayTarget, number: int) -> Scenario:
    """Return a scenario of a repetition: the first play runs tasks as they come, each other one by chance."""
    if scenario.order is not None or not can_order_tasks(target.app):
        return scenario
    return replace(scenario, order="arrival" if number == 1 else f"chance {number}")


def _result(item: pytest.Item, scenario: Scenario, target: PlayTarget) -> ScenarioResult:
    plugin: UpdatePlugin | None = item.config.pluginmanager.get_plugin("yemot_update")
    if plugin is None:
        return play_scenario(scenario, target)
    result = play_scenario(scenario, target, continue_after=EXPECTATION_KINDS)
    return plugin.update.collect(result, item.path)


def _checked(item: pytest.Item, result: ScenarioResult, virtual: bool) -> ScenarioResult:  # noqa: FBT001 - of the clock
    """Return ``result`` after what the run compares with files: snapshot and baseline."""
    if _compares_snapshots(item.config):
        from yemot_ai_testing.pytest_plugin.snapshots import check_snapshot  # noqa: PLC0415 - needs syrupy

        result = check_snapshot(result, item)
    baseline = baseline_of_run(item.config)
    return result if baseline is None else baseline.check(result, item.nodeid, is_virtual=virtual)


def _compares_snapshots(config: pytest.Config) -> bool:
    return bool(config.getoption("yemot_snapshot") or config.getini("yemot_snapshot"))


def _order_hints(written: Scenario, played: Scenario) -> Iterator[str]:
    if played.order not in {written.order, "arrival"}:
        yield f"its tasks ran in another order; to keep it, add to the scenario: order: {played.order}"


def _target_hints(config: pytest.Config, written: Scenario) -> Iterator[str]:
    if run_settings(config).named_target(written.app) is None:
        yield REFERENCE_HINT
