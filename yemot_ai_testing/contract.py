"""Suites and recordings that hold a double to the real thing it stands in for.

The suite of Codex tries any executable that claims to be one, in a test or from the command line::

    def test_our_fake_is_a_codex():
        with contract.codex("tests/bin/codex") as suite:
            suite.check()


    @pytest.mark.parametrize("case", contract.codex_rules(), ids=lambda case: case.id)
    def test_our_fake_keeps_a_rule(case):
        with contract.codex("tests/bin/codex") as suite:
            suite.check(case)

The suite of session stores tries any store, yours too::

    @pytest.mark.parametrize("rule", contract.session_store_rules(), ids=lambda rule: rule.id)
    def test_my_store_keeps_a_rule(rule):
        contract.session_store(lambda: MyStore("…")).check(rule)
"""

# ruff: noqa: PLC0415 - the doubles stand above this package and below the suite: they are imported when asked for

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yemot_ai_testing.codex.rules.suite import CodexSuite
    from yemot_ai_testing.conformance.rule import AnyRule, Interface
    from yemot_ai_testing.conformance.stores.bench import StoreFactory, StoreRule
    from yemot_ai_testing.conformance.stores.suite import StoreSuite

__all__ = ["codex", "codex_rules", "session_store", "session_store_rules"]


def codex(
    executable: str | Path = "real", *, interface: Interface = "exec"
) -> AbstractContextManager[CodexSuite]:
    """The rules of Codex, and an executable to hold to them.

    No key and no network is needed: a real binary, a wrapper and a fake of somebody else are led to a
    scripted model service on this machine.

    Args:
        executable: a path; a version, as ``yemot-ai-testing codex install`` fetches them; ``real``;
            ``fake``, or ``fake@VERSION`` for another version than the newest.
        interface: which rules: those of ``codex exec --json``, or of ``codex app-server``.

    Returns:
        A context with the suite.

    Raises:
        BinaryNotFoundError: there is no such executable (when the context is entered).
        ExecutableUnusableError: there is, and it cannot be run (likewise).
    """
    from yemot_ai_testing.codex.rules.suite import open_suite

    return open_suite(executable, interface)


def codex_rules(interface: Interface = "exec") -> tuple[AnyRule, ...]:
    """All rules of ``codex exec --json`` or ``codex app-server``, each with a stable ``id``, in order."""
    from yemot_ai_testing.codex.rules.suite import RULES

    return RULES[interface]


def session_store(make_store: StoreFactory) -> StoreSuite:
    """The rules of session stores, and a store to hold to them.

    Args:
        make_store: opens the store. It is called twice for each rule and must give two views of the same
            sessions, as two workers have them; names never clash, so the store may be used by others.
    """
    from yemot_ai_testing.conformance.stores.suite import StoreSuite

    return StoreSuite(make_store)


def session_store_rules() -> tuple[StoreRule, ...]:
    """All rules of session stores, numbered by their place, each with a stable ``id``."""
    from yemot_ai_testing.conformance.stores import STORE_RULES

    return STORE_RULES
