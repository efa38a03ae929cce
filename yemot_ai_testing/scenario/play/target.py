"""What a scenario is played against: which application, and who answers as its model."""

from __future__ import annotations

import importlib
import inspect
import shlex
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.runner import PlayTarget

if TYPE_CHECKING:
    from yemot_ai_testing.codex.fake.double import FakeCodex
    from yemot_ai_testing.codex.real import RealCodex
    from yemot_ai_testing.scenario.play.servers import RunningServer, Servers

__all__ = [
    "REFERENCE_APP",
    "RunSettings",
    "codex_double",
    "import_attribute",
    "load_app",
    "open_target",
    "resolve_codex",
]

REFERENCE_APP = "yemot_ai.reference:flow"
"""What is called when nobody says what."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a run says about applications and doubles.

    Attributes:
        app: ``module:attr`` of the command line; it goes before what a file says.
        url: a server, likewise; nobody scripts the model behind it.
        default_app: what is called when neither the command line nor the file says so.
        default_url: a server, likewise.
        serve: the command of a server, likewise.
        default_serve: likewise.
        codex: ``fake``, or the recorded version that it is to be; ``real``, ``real:VERSION``, or the path
            of a real binary.
        remote: an url may point beyond this machine.
        root: pytest's own folder, where modules lie if they do not lie where it was started.
    """

    app: str | None = None
    url: str | None = None
    default_app: str | None = None
    default_url: str | None = None
    serve: str | None = None
    default_serve: str | None = None
    codex: str = "fake"
    remote: bool = False
    root: Path | None = None

    @property
    def remote_hosts(self) -> frozenset[str]:
        """The hosts beyond this machine that a run is meant to reach."""
        urls = (self.url, self.default_url, self.app, self.default_app) if self.remote else ()
        return frozenset(host for url in urls if url and (host := urlsplit(url).hostname))

    def target(self, scenario_app: str | ServerCommand | None) -> str | ServerCommand:
        """Return what to call: an url, ``module:attr`` or a server to be started.

        Args:
            scenario_app: what the scenario's file says.

        Raises:
            AppError: the command of a server cannot be taken apart.
        """
        return (
            self.url
            or self.app
            or _parse_command(self.serve)
            or scenario_app
            or self.default_url
            or self.default_app
            or _parse_command(self.default_serve)
            or REFERENCE_APP
        )


@contextmanager
def open_target(
    run_settings: RunSettings, scenario_app: str | ServerCommand | None, servers: Servers | None = None
) -> Iterator[PlayTarget]:
    """Provide what a scenario needs, for as long as it plays.

    Args:
        run_settings: what the run says.
        scenario_app: what the scenario's file says is called.
        servers: those of the run; without them a server ends with the scenario.

    Raises:
        AppError: there is no such application.
        ServerFailedError: the server does not start.
    """
    target = run_settings.target(scenario_app)
    if isinstance(target, ServerCommand):
        with (
            _servers_or_own(servers) as running,
            _open_server_target(running.get_or_start(target), run_settings) as stage,
        ):
            yield stage
        return
    if "://" in target:
        yield PlayTarget(target, remote=run_settings.remote)
        return
    app = load_app(target, run_settings.root)
    provider = getattr(getattr(app, "ai", None), "provider", None)
    if hasattr(provider, "answers") and hasattr(provider, "assert_complete"):
        yield PlayTarget(app, provider)
        return
    with codex_double(run_settings.codex) as double:
        yield PlayTarget(app, double)


@contextmanager
def _servers_or_own(servers: Servers | None) -> Iterator[Servers]:
    from yemot_ai_testing.scenario.play.servers import Servers  # noqa: PLC0415 - most runs start none

    if servers is not None:
        yield servers
        return
    with closing(Servers()) as own:
        yield own


@contextmanager
def _open_server_target(server: RunningServer, run_settings: RunSettings) -> Iterator[PlayTarget]:
    since = server.server.output_size
    with codex_double(run_settings.codex) as codex, server.use_codex(codex) as model:
        yield PlayTarget(server.server.url, model, output=lambda: server.server.output_tail(since))


