"""find_filters: which filters there are, and what a word means in them."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from leadpipe_mcp.text import counted, quoted
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools.arguments import ManyOf
from leadpipe_mcp.tools.replies import Cell, Table, cell, filled, some, suggest, table_of
from leadpipe_mcp.tools.services import Call
from leadpipe_mcp.vocabulary.catalog import NOT_FILTERED, FilterCatalog, FilterEntry, FilterKind
from leadpipe_mcp.vocabulary.resolve import Reading, look_up

MOST_WORDS = 20
PAGE = 100
_LISTED = 60
"""The overview shows all values of a filter with at most this many."""
_FREQUENT = 25
_SHOWN_VALUES = 8
_SHOWN_READINGS = 4
_LONGEST_NOTE = 160
_TAKES: dict[FilterKind, str] = {
    "values": "any of its values",
    "value": "one of its values",
    "text": "free words",
    "flag": "true or false",
    "yes_no": "true or false",
    "range": "a range of numbers",
}


class FindFilters(Arguments):
    """Words to look up, or the filter to show."""

    words: ManyOf[Annotated[str, StringConstraints(min_length=1, max_length=100)]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_WORDS,
        description='Up to 20 words, each looked up alone: ["VP or above", "SaaS", "CA"].',
    )
    key: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Instead: a filter whose values to list, such as companyIndustry.",
    )
    cursor: str | None = Field(
        default=None, pattern=r"^\d{1,6}$", description="With key: nextCursor of the page before."
    )

    @model_validator(mode="after")
    def _one_question(self) -> "FindFilters":
        if self.words is not None and self.key is not None:
            raise ValueError("Pass words or key, not both.")
        if self.cursor is not None and self.key is None:
            raise ValueError("cursor continues the values of a key: pass the key too.")
        return self


class FilterAnswer(Reply):
    """What words mean, the values of a filter, or all filters."""

    found: Table | None = Field(
        default=None, description="sure: exact, close, ambiguous (choose one), none."
    )
    filters: dict[str, str] | None = Field(
        default=None, description="Each filter's values, or what it takes."
    )
    key: str | None = None
    takes: str | None = Field(default=None, description="What the filter takes.")
    values: Table | None = None
    next_cursor: str | None = None


@tool("Find filters", reads=True)
async def find_filters(call: Call, asked: FindFilters) -> FilterAnswer:
    """Look up which filter (ICP, firmographics, contact data) and value a word means.

    With words, each is looked up separately, however people say it ("C-level", "HR", "mid-market",
    "director or above"); with key, all values of one filter; with neither, every filter. Not for
    sentences: split them first. plan_audience looks words up itself.
    """
    catalog = await call.leadpipe.configs.filters()
    if asked.words is not None:
        return _found(look_up(asked.words, catalog))
    if asked.key is not None:
        return _values(catalog.entry_for(asked.key), int(asked.cursor or 0), catalog)
    return FilterAnswer(
        summary=f"{counted(len(catalog.entries), 'filter')} in all. Filters are joined by 'and',"
        f" the values of one by 'or'. {NOT_FILTERED}",
        filters={catalog.name_of(e.key): _in_short(e) for e in catalog.entries.values()},
    )


def _in_short(entry: FilterEntry) -> str:
    """Say what a filter takes: all its values, or the most frequent of many."""
    values = [value for value, _, _ in _by_frequency(entry)]
    if len(values) <= _LISTED:
        return ", ".join(values) or _TAKES[entry.kind]
    return f"{', '.join(values[:_FREQUENT])}; {len(values)} in all"


def _by_frequency(entry: FilterEntry) -> list[tuple[str, str, int | None]]:
    """The values; where people are counted and the list is long, the most frequent first."""
    values = [(value.value, value.label, value.count) for value in entry.values]
    if len(values) > _LISTED and all(count is not None for _, _, count in values):
        values.sort(key=lambda each: -(each[2] or 0))
    return values


def _found(words: Mapping[str, Sequence[Reading]]) -> FilterAnswer:
    shown = {word: readings[:_SHOWN_READINGS] for word, readings in words.items()}
    rows = [
        [
            cell(word),
            reading.key,
            "true" if reading.flag else some(reading.values, _SHOWN_VALUES),
            reading.sure,
            cell(reading.note, _LONGEST_NOTE),
        ]
        for word, readings in shown.items()
        for reading in readings
    ]
    several = sum(
        len(readings) > 1 or any(reading.sure == "ambiguous" for reading in readings)
        for readings in shown.values()
    )
    missing = [word for word, readings in words.items() if not readings]
    summary = f"{len(words) - len(missing)} of {counted(len(words), 'word')} found"
    summary += f"; {several} could mean several things" if several else ""
    if missing:
        summary += f"; no filter has a value called {quoted(missing)}"
        summary += "; titles go into jobTitle, companies into companyName"
    count = suggest("plan_audience", "count the people with these filters")
    every = suggest("find_filters", "without arguments: every filter there is")
    return FilterAnswer(
        summary=f"{summary}.",
        found=filled(("word", "key", "values", "sure", "note"), rows),
        next=[count if rows else every],
    )


def _values(entry: FilterEntry, start: int, catalog: FilterCatalog) -> FilterAnswer:
    name, values = catalog.name_of(entry.key), _by_frequency(entry)
    takes = _TAKES[entry.kind]
    if not values:
        return FilterAnswer(summary=f"'{name}' takes {takes}.", key=name, takes=takes)
    page = values[start : start + PAGE]
    end = start + len(page)
    counts = any(count is not None for _, _, count in page)
    labels = any(label.casefold() != value.casefold() for value, label, _ in page)
    columns = ["value", *(["label"] if labels else []), *(["people"] if counts else [])]
    rows: list[list[Cell]] = [
        [value, *([cell(label)] if labels else []), *([cell(count)] if counts else [])]
        for value, label, count in page
    ]
    part = f", {start + 1} to {end} here" if rows and len(rows) < len(values) else ""
    return FilterAnswer(
        summary=f"'{name}' takes {takes}; it has {counted(len(values), 'value')}{part}.",
        key=name,
        takes=takes,
        values=table_of(columns, rows),
        next_cursor=str(end) if end < len(values) else None,
    )
