"""Replace the model and the stores of every ``YemotAI`` that an application creates.

>>> from yemot_ai import YemotAI
>>> from yemot_ai_testing.property import EchoProvider
>>> echo = EchoProvider()
>>> with Replacement(echo, ReplacedStores(MemoryStore)) as replacement:
...     ai = YemotAI("codex", store="redis://localhost")
>>> ai.provider is echo, ai in replacement.created
(True, True)
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeAlias

from yemot_ai import AIFlow, DialogSettings, Limits, YemotAI
from yemot_ai.errors import MissingExtraError
from yemot_ai.providers import AnyProvider, Provider
from yemot_ai.providers.adapter import as_provider
from yemot_ai.providers.factory import make_provider
from yemot_ai.sessions import MemoryStore, SessionStore, open_store
from yemot_ai_testing.history.correlation import latest_utterance_id, utterance_text
from yemot_ai_testing.processes.environment import set_variables

__all__ = ["ReplacedStores", "Replacement", "check_declaration", "with_replaced_provider"]

MODEL_ARGUMENTS = ("model", "openai_api_key", "anthropic_api_key")
"""Arguments of ``YemotAI`` that go with a mode, and not with a provider."""

KEY_VARIABLES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "YEMOT_TOKEN")
"""Variables without which some providers cannot be created, although they are replaced."""

PLACEHOLDER = "none"

FILE_STORE = re.compile("(json|sqlite):.")
"""URLs of stores that are created when they are opened."""

INTERRUPTING_KEYS = ("1", "5")
"""The keys by which callers of ``StreamingMachine`` interrupt an answer."""

LONGEST_CALL = 86_400.0
"""Seconds for which a call is never over: callers of a hunt may be silent for long."""


class ReplacedStores:
    """The stores of one application: what it keeps, also when its worker is replaced.

    Args:
        new_store: creates a store.

    Attributes:
        survives_workers: whether the application has chosen stores that outlive its process.
    """

    def __init__(self, new_store: Callable[[], SessionStore]) -> None:
        self._new_store = new_store
        self._opened: list[SessionStore] = []
        self._chosen: list[object] = []
        self.survives_workers = False

    def begin_load(self) -> None:
        """Give the stores again, in the order in which the application asks for them."""
        self._chosen.clear()

    def store_for(self, chosen: object) -> SessionStore:
        """Return the store in place of the one that the application has chosen.

        Args:
            chosen: the argument ``store`` of ``YemotAI``: equal ones share a store; None is a new memory.
        """
        if chosen is not None and chosen != "memory:" and not isinstance(chosen, MemoryStore):
            self.survives_workers = True
        if chosen is None or chosen not in self._chosen:
            self._chosen.append(chosen)
            place = len(self._chosen) - 1
        else:
            place = self._chosen.index(chosen)
        while len(self._opened) <= place:
            self._opened.append(self._new_store())
        return self._opened[place]


class EchoTranscriber:
    """Returns the utterance that the path of a recording names."""

    async def transcribe(self, audio: bytes) -> str:
        """Return what was said; the recording is its path."""
        utterance_id = latest_utterance_id(audio.decode())
        return utterance_text(utterance_id) if utterance_id else ""


class PathRecordings:
    """Recordings whose sound is their path."""

    async def download(self, path: str, **_: object) -> bytes:
        """Return the path of the recording."""
        return path.encode()


CreateAI: TypeAlias = Callable[..., None]
"""``YemotAI.__init__``."""


def check_declaration(
    create: CreateAI, mode: str | None, settings: Mapping[str, Any], provider: AnyProvider
) -> Provider | None:
    """Return the provider that is replaced, and raise what ``YemotAI(mode, **settings)`` raises.

    No store is created, and neither a key nor the library of a model or a store is needed.

    Args:
        create: see above.
        mode: see ``YemotAI``.
        settings: the other arguments.
        provider: the replacement of the model.

    Returns:
        The declared provider; None without its library.

    Raises:
        ConfigurationError: an argument is wrong, or the arguments cannot work together.
    """
    store = settings.get("store")
    if isinstance(store, str):
        with contextlib.suppress(MissingExtraError):
            _ = FILE_STORE.match(store) or open_store(store)
        store = None
    kept = {name: value for name, value in settings.items() if name not in MODEL_ARGUMENTS}
    create(object.__new__(YemotAI), **{**kept, "provider": provider, "store": store})
    keys = {name: settings.get(f"{name}_api_key") for name in ("openai", "anthropic")}
    model, timeout = settings.get("model"), settings.get("turn_timeout", 60.0)
    with contextlib.suppress(MissingExtraError):
        declared = make_provider(mode, settings.get("provider"), model=model, keys=keys, timeout=timeout)
        _check_tools(create, declared, settings)
        return declared
    return None


def _check_tools(create: CreateAI, provider: AnyProvider, settings: Mapping[str, Any]) -> None:
    """Raise an error if the declared provider cannot call the tools of the settings."""
    if settings.get("tools"):
        create(object.__new__(YemotAI), provider=provider, tools=settings["tools"])


class Replacement:
    """Replaces the model and the stores of each ``YemotAI`` that is created in this context.

    Args:
        provider: the model.
        stores: the stores.

    Attributes:
        created: each ``YemotAI`` that was created, in order.
    """

    def __init__(self, provider: AnyProvider, stores: ReplacedStores) -> None:
        self._provider = provider
        self._stores = stores
        self.created: list[YemotAI] = []

    def __enter__(self) -> Self:
        self._stores.begin_load()
        missing = {name: PLACEHOLDER for name in KEY_VARIABLES if not os.environ.get(name)}
        self._variables = set_variables(missing)
        self._originals = YemotAI.__init__, AIFlow.__init__, AIFlow.ai_agent
        (create_ai, create_flow, add_agent), provider = self._originals, self._provider
        declared: dict[YemotAI, Provider | None] = {}

        def create_replaced(ai: YemotAI, mode: str | None = None, **settings: Any) -> None:  # noqa: ANN401 - as YemotAI
            declared[ai] = check_declaration(create_ai, mode, settings, provider)
            create_ai(ai, **self._settings_of_ai(settings))
            self.created.append(ai)

        def create_plain(flow: AIFlow, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - as AIFlow
            create_flow(flow, *args, **_with_plain_dialog(settings))

        def add_replaced(flow: AIFlow, *args: Any, **settings: Any) -> Any:  # noqa: ANN401 - as AIFlow.ai_agent
            own = with_replaced_provider(create_ai, settings, provider, declared.get(flow.ai))
            return add_agent(flow, *args, **_with_plain_dialog(own))

        YemotAI.__init__ = create_replaced  # type: ignore[method-assign,assignment]  # restored on exit
        AIFlow.__init__ = create_plain  # type: ignore[method-assign,assignment]  # restored on exit
        AIFlow.ai_agent = add_replaced  # type: ignore[method-assign,assignment]  # restored on exit
        return self

    def __exit__(self, *_: object) -> None:
        set_variables(self._variables)
        YemotAI.__init__, AIFlow.__init__, AIFlow.ai_agent = self._originals  # type: ignore[method-assign]  # as above

    def _settings_of_ai(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of a ``YemotAI``, whose callers ask without an end, and are not remembered."""
        kept = {name: value for name, value in settings.items() if name not in MODEL_ARGUMENTS}
        limits = settings.get("limits")
        return {
            **kept,
            "provider": self._provider,
            "store": self._stores.store_for(settings.get("store")),
            "transcriber": EchoTranscriber(),
            "recordings": PathRecordings(),
            "limits": Limits(answer=limits.answer) if isinstance(limits, Limits) else limits,
            "remember": "call",
            "session_ttl": max(settings.get("session_ttl", 0), LONGEST_CALL),
        }


def with_replaced_provider(
    create: CreateAI, settings: Mapping[str, Any], provider: AnyProvider, declared: Provider | None
) -> dict[str, Any]:
    """Return settings of an agent whose own provider, if it has one, is replaced.

    Args:
        create: see above.
        settings: the arguments of ``ai_agent``.
        provider: the replacement of the model.
        declared: the provider of the ``YemotAI``; None if it is not known.

    Raises:
        ConfigurationError: what is replaced is no provider, or cannot call the tools of the agent.
    """
    own = settings.get("provider")
    answering = declared if own is None else as_provider(own)
    if answering is not None:
        _check_tools(create, answering, settings)
    return dict(settings) if own is None else {**settings, "provider": provider}


def _with_plain_dialog(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose dialog speaks as the model writes, and takes the keys that interrupt for words.

    Otherwise no utterance would be recognised in what is heard, and an interruption would do more than that.
    """
    dialog = settings.get("dialog")
    if not isinstance(dialog, DialogSettings):
        return dict(settings)
    keys = {key: action for key, action in dialog.keys.items() if key not in INTERRUPTING_KEYS}
    return {**settings, "dialog": replace(dialog, pronounce={}, speech=None, keys=keys)}
