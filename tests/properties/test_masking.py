"""No text around it lets an address or a number through, and nothing else is touched."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from leadpipe_mcp.people.columns import COLUMNS, Column
from leadpipe_mcp.people.masking import (
    is_harmless,
    mask_contacts,
    mask_emails,
    mask_phones,
    only_masked_emails,
)
from leadpipe_mcp.people.privacy import in_full, show
from leadpipe_mcp.people.write import Cells
from tests.properties.conftest import CHARACTERS

COLUMN = st.sampled_from(list(COLUMNS.values()))
PIECES = [
    *"@.,;:|/'\"()<>[]{}&?=#!*_~`-+%\\ \n\t",
    *("é", "x", "12", "(at)", "%40", "&#64;", "&amp;", "\\u0040", "•••", " dot ", " at "),
    *("http://", "www.", "mailto:", "\u200b", "\u200d", "\ufeff", "\x1b[1m", "<b>", "<!--", "-->"),
    *("a@x.test", "x•••@x.test", "555 020 0199", "\uff20", "\uff0e", "李", "ß", "\u0301", "2019"),
]
pieces = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
around = st.text(CHARACTERS, max_size=12) | pieces
signs = st.sampled_from(["@", "\uff20", "%40", " (at) ", "[at]", "&#64;", " @ ", "\\u0040"])
numbers = st.sampled_from(
    ["+15550100142", "+1 (555) 010-0142", "(555) 010-0142", "555-010-0142", "+49 555 010 0142"]
)
MIDDLE = "555010"
# Between words and numbers something has to stand: else it is another number, or an id.
apart = st.sampled_from([" ", "\n", ", ", ": ", "; ", " (", ") ", '"', "<b>", " • "])
UNPLAIN = re.compile(r"[\uff20\ufe6b(\[{<\uff08\uff3b\u3010]|dot", re.IGNORECASE)
# No sign of an address is in it, however one is written, and too few digits for a number.
plain = st.text(
    st.characters(exclude_categories=["C", "N", "Z"], exclude_characters="@%\\&"),
    max_size=20,
).filter(lambda text: not UNPLAIN.search(text))


usual = st.from_regex(
    r"[A-Za-z0-9][A-Za-z0-9._+-]{0,9}@[a-z0-9-]{1,9}(\.[a-z]{2,4}){1,2}",
    fullmatch=True,
    alphabet=CHARACTERS,
)


@given(COLUMN, around, signs, around)
def test_no_name_before_an_address_is_seen_whatever_surrounds_it(
    column: Column, before: str, sign: str, after: str
) -> None:
    text = f"{before}secretly.hidden{sign}acme.example{after}"
    masked = f"{mask_emails(text)} {mask_contacts(text)} {only_masked_emails(text)}"
    seen = [
        show(column, text, contact=False),
        in_full(column, text, contact=False),
        Cells(column).of([text])[0][0],
    ]
    assert "secretly" not in f"{masked} {seen}"
    assert "hidden" not in masked


@given(around, apart, numbers, apart | st.just("x"), around)
def test_no_number_is_seen_whatever_surrounds_it(
    before: str, left: str, number: str, right: str, after: str
) -> None:
    assume(MIDDLE not in re.sub(r"\D", "", before + after))
    text = f"{before}{left}{number}{right}{after}"
    for masked in (mask_phones(text), mask_contacts(text)):
        assert MIDDLE not in re.sub(r"\D", "", masked)


@given(st.lists(plain, max_size=6).map(" ".join))
def test_a_text_without_an_address_or_a_number_stays_as_it_is(text: str) -> None:
    assert mask_emails(text) == mask_phones(text) == mask_contacts(text) == text


@given(st.text(st.characters(max_codepoint=127), max_size=30) | around)
def test_what_looks_harmless_at_a_glance_is_so_at_a_second_look(text: str) -> None:
    if is_harmless(text):
        assert mask_emails(text) == mask_phones(text) == text


dialled = st.from_regex(
    r"\+1[0-9]{9,11}|\+[0-9]{3,14}|[0-9]{3,12}", fullmatch=True, alphabet=CHARACTERS
)
joined = st.lists(usual | dialled | around, max_size=4).flatmap(
    lambda parts: st.sampled_from([", ", ",", "; ", " ", "|"]).map(lambda joint: joint.join(parts))
)


@given(COLUMN, st.lists(joined | st.none() | st.lists(joined, max_size=3), max_size=6))
def test_what_is_kept_for_questions_is_what_an_answer_shows_whatever_came_before(
    column: Column, values: list[object]
) -> None:
    together = Cells(column).of([*values, *values])
    alone = [Cells(column).of([value])[0] for value in values]
    assert together == [*alone, *alone]
    if column.holds in {"text", "list"} and column.kind != "untrusted":
        for value, (seen, _) in zip(values, alone, strict=True):
            assert seen == (show(column, value, contact=False) or None)
