import time

import pytest

from leadpipe_mcp.text import (
    clean,
    counted,
    cut,
    form,
    join_sentences,
    listed,
    nearest,
    quoted,
    redact,
    singular,
    visible,
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  two\n\n words\t", "two words"),
        ("in\u200bvisi\u202eble", "invisible"),
        ("nul\x00l \ud83d \U000e0041", "null  "),
        ("1234567890", "1234567890"),
        ("12345678901", "123456789…"),
        ("12345678 01x", "12345678…"),
    ],
)
def test_a_text_is_cleaned_and_cut(text: str, cleaned: str) -> None:
    assert clean(text, 10) == cleaned


def test_what_is_as_long_as_a_book_takes_no_time() -> None:
    text = "x" * 20_000_000
    started = time.process_time()
    assert len(clean(text, 100)) == 100
    assert nearest(text, ["list_audiences", "x"]) == []
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain  text\n", "plain text"),
        ("Zoë", "Zoë"),
        ("in\u200bvisi\u202eble", "invisible"),
        ("\x1b[1;31mred\x1b[0m and \x9b2Jclear", "red and clear"),
        ("a \u200b b", "a b"),
        ("\u200b one\u2028two\x85three ", "one two three"),
        ("half \ud83d", "half"),
        ("filled\u3164\u2800\u180f\U0001d159", "filled"),
        ("tag\U000e0041\U000e007f", "tag"),
    ],
)
def test_what_is_seen_of_a_text_is_all_of_it_on_one_line(text: str, seen: str) -> None:
    assert visible(text) == visible(text, joiners=True) == seen


@pytest.mark.parametrize(
    "text",
    [
        *("\u0645\u06cc\u200c\u062e", "\u0915\u094d\u200d\u0937", "\u2764\ufe0f!"),
        *("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f\u200d\U0001f525"),
    ],
    ids=["letters of Arabic", "letters of India", "a picture", "a family", "a heart on fire"],
)
def test_joiners_stay_where_they_join_what_is_seen(text: str) -> None:
    assert visible(text, joiners=True) == text
    assert visible(text) == "".join(c for c in text if c not in "\u200c\u200d\ufe0f")


def test_joiners_that_join_nothing_go() -> None:
    for text in (
        *("a\u200db", "\u0645\u200ca", "a\u200c\u0645", "a\ufe0f", "\u200da", "a\u200d"),
        *("\u0645\u200c", "\u0645\u200c\u200c\u062e", "\u0645\u200c \u062e", "1\ufe0f"),
        *("\u0645\u200b\u200c\u200d\u062e", "\U0001f600\u200d", "\u200d\U0001f600"),
    ):
        assert not {*"\u200b\u200c\u200d\ufe0f"} & {*visible(text, joiners=True)}


def test_a_message_is_cut_after_it_was_redacted() -> None:
    for before in range(150, 210, 3):
        message = redact(f"{'x' * before} hidden.name@acme.com sk_secret https://internal/y")
        assert len(message) <= 200
        for secret in ("hidden", "secret", "internal"):
            assert secret not in message


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("companyindustri", ["company industry"]),
        ("Seniorty", ["seniority"]),
        ("company", ["company industry", "companySize"]),
        ("industry", ["company industry"]),
        *(("xyzzy", []), ("", []), ("co", [])),
    ],
)
def test_the_nearest_words_come_first(word: str, found: list[str]) -> None:
    assert nearest(word, ["seniority", "company industry", "companySize", "state"]) == found


def test_of_words_that_are_near_the_best_come_first_and_no_more_than_asked() -> None:
    both = ["sonarly_list_audiences", "list_audiences"]
    assert nearest("list_audience", both) == nearest("list_audience", both[::-1]) == both[::-1]
    many = [f"software {number}" for number in range(9)]
    assert [len(nearest("software", many)), len(nearest("software", many, limit=5))] == [3, 5]


def test_words_and_numbers_are_put_as_in_a_sentence() -> None:
    assert [cut(text, 5) for text in ("12345", "123456", "123 567")] == ["12345", "1234…", "123…"]
    assert quoted(["a", "b"]) == "'a', 'b'"
    assert [listed([]), listed(["one"]), listed(["one", "two"], "or")] == ["", "one", "one or two"]
    assert listed(["one", "two", "three"]) == "one, two and three"
    assert [counted(number, "person", "people") for number in (0, 1, 1_480)] == [
        *("0 people", "1 person", "1,480 people"),
    ]
    assert counted(2, "slot") == "2 slots"


def test_words_are_compared_without_case_and_marks() -> None:
    assert form("C-Suite") == form("c_suite") == form(" C  suite ") == "c suite"
    assert [form("R&D"), form("+")] == ["r d", ""]
    assert form("STRASSE") == form("straße")


def test_a_plural_loses_its_ending() -> None:
    many = "companies ties businesses boxes searches brushes directors business status analysis is"
    one = "company tie business box search brush director business status analysis is"
    assert [singular(word) for word in many.split()] == one.split()


def test_of_many_problems_the_first_are_told_once_each_and_how_many_more() -> None:
    assert join_sentences(["One.", "Two.", "One."]) == "One. Two."
    assert join_sentences(["x" * 2_000]) == "x" * 2_000
    assert join_sentences(["x" * 1_499, "y", "z"]) == f"{'x' * 1_499} y And 1 more problem."
    assert join_sentences(["x" * 1_501, "y", "z"]) == f"{'x' * 1_501} And 2 more problems."
    assert join_sentences([]) == ""
