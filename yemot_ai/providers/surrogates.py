r"""Text that every encoding can write.

JSON can spell half of a surrogate pair, and a model or a caller's own code may send one; whoever writes
it into a request, a log or a file would fail.

>>> writable("\ud83d\ude00, \ud83d"), writable("שלום")
('😀, \ufffd', 'שלום')
"""

from __future__ import annotations

__all__ = ["replace_surrogates"]


def replace_surrogates(text: str) -> str:
    """Return ``text`` with its two halves of a pair joined, and a single one replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
