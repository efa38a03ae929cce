from __future__ import annotations

from datetime import UTC, datetime

import pytest

from yemot_ai_testing.line.platform.ini_file import decode_ini, read_ini

BEFORE, AFTER = datetime(2026, 1, 1), datetime(2031, 1, 1)  # noqa: DTZ001 - in Israel
UNTIL = "2030-10-27-00-14-22"


def value(text: str, now: datetime | None = None) -> str | None:
    """Return the value of the only key; None without one."""
    settings = list(read_ini(text, now=now).settings.values())
    assert len(settings) < 2
    return settings[0].value if settings else None


def codes(text: str, now: datetime | None = None) -> list[str]:
    return [warning.code for warning in read_ini(text, now=now).warnings]


@pytest.mark.parametrize("key", ["type", "api_end_goto", "api_answer_OK", "muted_M1002", "anything"])
def test_a_setting_counts_until_its_date_off(key: str) -> None:
    text = f"{key}({UNTIL})=api"
    assert list(read_ini(text, now=BEFORE).settings) == [key]
    assert (value(text, BEFORE), codes(text, BEFORE)) == ("api", [])
    assert (value(text, AFTER), codes(text, AFTER)) == (None, ["expired"])


def test_a_setting_becomes_the_value_after_the_bar_off() -> None:
    text = f"type({UNTIL}|playfile)=menu"
    assert (value(text, BEFORE), value(text, AFTER)) == ("menu", "playfile")
    assert (codes(text, BEFORE), codes(text, AFTER)) == ([], [])


def test_the_value_after_the_bar_can_have_an_equals_sign_or_be_empty() -> None:
    text = f"api_answer_OK({UNTIL}|go_to_folder=/5)=go_to_folder=/6"
    assert (value(text, BEFORE), value(text, AFTER)) == ("go_to_folder=/6", "go_to_folder=/5")
    assert value(f"api_end_goto({UNTIL}|)=/5", AFTER) == ""


def test_a_setting_ends_with_its_second() -> None:
    last = datetime(2030, 10, 27, 0, 14, 21)  # noqa: DTZ001 - in Israel
    assert value(f"type({UNTIL})=api", last) == "api"
    assert value(f"type({UNTIL})=api", last.replace(second=22)) is None


def test_expiry_dates_are_in_the_time_of_israel_off() -> None:
    text = "type(2026-01-01-02-00-00)=api"  # midnight in UTC
    assert value(text, datetime(2025, 12, 31, 23, 59, tzinfo=UTC)) == "api"
    assert value(text, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_expiry_dates_are_compared_with_the_present_by_default() -> None:
    assert value("type(2014-10-27-00-14-22)=menu") is None  # the example of the official text
    assert value("type(9999-12-31-23-59-59)=menu") == "menu"


def test_white_space_around_the_parts_of_a_dated_setting_is_ignored() -> None:
    text = f" type ( {UNTIL} | playfile ) = menu "
    assert (list(read_ini(text, now=BEFORE).settings), value(text, BEFORE)) == (["type"], "menu")
    assert (value(text, AFTER), codes(text, AFTER)) == ("playfile", [])


@pytest.mark.parametrize("written", ["2030-10-27", "2030-1-2-3-4-5", "2030-10-27-00-14"])
def test_a_date_in_another_form_counts_and_warns(written: str) -> None:
    text = f"type({written})=api"
    assert (value(text, BEFORE), codes(text, BEFORE)) == ("api", ["expiry"])
    assert (value(text, AFTER), codes(text, AFTER)) == (None, ["expiry", "expired"])


@pytest.mark.parametrize(
    "key",
    [
        "type(2030-13-27-00-14-22)",
        "type(27/10/2030)",
        "type()",
        "type(soon|menu)",
        "type(2030-10-27",
        "type(30-10-27-00-14-22)",
    ],
)
def test_a_setting_without_a_readable_date_counts_and_warns(key: str) -> None:
    for now in (BEFORE, AFTER):
        assert (value(f"{key}=api", now), codes(f"{key}=api", now)) == ("api", ["expiry"])


def test_the_last_of_repeated_keys_counts_of_those_that_have_not_expired() -> None:
    text = f"api_end_goto({UNTIL})=/5\napi_end_goto=/6"
    assert (value(text, BEFORE), codes(text, BEFORE)) == ("/6", ["repeated-key"])
    assert (value(text, AFTER), codes(text, AFTER)) == ("/6", ["expired"])
    text = f"api_end_goto=/6\napi_end_goto({UNTIL})=/5"
    assert (value(text, BEFORE), value(text, AFTER)) == ("/5", "/6")


@pytest.mark.parametrize("line", ["a=b(c)=d", "api_answer_OK=id_list_message=t-(שלום)"])
def test_brackets_in_a_value_are_no_date(line: str) -> None:
    assert (value(line), codes(line)) == (line.partition("=")[2], [])


def test_a_key_that_is_only_a_date_is_no_setting() -> None:
    assert codes(f"({UNTIL})=api") == ["no-setting"]


@pytest.mark.parametrize("encoding", ["windows-1255", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_another_encoding_is_decoded_with_a_warning(encoding: str) -> None:
    text, (warning,) = decode_ini("type=api\nlang=עברית".encode(encoding), "1/ext.ini")
    assert text.removeprefix("\ufeff") == "type=api\nlang=עברית"
    assert (warning.file, warning.code) == ("1/ext.ini", "not-utf8")
