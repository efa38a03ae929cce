"""The errors of session stores."""

from __future__ import annotations

from yemot_ai.errors.base import YemotAIError

__all__ = [
    "HoldLostError",
    "SessionConflictError",
    "SessionDamagedError",
    "SessionFormatError",
    "StoreError",
]


class StoreError(YemotAIError):
    """The session store cannot be used."""


class SessionConflictError(StoreError):
    """A session was saved that was loaded before the newest version.

    Attributes:
        call_id: the call.
        expected: the version that was loaded.
    """

    def __init__(self, call_id: str, *, expected: int) -> None:
        self.call_id = call_id
        self.expected = expected
        super().__init__(f"session {call_id} changed since version {expected}: load it and try again")


class HoldLostError(StoreError):
    """The lease of a held key ran out: the process was frozen, or the store could not be reached.

    Attributes:
        key: the key.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"the hold of {key} was lost: another worker may hold it now")


class SessionFormatError(StoreError):
    """A session was written by a newer version of this package; it is left unchanged.

    Attributes:
        found: the format of the record.
        known: the newest format that this version can read.
    """

    def __init__(self, *, found: int, known: int) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"the session has format {found}, and this version of yemot-ai knows up to {known}: upgrade it, "
            "or give the older workers a separate store"
        )


class SessionDamagedError(StoreError):
    """A record is not a valid session; stores quarantine it, and the call starts without it.

    Attributes:
        reason: what is wrong with the record.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the record of a session is damaged: {reason}")
