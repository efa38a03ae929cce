"""Load an application again and again, each time as in a new process, with its model replaced.

>>> from yemot_ai_testing.hunt.replacement import ReplacedStores
>>> from yemot_ai.sessions import MemoryStore
>>> from yemot_ai_testing.property import EchoProvider
>>> with AppLoader("yemot_ai.reference:flow") as loader:
...     first, second = (loader.load(EchoProvider(), ReplacedStores(MemoryStore)) for _ in range(2))
>>> first.app is second.app, first.open_calls()
(False, 0)
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Final, Self

from yemot_ai import AIFlow, YemotAI
from yemot_ai.errors.failure_place import describe_failure
from yemot_ai.providers import AnyProvider
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.hunt.replacement import ReplacedStores, Replacement
from yemot_ai_testing.line.transports.detect import is_web_app
from yemot_ai_testing.line.transports.urls import percent_encoded
from yemot_ai_testing.scenario.play.target import import_attribute, load_app

__all__ = ["AppLoader", "LoadedApp"]

PROVIDER_PARAMETER: Final = "provider"
"""The parameter of a factory that gets the model."""

KEPT_PACKAGES: Final = frozenset({"yemot_ai", "yemot_ai_testing"})


@dataclass(frozen=True, slots=True)
class LoadedApp:
    """An application with a replaced model.

    Attributes:
        app: an application that a ``Caller`` accepts.
        ais: each ``YemotAI`` that it has created.
        got_provider: whether its factory has got the model.
        path: where the line calls a web application.
    """

    app: object
    ais: tuple[YemotAI, ...] = ()
    got_provider: bool = False
    path: str = "/"

    @property
    def flow(self) -> AIFlow | None:
        """The application, if it is an ``AIFlow``."""
        return self.app if isinstance(self.app, AIFlow) else None

    def open_calls(self) -> int | None:
        """Return the number of open calls; None if the application cannot say."""
        if self.ais:
            return max(ai.open_calls() for ai in self.ais)  # a call may be open in several of them
        count = getattr(self.app, "open_calls", None)
        return count() if callable(count) else None


class AppLoader:
    """Loads ``module:attr``; its modules are imported each time, so that nothing is left of earlier calls.

    A function without required arguments is a factory, and one with the parameter ``provider`` is a factory
    that gets the model; then the modules stay.

    Args:
        target: ``module:attr``, or ``module:attr/path`` of a web application.
        root: a folder that is searched for modules after the current one.

    Attributes:
        path: where the line calls a web application.
    """

    def __init__(self, target: str, root: Path | None = None) -> None:
        self.target = target
        self._name, slash, path = target.partition("/")
        self.path = percent_encoded(slash + path) or "/"
        self._root = root
        self._before: Mapping[str, ModuleType] = {}
        self._own: frozenset[str] | None = None

    def __enter__(self) -> Self:
        self._before = dict(sys.modules)
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._own or ():
            sys.modules.pop(name, None)
            if name in self._before:
                sys.modules[name] = self._before[name]

    def load(self, provider: AnyProvider, stores: ReplacedStores) -> LoadedApp:
        """Return a new application.

        Args:
            provider: the model of each ``YemotAI`` that the application creates.
            stores: their stores.

        Raises:
            AppError: there is no such application, or its module cannot be imported.
        """
        for name in {self._module_name} if self._own is None else self._own:
            if name.partition(".")[0] not in KEPT_PACKAGES or name == self._module_name:
                sys.modules.pop(name, None)
        with Replacement(provider, stores) as replacement:
            return self._create(provider, replacement)

    @property
    def _module_name(self) -> str:
        return self._name.partition(":")[0]

    def _create(self, provider: AnyProvider, replacement: Replacement) -> LoadedApp:
        attribute = import_attribute(self._name, self._root)
        parameters = _factory_parameters(attribute)
        if self._own is None:
            self._own = self._project_modules() if parameters is None else frozenset()
        gets_provider = PROVIDER_PARAMETER in (parameters or ())
        try:
            if gets_provider and isinstance(attribute, FunctionType):
                app = attribute(**{PROVIDER_PARAMETER: provider})
            else:
                app = load_app(self._name, self._root)
        except AppError:
            raise
        except (Exception, SystemExit) as error:
            raise AppError(f"{self.target}: {describe_failure(error)}") from error
        if isinstance(app, AIFlow):
            app.access = replace(app.access, secret=None)  # the secret of the line is not known here
        if isinstance(app, str):
            raise AppError(f"{self.target} is a text, {app!r}, and no application")
        if self.path != "/" and not is_web_app(app):
            raise AppError(f"{self.target}: only a WSGI or ASGI application has the path {self.path}")
        return LoadedApp(app, tuple(replacement.created), gets_provider, self.path)

    def _project_modules(self) -> frozenset[str]:
        """Return the modules of the project that the application has imported."""
        folders = [folder.resolve() for folder in (Path.cwd(), self._root) if folder]
        new = {name: module for name, module in sys.modules.items() if name not in self._before}
        own = {name for name, module in new.items() if _is_in(module, folders)}
        return frozenset({*own, self._module_name})


def _factory_parameters(attribute: object) -> Sequence[str] | None:
    """Return the names of the parameters of a factory; None for anything else."""
    if not isinstance(attribute, FunctionType):
        return None
    parameters = inspect.signature(attribute).parameters
    required = [name for name, one in parameters.items() if one.default is one.empty]
    return tuple(parameters) if not required or required == [PROVIDER_PARAMETER] else None


def _is_in(module: ModuleType, folders: list[Path]) -> bool:
    """Whether the source of a module is in one of the folders, and it is no installed package."""
    file = getattr(module, "__file__", None)
    if file is None:
        return False
    path = Path(file).resolve()
    installed = {"site-packages", "dist-packages"} & {*path.parts}
    return not installed and any(path.is_relative_to(folder) for folder in folders)
