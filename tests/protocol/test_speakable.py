from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from benchmarks.protocol import without_collection
from yemot_ai.protocol import Digits, Message, Play, Request, Response, lint, speakable
from yemot_ai.protocol.messages import MAX_CHARACTERS, MAX_WORD_CHARACTERS, MAX_WORDS
from yemot_ai.protocol.normalizer.conversion import convert
from yemot_ai.protocol.normalizer.plain_sentence import PLAIN
from yemot_ai_testing.property import model_texts


def words_of(message: Message) -> str:
    return message.value if isinstance(message, Digits) else str(message).removeprefix("t-")


def spoken(text: str) -> str:
    """Return the messages of a text; digits that are spoken one by one begin with ``d-``."""
    return " / ".join(str(message).removeprefix("t-") for message in speakable(text))


QUOTES = re.compile("[\"'`“”„‟«»״‘’‚‛‹›׳´]")

NOT_SPOKEN = re.compile(r"[\[\]%\\【】$]|://|www|\.(?:com|il|co)")
"""Where digits may belong to a reference, a code of an address, or a command of LaTeX."""


def is_subsequence(parts: list[str], whole: list[str]) -> bool:
    remaining = iter(whole)
    return all(part in remaining for part in parts)


def hebrew_letters(text: str) -> list[str]:
    return [char for char in text if "א" <= char <= "ת"]


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(model_texts("markdown", "raw", "addresses"))
@example("https://x.co/?a=b&c=d#eצהל")
@example("שלוםG5G5G5שלום0501234567")
def test_no_hebrew_letter_of_any_text_is_lost_and_their_order_stays(text: str) -> None:
    assume(not QUOTES.search(text))  # abbreviations are spoken as the words that they stand for
    heard = "".join(map(words_of, speakable(text)))
    assert is_subsequence(hebrew_letters(text), hebrew_letters(heard)), (text, heard)


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(model_texts("markdown", "raw"))
@example("12:30ml 5x5 0アパート")
def test_no_digit_of_any_text_is_lost_and_their_order_stays(text: str) -> None:
    assume(not NOT_SPOKEN.search(text))
    heard = "".join(map(words_of, speakable(text)))
    assert is_subsequence(re.findall("[0-9]", text), list(heard)), (text, heard)


@settings(deadline=None)  # slow machines must not fail it
@given(model_texts("markdown", "raw"))
def test_speakable_messages_parse_back_without_problems(text: str) -> None:
    messages = speakable(text)
    if messages:
        answer = str(Play(messages))
        assert Response.parse(answer) == Response([Play(messages)])
        assert [message.code for message in lint(answer)] == ["play-leaves"]


@pytest.mark.slow
@settings(deadline=None)  # slow machines must not fail it
@given(st.lists(model_texts("markdown"), max_size=40).map(". ".join))
def test_every_message_is_within_the_limits(text: str) -> None:
    for message in speakable(text * 20):
        assert len(words_of(message)) <= MAX_CHARACTERS
        assert len(words_of(message).split()) <= MAX_WORDS


