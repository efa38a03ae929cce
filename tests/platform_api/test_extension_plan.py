from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from yemot_ai.errors import AuthenticationError, ProviderTimeoutError
from yemot_ai.platform_api.extension_plan import (
    ExtensionChangedError,
    ExtensionNotWrittenError,
    apply_plan,
    plan_extension,
    read_settings,
)

WANTED = {"type": "api", "api_link": "https://host/", "api_add_0": "secret=new-word"}


@dataclass
class OneFile:
    """A line with one ``ext.ini``, and what it does with settings that are written."""

    text: str | None
    write: Callable[[dict[str, str]], Mapping[str, str]] = lambda written: written
    written: list[Mapping[str, str]] = field(default_factory=list)

    def text_file(self, path: str) -> str | None:
        return self.text if path == "1/ext.ini" else None

    def update_extension(self, folder: str, settings: Mapping[str, str]) -> None:
        self.written.append(settings)
        after = self.write({**read_settings(self.text or ""), **settings})
        self.text = "".join(f"{key}={value}\n" for key, value in after.items())


def changes(before: str | None) -> dict[str, str | None]:
    """Return the old values of what would be written, by the new lines."""
    plan = plan_extension("1", before, WANTED)
    return {f"{change.key}={change.new}": change.old for change in plan.changes}


def test_a_missing_file_gets_every_setting() -> None:
    assert changes(None) == {f"{key}={value}": None for key, value in WANTED.items()}


@pytest.mark.parametrize(
    "before",
    [
        "type=api\napi_link=https://host/\napi_add_0=secret=new-word\n",
        "\ufefftype=api\r\napi_link=https://host/\r\napi_add_0=secret=new-word",
        " type = api \ntype2=x\n;type=menu\napi_link=https://host/\napi_add_0=secret=new-word",
        "type=menu\ntype=api\napi_link=https://host/\napi_add_7=secret=new-word\n",
    ],
    ids=["the same", "line ends", "spaces and comments", "repeated and another number"],
)
def test_a_file_with_the_settings_is_not_changed(before: str) -> None:
    assert changes(before) == {}


@pytest.mark.parametrize(
    ("before", "key", "old"),
    [
        ("api_add_0=shop=12\n", "api_add_1", None),
        ("api_add_0=a=1\napi_add_1=b=2\napi_add_3=c=3\n", "api_add_2", None),
        ("api_add_0=shop=12\napi_add_1=secret=old-word\n", "api_add_1", "secret=old-word"),
        ("api_add_0=secrets=12\n", "api_add_1", None),
        ("", "api_add_0", None),
    ],
    ids=["taken", "gap", "there already", "similar name", "none"],
)
def test_a_constant_with_another_name_is_not_overwritten(before: str, key: str, old: str | None) -> None:
    assert changes(before)[f"{key}=secret=new-word"] == old


@pytest.mark.parametrize(
    ("before", "replaced"),
    [("type=menu\n", "menu"), ("type=api\n", None), ("type=\n", None), ("", None), (None, None)],
)
def test_a_type_that_would_be_replaced_is_known(before: str | None, replaced: str | None) -> None:
    assert plan_extension("1", before, WANTED).replaced_type == replaced


def test_only_what_differs_is_written_and_all_else_stays() -> None:
    line = OneFile("type=api\ntitle=shop\n")

    apply_plan(line, plan_extension("1", line.text, WANTED))

    assert [*line.written[0]] == ["api_link", "api_add_0"]
    assert read_settings(line.text or "") == {"title": "shop", **WANTED}


@pytest.mark.parametrize("now", ["type=menu\n", "type=api\n\n", None], ids=["value", "line", "gone"])
def test_a_file_that_changed_in_the_meantime_is_not_written(now: str | None) -> None:
    plan = plan_extension("1", "type=api\n", WANTED)
    line = OneFile(now)

    with pytest.raises(ExtensionChangedError, match="/1"):
        apply_plan(line, plan)
    assert not line.written


@pytest.mark.parametrize(
    ("write", "keys"),
    [
        (lambda settings: {**settings, "type": "menu"}, ("type",)),
        (lambda settings: {key: settings[key] for key in settings if key != "api_link"}, ("api_link",)),
        (lambda settings: {key: settings[key] for key in settings if key != "title"}, ("title",)),
        (lambda _: {}, ("title", "type", "api_link", "api_add_0")),
    ],
    ids=["another value", "not written", "another setting is lost", "all is lost"],
)
def test_a_write_that_did_not_do_what_was_planned_is_noticed(
    write: Callable[[dict[str, str]], Mapping[str, str]], keys: tuple[str, ...]
) -> None:
    line = OneFile("title=shop\n", write)

    with pytest.raises(ExtensionNotWrittenError, match=", ".join(keys)) as noticed:
        apply_plan(line, plan_extension("1", line.text, WANTED))
    assert noticed.value.keys == keys


def test_a_setting_without_a_value_may_be_left_out_by_the_platform() -> None:
    line = OneFile("title=\n", lambda settings: {key: value for key, value in settings.items() if value})

    apply_plan(line, plan_extension("1", line.text, WANTED))

    assert read_settings(line.text or "") == WANTED


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ProviderTimeoutError(seconds=1), "whether it was written is not known"),
        (AuthenticationError("no"), "not written: no"),
    ],
    ids=["timeout", "refusal"],
)
def test_an_error_of_a_write_says_whether_it_may_have_been_written(error: Exception, words: str) -> None:
    def fail(_: object) -> Mapping[str, str]:
        raise error

    with pytest.raises(ExtensionNotWrittenError, match=words):
        apply_plan(OneFile(None, fail), plan_extension("1", None, WANTED))
