"""Addresses and numbers are masked in any text, however they are written."""

import time

import pytest

from leadpipe_mcp.people.masking import (
    mask_contacts,
    mask_emails,
    mask_phone,
    mask_phones,
    only_masked_emails,
    only_masked_phones,
)

WRITTEN = {
    "jané.doé@acme.com": "j•••@acme.com",
    "प्रिया.शर्मा@acme.com": "प•••@acme.com",
    "\U0001d423\U0001d41a\U0001d427\U0001d41e@acme.com": "\U0001d423•••@acme.com",
    "jane.doe (at) acme (dot) com": "j•••@acme.com",
    "jane.doe [\u00e4t] acme [ dot ] com": "j•••@acme.com",
    "jane.doe\\x40acme.com": "j•••@acme.com",
    "jane.doe&amp;amp;#64;acme.com": "j•••@acme.com",
    "jane.doe(@)acme.com": "j•••@acme.com",
    "jane.doe @ acme.com": "j•••@acme.com",
    '"jane doe"@acme.com': '"j•••@acme.com',
    '"jane \\"x\\" doe"@acme.com': '"j•••@acme.com',
    'jane"@acme.com': "j•••@acme.com",
    "jane.doe\\u0040acme.com": "j•••@acme.com",
    "jane.doe@[192.0.2.1]": "j•••@[192.0.2.1]",
    "jane@@acme.com": "j•••@acme.com",
    "jane@secret @ acme.com": "j•••@acme.com",
    "jane@x.testsecret+y@acme.com": "j•••@acme.com",
    "jane<b class='x'></b>.doe@acme.com": "j•••@acme.com",
    "https://x.test/?a=1&m=jane.doe@acme.com&b=2": "https://x.test/?a=1&m=j•••@acme.com&b=2",
    "https://jane:doe@acme.com/x": "https://j•••@acme.com/x",
    "🎉@acme.com": "•••@acme.com",
    "j•••@acme.com": "j•••@acme.com",
}


def test_an_address_is_masked_however_it_is_written() -> None:
    for text, masked in WRITTEN.items():
        assert mask_emails(text) == masked
        assert mask_emails(f"Write to {text} today") == f"Write to {masked} today"
        assert mask_emails(masked) == masked


def test_what_is_not_an_address_stays() -> None:
    for text in (
        *("", "@", "a @ b", "@handle", "acme.com", "3 @ 4", "CEO @ Acme", "Founder at acme.com"),
        *("50%40 off", "Polka dot dresses (B2B)", "Sales (at) home", "R&D <b>bold</b> & more"),
        *("100% (a day)", "(a) acme (b) beta", "Option (a)", "C:\\u0040", "«@»"),
    ):
        assert mask_emails(text) == text


ARABIC = "\u0660\u0661\u0664\u0662"
NUMBERS = {
    "+15550100142": "+1•••0142",
    " +1-555-010-0142 ext. 9": "+1•••0142",
    "+1 555 010 0142 x123": "+1•••0142",
    "555-010-0142 #7": "•••0142",
    "tel:+15550100142": "+1•••0142",
    "+4915550100142": "•••0142",
    "\uff0b1 555 010 0142": "+1•••0142",
    f"+\u0661\u0665\u0665\u0665\u0660\u0661\u0660{ARABIC}": f"•••{ARABIC}",
    "555-010-0142 / 555-010-0199": "•••0199",
    "1.555E+10": "•••",
    "555 0142": "•••0142",
    "123456": "•••",
    "1234567": "•••4567",
    "": "•••",
    "call me": "•••",
}
IN_TEXTS = {
    "Call +1 (555) 010-0142 now": "Call +1•••0142 now",
    "Call 555-010-0142 or (555) 010-0199": "Call •••0142 or •••0199",
    "1-555-010-0142": "•••0142",
    "Tel+15550100142 or 555-010-0199mobile": "Tel+1•••0142 or •••0199mobile",
    "%2B15550100142": "+1•••0142",
    "Ada 5550100142": "Ada •••0142",
    "or 020 7946 0958, London": "or •••0958, London",
    "+44\u201120\u20117946\u20110958": "•••0958",
}


def test_a_masked_number_shows_its_end_unless_it_is_short() -> None:
    assert {number: mask_phone(number) for number in NUMBERS} == NUMBERS


def test_a_phone_number_in_any_text_is_masked() -> None:
    assert {text: mask_phones(text) for text in IN_TEXTS} == IN_TEXTS
    assert {text: mask_contacts(text) for text in IN_TEXTS} == IN_TEXTS


def test_what_is_not_a_phone_number_stays() -> None:
    for text in (
        *("", "2019-2021 2022-2023 at Acme", "since 2010 - 2020", "Joined 2026-05-04 12:30"),
        *("2026-05-04T09:12:33.123Z", "person-000123", "5550100142", "541511, 541512"),
        *("550e8400-e29b-41d4-a716-446655440000", "12345 Main St 94107-1234", "100000 to 249999"),
        *("1000000000 to 5000000000", "$25000000000 raised", "C++ 2015 - 2020", "1234567890%"),
        *("https://www.linkedin.com/in/jane-doe-123456789", "12345678901st floor"),
    ):
        assert mask_phones(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        *("x", "x@", "x @ ", "x (at) ", "<b>@", "&#64;", "&amp;", "%40", "1", "+1", "(1"),
        *("555-010-0142 ", "a dot b at c ", '\\"@', "//x@", "\x1b[0", "\u200b", "ext 1", "2020 "),
    ],
)
def test_masking_takes_time_in_proportion_to_a_text_whatever_it_is_made_of(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece)) + " a"
        started = time.process_time()
        for mask in (mask_contacts, only_masked_emails, only_masked_phones):
            mask(text)
        return time.process_time() - started

    # Sixteen times the text: a search that is tried from everywhere would take 256 times as long.
    assert seconds(48_000) < 100 * max(0.001, min(seconds(3_000) for _ in range(3)))
