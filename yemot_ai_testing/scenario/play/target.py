"""Select and open what a scenario is played against: an application and the double of its model."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from yemot_ai import importer
from yemot_ai.errors.failure_place import failure_place
from yemot_ai_testing.doubles.scripted_double import unchecked
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.scenario.format.model import ServerCommand
from yemot_ai_testing.scenario.play.leftovers import ModelDouble

if TYPE_CHECKING:
    from yemot_ai_testing.codex.fake.double import FakeCodex
    from yemot_ai_testing.codex.real import RealCodex
    from yemot_ai_testing.scenario.play.servers.startup import RunningServer, Servers

__all__ = [
    "REFERENCE_APP",
    "PlayTarget",
    "RunSettings",
    "can_order_tasks",
    "codex_double",
    "import_attribute",
    "load_app",
    "open_target",
    "parse_command",
    "resolve_codex",
    "target_name",
    "use_order",
]


@dataclass(frozen=True, slots=True)
class PlayTarget:
    """What a scenario is played against.

    Attributes:
        app: an application or URL that a ``Caller`` accepts.
        double: the model's double; None if the model is not scripted.
        remote: whether a URL may point to another machine.
        grace: seconds that sessions and processes may take to end after a call.
        output: returns the server's output since the target was opened; None without a server.
        line: fields of ``LineSettings``, and the path of a web application; those of a scenario's caller
            override them.
        root: a folder that is searched for modules after the current one.
    """

    app: object
    double: ModelDouble | None = None
    remote: bool = False
    grace: float = 5.0
    output: Callable[[], str] | None = None
    line: Mapping[str, Any] = field(default_factory=dict)
    root: Path | None = None


REFERENCE_APP = "yemot_ai.reference:flow"
"""The application of a run that names none."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings of a run for applications and doubles.

    Attributes:
        app: ``module:attr`` of the command line; overrides scenario files.
        url: the URL of a server; overrides scenario files. Its model is not scripted.
        default_app: ``module:attr`` for scenarios without an application.
        default_url: the URL of a server for scenarios without an application.
        serve: the command of a server; overrides scenario files.
        default_serve: the command of a server for scenarios without an application.
        codex: ``fake``, ``fake@VERSION``, ``real``, ``real@VERSION`` or the path of a real binary.
        remote: whether a URL may point to another machine.
        root: pytest's root folder, searched for modules after the current folder.
        line: fields of ``LineSettings`` for all calls; a caller of a scenario file can have its own.
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
    line: Mapping[str, Any] = field(default_factory=dict)

    @property
    def remote_hosts(self) -> frozenset[str]:
        """The other hosts that the run may reach."""
        urls = (self.url, self.default_url, self.app, self.default_app) if self.remote else ()
        return frozenset(host for url in urls if url and (host := urlsplit(url).hostname))

    def target(self, scenario_app: str | ServerCommand | None) -> str | ServerCommand:
        """Return what to call: a URL, ``module:attr`` or a server to start.

        Args:
            scenario_app: the application of the scenario file.

        Raises:
            AppError: if the command of a server cannot be split.
        """
        return self.named_target(scenario_app) or REFERENCE_APP

    def named_target(self, scenario_app: str | ServerCommand | None) -> str | ServerCommand | None:
        """Return what is named to be called, or None: then it is the reference agent."""
        return (
            self.url
            or self.app
            or parse_command(self.serve)
            or scenario_app
            or self.default_url
            or self.default_app
            or parse_command(self.default_serve)
        )


@contextmanager
def open_target(
    run_settings: RunSettings, scenario_app: str | ServerCommand | None, servers: Servers | None = None
) -> Iterator[PlayTarget]:
    """Open the target of a scenario; a context manager.

    Args:
        run_settings: the settings of the run.
        scenario_app: the application of the scenario file.
        servers: the servers of the run; without them a server ends with the scenario.

    Raises:
        AppError: if there is no such application.
        ServerFailedError: if the server does not start.
    """
    target = run_settings.target(scenario_app)
    if isinstance(target, ServerCommand):
        with (
            _servers_or_own(servers) as running,
            _open_server_target(running.get_or_start(target), run_settings) as play_target,
        ):
            yield play_target
        return
    if "://" in target:
        yield PlayTarget(target, remote=run_settings.remote, line=run_settings.line, root=run_settings.root)
        return
    with _open_app_target(target, run_settings) as play_target:
        yield play_target


@contextmanager
def _open_app_target(target: str, run_settings: RunSettings) -> Iterator[PlayTarget]:
    # Imported here: a run that only talks to a server needs neither.
    from yemot_ai_testing.scenario.play.model_double import (  # noqa: PLC0415 - see above
        open_double,
        service_environment,
    )

    name, slash, path = target.partition("/")
    line = {**run_settings.line, **({"path": f"/{path}"} if slash else {})}
    with service_environment() as model:
        app = load_app(name, run_settings.root)
        provider = getattr(getattr(app, "ai", None), "provider", None)
        if hasattr(provider, "answers") and hasattr(provider, "assert_complete"):
            yield PlayTarget(app, provider, line=line, root=run_settings.root)
            return
        with codex_double(run_settings.codex) as codex:
            double = open_double(codex, model)
            yield PlayTarget(app, double, line=line, root=run_settings.root)


@contextmanager
def _servers_or_own(servers: Servers | None) -> Iterator[Servers]:
    from yemot_ai_testing.scenario.play.servers.startup import Servers  # noqa: PLC0415 - most runs start none

    if servers is not None:
        yield servers
        return
    with closing(Servers()) as new_servers:
        yield new_servers


