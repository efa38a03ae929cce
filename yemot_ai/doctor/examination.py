"""Run the checks; one that itself fails does not keep the others from running."""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from yemot_ai.doctor.addresses import check_address
from yemot_ai.doctor.finding import Finding, warning
from yemot_ai.doctor.flows import check_access, check_extensions, import_flow
from yemot_ai.doctor.goto_targets import check_goto_targets
from yemot_ai.doctor.installation import check_packages, check_python
from yemot_ai.doctor.models import check_models, check_models_of_machine
from yemot_ai.doctor.secrets import hide_secrets
from yemot_ai.doctor.stores import check_store, check_store_of_machine
from yemot_ai.flow import AIFlow

__all__ = ["examine"]

Check: TypeAlias = Callable[[], Iterable[Finding]]

_log = logging.getLogger("yemot_ai")


def examine(target: str | None = None, url: str | None = None) -> list[Finding]:
    """Examine this machine, and a flow.

    What the modules of the flow print goes to standard error.

    Args:
        target: ``module:attribute`` of the flow; None: only what the machine has.
        url: where the line reaches the flow; None: no request is sent.
    """
    with contextlib.redirect_stdout(sys.stderr):
        flow, imported = (None, []) if target is None else _import(target)
        checks = _machine_checks() if target is None else _flow_checks(flow) if flow else {}
        if url is not None:
            checks["url"] = functools.partial(check_address, url, flow)
        found = [*_run("python", check_python), *_run("packages", check_packages), *imported]
        for name, check in checks.items():
            found.extend(_run(name, check))
    return hide_secrets(found, flow)


def _import(target: str) -> tuple[AIFlow | None, list[Finding]]:
    with _logged_warnings() as warnings:
        flow, imported = import_flow(target)
    return flow, [imported, *warnings]


def _machine_checks() -> dict[str, Check]:
    return {"model": check_models_of_machine, "store": check_store_of_machine}


def _flow_checks(flow: AIFlow) -> dict[str, Check]:
    checks = {
        "extensions": check_extensions,
        "goto": check_goto_targets,
        "model": check_models,
        "store": check_store,
        "secret": check_access,
    }
    return {name: functools.partial(check, flow) for name, check in checks.items()}


def _run(name: str, check: Check) -> list[Finding]:
    findings: list[Finding] = []
    with _logged_warnings() as warnings:
        try:
            findings.extend(check())
        except Exception as failure:  # noqa: BLE001 - the other checks have to run
            findings.append(warning(name, f"this check failed: {type(failure).__name__}: {failure}"))
    return [*findings, *warnings]


@contextlib.contextmanager
def _logged_warnings() -> Iterator[list[Finding]]:
    """Collect what this package warns of, such as files of the store that other users can read."""
    collector = _Collector(logging.WARNING)
    propagate, _log.propagate = _log.propagate, False
    _log.addHandler(collector)
    try:
        yield collector.findings
    finally:
        _log.removeHandler(collector)
        _log.propagate = propagate


class _Collector(logging.Handler):
    """Makes findings of log records."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.findings: list[Finding] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.findings.append(warning("log", record.getMessage()))
