"""An answer to the line: actions in order. ``str`` renders it, ``Response.parse`` is the inverse.

>>> from yemot_ai.protocol import GoToFolder, Play, Text
>>> answer = Response([Play([Text("שלום")]), GoToFolder("hangup")])
>>> str(answer)
'id_list_message=t-שלום&go_to_folder=hangup'
>>> Response.parse(str(answer)) == answer
True
>>> Response.parse("hangup=yes")
Traceback (most recent call last):
yemot_ai.errors.ResponseSyntaxError: there is no such action: go_to_folder=hangup ends the call; use one of \
the documented actions (at character 0 of 'hangup=yes')
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self, get_args

from yemot_ai.errors import InvalidValueError, ResponseSyntaxError
from yemot_ai.protocol.actions import Action, CreditCard, Read
from yemot_ai.protocol.grammar import NO_LOG, ParseResult, order_errors, parse_response
from yemot_ai.protocol.messages import GoTo

__all__ = ["Response"]

_ACTIONS: Final = get_args(Action)


@dataclass(frozen=True, slots=True)
class Response:
    """Actions in order; only ``Play`` and ``MusicOnHold`` may be followed by another [OFF].

    Iterating gives the actions.

    Args:
        actions: at least one.
        log: whether the line may log the exchange (``api_log_no`` otherwise).

    Raises:
        InvalidValueError: the actions cannot stand in this order.
    """

    actions: Sequence[Action]
    log: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "actions", tuple(self.actions))
        if not self.actions:
            raise InvalidValueError("empty-answer", "a response needs an action")
        for one in self.actions:
            if not isinstance(one, _ACTIONS):
                raise InvalidValueError("unknown-action", f"{one!r} is no action")
        for code, reason, _ in order_errors(self.actions):
            raise InvalidValueError(code, reason)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an answer; what is written in several ways is understood the same.

        Args:
            text: the answer's whole body.

        Raises:
            ResponseSyntaxError: the line would not understand it; ``lint`` tells all that is wrong.
        """
        return cls.from_parsed(parse_response(text))

    @classmethod
    def from_parsed(cls, parsed: ParseResult) -> Self:
        """Take an answer that was read already; errors as those of ``parse``."""
        error = parsed.error
        if error:
            raise ResponseSyntaxError(error.message, text=parsed.text, position=error.position)
        return cls(parsed.actions, log=parsed.log)

    @property
    def leaves(self) -> bool:
        """Whether the caller leaves the extension afterwards; not after a read or a payment [OFF]."""
        last = self.actions[-1]
        if isinstance(last, Read):
            return isinstance(last.messages[-1], GoTo)
        return not isinstance(last, CreditCard)

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions)

    def __str__(self) -> str:
        answer = "&".join(map(str, self.actions))
        return answer if self.log else f"{NO_LOG}&{answer}"
