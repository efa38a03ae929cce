r"""Replace surrogates, which no encoding can write.

JSON can contain a single surrogate, and a model or a user's code may send one; writing it to a request, a
log or a file would fail.

>>> replace_surrogates("\ud83d\ude00, \ud83d"), replace_surrogates("שלום")
('😀, \ufffd', 'שלום')
"""

from __future__ import annotations

__all__ = ["replace_surrogates"]


def replace_surrogates(text: str) -> str:
    """Return ``text`` with surrogate pairs joined and single surrogates replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
