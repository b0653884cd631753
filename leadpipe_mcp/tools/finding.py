"""The tool that finds filters for what people say."""

from pydantic import Field, JsonValue, model_validator

from leadpipe_mcp.api.filters import Kind
from leadpipe_mcp.api.spelling import FilterCatalog
from leadpipe_mcp.planning import filters as planning
from leadpipe_mcp.planning.choices import Choice
from leadpipe_mcp.planning.filters import Found, Match, describe_filter, describe_filters
from leadpipe_mcp.text import clean, counted
from leadpipe_mcp.tools.replies import Cell, Part, Table, cell, filled, suggestions
from leadpipe_mcp.tools.toolkit import Arguments, Call, Reply, Suggestion, tool

LONGEST_ABOUT = 1_000
PAGE = 100
_SHOWN_VALUES = 5
_SHOWN_MATCHES = 30
_LONGEST_ASKED = 80
_LONGEST_NOTE = 250
_COLUMNS = ("asked", "key", "values", "sure", "people", "note")
_TAKES: dict[Kind, str] = {
    "values": "any of its values",
    "value": "one of its values",
    "text": "free words",
    "flag": "true or false",
    "yes_no": "y or n",
    "range": "a range of numbers",
}


class FindFilters(Arguments):
    """What is wanted in free words, or which filter to show."""

    about: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_ABOUT,
        description="Who is wanted, in the user's words: 'VP or above at SaaS companies, 51-200"
        " employees, California or TX, has a phone, not agencies'.",
    )
    key: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Instead: one filter, to see its values, such as companyIndustry.",
    )
    cursor: str | None = Field(
        default=None,
        pattern=r"^\d{1,6}$",
        description="With key: nextCursor of the page before, such as 100.",
    )

    @model_validator(mode="after")
    def _one_question(self) -> "FindFilters":
        if self.about is not None and self.key is not None:
            raise ValueError("about and key are two questions: ask one at a time.")
        if self.cursor is not None and self.key is None:
            raise ValueError("cursor goes on with the values of a key: name the key too.")
        return self


class Unsaid(Part):
    """What no filter can say."""

    asked: str
    why: str


class ToChoose(Part):
    """What could be meant in several ways, each as the filters that say it."""

    asked: str
    why: str | None = None
    choices: list[dict[str, JsonValue]]


class FilterAnswer(Reply):
    """Filters for what was said, or the filters that there are."""

    found: Table | None = Field(default=None, description="How each wish was taken.")
    filters: dict[str, JsonValue] | None = Field(
        default=None,
        description="As preview_audience and create_audience take them: the exact and the close.",
    )
    alternatives: list[ToChoose] | None = Field(
        default=None, description="The ambiguous, not in filters: the user has to choose."
    )
    not_possible: list[Unsaid] | None = Field(
        default=None, description="What no filter can say, and the nearest."
    )
    not_understood: list[str] | None = None
    key: str | None = None
    takes: str | None = Field(default=None, description="What the filter takes.")
    values: Table | None = None
    next_cursor: str | None = None


@tool("Find filters", reads=True)
async def find_filters(call: Call, asked: FindFilters) -> FilterAnswer:
    """Find the filters for an ideal customer profile (ICP) given in the user's own words.

    It knows job level (seniority), job title, department, industry and other firmographics,
    headcount, revenue, US state, age, gender and contact data, and says of each how sure it is
    and what cannot be filtered. With key it lists a filter's values, without arguments all
    filters. Give the filters of its answer to preview_audience; for what people research (intent)
    use topics. It costs nothing.
    """
    catalog = await call.leadpipe.configs.filters()
    if asked.about is not None:
        return _answer(planning.find_filters(asked.about, catalog), catalog)
    if asked.key is not None:
        return _values(asked.key, int(asked.cursor or 0), catalog)
    return _overview(catalog)


def _answer(found: Found, catalog: FilterCatalog) -> FilterAnswer:
    shown = found.matches[:_SHOWN_MATCHES]
    ambiguous = [match for match in shown if match.sure == "ambiguous"]
    return FilterAnswer(
        summary=_summary(found),
        found=filled(_COLUMNS, [_cells(match) for match in shown]),
        filters=dict(found.filters),
        alternatives=[_to_choose(match, catalog) for match in ambiguous],
        not_possible=not_possible(found),
        not_understood=not_understood(found),
        warnings=_cut(len(found.matches) - len(shown)),
        next=suggestions(_to_preview() if found.filters else _to_overview()),
    )


