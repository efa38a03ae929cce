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

The suite of providers checks any provider, with a scripted model behind it::

    def test_my_provider_keeps_the_rules():
        contract.provider(lambda server: MyProvider(server.base_url), backend=ModelServer).check()

``record_live`` records your own Codex, for ``FakeCodex(recordings=…)``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from yemot_ai_testing.codex.redact import UnpublishableError
from yemot_ai_testing.codex.rules.suite import RULES, CodexSuite, ExecutableUnusableError, open_suite
from yemot_ai_testing.conformance.rule import (
    AnyRule,
    ContractBreachError,
    Interface,
    Rule,
    RulesNotRunWarning,
    Verdict,
)
from yemot_ai_testing.doubles.arguments import as_seconds

if TYPE_CHECKING:
    from yemot_ai.providers import AnyProvider
    from yemot_ai_testing.codex.recorder.own_turns import record_live
    from yemot_ai_testing.codex.recorder.script_file import ScriptFileError
    from yemot_ai_testing.conformance.providers.backend import ModelBackend, Received
    from yemot_ai_testing.conformance.providers.suite import ProviderSuite
    from yemot_ai_testing.conformance.stores.bench import StoreFactory
    from yemot_ai_testing.conformance.stores.suite import StoreSuite

__all__ = [
    "CodexSuite",
    "ContractBreachError",
    "ExecutableUnusableError",
    "ModelBackend",
    "ProviderSuite",
    "Received",
    "Rule",
    "RulesNotRunWarning",
    "ScriptFileError",
    "UnpublishableError",
    "Verdict",
    "codex",
    "codex_rules",
    "provider",
    "provider_rules",
    "record_live",
    "session_store",
    "session_store_rules",
]

Model = TypeVar("Model")

_LATER: Final = {
    "record_live": "codex.recorder.own_turns",
    "ScriptFileError": "codex.recorder.script_file",
    "ModelBackend": "conformance.providers.backend",
    "Received": "conformance.providers.backend",
    "ProviderSuite": "conformance.providers.suite",
}


def __getattr__(name: str) -> object:
    """Import when it is first used what the rules of Codex do not need."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"yemot_ai_testing.{_LATER[name]}"), name)


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


def session_store(make_store: StoreFactory, *, make_other: StoreFactory | None = None) -> StoreSuite:
    """Return the rule suite of session stores for a store.

    Args:
        make_store: opens the store. It is called twice for each rule, for two views of the same sessions,
            as two workers have them. Names are unique, so the store may be in use.
        make_other: opens the store of another application on the same server, with another prefix or table;
            without it, the rules of shared servers do not apply.
    """
    from yemot_ai_testing.conformance.stores.suite import StoreSuite  # noqa: PLC0415 - Codex needs no store

    return StoreSuite(make_store, make_other)


def session_store_rules() -> tuple[AnyRule, ...]:
    """Return the rules of session stores, in order, each with a stable ``id``."""
    from yemot_ai_testing.conformance.stores import STORE_RULES  # noqa: PLC0415 - as above

    return STORE_RULES


@overload
def provider(
    make_provider: Callable[[], AnyProvider],
    *,
    backend: None = None,
    deadline: float | None = None,
    name: str = "the provider",
) -> ProviderSuite: ...


@overload
def provider(
    make_provider: Callable[[Model], AnyProvider],
    *,
    backend: Callable[[], Model],
    deadline: float | None = None,
    name: str = "the provider",
) -> ProviderSuite: ...


def provider(
    make_provider: Callable[..., AnyProvider],
    *,
    backend: Callable[[], Any] | None = None,
    deadline: float | None = None,
    name: str = "the provider",
) -> ProviderSuite:
    """Return the rule suite of providers for a provider.

    Args:
        make_provider: returns a new provider; it is called on a running event loop, once or twice for each
            rule, and gets what ``backend`` returns. Without a backend it gets no argument.
        backend: returns the model behind the provider: ``ModelServer``, ``FakeCodex``, or a class of your own
            with the methods of ``ModelBackend``; it is called for each rule. Without it, the rules that need
            to script the model are not run, and a warning names them.
        deadline: seconds after which the providers give up a question; None if they do not, or if it takes
            too long for a test.
        name: the name of the provider in reports.

    Raises:
        ValueError: the deadline is negative or not finite.
        TypeError: the deadline is no number.
    """
    from yemot_ai_testing.conformance.providers.suite import ProviderSuite  # noqa: PLC0415 - as above
    from yemot_ai_testing.contract.backends import opened  # noqa: PLC0415 - as above

    seconds = None if deadline is None else as_seconds("deadline", deadline)
    return ProviderSuite(opened(make_provider, backend), name, seconds)


def provider_rules() -> tuple[AnyRule, ...]:
    """Return the rules of providers, in order, each with a stable ``id``."""
    from yemot_ai_testing.conformance.providers import PROVIDER_RULES  # noqa: PLC0415 - as above

    return PROVIDER_RULES
