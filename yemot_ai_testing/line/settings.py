"""The switches of one line: what a developer writes into ``ext.ini``, and what no source confirms.

>>> LineSettings(method="POST", constants=(("secret", "s3"),)).constants
(('secret', 's3'),)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

__all__ = ["LineSettings", "Method", "Switches"]

Method: TypeAlias = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """How the line behaves; the defaults are those of the platform.

    Attributes:
        method: ``GET`` (the platform's default) or ``POST`` (``api_url_post=yes``). [OFF]
        query: a query string that stands in ``api_link`` itself; with GET the line glues its own
            parameters behind it with a **second** ``?``. [LIVE]
        server_timeout: seconds the line waits for an answer before it says M1607. Not documented;
            claims run from under 10 to 60. [?]
        retain_values: values stay when the caller re-enters an extension in one call. Sources
            contradict each other; production code reports that they are cleared. [?]
        end_goto: where a caller goes when the answer says nothing more (``api_end_goto``); None is
            one level up, and at the root the call ends. [OFF]
        hangup_send: tell the server when the caller hangs up (``api_hangup_send``). [OFF]
        hangup_after_goto: tell it also when the server itself hung up with ``go_to_folder=hangup``. [?]
        constants: ``api_add_0``, ``api_add_1`` …: (name, value) pairs in every request. [OFF]
        omitted: ``Api…`` parameters that are switched off (``api_phone_send=no`` …). [OFF]
        extensions: the extensions that belong to the application; None: all of them. Whoever goes
            elsewhere has left, and the call counts as ended.
        say_tts: the line speaks the recognised words back (``api_say_tts``). On by default on the
            platform [OFF]; off here, for nobody who lets a model answer wants it.
        did: the system's main number (``ApiDID``).
        real_did: the number that was dialled (``ApiRealDID``).
    """

    method: Method = "GET"
    query: str = ""
    server_timeout: float = 10.0
    retain_values: bool = False
    end_goto: str | None = None
    hangup_send: bool = True
    hangup_after_goto: bool = True
    constants: tuple[tuple[str, str], ...] = ()
    omitted: frozenset[str] = frozenset()
    extensions: frozenset[str] | None = None
    say_tts: bool = False
    did: str = "0772222770"
    real_did: str = "0772222770"

    def owns(self, extension: str) -> bool:
        """Whether ``extension`` is one of the application's own."""
        return self.extensions is None or extension in self.extensions


class Switches(TypedDict, total=False):
    """The switches of ``LineSettings`` that a caller may set by name."""

    query: str
    server_timeout: float
    retain_values: bool
    end_goto: str | None
    hangup_send: bool
    hangup_after_goto: bool
    constants: tuple[tuple[str, str], ...]
    omitted: frozenset[str]
    extensions: frozenset[str] | None
    did: str
    real_did: str
    say_tts: bool
