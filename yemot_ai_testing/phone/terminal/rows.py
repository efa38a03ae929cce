"""The lines of a call in the terminal: the conversation, and what was sent and received."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, chop_cells
from rich.text import Text

from yemot_ai_testing.line.exchange import LineExchange
from yemot_ai_testing.phone.terminal.bidi import to_visual
from yemot_ai_testing.scenario.play.timeline import TimelineEvent
from yemot_ai_testing.scenario.report.text import escape_controls

__all__ = ["conversation_lines", "exchange_lines", "wrap_words"]

STYLES = {
    "caller": "bold cyan",
    "line": "green",
    "platform": "yellow",
    "silence": "red",
    "place": "dim",
    "server": "magenta",
    "tool": "magenta",
}
LABELS = {
    "dials": "dials",
    "says": "you",
    "presses": "keys",
    "hangs up": "hangs up",
    "speaks": "line",
    "tool failed": "tool",
}

TIME_WIDTH = 7
LABEL_WIDTH = 9


def wrap_words(text: str, width: int) -> list[str]:
    """Return the lines of ``text``, in logical order: a line must be broken before it is reordered.

    >>> wrap_words("one two three", 8)
    ['one two', 'three']
    >>> wrap_words("abcdefgh", 3)
    ['abc', 'def', 'gh']
    """
    lines = [""]
    for part in (part for word in text.split() for part in chop_cells(word, width)):
        joined = f"{lines[-1]} {part}".strip()
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(part)
    return lines


def conversation_lines(row: TimelineEvent, width: int, *, visual: bool) -> Iterator[Text]:
    """Yield the lines of one row of the conversation.

    Args:
        row: the row.
        width: columns.
        visual: whether right-to-left text is reordered here.
    """
    style = STYLES.get(row.origin, "")
    label = LABELS.get(row.kind, row.kind)
    text = f"{row.seconds:.1f} s of silence" if row.origin == "silence" else escape_controls(row.text)
    rest = max(width - TIME_WIDTH - LABEL_WIDTH - 1, 10)
    for number, line in enumerate(wrap_words(text, rest)):
        shown = to_visual(line, enabled=visual)
        is_mirrored = shown != line
        head = f"{row.at:6.1f} {label[:LABEL_WIDTH]:>{LABEL_WIDTH}}" if not number else ""
        padding = " " * max(rest - cell_len(shown), 0) if is_mirrored else ""
        yield Text.assemble(
            (f"{head:<{TIME_WIDTH + LABEL_WIDTH}} ", "dim" if not number else ""), (padding + shown, style)
        )


def exchange_lines(
    exchanges: Sequence[LineExchange], first: int, width: int, *, visual: bool
) -> Iterator[Text]:
    """Yield the lines of the exchanges from ``first`` on: the new values, the response and its problems."""
    for number in range(first, len(exchanges)):
        exchange = exchanges[number]
        known = set(exchanges[number - 1].pairs) if number else set()
        sent = "&".join(f"{name}={value}" for name, value in exchange.pairs if (name, value) not in known)
        yield Text(f"{exchange.seconds:6.2f} s  /{exchange.extension}", "dim")
        yield from _wrapped(f"→ {sent}", width, "cyan", visual=visual)
        yield from _wrapped(f"← {exchange.body}", width, "green", visual=visual)
        for problem in exchange.problems:
            style = "bold red" if problem.level == "error" else "yellow"
            said = f"{problem.level} {problem.code}: {problem.message}"
            yield from _wrapped(
                f"{said}; {problem.hint}" if problem.hint else said, width, style, visual=visual
            )


def _wrapped(text: str, width: int, style: str, *, visual: bool) -> Iterator[Text]:
    for line in wrap_words(escape_controls(text), max(width, 10)):
        yield Text(to_visual(line, enabled=visual), style)