@pytest.mark.parametrize(
    "text", ["", " \n\t", "😀👍", "...", "---", "\u200f\u202b", "\x00\ud800", "* * *", "|---|"]
)
def test_unspeakable_text_has_no_messages(text: str) -> None:
    assert speakable(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("שלום. מה שלומך? יופי! נתראה...", "שלום, מה שלומך? יופי! נתראה"),
        ("שורה\nעוד שורה", "שורה, עוד שורה"),
        ("מה?!", "מה?!"),
        ("שלום , עולם ,, טוב", "שלום, עולם, טוב"),
        ("הערה: כן; לא", "הערה, כן, לא"),
        ("(בסוגריים) כאן [וכאן]", "בסוגריים, כאן, וכאן"),
        ("ילד(ה)", "ילד ה"),
        ("מילה – עוד — ועוד - סוף", "מילה, עוד, ועוד, סוף"),
    ],
)
def test_sentences_and_pauses_become_commas(text: str, expected: str) -> None:
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# כותרת\nטקסט **מודגש** ו*נטוי*", "כותרת, טקסט מודגש ו נטוי"),
        ("**מודגש**ים", "מודגשים"),
        ("- אחד\n* שני\n+ שלישי\n• רביעי", "אחד, שני, שלישי, רביעי"),
        ("- [x] נעשה\n- [ ] ייעשה", "נעשה, ייעשה"),
        ("1. ראשון\n2) שני", "1, ראשון, 2, שני"),
        ("| שם | גיל |\n|:---|---:|\n| דן | 5 |", "שם, גיל, דן, 5"),
        ("> ציטוט", "ציטוט"),
        ("```python\nprint('x')\n```", "python, print, x"),
        ("`קוד`", "קוד"),
        ("~~מחוק~~", "מחוק"),
        ("שלום\n***\nעולם\n===", "שלום, עולם"),
        ("[כאן](https://example.com/a-b)", "כאן"),
        ("![תמונה](x.png)", "תמונה"),
        ("<b>חזק</b><br>", "חזק"),
        ("א &amp; ב&nbsp;ג", "א ו ב ג"),
        (r"\* הערה", "כוכבית הערה"),
    ],
)
def test_markdown_is_not_read_aloud(text: str, expected: str) -> None:
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('צה"ל', "צהל"),
        ("צה״ל", "צהל"),
        ("ג'ירפה וג׳ירף", "גירפה וגירף"),
        ('צַהַ"ל', "צַהַל"),
        ("הוא אמר \"שלום\" ו'להתראות'", "הוא אמר שלום ולהתראות"),
        ("don't", "dont"),
        ("5'10\"", "5 10"),
        ("תל-אביב ובית־ספר", "תל אביב ובית ספר"),
        ("ת.ז. שלך", "ת ז, שלך"),
        ("snake_case", "snake case"),
        ("ו/או", "ו או"),
        ("של\u200fום", "שלום"),
        ("שלום😀עולם", "שלום עולם"),
        ("סוף.התחלה", "סוף, התחלה"),
    ],
)
def test_words_stay_whole_and_separate(text: str, expected: str) -> None:
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.5", "3 נקודה 5"),
        (".5", "נקודה 5"),
        ("-5 מעלות", "מינוס 5 מעלות"),
        ("= -3", "שווה מינוס 3"),
        ("(-5)", "מינוס 5"),
        ("-5%-10%", "מינוס 5 אחוז עד 10 אחוז"),
        ("−5", "מינוס 5"),
        ("10-12", "10 עד 12"),
        ("10–12", "10 עד 12"),
        ("10%-20% הנחה", "10 אחוז עד 20 אחוז הנחה"),
        ("10%–20%", "10 אחוז עד 20 אחוז"),
        ("10% - 20%", "10 אחוז עד 20 אחוז"),
        ("20% - 10% = 10%", "20 אחוז מינוס 10 אחוז שווה 10 אחוז"),
        ("10% -20%", "10 אחוז מינוס 20 אחוז"),
        ("10%-20%-30%", "10 אחוז עד 20 אחוז עד 30 אחוז"),
        ("20°-25°", "20 מעלות עד 25 מעלות"),
        ("20°C-25°C", "20 מעלות C עד 25 מעלות C"),
        ("5₪-10₪", "5 שקלים עד 10 שקלים"),
        ("5 ₪ - 10 ₪", "5 שקלים עד 10 שקלים"),
        ("$5-$10", "5 דולר עד 10 דולר"),
        ("מ-$5-10", "מ 5 דולר עד 10"),
        ("$10 - $5", "10 דולר מינוס 5 דולר"),
        ("1.5-2.5", "1 נקודה 5 עד 2 נקודה 5"),
        ("10:00-12:00", "10:00 עד 12:00"),
        ("8 - 10", "8 עד 10"),
        ("10 - 3 = 7", "10 מינוס 3 שווה 7"),
        ("1.5 - 2.5", "1 נקודה 5 עד 2 נקודה 5"),
        ("1,500 - 900", "1,500 מינוס 900"),
        ("10:30 - 12:00", "10:30 עד 12:00"),
        ("22:00 - 6:00", "22:00 עד 6:00"),
        ("ב-5 במאי, מ-10-12", "ב 5 במאי, מ 10 עד 12"),
        ("בְּ-5", "בְּ 5"),
        ("1,234", "1,234"),
        ("בשעה 12:30", "בשעה 12:30"),
        ("12:30:15", "12:30 ו 15 שניות"),
        ("יחס 5:3", "יחס 5 ל 3"),
        ("03-1234567", "d-031234567"),
        ("050-123-4567", "d-0501234567"),
        ("(02)-123-4567", "d-021234567"),
        ("(02) 123-4567", "d-021234567"),
        ("(050)-1234567", "d-0501234567"),
        ("02 123-4567", "d-021234567"),
        ("050 - 1234567", "d-0501234567"),
        ("(05) 10-12 איש", "05, 10 עד 12 איש"),
        ("1.2.2026", "1 2 2026"),
        ("1/2/26", "1 2 26"),
        ("2026-11-22", "2026 11 22"),
        ("12.5.2025 - 13.5.2025", "12 5 2025 עד 13 5 2025"),
        ("12/5/2025–3/6/2025", "12 5 2025 עד 3 6 2025"),
        ("12-13.5.2025", "12 עד 13 5 2025"),
        ("12-5-2025 - 13-5-2025", "12 5 2025 עד 13 5 2025"),
        ("2025-05-12 - 2025-05-13", "2025 05 12 עד 2025 05 13"),
        ("192.168.1.10", "192 נקודה 168 נקודה 1 נקודה 10"),
        ("50%", "50 אחוז"),
        ("5₪ או $5.50", "5 שקלים או 5 דולר ו 50 סנט"),
        ("-₪5", "מינוס 5 שקלים"),
        ("1/2", "1 חלקי 2"),
        ("2*3", "2 כפול 3"),
        ("2**3", "2 בחזקת 3"),
        ("~5", "בערך 5"),
        ("1️⃣", "1"),
    ],
)
def test_numbers_are_spoken_by_their_meaning(text: str, expected: str) -> None:
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", "a שווה b"),
        ("לחם & חמאה", "לחם ו חמאה"),
        ("R&D בחברה", "R and D בחברה"),
        ("bread & butter for me", "bread and butter for me"),
        ("this is 3.5 or more", "this is 3 dot 5 or more"),
        ("הקישו * או # לסיום", "הקישו כוכבית או סולמית לסיום"),
        ("*6 או 123#", "כוכבית 6 או 123 סולמית"),
        ("#חדשות", "חדשות"),
        ("ב -> ג", "ב, ג"),
        ("x < 5 <= y >= 3 != 4", "x קטן מ 5 קטן או שווה y גדול או שווה 3 שונה מ 4"),
        ("C++", "C פלוס פלוס"),
        ("25°", "25 מעלות"),
        ("info@example.co.il", "info שטרודל example נקודה co נקודה il"),
        ("https://www.example.com/?q=1", "www נקודה example נקודה com סלאש סימן שאלה q שווה 1"),
        ("ראו example.com/a.", "ראו example נקודה com סלאש a"),
        ("ראית את example.com? כן", "ראית את example נקודה com? כן"),
        ("האתר:https://example.com", "האתר, example נקודה com"),
        ("foo://bar", "foo נקודתיים סלאש סלאש bar"),
        (
            "www.example.com/login?next=https://bank",
            "www נקודה example נקודה com סלאש login סימן שאלה next שווה https נקודתיים סלאש סלאש bank",
        ),
    ],
)
def test_signs_are_spoken_as_words(text: str, expected: str) -> None:
    assert spoken(text) == expected


