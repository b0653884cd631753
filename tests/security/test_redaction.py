"""What is taken out of a message of somebody else's, and what such a message keeps."""

import time

import pytest

from leadpipe_mcp.text import redact


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("No key sk_live_1/x+y== here", "No key [key] here"),
        ("Authorization: Bearer canary-77 is bad", "[key] is bad"),
        ("authorization=Basic YWJj123==", "[key]"),
        ("sent Bearer abc12345, expired", "sent [key] expired"),
        ("{'x-api-key': 'canary-77-aa'}", "{'[key]"),
        ('{"api_key":"canary-77-aa"}', '{"[key]'),
        ("api key = abcd1234", "[key]"),
        ("password: swordfish", "[key]"),
        ("jürgen.müller@bücher.example wrote", "[email] wrote"),
        ("?email=canary.bird%40coalmine.example&x", "?email=[email]&x"),
        ("call +1 555 010 0199 now", "call [phone] now"),
        ("call (555) 010-0199, or 555.010.0199", "call [phone], or [phone]"),
        ("1-555-010-0199 and 5550100199", "[phone] and [phone]"),
        ("+49 (0)30 / 901820", "[phone]"),
        ("10.20.30.40:8443/x refused", "[address] refused"),
        ("at db-7.coalmine.internal:5432/people now", "at [address] now"),
        ("localhost:80/x and Printer.local", "[address] and [address]"),
        ("[fd00::7]:80 fe80::1 ::1", "[address] [address] [address]"),
        ("2001:db8:0:0:0:0:0:1", "[address]"),
        ("sk_ alone, task_force, risk_, a@b", "sk_ alone, task_force, risk_, a@b"),
        ("see postgres://user:pw@db.internal/x or", "see [address] or"),
        ("zero\u200bwidth sk_\u200babc\ntwo lines", "zerowidth [key] two lines"),
    ],
)
def test_what_is_not_for_others_is_named_and_left_out(message: str, left: str) -> None:
    assert redact(message) == left


@pytest.mark.parametrize(
    "message",
    [
        "Invalid API key",
        "Bearer token is missing in 2 requests",
        "token: expired 2 days ago",
        "There is no topic 117805; 1,480 people, 2026-05-04 to 2026-05-05",
        "since 2026-05-05T09:15:00Z, run 6fb81599-f601-4afe-b3ff-e8a211cae27d",
        "run 11111111-1111-1111-1111-111111111111 of api 1.2.3",
        "minScore must be between 0 and 100 (was 120)",
        "acme.example has no pixel; topics.local.example neither",
        "server.py:75 run, text.py:120 clean",
        "SLOTS_FULL AUDIENCE_NOT_READY c01365247ea02244d8ac1d9b",
    ],
)
def test_what_tells_why_stays(message: str) -> None:
    assert redact(message) == message


def test_a_message_of_any_making_is_looked_through_at_once() -> None:
    parts = ["a", "1", "a.", "1.", "a:", "1:", "::", "+1 ", "1-", "(1) ", "@a", "sk_", "token="]
    started = time.process_time()
    for part in parts:
        redact(part * (100_000 // len(part)), 3_000)
    # A pattern that tries every way would take minutes of the processor's time.
    assert time.process_time() - started < 10
