"""Rule suites and recordings that compare a double with the real thing.

The suite of Codex checks any executable that behaves like Codex, in a test or from the command line::

    def test_our_fake_keeps_the_rules():
        with contract.codex("tests/bin/codex") as suite:
            suite.check()


    @pytest.mark.parametrize("rule", contract.codex_rules(), ids=lambda rule: rule.id)
    def test_our_fake_keeps_a_rule(rule):
        with contract.codex("tests/bin/codex") as suite:
            suite.check(rule)

The suite of session stores checks any store::

    @pytest.mark.parametrize("rule", contract.session_store_rules(), ids=lambda rule: rule.id)
    def test_my_store_keeps_a_rule(rule):
        contract.session_store(lambda: MyStore("…")).check(rule)

``record_live`` records your own Codex, for ``FakeCodex(recordings=…)``.
"""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yemot_ai_testing.codex.redact import UnpublishableError
from yemot_ai_testing.codex.rules.suite import RULES, CodexSuite, ExecutableUnusableError, open_suite
from yemot_ai_testing.conformance.rule import AnyRule, ContractBreachError, Interface, Rule, Verdict

if TYPE_CHECKING:
    from yemot_ai_testing.codex.recorder.own_turns import record_live
    from yemot_ai_testing.codex.recorder.script_file import ScriptFileError
    from yemot_ai_testing.conformance.stores.bench import StoreFactory
    from yemot_ai_testing.conformance.stores.suite import StoreSuite

__all__ = [
    "CodexSuite",
    "ContractBreachError",
    "ExecutableUnusableError",
    "Rule",
    "ScriptFileError",
    "UnpublishableError",
    "Verdict",
    "codex",
    "codex_rules",
    "record_live",
    "session_store",
    "session_store_rules",
]

_RECORDER: Final = {"record_live": "own_turns", "ScriptFileError": "script_file"}


def __getattr__(name: str) -> object:
    """Import the recorder when it is first used: no rule needs it."""
    if name not in _RECORDER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"yemot_ai_testing.codex.recorder.{_RECORDER[name]}"), name)


def codex(
    executable: str | Path = "real", *, interface: Interface = "exec"
) -> AbstractContextManager[CodexSuite]:
    """Open the rule suite of Codex for an executable.

    No key and no network is needed: a real binary, a wrapper and a fake of another project use a scripted
    model service on this machine.

    Args:
        executable: ``fake``, ``fake@VERSION``, ``real``, ``real@VERSION`` (as ``yemot-ai-testing codex
            install`` fetches them) or a path.
        interface: the rules of ``codex exec --json``, or of ``codex app-server``.

    Returns:
        A context with the suite.

    Raises:
        BinaryNotFoundError: if there is no such executable (when the context is entered).
        CodexSpecError: if ``executable`` does not name a Codex (when the context is entered).
        ExecutableUnusableError: if it cannot be run (when the context is entered).
    """
    return open_suite(executable, interface)


def codex_rules(interface: Interface = "exec") -> tuple[AnyRule, ...]:
    """Return the rules of ``codex exec --json`` or ``codex app-server``, each with a stable ``id``."""
    return RULES[interface]


def session_store(make_store: StoreFactory) -> StoreSuite:
    """Return the rule suite of session stores for a store.

    Args:
        make_store: opens the store. It is called twice for each rule, for two views of the same sessions,
            as two workers have them. Names are unique, so the store may be in use.
    """
    from yemot_ai_testing.conformance.stores.suite import StoreSuite  # noqa: PLC0415 - Codex needs no store

    return StoreSuite(make_store)


def session_store_rules() -> tuple[AnyRule, ...]:
    """Return the rules of session stores, in order, each with a stable ``id``."""
    from yemot_ai_testing.conformance.stores import STORE_RULES  # noqa: PLC0415 - as above

    return STORE_RULES
