"""What is written of people: tables for spreadsheets, lines of JSON, and LinkedIn profiles."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import choose_columns
from leadpipe_mcp.people.export import BATCH, BLOCK, LONGEST_CELL, Receipt, profile_url, write
from leadpipe_mcp.people.files import Format, target
from tests.people.conftest import ADA, many

NAMES = ("name", "score", "contactEmail", "linkedinUrl")


def written(folder: Path, names: str, *rows: tuple[object, ...], kind: Format = "csv") -> str:
    """The text of a file of these rows, its line ends as they are."""
    columns = choose_columns(tuple(names.split()))
    (file,) = write(rows, columns, target(folder, kind), contact=True).files
    return file.path.read_bytes().decode()


def cell(folder: Path, name: str, value: object) -> str:
    """The cell that the value becomes after another one."""
    text = written(folder, f"city {name}", ("Berlin", value))
    return next(csv.reader(io.StringIO(text.split("\r\n", 1)[1], newline="")))[1]


def test_a_csv_is_a_table_under_our_names(tmp_path: Path) -> None:
    assert written(tmp_path, " ".join(NAMES), ADA, ("Zoë, jr.", None, "", 'a "b"')) == (
        "\ufeffname,score,contactEmail,linkedinUrl\r\n"
        "Ada King,91,ada@acme.example,https://linkedin.com/in/ada\r\n"
        '"Zoë, jr.",,,"a ""b"""\r\n'
    )
    assert written(tmp_path, "isB2b score", (True, 0.5), (False, -1)) == (
        "\ufeffisB2b,score\r\ntrue,0.5\r\nfalse,-1\r\n"
    )
    assert written(tmp_path, "name city") == "\ufeffname,city\r\n"
    # For =+1,5+cmd... is a formula where a comma is the decimal sign.
    assert written(tmp_path, "phone company", ("+1 555 010 0142", "5+cmd|' /C calc'!A0")) == (
        "\ufeffphone,company\r\n'+15550100142,5+cmd|' /C calc'!A0\r\n"
    )


def test_a_jsonl_has_an_object_on_each_line_without_what_is_not_known(tmp_path: Path) -> None:
    rows = [ADA, ("Zoë", None, "", 1.5), (None, None, None, None)]
    lines = written(tmp_path, " ".join(NAMES), *rows, kind="jsonl").splitlines()
    assert [json.loads(line) for line in lines] == [
        dict(zip(NAMES, ADA, strict=True)),
        {"name": "Zoë", "linkedinUrl": 1.5},
        {},
    ]
    assert '"Zoë"' in lines[1]
    assert written(tmp_path, "name city", kind="jsonl") == ""


def test_a_list_of_profiles_has_each_once_and_no_file_is_made_without_any(tmp_path: Path) -> None:
    columns = choose_columns(("name", "linkedinUrl"))
    for rows, whose in ((), "0 people"), ((("Ada", "x"),), "1 person"):
        with pytest.raises(NotPossible, match=f"Nobody among {whose} has a LinkedIn"):
            written(tmp_path, "name linkedinUrl", *rows, kind="linkedin_urls")
    assert list(tmp_path.iterdir()) == []
    urls = ["https://www.linkedin.com/in/Ada/", "http://de.linkedin.com/in/ada?x=1", None, "eve",
            "linkedin.com/in/eve"]  # fmt: skip
    rows = [("Ada", url) for url in urls]
    receipt = write(rows, columns, target(tmp_path, "linkedin_urls"), contact=False)
    assert receipt.files[0].path.read_text() == (
        "https://www.linkedin.com/in/ada\nhttps://www.linkedin.com/in/eve\n"
    )
    assert (receipt.people, receipt.rows) == (5, 2)
    assert (receipt.duplicates, receipt.without_url, receipt.contact_fields) == (1, 2, ())


