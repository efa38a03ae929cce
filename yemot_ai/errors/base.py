"""The base class, and the errors that are neither about a store nor about a provider."""

from __future__ import annotations

from yemot_ai.errors.source_place import source_place

__all__ = [
    "CallEndedError",
    "ConfigurationError",
    "EngineLoopError",
    "InvalidValueError",
    "MissingExtraError",
    "MissingKeyError",
    "ResponseSyntaxError",
    "YemotAIError",
]


class YemotAIError(Exception):
    """The base class of all errors of this package."""


class ResponseSyntaxError(YemotAIError, ValueError):
    """A text is not a response that the line can parse.

    Attributes:
        text: the text.
        position: index of the first offending character.
        reason: what is wrong there.
    """

    def __init__(self, reason: str, *, text: str, position: int = 0) -> None:
        self.reason = reason
        self.text = text
        self.position = position
        super().__init__(f"{reason} (at character {position} of {_shorten(text)!r})")


class InvalidValueError(YemotAIError, ValueError):
    """A message or an action was built from a value that the line cannot parse.

    Attributes:
        code: the stable code of the rule that it breaks, as in ``yemot_ai.protocol.lint``.
        reason: what is wrong with the value.
        position: index of the first offending character of the value.
    """

    def __init__(self, code: str, reason: str, *, position: int = 0) -> None:
        self.code = code
        self.reason = reason
        self.position = position
        super().__init__(f"{reason} ({code})")


class ConfigurationError(YemotAIError):
    """The configuration cannot work; raised at setup, not in a call.

    Attributes:
        place: ``file:line`` of the developer's code that it is about, else where that code has called this
            package; "" if there is none.
    """

    def __init__(self, message: str = "", *, place: str = "") -> None:
        self.place = place or source_place()
        super().__init__(message)


class MissingExtraError(ConfigurationError, ImportError):
    """A library of an extra of this package is not installed.

    Attributes:
        package: the library that could not be imported.
        extra: the extra of ``yemot-ai`` that installs it.
    """

    def __init__(self, *, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{package} is not installed: pip install 'yemot-ai[{extra}]'")


class MissingKeyError(ConfigurationError):
    """A provider was created without the key that it needs.

    Attributes:
        provider: the provider's name.
        variable: the environment variable that may hold the key.
    """

    def __init__(self, *, provider: str, variable: str, argument: str) -> None:
        self.provider = provider
        self.variable = variable
        super().__init__(f"{provider} needs a key: pass {argument}=… or set {variable}")


class EngineLoopError(YemotAIError, RuntimeError):
    """A blocking method was called on the loop that would have to run it."""


class CallEndedError(YemotAIError):
    """An operation was called for a call that has hung up.

    Attributes:
        call_id: what identifies the call: its ``ApiCallId``, unless ``AIFlow(call_key=…)`` says otherwise.
    """

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        super().__init__(f"call {call_id} has ended; a new call brings a new ApiCallId")


def _shorten(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
