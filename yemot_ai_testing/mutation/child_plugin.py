"""The pytest plugin of a run with a planted fault (``-p yemot_ai_testing.mutation.child_plugin``).

It is planted before any file of the project is imported. What the run has to do is in a private folder, which
``FOLDER_VARIABLE`` names; the plugin writes its results there.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from yemot_ai_testing.errors import ToolkitError
from yemot_ai_testing.mutation.catalog import MUTATIONS, select
from yemot_ai_testing.mutation.marks import Marks
from yemot_ai_testing.mutation.mutation import Mutation
from yemot_ai_testing.mutation.order import FOLDER_VARIABLE, Failure, Order, write_target_problem
from yemot_ai_testing.mutation.planted_ai import plant_provider, plant_store
from yemot_ai_testing.mutation.planted_application import CallRecords, plant_application
from yemot_ai_testing.mutation.watching import plant_watchers

__all__ = ["MutationPlugin", "plant", "pytest_load_initial_conftests"]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Plant the fault of this run, and register the plugin with its other hooks.

    Raises:
        pytest.UsageError: this is no run of ``yemot-ai-testing mutate``.
    """
    if FOLDER_VARIABLE not in os.environ:
        raise pytest.UsageError("this plugin is for yemot-ai-testing mutate: leave out -p")
    early_config.pluginmanager.register(MutationPlugin(Path(os.environ[FOLDER_VARIABLE])), "yemot_mutation")


def plant(mutation: Mutation, marks: Marks) -> CallRecords | None:
    """Plant a fault in this process, for as long as it lives; return what it knows of calls."""
    match mutation.seam:
        case "application":
            return plant_application(mutation.fault, marks, mutation.id)
        case "provider":
            plant_provider(mutation.fault, marks, mutation.id)
        case "store":
            plant_store(mutation.fault, marks, mutation.id)
    return None


class MutationPlugin:
    """The hooks of a run.

    Args:
        folder: the private folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._order = Order.read(folder)
        self._marks = Marks(folder)
        self._records: CallRecords | None = None
        if self._order.mutation:
            self._records = plant(select([self._order.mutation])[0], self._marks)
        elif self._order.is_baseline:
            plant_watchers(MUTATIONS, self._marks)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Keep the tests that call an application, or replace them by the calls of this run.

        The tests are collected in any case, because the application may need their ``conftest.py``.
        """
        order = self._order
        if order.is_baseline:
            self._check_target(config)
        if order.calls:
            items[:] = self._calls(session)
        if order.files is not None:
            kept = [item for item in items if _file(item) in order.files]
            config.hook.pytest_deselected(items=[item for item in items if item not in kept])
            items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """Record whether the test calls an application."""
        self._marks.is_used = False
        result = yield
        if self._marks.is_used:
            self._marks.add_file(_file(item))
        if self._order.calls and self._records and nextitem and _file(nextitem) != _file(item):
            self._records.forget()  # each file of calls must notice the fault alone
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a test that failed."""
        if report.failed:
            Failure(report.nodeid, _reason(report)).add_to(self._folder)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record a file that cannot be collected."""
        if report.failed:
            Failure(report.nodeid, _reason(report)).add_to(self._folder)

    def _check_target(self, config: pytest.Config) -> None:
        """Record why the target cannot be called, if it cannot."""
        from yemot_ai_testing.mutation.calls.exploration import check_target  # noqa: PLC0415 - the extra

        try:
            check_target(self._order.target, config.rootpath)
        except ToolkitError as error:
            write_target_problem(self._folder, str(error))
            raise pytest.UsageError(str(error)) from error

    def _calls(self, session: pytest.Session) -> list[pytest.Item]:
        from yemot_ai_testing.mutation.calls import items  # noqa: PLC0415 - needs the extra

        folder = Path(self._order.calls)
        if self._order.explores:
            return list(items.exploration_items(session, self._order.target, folder))
        return list(items.scenario_items(session, folder))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    lines = [line.strip() for line in report.longreprtext.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("E ")), lines[0] if lines else "")
