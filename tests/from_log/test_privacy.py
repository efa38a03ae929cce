"""No number and no name of a log is in its scenarios."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.from_log.logs import assert_passes, convert_lines, json_lines, record_of, scenarios_of
from yemot_ai import AIFlow, YemotAI
from yemot_ai_testing import Caller, ScriptedProvider
from yemot_ai_testing.from_log.privacy import CallPrivacy, Substitutes
from yemot_ai_testing.line.verbs.typed_numbers import is_identity_number, is_israeli_phone_number

PHONE, DID, CARD, IDENTITY, EMAIL = (
    "0527654321",
    "0771112223",
    "4580458045804580",
    "123456782",
    "dana@firm.co.il",
)


def numbers_in(text: str) -> set[str]:
    digits = "".join(str(unicodedata.decimal(one, one)) for one in text)
    return set(re.findall(r"\d{5,}", re.sub(r"(?<=\d)[-. ()/,](?=\d)", "", digits)))


def shop(pairs: Sequence[tuple[str, str]]) -> str:
    """Answer as a shop that repeats what callers said, and says its own number."""
    sent = dict(pairs)
    if "order" not in sent:
        return f"read=t-שלום {sent['ApiPhone']}, מה מספר ההזמנה=order,no,voice"
    if "card" not in sent:
        return f"read=t-הזמנה {sent['order'].replace('.', ' ')}, כרטיס=card,no,16,16,7,No,,,,,,,,,no"
    last = sent["card"][-4:]
    return f"id_list_message=t-חויב כרטיס {last} של דנה לוי, לבירורים 0312345678, להתראות&go_to_folder=hangup"


def buy(app: object) -> Caller:
    caller = Caller(app, PHONE, did=DID, real_did=DID, enter_id_name="דנה לוי")
    caller.dial()
    caller.says("זה 77665544, דנה לוי, תעודת זהות 123456782, dana@firm.co.il, אפס חמש שתיים שבע שש")
    caller.presses(CARD)
    return caller


def test_no_number_and_no_name_of_the_log_is_in_the_scenario(tmp_path: Path) -> None:
    lines = json_lines(buy(shop))
    (file,) = convert_lines(tmp_path, lines).files

    assert {PHONE, DID, CARD, "77665544"} <= numbers_in("\n".join(lines))
    assert not numbers_in(file.text) & numbers_in("\n".join(lines))
    for said in ("דנה", "לוי", "dana", "4580", "0312345678", "אפס חמש שתיים שבע שש"):
        assert said not in file.text


def test_the_scenario_with_substitutes_passes(tmp_path: Path) -> None:
    (scenario,) = scenarios_of(convert_lines(tmp_path, json_lines(buy(shop))))

    assert scenario.turns[-1].hears is not None
    assert scenario.turns[-1].hears.contains == ("חויב כרטיס", "של", "לבירורים", "להתראות")
    assert_passes(scenario, shop)


def test_the_model_repeats_a_number_of_the_caller(tmp_path: Path) -> None:
    answer = "נתקשר אליך, דנה, אל 052-765-4321. סכום 12,500 שקלים, כתבו אל dana@firm.co.il."

    def flow(provider: ScriptedProvider) -> AIFlow:
        made = AIFlow(YemotAI(provider=provider))
        made.ai_agent("", greeting="שלום")(lambda call, text: None)
        return made

    def asks(caller: Caller) -> None:
        caller.says("אני דנה")
        caller.hangs_up()

    lines = record_of(flow(ScriptedProvider().answers(answer)), asks, PHONE)
    (file,) = convert_lines(tmp_path, lines, words={"דנה": "רות"}).files
    assert not numbers_in(file.text) & numbers_in("\n".join(lines))
    assert "דנה" not in file.text
    assert "dana" not in file.text
    (scenario,) = scenarios_of(convert_lines(tmp_path, lines, words={"דנה": "רות"}))
    assert_passes(scenario, flow(ScriptedProvider()))


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("0527654321", "0501234567"),
        ("052-765 4321 או +972-52-7654321", "050-123 4567 או +972-50-1234567"),
        ("٠٥٢٧٦٥٤٣٢١", "0501234567"),
        ("03-1234567", "03-1234568"),
        ("רק 4 ב-10:30, 2026", "רק 4 ב-10:30, 2026"),
        ("הזמנה 12345 ועוד 12345", "הזמנה 10000 ועוד 10000"),
        ("ילידת 12.05.1990", "ילידת 01.01.1980"),
        ("אפס חמש שתיים שבע שש", "אפס אחת אפס אפס אפס"),
        ("a@b.co.il, A@B.co.il, c@d.com", "caller1@example.com, caller1@example.com, caller2@example.com"),
    ],
)
def test_what_is_said_gets_substitutes_of_the_same_form(text: str, replaced: str) -> None:
    privacy = CallPrivacy(Substitutes(taken={"031234567"}))
    assert privacy.replaced(text) == replaced


def test_a_substitute_passes_the_check_that_its_number_passes() -> None:
    substitutes = Substitutes()
    assert is_identity_number(substitutes.number(IDENTITY))
    assert is_israeli_phone_number(substitutes.number("031234568"))
    assert substitutes.number(CARD) == "4000000000000002"


def test_a_substitute_is_no_number_of_the_log() -> None:
    assert Substitutes(taken={"0501234567"}).number("0527654321") == "0501234568"


@given(st.text(alphabet="0123456789 -.,/()+אב:", max_size=60))
def test_no_run_of_digits_remains(text: str) -> None:
    privacy = CallPrivacy(Substitutes(taken=numbers_in(text)))
    runs = set(re.findall(r"\d{5,}", text))

    assert not runs & set(re.findall(r"\d{5,}", privacy.replaced(text)))
    assert not runs & {
        run for part in CallPrivacy(Substitutes()).heard(text) for run in re.findall(r"\d{5,}", part)
    }


@given(st.text(max_size=80))
def test_any_text_can_be_looked_at(text: str) -> None:
    privacy = CallPrivacy(Substitutes({"דוד": "משה"}))
    assert isinstance(privacy.replaced(text), str)
    assert all(part.strip() for part in privacy.heard(text))
