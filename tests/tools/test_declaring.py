"""Tools, arguments and cursors made up here: how each is declared, published and read."""

import base64
import datetime as dt
from typing import Annotated, Any

import pytest
from pydantic import Field

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.toolkit import Arguments, Cursor, Reply, published_schema, tool


class Part(Arguments):
    """A part of what is asked."""

    title: str = Field(description="Its title.")
    inner: "Part | None" = None


class Leaf(Arguments):
    """A leaf."""

    title: str


class Asked(Arguments):
    """What is asked."""

    id: str
    leaf: Leaf = Field(description="The leaf.")
    leaves: list[Leaf] | None = None
    several: str | list[str] | None = None
    whole: Leaf | int | None = None
    anything: dict[str, Any] = Field(default={})
    some: Annotated[list[str], Field(min_length=1, max_length=3)]
    confirm: str | None = None
    note: str | None = Field(default="x", max_length=9)


class Made(Reply):
    """What was made."""

    page_count: int


async def make_thing(call: object, asked: Asked) -> Made:
    """Make a thing
    of   two lines.
    """
    raise NotImplementedError


LEAF = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}


def test_a_tool_is_defined_by_its_function_and_its_models() -> None:
    made = tool("Make a thing", destroys=True)(make_thing).definition()
    assert (made.name, made.title) == ("make_thing", "Make a thing")
    assert made.description == "Make a thing of two lines."
    assert made.input_schema == {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "leaf", "some"],
        "properties": {
            "id": {"type": "string"},
            "leaf": {"description": "The leaf.", **LEAF},
            "leaves": {"type": "array", "items": {"description": "A leaf.", **LEAF}},
            "several": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
            },
            "whole": {"anyOf": [{"description": "A leaf.", **LEAF}, {"type": "integer"}]},
            "anything": {"type": "object", "additionalProperties": True, "default": {}},
            "some": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
            "confirm": {"type": "string"},
            "note": {"type": "string", "maxLength": 9, "default": "x"},
        },
    }
    schema = made.output_schema
    assert schema
    assert list(schema["properties"]) == [
        *("summary", "warnings", "next", "sandbox", "pageCount", "question", "confirm"),
    ]
    assert schema["required"] == ["summary"]
    assert schema["anyOf"] == [
        {"required": ["summary", "pageCount"]},
        {"required": ["summary", "question", "confirm"]},
    ]
    assert "description" not in schema


@pytest.mark.parametrize(
    ("said", "hints"),
    [
        ({}, (False, False, False)),
        ({"reads": True}, (True, False, True)),
        ({"destroys": True}, (False, True, False)),
        ({"idempotent": True}, (False, False, True)),
    ],
)
def test_a_tool_has_every_hint(said: dict[str, bool], hints: tuple[bool, ...]) -> None:
    declared = tool("Make", name="make", **said)(make_thing)
    found = declared.hints
    assert declared.name == "make"
    assert (found.read_only_hint, found.destructive_hint, found.idempotent_hint) == hints
    assert found.open_world_hint is True
    assert found.title == "Make"


async def without_words(call: object, asked: Part) -> Made:
    raise NotImplementedError


def test_a_function_without_a_docstring_has_no_description_and_a_plain_reply() -> None:
    made = tool("Plain")(without_words)
    assert made.description == ""
    assert made.reply is Made
    assert made.arguments is Part
    assert published_schema(Leaf) == LEAF


class Named(Arguments):
    """Arguments with an id and defaults."""

    thing = "pixel"
    id: str
    limit: int = 5
    note: str | None = None
    flag: bool | None = True


class Filed(Arguments):
    """Arguments with the id of something else."""

    audience_id: str | None = None


def test_null_stands_for_a_default_and_an_id_has_two_names() -> None:
    for given in (
        {"id": "a"},
        {"pixelId": "a"},
        {"id": "a", "pixelId": "a"},
        {"id": None, "pixelId": "a"},
    ):
        assert Named.model_validate({**given, "limit": None, "flag": None}) == Named(id="a")
    assert Named.model_validate({"id": "a", "note": None}).note is None
    assert Filed.model_validate({"id": "a"}) == Filed.model_validate({"audienceId": "a"})
    assert Filed.model_validate({"audienceId": None}).model_fields_set == {"audience_id"}
    with pytest.raises(
        ValueError, match=r"both name the pixel, and they differ\. Give one of them"
    ):
        Named.model_validate({"id": "a", "pixelId": "b"})
    for odd in ({"id": None}, {"audienceId": "a"}, {"id": "a", "limit": "x"}, "id", ["id"], None):
        with pytest.raises(ValueError, match="Named"):
            Named.model_validate(odd)


class Place(Cursor):
    """A place in a list."""

    row: int = 0
    day: dt.date | None = None


class Question(Arguments):
    """A question with a cursor."""

    day: dt.date
    words: dict[str, int] = Field(default={})
    limit: int = 1


DAY = dt.date(2026, 5, 4)
PARTS = {"day", "words"}
ASKED = Question(day=DAY, words={"a": 1, "b": 2})


def test_a_cursor_names_its_place_in_the_answer_to_one_question() -> None:
    start = Place.at(None, ASKED, PARTS, row=3)
    assert start == Place(subject=start.subject, row=3)
    assert len(start.subject) == 8
    assert Place.at("", ASKED, PARTS) == Place(subject=start.subject)
    for row in (0, 7, 77, 777, 7_777):
        place = Place(subject=start.subject, row=row)
        text = place.as_text()
        assert "=" not in text
        assert Place.at(text, ASKED, PARTS) == place
        assert Place.at(text, Question(day=DAY, words={"b": 2, "a": 1}, limit=9), PARTS) == place
    whole = base64.urlsafe_b64decode(f"{Place(subject='s', row=77).as_text()}==")
    assert whole == b'{"subject":"s","row":77}'


@pytest.mark.parametrize("cursor", ["a", "not a cursor", "bm8", Place(row=1).as_text(), "é"])
def test_a_cursor_of_another_question_is_refused(cursor: str) -> None:
    other = Place.at(None, Question(day=DAY), PARTS).as_text()
    for odd in (cursor, other):
        with pytest.raises(NotPossible) as caught:
            Place.at(odd, ASKED, PARTS)
        assert str(caught.value) == (
            "The cursor does not belong to this question. Repeat the arguments of the page that it"
            " came from, or leave it out."
        )