@contextmanager
def codex_double(spec: str) -> Iterator[FakeCodex | RealCodex]:
    """Provide the Codex that ``spec`` names, first on ``PATH``.

    Args:
        spec: ``fake``, or a recorded version: the fake, as that version; ``real``, ``real:VERSION`` or a
            path: a real binary.

    Raises:
        BinaryNotFoundError: there is no such Codex.
    """
    # Imported here: a run that only talks to a server needs neither.
    from yemot_ai_testing.codex.fake.double import FakeCodex  # noqa: PLC0415 - see above
    from yemot_ai_testing.codex.real import RealCodex  # noqa: PLC0415 - see above

    found = resolve_codex(spec)
    if isinstance(found, Path):
        with RealCodex(found) as real:
            yield real
    else:
        with FakeCodex(found) as fake:
            yield fake


def resolve_codex(spec: str) -> Path | str | None:
    """Tell which Codex ``spec`` names: a real binary, or the recorded version that the fake is to be.

    Returns:
        The path of the binary; the version; None for the fake as it is by default.

    Raises:
        BinaryNotFoundError: there is none; the message says which versions the fake can be.
    """
    from yemot_ai_testing.codex import recordings  # noqa: PLC0415 - see above
    from yemot_ai_testing.codex.binary import (  # noqa: PLC0415 - see above
        BinaryNotFoundError,
        is_version,
        locate,
    )

    if spec == "fake":
        return None
    if is_version(spec) and spec in recordings.versions():
        return spec
    try:
        return locate(spec)
    except BinaryNotFoundError as error:
        if not is_version(spec):
            raise
        fakes = ", ".join(recordings.versions())
        raise BinaryNotFoundError(f"{error} (the fake can be {fakes})") from error


def _parse_command(command: str | None) -> ServerCommand | None:
    try:
        parts = tuple(shlex.split(command or ""))
    except ValueError as error:
        raise AppError(
            f"{command!r} cannot be taken apart into a program and its arguments: {error}"
        ) from error
    return ServerCommand(parts) if parts else None


def load_app(target: str, root: Path | None = None) -> object:
    """Return the application that ``module:attr`` names.

    A function that needs no arguments is a factory: it is called, so that each scenario has its own.

    Raises:
        AppError: there is none.
    """
    found = import_attribute(target, root)
    return found() if inspect.isfunction(found) and _takes_no_arguments(found) else found


def _takes_no_arguments(function: FunctionType) -> bool:
    parameters = inspect.signature(function).parameters.values()
    varying = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(one.default is not one.empty and one.kind not in varying for one in parameters)


def import_attribute(target: str, root: Path | None = None) -> object:
    """Return what ``module:attr`` names, an application or a factory of applications.

    Raises:
        AppError: there is no such thing, or its module cannot be imported.
    """
    module_name, colon, path = target.partition(":")
    if not colon:
        raise AppError(f"{target!r} names no application: write module:attr, such as shop.phone:flow")
    found: Any = _import_module(module_name, root)
    for name in path.split("."):
        if not hasattr(found, name):
            raise AppError(f"{target}: {found!r} has no {name!r}")
        found = getattr(found, name)
    return found


def _import_module(name: str, root: Path | None) -> Any:  # noqa: ANN401 - a module has whatever attributes it has
    folders = list(dict.fromkeys(str(folder) for folder in (Path.cwd(), root) if folder))
    # As `python -m` and every server with module:attr does.
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            known = f"looked for {name!r} from {' and '.join(folders)}"
            raise AppError(f"there is no module {error.name!r} ({known})") from error
        raise AppError(
            f"importing {name!r} raised {type(error).__name__}: {error}{_raise_site(error)}"
        ) from error


def _raise_site(error: BaseException) -> str:
    """Return where a module raised; a module that cannot be parsed tells that itself."""
    machinery = {__file__, importlib.__file__}
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename not in machinery and not frame.filename.startswith("<frozen"):
            return f" (at {frame.filename}:{frame.lineno})"
    return ""
