"""What a phone calls: an application of this project, a server, or a folder of ``ext.ini`` files.

>>> from yemot_ai_testing.phone.command import parse_command
>>> with open_phone_target("yemot_ai.reference:flow") as target, target.dial(extension="ai_agent") as call:
...     _ = call.wait()
...     call.send(parse_command("says יש פיצה?"))
...     _ = call.wait()
...     call.performed[-1].heard
'אמרת, יש פיצה?'
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from yemot_ai import YemotAI
from yemot_ai.errors.failure_place import describe_failure
from yemot_ai.sessions import Turn
from yemot_ai_testing.errors import AppError
from yemot_ai_testing.line.caller import Caller
from yemot_ai_testing.line.platform.tree import Line
from yemot_ai_testing.line.transports.transport import Method
from yemot_ai_testing.phone.call import PhoneCall, message_for_phone
from yemot_ai_testing.phone.model import PhoneModel
from yemot_ai_testing.phone.replacement import replaced_models
from yemot_ai_testing.scenario.play.target import load_app

__all__ = ["DEFAULT_PHONE", "PhoneTarget", "RecordedTurn", "open_phone_target"]

DEFAULT_PHONE: Final = "0501234567"


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A turn that asked the model, and when, on the monotonic clock (not later than it was noticed)."""

    turn: Turn
    asked_at: float


@dataclass(eq=False)
class PhoneTarget:
    """An application that phones can call.

    Attributes:
        name: ``module:attr``, a URL or a folder.
        app: what a ``Caller`` accepts.
        model: the model behind it; None if it is the real one, or unknown.
        warnings: what is wrong with the settings of a folder.
    """

    name: str
    app: object
    model: PhoneModel | None = None
    remote: bool = False
    warnings: tuple[str, ...] = ()
    _turns: dict[str, list[RecordedTurn]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def dial(
        self,
        *,
        phone: str = DEFAULT_PHONE,
        extension: str = "",
        on_change: Callable[[], object] = lambda: None,
    ) -> PhoneCall:
        """Begin a call.

        Args:
            phone: the caller's number; empty for a withheld one.
            extension: where the call begins.
            on_change: called after each command, in its thread.

        Raises:
            AppError: the line has no such extension.
        """
        return PhoneCall(self.caller(phone, extension), dialled=extension, on_change=on_change)

    def caller(
        self, phone: str, extension: str, method: Method = "GET", options: Mapping[str, Any] | None = None
    ) -> Caller:
        """Return a caller, who has not dialled; the arguments are those of ``Caller``.

        Raises:
            AppError: the line has no such extension, or a setting is invalid.
        """
        settings: Any = dict(options or {})
        try:
            return Caller(self.app, phone, extension, method, strict=False, remote=self.remote, **settings)
        except AppError as error:
            raise AppError(message_for_phone(error)) from error

    def record_turns_of(self, ais: Sequence[YemotAI]) -> None:
        """Keep the turns of these, for saved calls."""
        for ai in ais:
            ai.on_turn(self._add_turn)

    def turns_of(self, call_id: str) -> tuple[RecordedTurn, ...]:
        """Return the turns of a call so far that asked the model, in order; none if it is no ``AIFlow``."""
        with self._lock:
            return tuple(self._turns.get(call_id, ()))

    def _add_turn(self, call_id: str, turn: Turn) -> None:
        asked_at = time.monotonic() - turn.duration
        with self._lock:
            self._turns.setdefault(call_id, []).append(RecordedTurn(turn, asked_at))


@contextmanager
def open_phone_target(
    name: str, model: PhoneModel | None = None, *, real: bool = False, remote: bool = False
) -> Iterator[PhoneTarget]:
    """Open what a phone calls; a context manager.

    Args:
        name: ``module:attr`` (``flow`` is the default attribute), a URL, or a folder with ``ext.ini`` files.
        model: the model behind ``module:attr``; one that echoes unless given.
        real: keep the models of the application.
        remote: whether a URL may point to another machine.

    Raises:
        AppError: there is no such application, URL or folder.
    """
    if "://" in name:
        yield PhoneTarget(name, name, remote=remote)
        return
    if Path(name).is_dir():
        with Line.read(name, remote=remote) as line:
            if all(extension.kind != "api" for extension in line.extensions.values()):
                raise AppError(
                    f"{name} has no ext.ini with type=api, so no server is called; a module of Python is "
                    f"{Path(name).name}:flow"
                )
            yield PhoneTarget(name, line, remote=remote, warnings=tuple(map(str, line.warnings)))
        return
    if name.endswith("/"):
        raise AppError(f"there is no folder {name}: a line is a folder with an ext.ini in each extension")
    name = name if ":" in name else f"{name}:flow"
    if real:
        app = _load(name)
        target = PhoneTarget(name, app)
        target.record_turns_of([ai for ai in [getattr(app, "ai", None)] if isinstance(ai, YemotAI)])
        yield target
    else:
        with _replaced_model(name, model or PhoneModel()) as target:
            yield target


def _load(name: str) -> object:
    try:
        return load_app(name)
    except AppError:
        raise
    except (Exception, SystemExit) as error:
        raise AppError(f"{name}: {describe_failure(error)}") from error


@contextmanager
def _replaced_model(name: str, model: PhoneModel) -> Iterator[PhoneTarget]:
    # The application is imported again: one that is imported already has its own model.
    module = name.partition(":")[0]
    imported = sys.modules.pop(module, None)
    try:
        with replaced_models(model) as ais:
            app = _load(name)
        target = PhoneTarget(name, app, model)
        target.record_turns_of(ais)
        yield target
    finally:
        sys.modules.pop(module, None)
        if imported is not None:
            sys.modules[module] = imported