def _summary(found: Found) -> str:
    sure = [match.sure for match in found.matches]
    parts = [
        counted(len(found.filters), "filter") + " found" if found.filters else "No filter found",
        f"{sure.count('close')} of the wishes taken as the nearest there is (close)"
        if "close" in sure
        else "",
        f"{sure.count('ambiguous')} to choose by the user" if "ambiguous" in sure else "",
        f"{len(found.not_possible)} not possible" if found.not_possible else "",
        f"{len(found.not_understood)} not understood" if found.not_understood else "",
    ]
    return "; ".join(part for part in parts if part) + "."


def not_possible(found: Found) -> list[Unsaid]:
    """What of the words no filter can say, and why."""
    return [Unsaid(asked=_asked(unsaid.asked), why=unsaid.why) for unsaid in found.not_possible]


def not_understood(found: Found) -> list[str]:
    """The words that mean nothing known."""
    return [_asked(words) for words in found.not_understood]


def _cells(match: Match) -> list[Cell]:
    one = match.choices[0] if match.sure != "ambiguous" else None
    keys = dict.fromkeys(choice.key for choice in match.choices)
    return [
        _asked(match.asked),
        " or ".join(keys),
        shown_values(one) if one else "",
        match.sure,
        cell(one.people if one else None),
        clean(match.note or "", _LONGEST_NOTE),
    ]


def shown_values(choice: Choice) -> str:
    """What the filter holds, the first of a long list."""
    if choice.flag is not None:
        return "yes" if choice.flag else "no"
    if choice.but:
        return f"all but {_some(choice.but)}"
    return _some(choice.values)


def _some(values: tuple[str, ...]) -> str:
    more = len(values) - _SHOWN_VALUES
    return ", ".join(values[:_SHOWN_VALUES]) + (f" and {more} more" if more > 0 else "")


def _to_choose(match: Match, catalog: FilterCatalog) -> ToChoose:
    one = catalog.vocabulary == "flat"
    return ToChoose(
        asked=_asked(match.asked),
        why=clean(match.note, _LONGEST_NOTE) if match.note else None,
        choices=[
            {choice.key: choice.written(one=one and choice.entry.kind in {"value", "text"})}
            for choice in match.choices
        ],
    )


def _values(key: str, start: int, catalog: FilterCatalog) -> FilterAnswer:
    entry = catalog.entry_for(key)
    filter_ = describe_filter(entry, start=start, most=PAGE)
    end = start + len(filter_.values)
    takes = _TAKES[entry.kind]
    if not filter_.total:
        return FilterAnswer(summary=f"'{entry.key}' takes {takes}.", key=entry.key, takes=takes)
    counts = any(value.count is not None for value in filter_.values)
    labels = any(value.label != value.value for value in filter_.values)
    columns = ["value", *(["label"] if labels else []), *(["people"] if counts else [])]
    rows: list[list[Cell]] = [
        [
            value.value,
            *([clean(value.label, _LONGEST_ASKED)] if labels else []),
            *([cell(value.count)] if counts else []),
        ]
        for value in filter_.values
    ]
    part = f", {start + 1} to {end} here" if rows and len(rows) < filter_.total else ""
    return FilterAnswer(
        summary=f"'{entry.key}' takes {takes}; it has {counted(filter_.total, 'value')}{part}.",
        key=entry.key,
        takes=takes,
        values=Table(columns=columns, rows=rows) if rows else None,
        next_cursor=str(end) if end < filter_.total else None,
    )


def _overview(catalog: FilterCatalog) -> FilterAnswer:
    filters = describe_filters(catalog)
    rows: list[list[Cell]] = [
        [
            each.key,
            _TAKES[catalog.entries[each.key].kind],
            each.total or "",
            _some(tuple(value.value for value in each.values)),
        ]
        for each in filters
    ]
    return FilterAnswer(
        summary=f"There are {counted(len(filters), 'filter')}. All that are used together must"
        " hold; the values of one are joined by 'or'.",
        found=Table(columns=["key", "takes", "values", "such as"], rows=rows),
        next=suggestions(
            Suggestion(
                tool="find_filters",
                arguments={"about": "VP or above, software, California"},
                why="turn the user's words into filters",
            )
        ),
    )


def _to_preview() -> Suggestion:
    return Suggestion(
        tool="preview_audience", why="count the people: pass filters as they are, with topicIds"
    )


def _to_overview() -> Suggestion:
    return Suggestion(tool="find_filters", why="without arguments: see the filters there are")


def _cut(hidden: int) -> list[str] | None:
    if hidden <= 0:
        return None
    return [f"{counted(hidden, 'more wish', 'more wishes')} found, not in the table."]


def _asked(words: str) -> str:
    return clean(words, _LONGEST_ASKED)
