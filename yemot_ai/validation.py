"""Check arguments when an object is made, so that a mistake is found at start and not by a caller.

>>> check_number("turns", 0)
Traceback (most recent call last):
yemot_ai.errors.ConfigurationError: turns=0: give a number above 0
"""

from __future__ import annotations

from yemot_ai.errors import ConfigurationError

__all__ = ["check_number", "check_type", "is_number"]


def check_type(name: str, value: object, accepted: type | tuple[type, ...], what: str) -> None:
    """Check the type of an argument.

    Args:
        name: the argument.
        value: its value.
        accepted: the types that it may have.
        what: what to give, for the message.

    Raises:
        ConfigurationError: it has another type.
    """
    if isinstance(value, type):
        raise ConfigurationError(f"{name}={value.__name__} is the class itself: give {what}")
    if not isinstance(value, accepted):
        raise ConfigurationError(f"{name}={value!r}: give {what}")


def check_number(
    name: str, value: object, what: str = "a number above 0", *, whole: bool = False, zero: bool = False
) -> None:
    """Check that an argument is a number above 0.

    Args:
        name: the argument.
        value: its value.
        what: what to give, for the message.
        whole: whether it has to be an integer.
        zero: whether 0 is allowed.

    Raises:
        ConfigurationError: it is not.
    """
    if not is_number(value, whole=whole, zero=zero):
        raise ConfigurationError(f"{name}={value!r}: give {what}")


def is_number(value: object, *, whole: bool = False, zero: bool = False) -> bool:
    """Return whether a value is a number above 0; True, False and nan are none.

    Args:
        value: the value.
        whole: whether it has to be an integer.
        zero: whether 0 is allowed.
    """
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    return value > 0 or (zero and value == 0)
