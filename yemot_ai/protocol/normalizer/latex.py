r"""Formulas in LaTeX as formulas in plain signs, and the minus of a formula without LaTeX.

>>> plain_formulas(r"$10 \times 2 = 20$"), plain_formulas(r"\(\frac{1}{2}\)"), plain_formulas("$5 או $10")
(' 10  ×  2 = 20 ', '  1 ÷ 2  ', '$5 או $10')
>>> mark_minus("7-3-(2-1) = 3, 7-3").count(MINUS)
3
"""

from __future__ import annotations

import re
from typing import Final

from yemot_ai.protocol.normalizer.characters import FRACTION_SLASH, SUPERSCRIPTS

__all__ = ["MINUS", "mark_minus", "plain_formulas"]

MINUS: Final = "\ue003"
"""A hyphen of a formula, which is never a range; a private character, which no text contains here."""

_OPENED: Final = re.compile(
    r"\$\$([^$]{1,2000})\$\$|\\\(((?:[^\\]|\\(?![()]))*+)\\\)|\\\[((?:[^\\]|\\(?![\[\]]))*+)\\\]"
)
_DELIMITER: Final = re.compile(r"\\[()\[\]]|\$\$")
_INLINE: Final = re.compile(
    r"(?<![\w$\\])\$(?=[^\s$])((?>\\(?:text|mathrm|mbox) ?\{[^{}$]{0,100}\}|[^$א-ת]){1,500}+)"
    r"(?<![\s\\])\$(?![\w$])"
)
_MATHEMATICAL: Final = re.compile(r"[=+×÷^_\\<>{}]|[A-Za-z]|^-?\d[\d.,]*$")
_FRACTION: Final = re.compile(r"\\[dtc]?frac ?(?:\{([^{}]*)\}|(\d)) ?(?:\{([^{}]*)\}|(\d))")
_MIXED: Final = re.compile(r"(?<=\d) ?\\[dt]?frac ?\{ ?(\d{1,3}) ?\} ?\{ ?(\d{1,3}) ?\}")
"""A fraction after a whole number."""
_ROOT: Final = re.compile(r"\\sqrt ?(?:\[([^\[\]{}]*)\])? ?\{([^{}]*)\}")
_WRAPPED: Final = re.compile(
    r"\\(?:text(?:bf|it|rm|tt)?|mbox|emph|underline|math(?:rm|bf|it|bb|cal|sf|tt|frak)|operatorname|boxed|overline"
    r"|overrightarrow|widehat|tilde|hat|vec|bar|dot|cancel) ?\{([^{}]*)\}"
)
_EXPONENT: Final = re.compile(r"([\^_]) ?\{([^{}]*)\}")
_DEGREES: Final = re.compile(r"\^ ?(?:\\circ|\{ ?\\circ ?\})")
_ENVIRONMENT: Final = re.compile(r"\\(?:begin|end) ?\{[a-z]+\*?\}")
_COMMAND: Final = re.compile(r"\\([A-Za-z]+)|\\([,;:! ])|\\\\|\\([%$&#_{}])")
_HYPHEN: Final = re.compile(r" ?-(?= ?[\w(\\$])")
_RAISED: Final = f"[{SUPERSCRIPTS}]*"
_TERM: Final = (
    rf"(?:-|\( ?){{0,4}}(?:\d+(?:[.,]\d+)*[A-Za-z]?|[A-Za-z]\d?)(?![\w'\"]){_RAISED}%?(?: ?\)){{0,3}}"
)
_EXPRESSION: Final = re.compile(
    rf"(?<![\w.,/?&#=:\"'-]){_TERM}(?:(?: ?[-+*×÷/^=] ?|(?<=\))(?=\()){_TERM})+(?![\w'\"])"
)
"""Numbers, variables and parentheses with signs between them."""
_CALCULATION: Final = re.compile(r"=|[-+*×÷/^] ?\(|\([^()]{1,40}[-+*×÷/^][^()]{1,40}\) ?[-+*×÷/^(]|^-\(")
_LEADING_ZERO: Final = re.compile(r"(?<![\d.])0\d")
_SIGNS: Final = {
    **dict.fromkeys(("times", "cdot", "ast"), " × "),
    **dict.fromkeys(("le", "leq", "leqslant"), " ≤ "),
    **dict.fromkeys(("ge", "geq", "geqslant"), " ≥ "),
    **dict.fromkeys(("ne", "neq"), " ≠ "),
    **dict.fromkeys(("approx", "sim", "simeq"), " ≈ "),
    **dict.fromkeys(("to", "rightarrow", "implies"), " → "),
    **dict.fromkeys(("left", "right", "quad", "qquad", "displaystyle", "limits", "big", "Big"), " "),
    **dict.fromkeys(("ldots", "dots", "cdots"), " , "),
    "in": " ∈ ", "cup": " ∪ ", "cap": " ∩ ", "emptyset": " ∅ ", "varnothing": " ∅ ", "angle": " ∠ ",
    "triangle": " △ ", "perp": " ⊥ ", "parallel": " ∥ ",
    "div": " ÷ ", "pm": " ± ", "infty": " ∞ ", "lt": " < ", "gt": " > ", "sqrt": " √ ", "circ": "°",
    "pi": " π ", "alpha": " α ", "beta": " β ", "gamma": " γ ", "delta": " δ ", "Delta": " Δ ",
    "theta": " θ ", "lambda": " λ ", "mu": " μ ", "sigma": " σ ", "Sigma": " Σ ", "phi": " φ ",
    "varphi": " φ ", "omega": " ω ", "sum": " סכום ", "int": " אינטגרל ",
}  # fmt: skip
_NESTED: Final = 4
"""Levels of nested braces that are resolved."""


