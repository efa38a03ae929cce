"""How a handler hands its answer out in the middle of its code."""

from __future__ import annotations

__all__ = ["HandlerInterrupted"]


class HandlerInterrupted(BaseException):
    """The handler has said what the line shall do next; what follows is not run in this request.

    Not an ``Exception``: a handler's own ``except Exception`` must not swallow it.
    """