def test_messages_end_where_sentences_end() -> None:
    sentence = " ".join(["מילה"] * 60)
    messages = [words_of(message) for message in speakable(f"{sentence}. {sentence}. {sentence}.")]
    assert messages == [f"{sentence}, {sentence}", sentence]


def test_a_sentence_longer_than_a_message_ends_at_a_comma_and_else_between_words() -> None:
    phrase = " ".join(["מילה"] * 100)
    endless = " ".join(["עוד"] * 200)
    counts = [len(words_of(message).split()) for message in speakable(f"{phrase}, {phrase}, {endless}")]
    assert counts == [100, 150, 150]


def test_an_endless_word_is_split_without_loss() -> None:
    (message, *_rest) = speakable("א" * (MAX_WORD_CHARACTERS * 5))
    assert all(len(word) <= MAX_WORD_CHARACTERS for word in words_of(message).split())
    assert sum(words_of(message).count("א") for message in speakable("א" * 1500)) == 1500


SEEDS = [
    "שלום, עולם. ", "a", "'", "*", "*a", "[", "`", "- ", "1-", "1.", "a.", "a@", "=", "| ", "\n", "(", "<",
    "&amp", "http://", "😀", "1:", "? ", "1. ", "a-", "x.y/", 'א"', "![", "$1", "-", "_", "~",
    "#", ">", "../", " -", "1.1-", "1%-", "$1-", "1 - ", "(02)-", "1.1.11-", "a://", "a.b?", "1,",
    'א"ב ', "מס' ", "א'-ה' ", "א-", "[1]", "[a](", "【", "\ue200", "\\frac{", "\\(", "$x$ ", "$$", "1/2 ",
    "1½", "²",
    "050 ", "+1 ", "*1", "קוד 1234 ", "http://a/%D7%A9", "טל. ",
    "12.90 ₪-", "1:1:", "{", "ראשון-", "<!--", '<a b="', "<a b=c ", "</x>", "&amp;", "&#8362;", "[א][",
    "[doc1", "^[1]", "1➕ ", "USD 5", "1：",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_ten_times_the_text_takes_about_ten_times_as_long(seed: str) -> None:
    def seconds(size: int) -> float:
        text = "א" + seed * (size // len(seed))
        start = time.process_time()
        speakable(text)
        lint(f"id_list_message=t-{text}")
        Request.parse(text)
        return time.process_time() - start

    with without_collection():
        assert seconds(100_000) < 40 * max(seconds(10_000), 0.002)


@given(st.from_regex(PLAIN, fullmatch=True))
def test_a_plain_sentence_is_what_the_whole_conversion_makes_of_it(text: str) -> None:
    assert speakable(text) == convert(text)


def test_a_plain_sentence_that_is_too_long_is_split() -> None:
    words = "מילה " * (MAX_WORDS + 1)

    assert [len(words_of(message).split()) for message in speakable(words.strip())] == [MAX_WORDS, 1]
