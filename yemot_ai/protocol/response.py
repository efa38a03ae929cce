"""A response to the line: actions in order. ``str`` renders it, ``Response.parse`` is the inverse.

>>> from yemot_ai.protocol import GoToFolder, Play, Text
>>> response = Response([Play([Text("שלום")]), GoToFolder("hangup")])
>>> str(response)
'id_list_message=t-שלום&go_to_folder=hangup'
>>> Response.parse(str(response)) == response
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
    """Actions in order; only ``Play`` and ``MusicOnHold`` may be followed by another action [OFF].

    Iterating yields the actions.

    Args:
        actions: at least one.
        log: whether the line may log the exchange (``api_log_no`` otherwise).

    Raises:
        InvalidValueError: the actions are not allowed in this order.
    """

    actions: Sequence[Action]
    log: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "actions", tuple(self.actions))
        if not self.actions:
            raise InvalidValueError("empty-answer", "a response needs an action")
        for action in self.actions:
            if not isinstance(action, _ACTIONS):
                raise InvalidValueError("unknown-action", f"{action!r} is not an action")
        if len(self.actions) > 1:
            for code, reason, _ in order_errors(self.actions):
                raise InvalidValueError(code, reason)

    @classmethod
    def parse(cls, text: str, *, lenient: bool = False) -> Self:
        """Parse a response; alternative spellings of a value give the same result.

        Args:
            text: the response body.
            lenient: let an optional field that is not understood count as its default, and ignore surplus
                fields. Whether a line does so is not confirmed [?].

        Raises:
            ResponseSyntaxError: the line would not understand it; ``lint`` lists all problems.
        """
        return cls.from_parsed(parse_response(text, lenient=lenient))

    @classmethod
    def from_parsed(cls, parsed: ParseResult) -> Self:
        """Return the response that was parsed; raises as ``parse`` does."""
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
        text = "&".join(map(str, self.actions))
        return text if self.log else f"{NO_LOG}&{text}"
