"""Every row of hostile.json in every way in which it can leave: an answer, and each file.

A row has `cells` by column, or a text that stands `everywhere`; {"repeat": ..., "times": ...}
stands for a long one. Of some it is known what is `shown` in an answer, `filed` in a file, and in
a cell of a `csv`; `whole` is as it came in all three. `secrets` never leave a masked row.
"""

import csv
import io
import json
import re
import unicodedata
from pathlib import Path
from typing import Any, cast

import pytest

from leadpipe_mcp.people.columns import COLUMNS
from leadpipe_mcp.people.export import LONGEST_CELL, write
from leadpipe_mcp.people.files import Format, target
from leadpipe_mcp.people.privacy import PLAIN_LIMIT, UNTRUSTED_LIMIT, show

CORPUS = json.loads((Path(__file__).parent / "hostile.json").read_text("utf-8"))
SECRETS: list[str] = CORPUS["secrets"]
ROWS: list[dict[str, Any]] = CORPUS["rows"]
EVERYWHERE = (
    *("name", "jobTitle", "company", "city", "linkedinUrl", "untrustedHeadline"),
    *("contactEmail", "emails", "phone"),
)
LIMITS = {"untrusted": UNTRUSTED_LIMIT, "email": 1000, "phone": 1000}
JOINERS = "\u200c\u200d\ufe0f"
# Letters and symbols by their Unicode class, of which nothing is to be seen.
BLANK = re.compile("[\u115f\u1160\u3164\uffa0\u2800\u034f\u180b-\u180d\u180f\ufe00-\ufe0e]")

each_contact = pytest.mark.parametrize("contact", [False, True], ids=["masked", "full"])


def cells(row: dict[str, Any]) -> dict[str, object]:
    """The row's values by column."""
    given = row.get("cells") or dict.fromkeys(EVERYWHERE, row.get("everywhere"))
    return {name: long_text(value) for name, value in given.items()}


def long_text(value: object) -> object:
    rule: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if "repeat" not in rule:
        return cast("object", value)
    return str(rule["repeat"]) * int(rule["times"]) + str(rule.get("then", ""))


CELLS = [cells(row) for row in ROWS]
NAMES = list(dict.fromkeys(name for row in CELLS for name in row))
PEOPLE = [tuple(row.get(name) for name in NAMES) for row in CELLS]


def file(folder: Path, kind: Format, *, contact: bool) -> str:
    """The text of the file that all rows make."""
    columns = [COLUMNS[name] for name in NAMES]
    (written,) = write(PEOPLE, columns, target(folder, kind), contact=contact).files
    return written.path.read_bytes().decode("utf-8")


def expected(row: dict[str, Any], *kinds: str) -> dict[str, Any]:
    return {name: value for kind in kinds for name, value in row.get(kind, {}).items()}


def is_visible(text: str, joiners: str = "") -> bool:
    """Whether all of it is seen, and stands on one line."""
    return all(
        c in joiners or unicodedata.category(c)[0] not in "CZ" or c == " " for c in text
    ) and (not BLANK.search(text) and (bool(joiners) or "\ufe0f" not in text))


def joins_what_is_seen(text: str) -> bool:
    """Whether no joiner stands where it joins nothing, or between English letters."""
    around = f" {text} "
    return all(
        not around[at - 1].isascii()
        and unicodedata.category(around[at - 1])[0] not in "CZ"
        and (character == "\ufe0f" or not around[at + 1].isascii())
        for at, character in enumerate(around)
        if character in JOINERS
    )


def is_harmless(cell: str) -> bool:
    """Whether no spreadsheet takes it for a formula that does anything but reckon."""
    begins = unicodedata.normalize("NFKC", cell.lstrip(' "\u2018\u2019\u201c\u201d`')[:1])
    return begins not in {*"=+-@|\t\r\u2212"} or not re.search(r"[^\d\s().,;/+•-]", cell)


def no_secret(text: str) -> bool:
    return not any(secret.casefold() in text.casefold() for secret in SECRETS)


@each_contact
def test_in_an_answer_every_row_is_harmless(*, contact: bool) -> None:
    for row, values in zip(ROWS, CELLS, strict=True):
        for name, value in values.items():
            shown = show(COLUMNS[name], value, contact=contact)
            json.dumps(shown, allow_nan=False).encode()
            if isinstance(shown, str):
                assert len(shown) <= LIMITS.get(COLUMNS[name].kind, PLAIN_LIMIT)
                assert is_visible(shown)
                assert contact or no_secret(shown)
        for name, text in expected(row, "whole", "shown").items():
            assert show(COLUMNS[name], values[name], contact=False) == text


@each_contact
def test_in_a_csv_every_row_is_harmless(tmp_path: Path, *, contact: bool) -> None:
    text = file(tmp_path, "csv", contact=contact)
    header, *people = csv.reader(io.StringIO(text[1:], newline=""), strict=True)
    assert header == NAMES
    assert len(people) == len(ROWS)
    for row, person in zip(ROWS, people, strict=True):
        for cell in person:
            assert is_visible(cell, JOINERS)
            assert joins_what_is_seen(cell)
            assert is_harmless(cell)
            assert len(cell) <= LONGEST_CELL
            assert contact or no_secret(cell)
        known = expected(row, "whole", "filed", "csv")
        assert [person[NAMES.index(name)] for name in known] == [str(c) for c in known.values()]
    # As a spreadsheet reads it where a comma is the decimal sign.
    assert all(is_harmless(cell) for line in text[1:].splitlines() for cell in line.split(";"))


@each_contact
def test_in_a_jsonl_every_row_is_harmless(tmp_path: Path, *, contact: bool) -> None:
    text = file(tmp_path, "jsonl", contact=contact)
    assert len(text.splitlines()) == text.count("\n") == len(ROWS)
    assert contact or no_secret(text)
    for row, line in zip(ROWS, text.splitlines(), strict=True):
        person = json.loads(line)
        assert None not in person.values()
        for value in filter(lambda each: isinstance(each, str), person.values()):
            assert is_visible(value, JOINERS)
            assert joins_what_is_seen(value)
        assert person.items() >= expected(row, "whole", "filed").items()


def test_among_profiles_only_real_ones_are_left(tmp_path: Path) -> None:
    assert file(tmp_path, "linkedin_urls", contact=True).splitlines() == [
        "https://www.linkedin.com/in/ada-king",
        "https://www.linkedin.com/in/eve",
        "https://www.linkedin.com/in/ada",
    ]
