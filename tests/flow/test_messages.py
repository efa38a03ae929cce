from __future__ import annotations

import pytest

from yemot_ai.errors import ConfigurationError
from yemot_ai.flow.compat.messages import to_messages


@pytest.mark.parametrize(
    ("pair", "rendered"),
    [
        (("file", "welcome.wav"), "f-welcome"),
        (("file", "/8/error.OGG"), "f-/8/error"),
        (("f", "welcome"), "f-welcome"),
        (("speech", "hours.tts"), "s-hours"),
        (("system_message", "M1005"), "m-1005"),
        (("m", "1005"), "m-1005"),
        (("zmanim", "T"), "z-T"),
        (("z", "sunset,IL/Bney_Brak,+,D1"), "z-sunset,IL/Bney_Brak,+,D1"),
        (("music_on_hold", "calm,20"), "h-calm,20"),
        (("h", "calm"), "h-calm"),
        (("date", "31/12/2026"), "date-31/12/2026"),
        (("dateH", "31/12/2026"), "dateH-31/12/2026"),
        (("go_to_folder", "/5"), "g-/5"),
        (("noop", "a comment"), "noop-a comment"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_pair_becomes_the_message_of_the_line(pair: tuple[str, str], rendered: str) -> None:
    assert [str(message) for message in to_messages([pair])] == [rendered]


@pytest.mark.parametrize(
    "pair",
    [("zmanim", "sunset,IL/Jerusalem,+,D1,more"), ("music_on_hold", "calm,soon"), ("file", "a.b")],
    ids="-".join,
)
def test_an_invalid_message_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        to_messages([pair])


def test_an_unknown_type_is_refused_with_the_known_types() -> None:
    with pytest.raises(ConfigurationError, match="no message type 'say'; the line plays: a, alpha, d, date"):
        to_messages([("say", "hello")])
