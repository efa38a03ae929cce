"""Edits change the edited texts and no other byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yemot_ai_testing.scenario.format.edit import EditableYaml, NotRewritableError
from yemot_ai_testing.scenario.format.load import loads
from yemot_ai_testing.scenario.format.model import Edit, YamlPath

HEARS: YamlPath = ("scenarios", 0, "turns", 0, "hears")

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("אבג \"'\\:#&*[]{},-?|>!%@\n\t")
)
HEARD = TEXTS.filter(str.strip)
WORDS = st.text("אבגדabc", min_size=1, max_size=8)
COMMENTS = st.sampled_from(["", "  # מה נשמע", " # a: 'b", "\t# [c"])
ENDS = st.sampled_from(["\n", "\r\n"])

Pieces = list[tuple[str, str | None]]
"""Parts of a file, each with the value of the editable text, or None."""


@st.composite
def styled_text(draw: st.DrawFn, *, flow: bool, end: str) -> tuple[str, str]:
    """Draw a scalar as written in the file, and its value."""
    word = draw(WORDS)
    styles = [word, f"'{word}'", f'"{word}"', f'"{word} \\u05d0"']
    values = dict.fromkeys(styles[:3], word) | {styles[3]: f"{word} א"}
    if not flow:
        values[f"{word}{end}            more"] = f"{word} more"
    form = draw(st.sampled_from(list(values)))
    return form, values[form]


@st.composite
def turns(draw: st.DrawFn, end: str) -> Pieces:
    """Draw one turn in one of several layouts."""
    comment, other = draw(COMMENTS), draw(COMMENTS)
    flow, block = draw(styled_text(flow=True, end=end)), draw(styled_text(flow=False, end=end))
    forms: list[Pieces] = [
        [("      - hears: ", None), block, (f"{comment}{end}", None)],
        [("      - says: א\n        hears:   ", None), flow, (f"{comment}{end}{end}", None)],
        [("      - {says: ב, hears: {contains: ", None), flow, (f" , ends: false}}}}{comment}{end}", None)],
        [
            (f"      - says: ג{comment}{end}        hears:{other}{end}          equals: ", None),
            block,
            (f"{other}{end}          within: [2s,  4s]{end}# c{end}", None),
        ],
        [
            (f"      - hears:{comment}{end}          contains:{end}          - ", None),
            block,
            (f"{other}{end}          # between{end}          -   ", None),
            draw(styled_text(flow=False, end=end)),
            (f"{comment}{end}        says: ד{end}", None),
        ],
    ]
    return draw(st.sampled_from(forms))


@st.composite
def files(draw: st.DrawFn) -> tuple[Pieces, int]:
    """Draw a file and its number of turns."""
    end = draw(ENDS)
    head = f"{draw(st.sampled_from(['', chr(0xFEFF), '# first' + end]))}scenarios:{end}"
    drawn = draw(st.lists(turns(end), min_size=1, max_size=4))
    pieces = [piece for turn in drawn for piece in turn]
    begin = f"{head}  - name:   שיחה{end}    turns:{end}"
    return [(begin, None), *pieces, ("    # the end", None)], len(drawn)


def editable_paths(source: EditableYaml, turns: int) -> list[YamlPath]:
    """Return the path of every text under ``hears``, in the order of the file."""
    paths: list[YamlPath] = []
    for turn in range(turns):
        hears: YamlPath = ("scenarios", 0, "turns", turn, "hears")
        present = [
            (*hears, *rest)
            for rest in (("contains", 0), ("contains", 1), ("equals",))
            if source.has((*hears, *rest))
        ]
        paths += present or ([(*hears, "contains")] if source.has((*hears, "contains")) else [hears])
    return paths


@pytest.mark.slow
@given(files(), st.data())
def test_bytes_outside_the_edited_texts_do_not_change(file: tuple[Pieces, int], data: st.DataObject) -> None:
    pieces, count = file
    source = EditableYaml("".join(text for text, _ in pieces))
    editable = [number for number, (_, value) in enumerate(pieces) if value is not None]
    paths = editable_paths(source, count)
    chosen = data.draw(st.sets(st.sampled_from(range(len(editable))), min_size=1))
    new = {number: data.draw(HEARD) for number in chosen}
    edits = [Edit(paths[number], pieces[editable[number]][1], text) for number, text in new.items()]

    rewritten = source.apply_edits(edits)

    rest = rewritten
    for number, (text, value) in enumerate(pieces):
        if value is not None and editable.index(number) in chosen:
            next_text = pieces[number + 1][0]
            rest = rest[rest.index(next_text) :]
        else:
            assert rest.startswith(text)
            rest = rest.removeprefix(text)
    assert rest == ""
    again = EditableYaml(rewritten)
    for edit in edits:
        again.check(Edit(edit.path, edit.new, edit.new))


@pytest.mark.parametrize("before", [" ", "\n          - "], ids=["alone", "in a list"])
@given(
    heard=HEARD, style=st.sampled_from(["א", "'א'", '"א"', "|-\n            א\n", ">-\n            א\n\n"])
)
def test_any_text_can_replace_a_text_of_any_style(before: str, heard: str, style: str) -> None:
    head = "scenarios:\n  - name: x\n    turns:\n      - hears:\n          contains:"
    part: YamlPath = (*HEARS, "contains", 0) if "-" in before else (*HEARS, "contains")
    source = EditableYaml(f"{head}{before}{style}\n        says: ב\n")

    (scenario,) = loads(source.apply_edits([Edit(part, "א", heard)]), Path("x.call.yaml")).scenarios

    assert scenario.turns[0].hears is not None
    assert scenario.turns[0].hears.contains == (heard,)
    assert scenario.turns[0].action is not None


@pytest.mark.parametrize(
    ("hears", "part", "message"),
    [
        ("&a שלום", (), "an anchor or a tag"),
        ("!!str שלום", (), "an anchor or a tag"),
        ("ברוכים", (), "has changed since"),
        ("[שלום]", (), "no single text"),
        ("{equals: שלום}", ("contains",), "no single text"),
    ],
)
def test_a_value_that_cannot_be_replaced_alone_is_refused(
    hears: str, part: Sequence[str], message: str
) -> None:
    source = EditableYaml(f"scenarios: [{{name: x, turns: [{{hears: {hears}}}]}}]")
    with pytest.raises(NotRewritableError, match=message):
        source.apply_edits([Edit((*HEARS, *part), "שלום", "ביי")])


def test_a_value_used_in_several_places_is_refused() -> None:
    source = EditableYaml(
        dedent("""
        scenarios:
          - name: x
            turns:
              - &first {hears: {contains: שלום}}
          - {name: y, turns: [*first]}
        """)
    )
    with pytest.raises(NotRewritableError, match="several places"):
        source.check(Edit((*HEARS, "contains"), "שלום", "ביי"))
