import pytest

from leadpipe_mcp.api.reading import Row
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import COLUMNS, VISITOR_COLUMNS, choose_columns
from leadpipe_mcp.people.privacy import Value, table


def of_kind(*kinds: str) -> set[str]:
    return {name for name, column in COLUMNS.items() if column.kind in kinds}


def test_columns_come_in_their_order_once_and_an_unknown_one_is_refused_by_name() -> None:
    chosen = choose_columns(("city", "name", "city", "phone"))
    assert [column.name for column in chosen] == ["city", "name", "phone"]
    with pytest.raises(NotPossible) as caught:
        choose_columns(("jobTitel", "name", "xyzzyqq", "headline"))
    assert caught.value.problem == (
        "There is no field 'jobTitel'. Did you mean 'jobTitle'?"
        " There is no field 'xyzzyqq'."
        " There is no field 'headline'. Did you mean 'untrustedHeadline'?"
    )
    assert caught.value.advice == f"The fields are: {', '.join(COLUMNS)}."


def test_every_column_is_treated_by_what_it_tells_of_a_person() -> None:
    assert of_kind("untrusted") == {name for name in COLUMNS if name.startswith("untrusted")}
    ways = ("mail", "phone", "number")
    assert of_kind("email", "phone") == {
        name for name in COLUMNS if any(way in name.lower() for way in ways)
    }
    assert of_kind("private") == {
        *("ageRange", "gender", "address", "zip", "personalCountry", "incomeRange", "netWorth"),
        *("photoUrl", "hasChildren", "isHomeowner", "isMarried"),
    }
    assert {name for name, column in COLUMNS.items() if column.identifies} == of_kind(
        "email", "phone"
    ) | {"name", "lastName", "linkedinUrl", "id", "address", "photoUrl"}


def test_a_column_means_the_same_for_people_and_visitors() -> None:
    # A visitor's country and revenue are told in other words, and under names of their own.
    for name in (COLUMNS.keys() & VISITOR_COLUMNS.keys()) - {"companyRevenue"}:
        assert COLUMNS[name] == VISITOR_COLUMNS[name]


@pytest.mark.parametrize(
    ("person", "made"),
    [
        ({"fullName": "Ada King", "firstName": "A"}, ["Ada King", ""]),
        ({"firstName": "Ada", "lastName": "King"}, ["Ada King", ""]),
        ({"lastName": "King"}, ["King", ""]),
        ({"primaryContactEmail": "1@x.test", "businessEmail": "2@x.test"}, ["", "1@x.test"]),
        ({"businessEmail": "2@x.test", "email": "3@x.test"}, ["", "2@x.test"]),
        ({"businessEmail": "", "email": "3@x.test", "personalEmail": "4@x.test"}, ["", "3@x.test"]),
        ({"personalEmail": "4@x.test"}, ["", ""]),
    ],
)
def test_a_name_is_made_of_its_parts_and_the_address_to_write_to_is_the_business_one(
    person: Row, made: list[Value]
) -> None:
    assert table((person,), choose_columns(("name", "contactEmail")), contact=True) == [made]
