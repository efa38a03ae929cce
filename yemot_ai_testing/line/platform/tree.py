"""A line: extensions as folders with ``ext.ini`` files, and a transport to the server of each.

>>> line = Line.for_app(lambda pairs: "go_to_folder=hangup", Extension())
>>> line.get_extension("1/2") is line.get_extension("")
True
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from os import PathLike
from pathlib import Path
from time import monotonic
from typing import Self, TypeAlias

import yemot_flow

from yemot_ai import Engine
from yemot_ai.flow.targets import UnknownTarget, extensions_of, find_unknown_target, resolve_target
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.clock import (
    Clock,
    CombinedClock,
    EngineClock,
    WallClock,
    clock_of,
    engine_of,
    is_virtual,
)
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.files import LineFiles
from yemot_ai_testing.line.platform.folders import display_path
from yemot_ai_testing.line.platform.ini_file import IniWarning
from yemot_ai_testing.line.platform.line_reader import read_folders
from yemot_ai_testing.line.transports.detect import transport_for
from yemot_ai_testing.line.transports.transport import (
    STRICT_HTTP,
    HTTPRules,
    Pairs,
    RequestEncoding,
    Transport,
    TransportResponse,
)
from yemot_ai_testing.line.transports.urls import path_of
from yemot_ai_testing.line.transports.wsgi_asgi import asgi_engine

__all__ = ["ExtensionLookup", "ExtensionTree", "Line", "SingleExtension"]

IN_PROCESS_LINK = "http://127.0.0.1"
"""The link of an application in this process, which has no URL, without its path."""


@dataclass(frozen=True, slots=True)
class ExtensionTree:
    """A complete tree of folders."""

    extensions: Mapping[str, Extension]
    is_complete: bool = True

    def get(self, extension: str) -> Extension | None:
        """Return the settings of ``extension``; None if it is unknown."""
        return self.extensions.get(extension)


@dataclass(frozen=True, slots=True)
class SingleExtension:
    """One application for all extensions, or for those in ``paths``."""

    extension: Extension
    paths: frozenset[str] | None = None
    is_complete: bool = False

    @property
    def extensions(self) -> Mapping[str, Extension]:
        """The settings of all extensions, under the path of the root."""
        return {"": self.extension}

    def get(self, extension: str) -> Extension | None:
        """Return the common settings; None outside ``paths``."""
        return self.extension if self.paths is None or extension in self.paths else None


ExtensionLookup: TypeAlias = ExtensionTree | SingleExtension
"""The extensions of a line. If they are not complete, a target outside them is no error."""


class Line:
    """A line that several calls may use, also at the same time.

    Args:
        extensions: its extensions.
        servers: applications in this process, by the ``api_link`` that they serve.
        remote: allow links that are not on this machine.
        warnings: warnings about the settings.
        clock: the clock of all calls; by default the applications' virtual clock, else real time.

    Raises:
        AppError: no extension has the link of a server.

    Attributes:
        files: its audio files and recordings.
        warnings: warnings about the settings.
    """

    def __init__(
        self,
        extensions: ExtensionLookup,
        *,
        servers: Mapping[str, object] | None = None,
        remote: bool = False,
        warnings: tuple[IniWarning, ...] = (),
        clock: Clock | None = None,
    ) -> None:
        self.warnings = warnings
        self._extensions = extensions
        self._servers = dict(servers or {})
        _check_servers(self._servers, extensions.extensions.values(), warnings)
        files = {
            path: settings.files
            for path, settings in extensions.extensions.items()
            if settings.files is not None
        }
        self.files = LineFiles(files or None)
        self._remote = remote
        self._given_clock = clock
        self._clock = clock
        self._transports: dict[tuple[str, RequestEncoding, int], Transport] = {}
        self._lock = threading.RLock()

    @classmethod
    def read(
        cls,
        folder: str | PathLike[str],
        *,
        servers: Mapping[str, object] | None = None,
        remote: bool = False,
        now: datetime | None = None,
    ) -> Self:
        """Read a line from a folder: each folder in it is an extension.

        Args:
            folder: the root extension.
            servers: see ``Line``.
            remote: see ``Line``.
            now: the time that the expiry dates of settings are compared with; without a time zone it is
                the time in Israel. The present by default; ``ApiTime`` and the clock of calls do not count.

        Raises:
            AppError: there is no such folder, no extension has the link of a server, or ``now`` is no time.
        """
        if not isinstance(now, datetime | None):
            raise AppError(f"now is a datetime, not {now!r}")
        root = Path(folder)
        if not root.is_dir():
            raise AppError(f"there is no folder {root}: a line is a folder with an ext.ini in each extension")
        extensions, warnings = read_folders(root, now=now)
        return cls(ExtensionTree(extensions), servers=servers, remote=remote, warnings=warnings)

    @classmethod
    def for_app(  # noqa: PLR0913 - each is a setting of a Caller
        cls,
        app: object,
        extension: Extension,
        *,
        extensions: frozenset[str] | None = None,
        path: str = "/",
        clock: Clock | None = None,
        remote: bool = False,
    ) -> Self:
        """Return a line with one application in every extension, or in ``extensions``.

        Args:
            app: the application.
            extension: the settings of each extension.
            extensions: the extensions in which the application answers; None: in all.
            path: where an application in this process answers.
            clock: see ``Line``.
            remote: see ``Line``.
        """
        link = app if isinstance(app, str) else f"{IN_PROCESS_LINK}{path}"
        settings = extension if app is None else replace(extension, app=app, link=link)
        return cls(SingleExtension(settings, extensions), clock=clock, remote=remote)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the transports to all servers."""
        with self._lock:
            transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            transport.close()

    @property
    def knows_all_extensions(self) -> bool:
        """Whether all folders are known."""
        return self._extensions.is_complete

    @property
    def extensions(self) -> Mapping[str, Extension]:
        """The known extensions, by path."""
        return self._extensions.extensions

    def get_extension(self, extension: str) -> Extension | None:
        """Return the settings of ``extension``; None if it is unknown."""
        return self._extensions.get(extension)

    def find_unknown_target(self, extension: str, target: str) -> UnknownTarget | None:
        """Return a target for which the flow that it leads to has no handler; None for any other one.

        Args:
            extension: where the caller is.
            target: as in ``go_to_folder``.
        """
        meant = resolve_target(extension, target)
        settings = None if meant is None else self.get_extension(meant)
        if settings is None or settings.link is None:
            return None
        app, _ = self._server(settings.link, settings)
        if not isinstance(app, yemot_flow.Flow):
            return None
        return find_unknown_target(extension, target, extensions_of(app))

    def extension_names(self) -> str:
        """Return the paths of all extensions, joined by commas."""
        return ", ".join(map(display_path, sorted(self.extensions)))

    def clock(self) -> Clock:
        """Return the clock of a new call."""
        with self._lock:
            if self._clock is None:
                clocks = map(clock_of, self._apps())
                virtual = [clock for clock in clocks if isinstance(clock, EngineClock)]
                if not virtual:
                    return WallClock()
                self._clock = virtual[0] if len(virtual) == 1 else CombinedClock(virtual)
            return self._clock

    def engines(self) -> list[Engine]:
        """Return the engines in whose loops the applications of this process may run."""
        apps = [app for app in self._apps() if not isinstance(app, str)]
        own = [engine for app in apps if (engine := engine_of(app)) is not None]
        # A WSGI or ASGI application does not say which engines the flows in it have.
        return own if len(own) == len(apps) else [*Engine.existing(), asgi_engine()]

    def transport(self, extension_settings: Extension, link: str | None = None) -> Transport | None:
        """Return the transport to an extension's server, or to another ``link``; None without a link."""
        target = link or extension_settings.link
        if target is None:
            return None
        with self._lock:
            key = (target, extension_settings.request_encoding, id(extension_settings.app))
            if key not in self._transports:
                self._transports[key] = self._make_transport(target, extension_settings)
            return self._transports[key]

    def _make_transport(self, link: str, extension_settings: Extension) -> Transport:
        app, query = self._server(link, extension_settings)
        encoding = replace(
            extension_settings.request_encoding, query=extension_settings.query or query, path=path_of(link)
        )
        app_clock = self._given_clock or clock_of(app)
        transport = transport_for(app, encoding, clock=app_clock, remote=self._remote)
        clock = self.clock()
        if self._given_clock is None and is_virtual(clock) and not is_virtual(app_clock):
            return _WallTimeTransport(transport, clock)
        return transport

    def _server(self, link: str, extension_settings: Extension) -> tuple[object, str]:
        """Return the application or URL of ``link``, and the query that requests to it must add."""
        if extension_settings.app is not None:
            return extension_settings.app, ""
        base, _, query = link.partition("?")
        if link in self._servers:
            return self._servers[link], query
        return (self._servers[base], query) if base in self._servers else (link, "")

    def _apps(self) -> list[object]:
        apps = [*self._servers.values(), *(settings.app for settings in self.extensions.values())]
        return list({id(app): app for app in apps if app is not None}.values())


class _WallTimeTransport:
    """Wraps a server in real time for a call in virtual time: the clock advances by its real seconds."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def send(self, pairs: Pairs, *, timeout: float, rules: HTTPRules = STRICT_HTTP) -> TransportResponse:
        """Send, and advance the virtual clock by the seconds that it took."""
        started_at = monotonic()
        response = self._transport.send(pairs, timeout=timeout, rules=rules)
        self._clock.advance(min(monotonic() - started_at, timeout))
        return response

    def close(self) -> None:
        """Close the wrapped transport."""
        self._transport.close()


def _check_servers(
    servers: Mapping[str, object], extensions: Iterable[Extension], warnings: Iterable[IniWarning]
) -> None:
    links = {link for settings in extensions for link in (settings.link, settings.hangup_link) if link}
    for server in servers:
        if server not in links | {link.partition("?")[0] for link in links}:
            known = ", ".join(sorted(links)) or "none"
            causes = [f"\n  {warning}" for warning in warnings if not warning.is_note]
            raise AppError(f"no extension has the api_link {server!r}; there are: {known}{''.join(causes)}")