def plain_formulas(sentence: str) -> str:
    """Return the sentence with its formulas in plain signs, and without their delimiters."""
    if "$" in sentence:
        sentence = _INLINE.sub(_inline, sentence)
    if "\\" in sentence or "$$" in sentence:
        sentence = _OPENED.sub(lambda match: f" {_plain(match[match.lastindex or 0])} ", sentence)
        sentence = _plain_commands(_DELIMITER.sub(" ", sentence))
    return sentence


def mark_minus(sentence: str) -> str:
    """Return the sentence with each hyphen of a calculation as ``MINUS``: no range, and no part of a code."""
    return _EXPRESSION.sub(_mark_calculation, sentence)


def _mark_calculation(match: re.Match[str]) -> str:
    formula = match.group()
    if "-" not in formula or not _CALCULATION.search(formula) or _LEADING_ZERO.search(formula):
        return formula
    return re.sub(" ?- ?", f" {MINUS} ", formula)


def _inline(match: re.Match[str]) -> str:
    return f" {_plain(match[1])} " if _MATHEMATICAL.search(match[1]) else match.group()


def _plain(formula: str) -> str:
    return _plain_commands(_HYPHEN.sub(f" {MINUS} ", formula.replace("{,}", ","))).replace("&", " ")


def _plain_commands(formula: str) -> str:
    formula = _ENVIRONMENT.sub(" ", _DEGREES.sub("°", formula)).replace("&=", "=")
    formula = _MIXED.sub(rf" \1{FRACTION_SLASH}\2", formula)
    for _ in range(_NESTED):
        formula = _WRAPPED.sub(r" \1 ", formula)
        formula = _ROOT.sub(_root, formula)
        formula = _EXPONENT.sub(_exponent, formula)
        formula = _FRACTION.sub(_fraction, formula)
    return _COMMAND.sub(_command, formula)


def _exponent(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2].strip()}" if match[1] == "^" else f" {match[2]} "


def _root(match: re.Match[str]) -> str:
    return f" √ {match[1]} , {match[2]} " if match[1] else f" √ {match[2]} "


def _fraction(match: re.Match[str]) -> str:
    upper, lower = match[1] or match[2] or "", match[3] or match[4] or ""
    return f" {upper} ÷ {lower} "


def _command(match: re.Match[str]) -> str:
    name, _space, sign = match.groups()
    if name:
        return _SIGNS.get(name, f" {name}")
    return sign or (", " if match.group() == "\\\\" else " ")
