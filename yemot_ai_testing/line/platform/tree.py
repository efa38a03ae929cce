"""A whole line: its extensions as folders with ``ext.ini`` files, and the way to each one's server.

>>> line = Line.of(lambda pairs: "go_to_folder=hangup", Extension())
>>> line.at("1/2") is line.at("")
True
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.clock import CombinedClock, EngineClock, WallClock, clock_of, is_virtual
from yemot_ai_testing.line.platform.ext_ini import IniWarning, decode_ext_ini, read_ext_ini
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.files import LineFiles
from yemot_ai_testing.line.platform.folders import display_path
from yemot_ai_testing.line.transports.detect import transport_for

if TYPE_CHECKING:
    from os import PathLike
    from types import TracebackType
    from typing import Self

    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.transports.transport import (
        Pairs,
        RequestEncoding,
        Transport,
        TransportResponse,
    )

__all__ = ["ExtensionLookup", "ExtensionTree", "Line", "SingleExtension"]

IN_PROCESS_LINK = "http://127.0.0.1/"
"""Stands for the link of an application that has none."""

EXT_INI_NAME = "ext.ini"


class ExtensionLookup(Protocol):
    """Which extensions there are."""

    @property
    def extensions(self) -> Mapping[str, Extension]:
        """Those that are written down, by path."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether there are no others, so that a target that is none of them is a mistake."""
        ...

    def get(self, extension: str) -> Extension | None:
        """Return the settings of ``extension``; None if it is none of these."""
        ...


@dataclass(frozen=True, slots=True)
class ExtensionTree:
    """Folders that are all known."""

    extensions: Mapping[str, Extension]
    is_complete: bool = True

    def get(self, extension: str) -> Extension | None:
        """Look the folder up."""
        return self.extensions.get(extension)


@dataclass(frozen=True, slots=True)
class SingleExtension:
    """One application that answers everywhere, or in the extensions that are its own."""

    extension: Extension
    paths: frozenset[str] | None = None
    is_complete: bool = False

    @property
    def extensions(self) -> Mapping[str, Extension]:
        """The one that stands for all."""
        return {"": self.extension}

    def get(self, extension: str) -> Extension | None:
        """Return the settings that stand for all."""
        return self.extension if self.paths is None or extension in self.paths else None


class Line:
    """What several calls may dial, also at once.

    Args:
        extensions: which extensions there are.
        servers: applications in this process, by the ``api_link`` that they stand behind.
        remote: links may point beyond this machine.
        warnings: what may surprise in the settings.
        clock: the time of all calls; without one it is the applications' virtual one, else the wall's.

    Raises:
        AppError: a server stands behind a link that no extension has.

    Attributes:
        files: what can be played, and where recordings go.
        warnings: what may surprise in the settings.
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
        _check_servers(self._servers, extensions.extensions.values())
        known = {path: one.files for path, one in extensions.extensions.items() if one.files is not None}
        self.files = LineFiles(known or None)
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
    ) -> Self:
        """Read a line from a folder: each folder in it is an extension.

        Args:
            folder: the root extension.
            servers: see ``Line``.
            remote: see ``Line``.

        Raises:
            AppError: there is no such folder, or a server stands behind a link that nobody has.
        """
        root = Path(folder)
        if not root.is_dir():
            raise AppError(f"there is no folder {root}: a line is a folder with an ext.ini in each extension")
        extensions: dict[str, Extension] = {}
        warnings: list[IniWarning] = []
        for place in (root, *sorted(path for path in root.rglob("*") if path.is_dir())):
            path = place.relative_to(root).as_posix().removeprefix(".")
            extensions[path], told = _read_extension(place, f"{path}/{EXT_INI_NAME}".lstrip("/"))
            warnings += told
        return cls(ExtensionTree(extensions), servers=servers, remote=remote, warnings=tuple(warnings))

    @classmethod
    def for_app(
        cls,
        app: object,
        extension: Extension,
        *,
        extensions: frozenset[str] | None = None,
        clock: Clock | None = None,
        remote: bool = False,
    ) -> Self:
        """Return the line of one application that answers in every extension, or in ``extensions``."""
        link = app if isinstance(app, str) else IN_PROCESS_LINK
        own = extension if app is None else replace(extension, app=app, link=link)
        return cls(SingleExtension(own, extensions), clock=clock, remote=remote)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the ways to all servers."""
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
        """The folders that are written down, by path."""
        return self._extensions.extensions

    def get_extension(self, extension: str) -> Extension | None:
        """Return the settings of ``extension``; None if the line has no such one."""
        return self._extensions.get(extension)

    def extension_names(self) -> str:
        """Return all extensions, as people write them."""
        return ", ".join(map(display_path, sorted(self.extensions)))

    def clock(self) -> Clock:
        """Return the time of a new call."""
        with self._lock:
            if self._clock is None:
                virtual = [one for one in map(clock_of, self._apps()) if isinstance(one, EngineClock)]
                if not virtual:
                    return WallClock()
                self._clock = virtual[0] if len(virtual) == 1 else CombinedClock(virtual)
            return self._clock

    def transport(self, extension_settings: Extension, link: str | None = None) -> Transport | None:
        """Return the way to a place's server, or to another ``link`` of it; None without a link."""
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
        writing = replace(extension_settings.request_encoding, query=extension_settings.query or query)
        own = self._given_clock or clock_of(app)
        transport = transport_for(app, writing, clock=own, remote=self._remote)
        clock = self.clock()
        if self._given_clock is None and is_virtual(clock) and not is_virtual(own):
            return _WallTimeTransport(transport, clock)
        return transport

    def _server(self, link: str, extension_settings: Extension) -> tuple[object, str]:
        """Return what answers behind ``link``, and the query of the link that it must still get."""
        if extension_settings.app is not None:
            return extension_settings.app, ""
        base, _, query = link.partition("?")
        if link in self._servers:
            return self._servers[link], query
        return (self._servers[base], query) if base in self._servers else (link, "")

    def _apps(self) -> list[object]:
        apps = [*self._servers.values(), *(one.app for one in self.extensions.values())]
        return list({id(app): app for app in apps if app is not None}.values())


class _WallTimeTransport:
    """A server on the wall's time, in a call that lives in virtual time: its seconds pass there, too."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def send(self, pairs: Pairs, *, timeout: float) -> TransportResponse:
        """Deliver, and let as much virtual time pass as it took."""
        began = monotonic()
        answer = self._transport.send(pairs, timeout=timeout)
        self._clock.advance(min(monotonic() - began, timeout))
        return answer

    def close(self) -> None:
        """Close what is wrapped."""
        self._transport.close()


def _read_extension(folder: Path, name: str) -> tuple[Extension, tuple[IniWarning, ...]]:
    files = frozenset(path.name for path in folder.iterdir() if path.is_file())
    if EXT_INI_NAME not in files:
        return Extension(kind="menu", files=files), ()
    text, garbled = decode_ext_ini((folder / EXT_INI_NAME).read_bytes(), name)
    found = read_ext_ini(text, name=name, files=files)
    return found.extension, (*garbled, *found.warnings)


def _check_servers(servers: Mapping[str, object], extensions: Iterable[Extension]) -> None:
    links = {link for one in extensions for link in (one.link, one.hangup_link) if link}
    for server in servers:
        if server not in links | {link.partition("?")[0] for link in links}:
            raise AppError(
                f"no extension has the api_link {server!r}; there are: {', '.join(sorted(links)) or 'none'}"
            )
