"""What a ``Caller`` was given: a line, or an application and what would stand in its ``ext.ini``.

>>> line, own = line_of(lambda pairs: "noop=x", "POST", {"say_tts": True})
>>> line.at("7").method, own
('POST', True)
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.platform.extension import Extension
from yemot_ai_testing.line.platform.folders import display_path
from yemot_ai_testing.line.platform.settings import LineSettings
from yemot_ai_testing.line.platform.tree import Line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from yemot_ai_testing.line.clock import Clock
    from yemot_ai_testing.line.transports.transport import Method

__all__ = ["check_extension", "check_text", "line_settings_from", "open_line"]

LINE_SETTING_NAMES = frozenset(one.name for one in fields(LineSettings))
EXT_INI_NAMES = frozenset(
    {
        "query", "constants", "omitted", "end_goto", "hangup_send", "say_tts", "voice_ask_ok", "record_beep",
        "waiting_music", "muted",
    }
)  # fmt: skip


def line_settings_from(options: Mapping[str, Any]) -> LineSettings:
    """Return the switches of the line among ``options``.

    Raises:
        AppError: there is no such switch, or it cannot stand like that.
    """
    unknown = set(options) - LINE_SETTING_NAMES - EXT_INI_NAMES - {"extensions"}
    if unknown:
        raise AppError(
            f"the line has no switch {', '.join(sorted(unknown))}; it has {', '.join(sorted(LINE_SETTING_NAMES))}"
        )
    return LineSettings(**{name: value for name, value in options.items() if name in LINE_SETTING_NAMES})


def open_line(
    app: object,
    method: Method,
    options: Mapping[str, Any],
    *,
    clock: Clock | None = None,
    remote: bool = False,
) -> tuple[Line, bool]:
    """Return the line to dial, and whether it was made for this call alone.

    Raises:
        AppError: ``app`` cannot be called, or a line was given together with what stands in its files.
    """
    in_files = {name: value for name, value in options.items() if name not in LINE_SETTING_NAMES}
    if isinstance(app, Line):
        if in_files or method != "GET":
            names = [*sorted(in_files), *(["method"] if method != "GET" else [])]
            raise AppError(f"{', '.join(names)}: a Line has that in its ext.ini files")
        return app, False
    extensions = in_files.pop("extensions", None)
    # Off here, on at the platform: nobody who lets a model answer wants an echo.
    extension = Extension(**{"method": method, "say_tts": False, **in_files})
    line = Line.for_app(app, extension, extensions=extensions, clock=clock, remote=remote)
    line.transport(line.extensions[""])  # what cannot be called is told at once
    return line, True


def check_text(name: str, value: object, example: str) -> None:
    """Refuse anything else: a number would lose its leading zeros, and some lines have them.

    Raises:
        AppError: ``value`` is no text.
    """
    if not isinstance(value, str):
        raise AppError(f'{name} is a text such as "{example}", not {value!r}')


def check_extension(line: Line, extension: str) -> None:
    """Refuse to dial what is not there.

    Raises:
        AppError: the line has no such extension.
    """
    if line.knows_all_extensions and line.get_extension(extension) is None:
        raise AppError(
            f"this line has no extension {display_path(extension)}; there are {line.extension_names()}"
        )
