import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import COLUMNS, Column
from leadpipe_mcp.people.export import BATCH, Receipt, target, write
from leadpipe_mcp.people.formats import BLOCK, LONGEST_CELL, Format

ADA = ("Ada King", 91, "ada@acme.example", "https://linkedin.com/in/ada")


def columns(names: str) -> list[Column]:
    return [COLUMNS[name] for name in names.split()]


FOUR = columns("name score contactEmail linkedinUrl")


def many(number: int) -> Iterator[tuple[object, ...]]:
    for person in range(number):
        yield (f"Ada {person}", person, f"ada{person}@acme.example", f"linkedin.com/in/a{person}")


def written(folder: Path, names: str, *rows: tuple[object, ...], kind: Format = "csv") -> str:
    """The text of a file of these rows, with contact details."""
    receipt = write(rows, columns(names), target(folder, kind), contact=True)
    return receipt.path.read_bytes().decode("utf-8-sig" if kind == "csv" else "utf-8")


def cell(folder: Path, name: str, value: object) -> str:
    """The cell that the value becomes after another one."""
    text = written(folder, f"city {name}", ("Berlin", value))
    return next(csv.reader(io.StringIO(text.split("\r\n", 1)[1], newline="")))[1]


def in_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_csv_is_a_table_under_our_names(tmp_path: Path) -> None:
    receipt = write(
        [ADA, ("Zoë, jr.", None, "", 'a "b"')], FOUR, target(tmp_path, "csv"), contact=True
    )
    assert receipt.path.read_bytes() == (
        b"\xef\xbb\xbfname,score,contactEmail,linkedinUrl\r\n"
        b"Ada King,91,ada@acme.example,https://linkedin.com/in/ada\r\n"
        b'"Zo\xc3\xab, jr.",,,"a ""b"""\r\n'
    )
    assert written(tmp_path, "isB2b score", (True, 0.5), (False, -1)) == (
        "isB2b,score\r\ntrue,0.5\r\nfalse,-1\r\n"
    )


def test_a_jsonl_has_an_object_on_each_line_without_what_is_not_known(tmp_path: Path) -> None:
    rows = [ADA, ("Zoë", None, "", 1.5), (None, None, None, None)]
    receipt = write(rows, FOUR, target(tmp_path, "jsonl"), contact=True)
    lines = receipt.path.read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        dict(zip([column.name for column in FOUR], ADA, strict=True)),
        {"name": "Zoë", "linkedinUrl": 1.5},
        {},
    ]
    assert '"Zoë"' in lines[1]


def test_a_list_of_profiles_has_each_once(tmp_path: Path) -> None:
    urls = ["https://www.linkedin.com/in/Ada/", "http://de.linkedin.com/in/ada?x=1", None, "eve",
            "linkedin.com/in/eve"]  # fmt: skip
    rows = [("Ada", url) for url in urls]
    made = target(tmp_path, "linkedin_urls", audience="Buyers", day="2026-05-04")
    receipt = write(rows, columns("name linkedinUrl"), made, contact=False)
    assert receipt.path.name == "buyers-2026-05-04.txt"
    assert receipt.path.read_text() == (
        "https://www.linkedin.com/in/ada\nhttps://www.linkedin.com/in/eve\n"
    )
    assert (receipt.people, receipt.rows) == (5, 2)
    assert (receipt.duplicates, receipt.without_url) == (1, 2)
    assert receipt.contact_fields == ()


def test_profiles_are_in_files_of_a_thousand(tmp_path: Path) -> None:
    def made(number: int, name: str) -> Receipt:
        chosen = target(tmp_path, "linkedin_urls", file_name=name)
        return write(many(number), FOUR, chosen, contact=False)

    receipt = made(2 * BATCH + 2, "a")
    assert [file.path.name for file in receipt.files] == [f"a-{n}-of-5.txt" for n in range(1, 6)]
    assert [file.rows for file in receipt.files] == [BLOCK] * 4 + [2]
    lines = [line for file in receipt.files for line in file.path.read_text().splitlines()]
    assert lines == [f"https://www.linkedin.com/in/a{n}" for n in range(2 * BATCH + 2)]
    assert [file.path.name for file in made(BLOCK, "b").files] == ["b.txt"]
    names = [file.path.name for file in made(9 * BLOCK + 1, "c").files]
    assert (names[0], names[-1]) == ("c-01-of-10.txt", "c-10-of-10.txt")


