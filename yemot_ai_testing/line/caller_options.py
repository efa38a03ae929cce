"""The options of a ``Caller``: a line, or an application and the settings of its ``ext.ini``.

>>> line, owned = open_line(lambda pairs: "noop=x", "POST", {"say_tts": True})
>>> line.get_extension("7").method, owned
('POST', True)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.clock import Clock
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.folders import display_path
from yemot_ai_testing.line.platform.settings import CallerOptions, LineSettings
from yemot_ai_testing.line.platform.tree import Line
from yemot_ai_testing.line.transports.detect import is_web_app
from yemot_ai_testing.line.transports.transport import Method

__all__ = ["check_extension", "check_path", "check_text", "line_settings_from", "open_line"]

LINE_SETTING_NAMES = frozenset(field.name for field in fields(LineSettings))


def line_settings_from(options: Mapping[str, Any]) -> LineSettings:
    """Return the line settings among ``options``.

    Raises:
        AppError: an option is unknown, or its value is invalid.
    """
    unknown = options.keys() - CallerOptions.__optional_keys__
    if unknown:
        names = ", ".join(sorted(LINE_SETTING_NAMES))
        raise AppError(f"the line has no setting {', '.join(sorted(unknown))}; it has {names}")
    return LineSettings(**{name: value for name, value in options.items() if name in LINE_SETTING_NAMES})


def open_line(
    app: object,
    method: Method,
    options: Mapping[str, Any],
    *,
    clock: Clock | None = None,
    remote: bool = False,
) -> tuple[Line, bool]:
    """Return the line to dial, and whether it was created for this caller.

    Raises:
        AppError: ``app`` cannot be called, or a ``Line`` was passed together with settings of its files.
    """
    ext_ini_options = {name: value for name, value in options.items() if name not in LINE_SETTING_NAMES}
    if isinstance(app, Line):
        if ext_ini_options or method != "GET":
            names = [*sorted(ext_ini_options), *(["method"] if method != "GET" else [])]
            raise AppError(f"{', '.join(names)}: a Line has that in its ext.ini files")
        return app, False
    extensions, path = ext_ini_options.pop("extensions", None), ext_ini_options.pop("path", "/")
    check_path(app, path)
    # The platform's default is on; an application that lets a model answer does not want an echo.
    extension = Extension(**{"method": method, "say_tts": False, **ext_ini_options})
    line = Line.for_app(app, extension, extensions=extensions, path=path, clock=clock, remote=remote)
    line.transport(line.extensions[""])  # raises now if app cannot be called
    return line, True


def check_text(name: str, value: object, example: str) -> None:
    """Raise if ``value`` is no string: an integer would lose leading zeros.

    Raises:
        AppError: ``value`` is no string.
    """
    if not isinstance(value, str):
        raise AppError(f'{name} is a string such as "{example}", not {value!r}')


def check_path(app: object, path: object) -> None:
    """Raise if an application is not called at a path.

    Raises:
        AppError: ``path`` is no path, or the application has none: a URL has its own, and a flow or a
            function of pairs is called directly.
    """
    if path == "/":
        return
    if not isinstance(path, str) or not path.startswith("/") or set("?#") & set(path):
        raise AppError(f'path is a path such as "/yemot", without a query, not {path!r}')
    if isinstance(app, str):
        raise AppError(f"path={path!r}: write it into the url, {app.rstrip('/')}{path}")
    if not is_web_app(app):
        raise AppError(f"path={path!r} is for a WSGI or ASGI application; this one answers at no path")


def check_extension(line: Line, extension: str) -> None:
    """Raise if the line has no such extension.

    Raises:
        AppError: the line has no such extension.
    """
    if line.knows_all_extensions and line.get_extension(extension) is None:
        raise AppError(
            f"this line has no extension {display_path(extension)}; there are {line.extension_names()}"
        )
