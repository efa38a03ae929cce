"""The rules of ids in a store: similar ones are different calls in every operation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from yemot_ai.sessions import Session
from yemot_ai_testing.conformance.rule import RuleGroup, expect_equal
from yemot_ai_testing.conformance.stores.bench import StoreBench

__all__ = ["ID_RULES"]

ID_RULES: Final[RuleGroup[StoreBench]] = RuleGroup("session")

LONG: Final = 5_000
"""Characters of a long id."""


async def _expect_apart(bench: StoreBench, names: Iterable[str]) -> None:
    """Raise ``Breach`` if similar ids are mixed up by load, save, list, ``ended`` or delete."""
    ids = list(names)
    for number, call_id in enumerate(ids):
        await bench.save(Session(call_id, phone=str(number), ended=number % 2 == 0))
    await _expect_kept(bench, ids)
    expect_equal("the ended calls", sorted(await bench.second_store.ended(ids)), sorted(ids[::2]))
    for number in range(0, len(ids), 3):
        await bench.store.delete(ids[number])
    await _expect_kept(bench, ids, deleted=ids[::3])


async def _expect_kept(bench: StoreBench, ids: list[str], *, deleted: Iterable[str] = ()) -> None:
    gone = set(deleted)
    loaded = [await bench.second_store.load(call_id) for call_id in ids]
    expected = [None if one in gone else (one, str(number)) for number, one in enumerate(ids)]
    expect_equal("the sessions", [one and (one.call_id, one.phone) for one in loaded], expected)
    listed = [one async for one in bench.second_store.call_ids() if one in set(ids)]
    expect_equal("the listed calls", sorted(listed), sorted(set(ids) - gone))


@ID_RULES.rule("ids-begin-alike", "Ids that begin alike are different calls, also when one is deleted")
async def _begin_alike(bench: StoreBench) -> None:
    name = bench.unique_name()
    await _expect_apart(bench, [name + "1" * length for length in range(7)] + [f"{name}-1", f"{name}.1"])


@ID_RULES.rule("ids-end-alike", "Ids that end alike are different calls, also when one is deleted")
async def _end_alike(bench: StoreBench) -> None:
    name = bench.unique_name()
    await _expect_apart(bench, ["1" * length + name for length in range(7)] + [f"x-{name}", f"x:{name}"])


@ID_RULES.rule("ids-patterns", "Characters of patterns in an id (% _ * ? [ ]) match nothing else")
async def _patterns(bench: StoreBench) -> None:
    name = bench.unique_name("p")
    parts = (
        "%",
        "a",
        "b",
        "_",
        "*",
        "?",
        "[ab]",
        "[^z]",
        "a*",
        "{a,b}",
        ".*",
        "\\a",
        "\\%",
        "a%",
        "^a$",
        "$1",
    )
    await _expect_apart(bench, [f"{name}{part}" for part in parts])


@ID_RULES.rule("ids-case", "Ids that differ in case only are different calls")
async def _case(bench: StoreBench) -> None:
    name = bench.unique_name()
    words = (
        "call",
        "Call",
        "CALL",
        "caLL",
        "straße",
        "STRASSE",
        "strasse",
        "İ",
        "i",
        "I",
        "ı",
        "Σ",
        "σ",
        "ς",
    )
    await _expect_apart(bench, [f"{word}.{name}" for word in words])


@ID_RULES.rule("ids-separators", "Separators, quotes, spaces and control characters are parts of an id")
async def _separators(bench: StoreBench) -> None:
    name = bench.unique_name("s")
    ends = (";", "", ":", ",", "::", "/", "'", ":a", "/a", '"', "`", "--", "#", "&", "=", "+", "|", "<", "\\")
    invisible = (
        " ",
        "  ",
        "\t",
        "\r",
        "\n",
        "\x00",
        "\x01",
        "\x1f",
        "\x7f",
        "\x85",
        "\xa0",
        "\u200f",
        "\u2028",
    )
    await _expect_apart(bench, [name + end for end in (*ends, *invisible)])


@ID_RULES.rule("ids-unicode", "Hebrew, emoji, vowel signs and other forms of a letter are kept as they are")
async def _unicode(bench: StoreBench) -> None:
    name = bench.unique_name("u")
    words = (
        "שיחה",
        "שִׂיחה",
        "שׂיחה",
        "\ufb2bיחה",
        "😀",
        "😁",
        "👩‍👧",
        "👩",
        "א",
        "ﬡ",
        "１",
        "1",
        "²",
        "2",
        "\U00010000",
    )
    await _expect_apart(bench, [f"{name}{word}" for word in words])


@ID_RULES.rule("ids-long", "Ids of five thousand characters are different calls if their last ones differ")
async def _long(bench: StoreBench) -> None:
    name = bench.unique_name("l")
    ends = ("b", "", "a", "א", "aa", "ב")
    await _expect_apart(bench, [name + "x" * LONG + end for end in ends])


@ID_RULES.rule("ids-internal", "An id may be a name that a store uses itself")
async def _internal(bench: StoreBench) -> None:
    name = bench.unique_name("n")
    words = ("session", "sessions", "saved", "hold", "holds", "lock", "index", "version", "caller", "damaged")
    await _expect_apart(bench, [f"{word}:{name}" for word in words] + [name, f"{name}.tmp", f"{name}.json"])


@ID_RULES.rule("reused", "The id of a deleted session is a new call: it has neither its end nor its age")
async def _reused(bench: StoreBench) -> None:
    old = await bench.save_new(ended=True, phone="050")
    await bench.second_store.delete(old.call_id)
    new = await bench.save_new(phone="051")
    expect_equal("the new session", await bench.second_store.load(new.call_id), new)
    expect_equal("the ended calls", await bench.second_store.ended([new.call_id]), frozenset())
    expect_equal("the idle calls", await bench.listed_names(idle=600), set())
    expect_equal("the calls", await bench.listed_names(), {"call"})
    await bench.store.delete(new.call_id)
    expect_equal("the ended calls", await bench.store.ended([new.call_id, old.call_id]), frozenset())
