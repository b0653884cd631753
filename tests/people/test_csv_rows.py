"""The service's CSV files, line by line, as the same people come in its answers."""

import io

import pytest

from leadpipe_mcp.errors import FileFailed, UnusableAnswer
from leadpipe_mcp.people.csv_rows import CsvRows, read_people

Row = dict[str, object]


def read(reader: CsvRows, *lines: list[str]) -> list[Row]:
    """The people of some lines, without what is not known of each."""
    columns = reader.columns(lines)
    people = zip(*columns.values(), strict=True)
    return [
        {key: value for key, value in zip(columns, person, strict=True) if value}
        for person in people
    ]


def row(**cells: str) -> Row:
    return read(CsvRows(list(cells)), list(cells.values()))[0]


def test_what_is_not_known_is_left_out() -> None:
    headings = ["firstName", "shoe size", "company.phone", "", "contactEmail", "intent.id", "city"]
    reader = CsvRows(headings)
    assert reader.unknown == headings[1:-1]
    assert read(reader, ["Ada", "38", "+15550100142", "x", "a@x.test", "7", ""]) == [
        {"firstName": "Ada", "fullName": "Ada"}
    ]


@pytest.mark.parametrize(
    ("headings", "key"),
    [
        (["First Name", "FIRST_NAME"], "firstName"),
        (["company.industryGroup"], "companyIndustryGroup"),
        (["company.country"], "companyCountry"),
        (["location.country"], "personalCountry"),
        (["person.location.city"], "city"),
        (["intent.score"], "intentScore"),
        (["intent.matchedTopics"], "topicName"),
        (["hashedEmail"], "id"),
    ],
)
def test_a_heading_is_known_however_it_is_written(headings: list[str], key: str) -> None:
    for heading in headings:
        assert row(**{heading: "7"})[key] == "7"


@pytest.mark.parametrize(
    ("cells", "key", "value"),
    [
        ({"personalEmails": "a@x.test, b@x.test"}, "personalEmail", "a@x.test, b@x.test"),
        ({"personalEmails": "a@x.test", "personalEmail": "b@x.test"}, "personalEmail", "b@x.test"),
        ({"phones": "1, 2, 3", "directNumbers": "2"}, "phone", "2"),
        ({"phones": "1, 2, 3", "directNumbers": "2", "mobilePhones": "3"}, "phone", "3"),
        ({"businessEmail": "b@x.test", "email": "e@x.test"}, "contactEmail", "b@x.test"),
        ({"firstName": "Ada", "lastName": "King"}, "fullName", "Ada King"),
        ({"fullName": "Ada", "lastName": "King"}, "fullName", "Ada"),
        ({"matchedTopicIds": "[117805; 117890|x]"}, "matchedTopicIds", "117805; 117890|x"),
        ({"personId": "", "hem": "h1"}, "id", "h1"),
        ({"personId": "p1", "hem": "h1"}, "id", "p1"),
    ],
)
def test_fields_are_made_of_others_as_in_answers(
    cells: dict[str, str], key: str, value: str
) -> None:
    assert row(**cells)[key] == value


@pytest.mark.parametrize("cells", [[], ["Ada"], ["Ada", "King", "x"]])
def test_a_line_that_does_not_fit_its_headings_is_refused(cells: list[str]) -> None:
    with pytest.raises(UnusableAnswer) as caught:
        CsvRows(["firstName", "lastName"]).columns([["Ada", "King"], cells])
    assert caught.value.problem.endswith("under 2 headings.")
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(("", "not a list of people"), ("shoe size\n38\n", "not a list of people")),
        ("x" * 2**23, "not a list of people"),
        *(('city,company\n"Ada', "broken in"), ('city,company\nA,"a"b\n', "broken in")),
    ],
)
def test_a_file_that_is_no_list_of_people_is_refused(text: str, why: str) -> None:
    with pytest.raises(FileFailed, match=why):
        list(read_people(io.BytesIO(text.encode())))
