"""The chart of a run: one plot for each figure, as SVG that is readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.soak.samples import UNITS, WARM_UP, Sample, series
from benchmarks.soak.trend import Trend

WIDTH, PLOT_HEIGHT, GAP = 720, 70, 44
LEFT, RIGHT, TOP = 56, 16, 44

STYLE = """
  svg { color-scheme: light dark; font: 12px system-ui, sans-serif }
  .page { fill: #fff } text { fill: #1f2328 } .axis { stroke: #8c959f } .line { stroke: #0550ae; fill: none }
  .trend { stroke: #bc4c00; stroke-dasharray: 6 4 } .warm-up { fill: #8c959f; opacity: 0.15 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #16181d } text { fill: #e6edf3 } .line { stroke: #79c0ff } .trend { stroke: #ffa657 }
  }
"""


def draw(title: str, samples: Sequence[Sample], trends: dict[str, Trend]) -> str:
    """Return the chart.

    Args:
        title: what was run.
        samples: all samples, the warm-up included.
        trends: the trend of each figure after the warm-up.
    """
    height = TOP + len(UNITS) * (PLOT_HEIGHT + GAP)
    plots = [
        _plot(TOP + number * (PLOT_HEIGHT + GAP), name, samples, trends[name])
        for number, name in enumerate(UNITS)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<rect class="page" width="{WIDTH}" height="{height}"/>\n'
        f'<text x="{LEFT}" y="20" font-weight="bold">{escape(title)}</text>\n{"".join(plots)}</svg>\n'
    )


def verdict(name: str, trend: Trend, tolerance: float = 0.0) -> str:
    """Return a figure with its change, as text.

    >>> verdict("memory", Trend(mean=120.0, change=0.25, error=0.5, noise=1.0))
    'memory: 120.0 MB, change +0.2 ± 0.5 MB: flat'
    """
    unit = f" {UNITS[name]}".rstrip()
    change = f"change {trend.change:+.1f} ± {trend.error:.1f}{unit}"
    return f"{name}: {trend.mean:.1f}{unit}, {change}: {'grows' if trend.grows(tolerance) else 'flat'}"


def _plot(top: float, name: str, samples: Sequence[Sample], trend: Trend) -> str:
    points = series(samples, name)
    last_at, most = points[-1][0], max(max(value for _, value in points) * 1.15, 1.0)
    bottom, width = top + PLOT_HEIGHT, WIDTH - LEFT - RIGHT

    def place(at: float, value: float) -> str:
        return f"{LEFT + width * at / last_at:.1f},{bottom - PLOT_HEIGHT * value / most:.1f}"

    start = last_at * WARM_UP
    ends = (place(start, trend.mean - trend.change / 2), place(last_at, trend.mean + trend.change / 2))
    (x1, y1), (x2, y2) = (end.split(",") for end in ends)
    line = " ".join(place(at, value) for at, value in points)
    return (
        f'<text x="{LEFT}" y="{top - 8}">{escape(verdict(name, trend))}</text>\n'
        f'<rect class="warm-up" x="{LEFT}" y="{top}" width="{width * WARM_UP:.1f}" height="{PLOT_HEIGHT}"/>\n'
        f'<path class="axis" fill="none" d="M{LEFT},{top}V{bottom}H{WIDTH - RIGHT}"/>\n'
        f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{most:.0f}</text>\n'
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text>\n'
        f'<text x="{WIDTH - RIGHT}" y="{bottom + 14}" text-anchor="end">{last_at / 60:.0f} min</text>\n'
        f'<polyline class="line" points="{line}"/>\n'
        f'<line class="trend" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>\n'
    )
