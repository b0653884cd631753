"""What of a person an answer shows, and what a file has; hostile.json has the odd texts."""

import pytest

from leadpipe_mcp.people.columns import COLUMNS
from leadpipe_mcp.people.privacy import Value, contact_fields, in_full, show


def shown(name: str, value: object, *, contact: bool = False) -> Value:
    return show(COLUMNS[name], value, contact=contact)


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [
        ("email", "jane.doe@acme.com", "j•••@acme.com"),
        ("email", "jane@acme.com, joe@a.com;kim@x.test", "j•••@acme.com, j•••@a.com;k•••@x.test"),
        (
            "email",
            [{"is": "jane@x.test", "of": None}, [("bo@x.test",)]],
            "j•••@x.test, b•••@x.test",
        ),
        ("email", "Jane Doe <jane@acme.com>", "••• <j•••@acme.com>"),
        *(("email", value, "•••") for value in ("jane doe", "jane at acme.com", 7, [["jane"]])),
        ("phone", "+1 (555) 010-0142", "+1•••0142"),
        ("phone", "+15550100142, +15550100199;555-0100 | 12", "+1•••0142, +1•••0199, •••0100, •••"),
        ("phone", {"mobile": "+15550100142", "desk": 5550100199}, "+1•••0142, •••0199"),
        *(("phone", number, "•••0142") for number in (15550100142, 15550100142.0)),
        ("phone", "+15550100142;ext=77", "+1•••0142"),
        *(("phone", value, "•••") for value in ("jane@acme.com", True)),
    ],
)
def test_ways_to_reach_somebody_are_masked_in_their_own_columns(
    kind: str, value: object, masked: str
) -> None:
    for name in {"email": ("contactEmail", "emails"), "phone": ("phone", "phones")}[kind]:
        assert shown(name, value) == masked


def test_nested_values_are_read_as_their_parts_without_numbers_that_json_has_not() -> None:
    assert shown("city", {"name": "Berlin", "rank": 2.0, "big": True}) == "Berlin, 2, True"
    assert shown("city", [[[[[["deep"]]]]]]) == "deep"
    assert shown("city", [[[[[[["too deep"]]]]]]]) == ""
    assert shown("city", b"Berlin") == "b'Berlin'"
    for number in (float("nan"), -float("inf"), 10**400, 2**63, -(2**63)):
        for name in ("score", "phone", "email"):
            assert shown(name, number) == ""
            assert in_full(COLUMNS[name], number, contact=False) is None
        assert shown("matchedTopicIds", [1, number, 2]) == "1, 2"


def test_a_number_stays_a_number() -> None:
    for name, number in (("score", 91.5), ("isB2b", True)):
        assert shown(name, number) is number
        assert in_full(COLUMNS[name], number, contact=False) is number


def test_in_a_file_a_field_is_whole() -> None:
    text = "Growth & more " * 10_000
    assert in_full(COLUMNS["untrustedHeadline"], text, contact=False) == text.strip()
    # Persian is misspelled without its joiner, which an answer does without.
    spring = "\u0628\u0647\u0627\u0631\u200c\u0647\u0627"
    assert in_full(COLUMNS["name"], spring, contact=False) == spring
    assert shown("name", spring) == spring.replace("\u200c", "")
    address = " Jane <jane@acme.example> "
    assert in_full(COLUMNS["city"], address, contact=True) == address.strip()
    assert in_full(COLUMNS["city"], address, contact=False) == "Jane <j•••@acme.example>"
    for nothing in (None, "", "  ", "\u200b", ()):
        assert in_full(COLUMNS["city"], nothing, contact=False) is None


@pytest.mark.parametrize(("name", "limit"), [("untrustedHeadline", 300), ("company", 120)])
def test_a_text_is_cut_at_the_limit_of_its_kind_after_it_was_masked(name: str, limit: int) -> None:
    exact = "x" * limit
    assert shown(name, exact) == shown(name, "\u200b" * 100 + exact) == exact
    assert shown(name, f"{exact}y") == shown(name, "x" * 10_000_000) == "x" * (limit - 1) + "…"
    # The end of what is more than twenty times as long is not shown.
    assert shown(name, "\u200b" * (20 * limit - 3) + "VPs") == "VPs"
    assert shown(name, "\u200b" * (20 * limit - 2) + "VPs") == "…"
    many = ", ".join(["jane.doe@subsidiary.acme.com"] * 30)
    assert shown("emails", many, contact=True) == many
    for before in (*range(limit - 40, limit + 10), *range(20 * limit - 100, 20 * limit + 1, 3)):
        for filling in ("\u200b", "x"):
            text = f"{filling * before} secretly.hidden@acme.com"
            assert "secretly" not in str(shown(name, text))


def test_what_holds_ways_to_reach_somebody_is_named() -> None:
    columns = [COLUMNS[name] for name in ("name", "contactEmail", "city", "phones", "photoUrl")]
    assert contact_fields(columns) == ("contactEmail", "phones")