@contextmanager
def _open_server_target(server: RunningServer, run_settings: RunSettings) -> Iterator[PlayTarget]:
    output_start = server.server.output_size
    with codex_double(run_settings.codex) as codex, server.use_codex(codex) as model:
        yield PlayTarget(
            server.server.url,
            model,
            line=run_settings.line,
            output=lambda: server.server.output_tail(output_start),
        )


@contextmanager
def codex_double(spec: str) -> Iterator[FakeCodex | RealCodex]:
    """Open the Codex that ``spec`` names, first on ``PATH``; a context manager.

    Args:
        spec: ``fake``, ``fake@VERSION``, ``real``, ``real@VERSION`` or a path.

    Raises:
        BinaryNotFoundError: if there is no such Codex.
    """
    # Imported here: a run that only talks to a server needs neither.
    from yemot_ai_testing.codex.fake.double import FakeCodex  # noqa: PLC0415 - see above
    from yemot_ai_testing.codex.real import RealCodex  # noqa: PLC0415 - see above

    codex = resolve_codex(spec)
    double: FakeCodex | RealCodex = RealCodex(codex) if isinstance(codex, Path) else FakeCodex(codex)
    with unchecked(double):
        yield double


def resolve_codex(spec: str) -> Path | str | None:
    """Return the Codex that ``spec`` names: the path of a real binary, or the version of the fake.

    Args:
        spec: ``fake``, ``fake@VERSION``, ``real``, ``real@VERSION`` or a path.

    Returns:
        The path; the recorded version; None for the fake with its default version.

    Raises:
        BinaryNotFoundError: if there is no such binary, or the version is not recorded.
        CodexSpecError: if ``spec`` is none of these.
    """
    from yemot_ai_testing.codex import recordings  # noqa: PLC0415 - see above
    from yemot_ai_testing.codex.binary import (  # noqa: PLC0415 - see above
        BinaryNotFoundError,
        locate,
        parse_codex_spec,
    )

    codex = parse_codex_spec(spec)
    if codex.kind != "fake":
        return locate(codex)
    if codex.version is not None:
        try:
            recordings.check_recorded(codex.version)
        except LookupError as error:
            raise BinaryNotFoundError(str(error)) from error
    return codex.version


def parse_command(command: str | None, path: str = "/") -> ServerCommand | None:
    """Return the server that a command starts, and the path that the line calls; None without a command.

    Raises:
        AppError: the command cannot be split, or the path is none of a server.
    """
    if not path.startswith("/") or (path != "/" and not command):
        raise AppError(f"the path {path!r}: --serve-path is a path of the server of --serve, such as /yemot")
    try:
        parts = tuple(shlex.split(command or ""))
    except ValueError as error:
        raise AppError(f"{command!r} cannot be split into a program and its arguments: {error}") from error
    return ServerCommand(parts, path) if parts else None


def load_app(target: str, root: Path | None = None) -> object:
    """Return the application that ``module:attr`` names.

    A function without required arguments is a factory and is called, so that each scenario has its own
    application.

    Raises:
        AppError: if there is none.
    """
    from yemot_ai_testing.scenario.play.model_double import service_environment  # noqa: PLC0415 - see above

    app = import_attribute(target, root)
    if not inspect.isfunction(app) or not _takes_no_arguments(app):
        return app
    with service_environment():
        return app()


def use_order(app: object, order: str) -> None:
    """Let the tasks of an application run in an order that a call machine has found.

    Raises:
        AppError: if the engine of the application cannot order its tasks.
        OrderSyntaxError: if the text is not an order.
    """
    use = _order_function(app)
    if use is None:
        raise AppError(
            f"order: {order!r} needs an application in this process that answers with an EchoProvider() of "
            "yemot_ai_testing.property; or leave order out"
        )
    use(order)


def can_order_tasks(app: object) -> bool:
    """Return whether ``use_order`` can be called with ``app``."""
    return _order_function(app) is not None


def _order_function(app: object) -> Callable[[str], None] | None:
    return getattr(getattr(getattr(app, "ai", None), "engine", None), "use_order", None)


def _takes_no_arguments(function: FunctionType) -> bool:
    parameters = inspect.signature(function).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(
        parameter.default is not parameter.empty and parameter.kind not in variadic
        for parameter in parameters
    )


def target_name(target: object) -> str:
    """Return how reports name what is called: ``module:attr``, a URL, a command, or the name of an object."""
    if isinstance(target, str | ServerCommand):
        return str(target)
    return getattr(target, "__name__", type(target).__name__)


def import_attribute(target: str, root: Path | None = None) -> object:
    """Return the object that ``module:attr`` names.

    Raises:
        AppError: if there is none, or if its module cannot be imported.
    """
    from yemot_ai_testing.scenario.play.model_double import service_environment  # noqa: PLC0415 - see above

    folders = [str(folder) for folder in (Path.cwd(), root) if folder]
    try:
        with service_environment():  # a module that asks OpenAI needs no key
            return importer.import_from_string(target, folders)
    except importer.ImportTargetError as error:
        raise AppError(str(error)) from error
    except (Exception, SystemExit) as error:
        place = "" if isinstance(error, SyntaxError) else failure_place(error)  # that one says it itself
        site = f" (at {place})" if place else ""
        raised = f"{type(error).__name__}: {error}{site}"
        raise AppError(f"importing {target.partition(':')[0]!r} raised {raised}") from error
