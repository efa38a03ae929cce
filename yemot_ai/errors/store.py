"""What can go wrong with a store of sessions."""

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
    """The session store cannot do its work."""


class SessionConflictError(StoreError):
    """A session was saved over a version that is no longer the newest.

    Attributes:
        call_id: whose session it is.
        expected: the version that the writer had read.
    """

    def __init__(self, call_id: str, *, expected: int) -> None:
        self.call_id = call_id
        self.expected = expected
        super().__init__(f"session {call_id} changed since version {expected}: load it and try again")


class HoldLostError(StoreError):
    """A key was held for longer than its lease lived: the process was frozen, or the store was gone.

    Attributes:
        key: what was held.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"the hold of {key} was lost: somebody else may go on with it")


class SessionFormatError(StoreError):
    """A session was written by a newer version of this package; it is left as it is.

    Attributes:
        found: the format of the record.
        known: the newest format that this version can read.
    """

    def __init__(self, *, found: int, known: int) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"the session has format {found}, and this version of yemot-ai knows up to {known}: upgrade it, "
            "or give the older workers a store of their own"
        )


class SessionDamagedError(StoreError):
    """A record is no session; stores set it aside and begin anew.

    Attributes:
        reason: what is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the record of a session is damaged: {reason}")