def test_without_any_profile_no_file_is_made(tmp_path: Path) -> None:
    for rows, whose in ([], "0 people"), ([("Ada", "x")], "1 person"):
        with pytest.raises(NotPossible, match=f"Nobody among {whose} has a LinkedIn"):
            write(
                rows, columns("name linkedinUrl"), target(tmp_path, "linkedin_urls"), contact=True
            )
    with pytest.raises(NotPossible, match="the field linkedinUrl, which is missing"):
        write([ADA], columns("name"), target(tmp_path, "linkedin_urls"), contact=True)
    assert in_folder(tmp_path) == []


def test_a_table_of_nobody_has_its_header(tmp_path: Path) -> None:
    assert written(tmp_path, "name city") == "name,city\r\n"
    assert written(tmp_path, "name city", kind="jsonl") == ""


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("company", "=Acme", "'=Acme"),
        ("company", "@acme", "'@acme"),
        ("company", "+A1", "'+A1"),
        ("company", "-A1", "'-A1"),
        ("company", "|calc", "'|calc"),
        ("company", ' "=1', "'\"=1"),
        ("company", "\uff1d1", "'\uff1d1"),
        ("company", "\u22121", "'\u22121"),
        ("company", "a;=1", "a;'=1"),
        ("company", 'a; "+1', "a; \"'+1"),
        ("company", "a; b - c = d", "a; b - c = d"),
        ("company", "-", "-"),
        ("company", "-0.5", "-0.5"),
        ("company", "+5.5", "+5.5"),
        ("company", "+1 (555) 010-0142", "+1 (555) 010-0142"),
        ("phone", "+1 (555) 010-0142", "+15550100142"),
        (
            "phone",
            "+1-555-010-0142; +1.555.010.0143|555-0100",
            "+15550100142, +15550100143, 555-0100",
        ),
        ("phone", "+15550100142", "+15550100142"),
        ("phone", "+1 555 010 0142 x123", "'+15550100142x123"),
        ("phone", "(555) 010-0142", "(555) 010-0142"),
        ("phone", "+cmd", "'+cmd"),
        ("contactEmail", "=ada@acme.example", "'=ada@acme.example"),
        ("score", -5, "-5"),
        ("score", float("nan"), ""),
    ],
)
def test_no_cell_is_a_formula_and_phone_numbers_stay_numbers(
    tmp_path: Path, column: str, value: object, expected: str
) -> None:
    assert cell(tmp_path, column, value) == expected


def test_what_a_line_begins_with_is_never_reckoned_with(tmp_path: Path) -> None:
    # For =+1,5+cmd... is a formula where a comma is the decimal sign.
    assert written(tmp_path, "phone company", ("+1 555 010 0142", "5+cmd|' /C calc'!A0")) == (
        "phone,company\r\n'+15550100142,5+cmd|' /C calc'!A0\r\n"
    )


def test_a_cell_is_no_longer_than_a_sheet_takes_and_a_line_of_json_is_whole(tmp_path: Path) -> None:
    long = "x" * 100_000
    assert cell(tmp_path, "untrustedHeadline", long) == "x" * (LONGEST_CELL - 1) + "…"
    assert len(cell(tmp_path, "untrustedHeadline", f"={long}")) == LONGEST_CELL
    assert json.loads(written(tmp_path, "name", (long,), kind="jsonl"))["name"] == long


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_contact_details_are_masked_unless_they_are_wanted(tmp_path: Path, kind: Format) -> None:
    names = columns("name phone contactEmail")
    rows = [("Ada (ada@home.example)", "+15550100142", "ada@acme.example")]
    masked = write(rows, names, target(tmp_path, kind), contact=False)
    text = masked.path.read_text("utf-8")
    assert "Ada (a•••@home.example)" in text
    assert "+1•••0142" in text
    assert "ada@" not in text
    assert (masked.masked, masked.contact_fields) == (True, ("phone", "contactEmail"))
    full = write(rows, names, target(tmp_path, kind), contact=True)
    assert "ada@acme.example" in full.path.read_text("utf-8")
    assert full.masked is False