def test_profiles_are_in_files_of_a_thousand(tmp_path: Path) -> None:
    def made(number: int, name: str) -> Receipt:
        chosen = target(tmp_path, "linkedin_urls", file_name=name)
        return write(many(number), choose_columns(NAMES), chosen, contact=False)

    receipt = made(BATCH + 2, "a")
    assert [file.path.name for file in receipt.files] == [f"a-{n}-of-3.txt" for n in range(1, 4)]
    assert [file.rows for file in receipt.files] == [BLOCK] * 2 + [2]
    texts = [file.path.read_bytes() for file in receipt.files]
    assert [file.sha256 for file in receipt.files] == [hashlib.sha256(t).hexdigest() for t in texts]
    assert receipt.bytes == sum(map(len, texts))
    lines = b"".join(texts).decode().splitlines()
    assert lines == [f"https://www.linkedin.com/in/a{n}" for n in range(BATCH + 2)]
    assert [file.path.name for file in made(BLOCK, "b").files] == ["b.txt"]
    names = [file.path.name for file in made(9 * BLOCK + 1, "c").files]
    assert (names[0], names[-1]) == ("c-01-of-10.txt", "c-10-of-10.txt")


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        *(("company", text, f"'{text}") for text in ("=Acme", "@acme", "+A1", "-A1", "|calc")),
        *(("company", text, f"'{text}") for text in ("\uff1d1", "\u22121", '"=1')),
        *(("company", "a;=1", "a;'=1"), ("company", 'a; "+1', "a; \"'+1")),
        *(("company", text, text) for text in ("a; b - c = d", "-", "-0.5", "+1 (555) 010-0142")),
        ("phone", "+1 (555) 010-0142", "+15550100142"),
        ("phone", "+1-555-010-0142; +1.555.010.0143|5-1", "+15550100142, +15550100143, 5-1"),
        ("phone", "+1 555 010 0142 x123", "'+15550100142x123"),
        *(("phone", "(555) 010-0142", "(555) 010-0142"), ("phone", "+cmd", "'+cmd")),
        ("contactEmail", "=ada@acme.example", "'=ada@acme.example"),
        *(("score", -5, "-5"), ("score", float("nan"), "")),
    ],
)
def test_no_cell_is_a_formula_and_phone_numbers_stay_numbers(
    tmp_path: Path, column: str, value: object, expected: str
) -> None:
    assert cell(tmp_path, column, value) == expected


def test_a_cell_is_no_longer_than_a_sheet_takes_and_a_line_of_json_is_whole(tmp_path: Path) -> None:
    long = "x" * 100_000
    assert cell(tmp_path, "untrustedHeadline", long) == "x" * (LONGEST_CELL - 1) + "…"
    assert len(cell(tmp_path, "untrustedHeadline", f"={long}")) == LONGEST_CELL
    assert json.loads(written(tmp_path, "name", (long,), kind="jsonl"))["name"] == long


KING = "ada-king"
MEMBER = "ACoAABcDEfGhIjKlMnOpQrStUv-x"


@pytest.mark.parametrize(
    ("name", "urls"),
    [
        (
            KING,
            ["http://linkedin.com/in/Ada-King/", "HTTPS://DE.LinkedIn.com/in/ada-king/en?trk=x"],
        ),
        (KING, ["m.linkedin.com/in/ada-king#about", "//linkedin.com/in/ada-king"]),
        (KING, ["I am on linkedin.com/in/ada-king.", "linkedin.com:443//in//ada-king/"]),
        (KING, ["https://www.linkedin.com/de-de/in/ada-king", " linkedin.com/in/ada\u200b-king\n"]),
        (KING, ["see <https://linkedin.com/in/ada-king>, or linkedin.com/in/other"]),
        (KING, ["https://www.linkedin.com/company/acme; https://www.linkedin.com/in/ada-king"]),
        ("j%C3%BCrgen", ["linkedin.com/in/j%C3%BCrgen", "linkedin.com/in/JU\u0308RGEN"]),
        ("ada%F0%9F%9A%80", ["linkedin.com/in/ada🚀"]),
        ("ada_king1~x", ["linkedin.com/in/ada_king1~x"]),
        (MEMBER, [f"linkedin.com/in/{MEMBER}"]),
    ],
)
def test_a_profile_has_one_spelling_in_any_alphabet(name: str, urls: list[str]) -> None:
    for url in (*urls, f"https://www.linkedin.com/in/{name}"):
        assert profile_url(url) == f"https://www.linkedin.com/in/{name}"


def test_what_is_not_a_profile_is_left_out() -> None:
    for value in (
        *(None, 5, "", "ada-king", "https://www.linkedin.com/in/", "linkedin.com/company/acme"),
        *("https://linkedin.com.evil.example/in/x", "https://evil.example/linkedin.com/in/x"),
        *("https://linkedin.com@evil.example/in/x", "https://evil.example/?linkedin.com/in/x"),
        *("javascript://linkedin.com/in/x", "https://www.linkedin.com:8443/in/x"),
        *("https://www.linkedin.com/in/..", "https://www.linkedin.com/in/%2e%2e/x"),
        *("https://www.linkedin.com/in/a%2Fb", "https://www.linkedin.com/in/ada%40acme.example"),
        *("https://www.linkedin.com/in/a\\b", "https://www.linkedin.com/in/a%00b"),
        *("https://www.linkedin.com/in/a%E2%80%AEb", "https://www.linkedin.com/in/---"),
        *("https://www.linkedin.com/sales/people/ACwAA", "https://www.linkedin.com/pub/ada/1/2/3"),
        *("https://notlinkedin.com/in/x", "https://xx.yy.linkedin.com/in/x"),
        *(f"linkedin.com/in/{'x' * 101}", "linkedin.com/in/" * 9, "linkedin.com/" + "/" * 100_000),
    ):
        assert profile_url(value) is None
