"""The page of filters, made from the flat keys, the sandbox's catalogue, and the everyday words."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import anyio

from leadpipe_mcp.vocabulary.catalog import (
    EXCLUDING,
    FLAT_KEYS,
    NOT_FILTERED,
    RANGES,
    FilterCatalog,
    FilterEntry,
)
from leadpipe_mcp.vocabulary.resolve import resolve
from tests.planning.service import client_of, start

HEAD = f"""\
# Filters

Made from the code; `make docs` writes it again.

Filters say who people are. Talking to an assistant you need none of these names: say "VPs at banks
in California", and it finds them. This page is for looking up what there is, and what it is called.

- **Each filter has one or two names.** Leadpipe published short ones in April 2026, and a catalogue
  with others in May; either is understood everywhere, whichever the service has.
- **Filters are joined by "and", the values of one by "or".** `exclude` takes the same filters, and
  leaves out anyone who matches any of them.
- **A filter or value that does not exist is refused by name**, with the nearest that does.
- **What no filter can say:**
  {NOT_FILTERED.removeprefix("No filter knows ")}
- **The values below are the sandbox's.** Leadpipe's own could not be read when this was made. Ask
  your assistant for "all values of the filter seniority", and it shows those of the service
  (`find_filters`).

## All filters

| to say | name | in the catalogue | takes | for example |
| --- | --- | --- | --- | --- |
"""
AFTER_TABLE = """
"(one)" means that the API of April 2026 takes one only; if the service is still that, the server
asks for one audience for each.

Where a catalogue's name is in brackets, no document shows it: it is the sandbox's own. The server
takes the one filter of the live catalogue that can only be this one, and says so.

A range takes in the values that lie inside it whole; one that it cuts is left out, and named.
Words of a title or of a company's name are found inside other words too: "CTO" is in "director".
`plan_audience` warns where that matters.
"""
WORDS = """
## {said}: `{name}`

In the sandbox: {values}.
"""
LADDER = """
From the lowest level up: {rungs}. Any of them with "or above", "and below", "at least", "up to" or
a plus works everywhere: `"director or above"`, `"VP+"`.
"""
CODES = """
Two-letter codes work everywhere: `"CA"`, `"NY"`. So do "New York State" and "Washington DC".
"""
CITIES = """
A city stands for its state, with a word that says so: "Chicago" becomes illinois, "Bay Area"
california.
"""
SAME = """
These mean the very same, in every tool:

| value | also |
| --- | --- |
"""
NEAR = """
These are only near. `plan_audience` takes them and says so; other tools refuse them and name the
same values. {because}.

| words | taken as |
| --- | --- |
"""


@dataclass(frozen=True)
class Example:
    """What a person would call a filter, and a value to give it."""

    said: str
    value: str


EXAMPLES = {
    "companyIndustry": Example("industry", '["banking", "law firm"]'),
    "seniority": Example("job level", '["VP", "director or above"]'),
    "companySize": Example("number of employees", '["51-500"]'),
    "department": Example("department", '["marketing", "HR"]'),
    "state": Example("state of the US", '["CA"]'),
    "companyRevenueRange": Example("the company's revenue", '["$10M-$100M"]'),
    "ageRange": Example("age", '{"min": 25, "max": 44}'),
    "gender": Example("gender", '["female"]'),
    "isB2b": Example("a business contact", "true"),
    "jobTitle": Example("words in the job title", '["demand generation"]'),
    "hasBusinessEmail": Example("has a business e-mail address", "true"),
    "hasPersonalEmail": Example("has a private e-mail address", "true"),
    "hasLinkedin": Example("has a LinkedIn profile", "true"),
    "hasPhone": Example("has a phone number", "true"),
    "companyDomain": Example("the company's website", '["acme.example"]'),
    "companyName": Example("words in the company's name", '["acme"]'),
    "company.industryGroups": Example("a group of industries", '["financial services"]'),
    "role.isDecisionMaker": Example("a decision maker", "true"),
    "role.isCeo": Example("the chief executive", "true"),
    "role.isVp": Example("a vice president", "true"),
    "role.isFinance": Example("works in finance", "true"),
    "jobTitle.exclude": Example("words that the job title must not hold", '["assistant"]'),
    "jobTitle.exact": Example("the whole job title", '["chief executive officer"]'),
}
KINDS = {"value": "one value", "values": "values", "text": "words"}
DATA: dict[str, Any] = tomllib.loads(
    (files("leadpipe_mcp.vocabulary") / "words.toml").read_text("utf-8")
)


def filters_page() -> str:
    """The whole page."""
    catalog = anyio.run(client_of(start(people=100, profile="catalog")).configs.filters)
    named = {catalog.name_of(key): entry for key, entry in catalog.entries.items()}
    order = [*FLAT_KEYS, *(name for name in named if name not in FLAT_KEYS)]
    parts = [HEAD, *(_row(name, named[name]) for name in order), AFTER_TABLE]
    for name in order:
        if named[name].is_closed:
            parts += _values(name, named[name], catalog)
    return "".join(parts)


def _row(name: str, entry: FilterEntry) -> str:
    """A filter in the table of them all."""
    flat, example = FLAT_KEYS.get(name), EXAMPLES[name]
    key = "" if flat is None else f"`{entry.key}`" if flat.twin else f"(`{entry.key}`)"
    takes = KINDS.get(entry.kind, "true or false")
    if name in RANGES:
        takes = "values, or a range"
    if flat and flat.kind in {"value", "text"}:
        takes += " (one)"
    if name in EXCLUDING.values():
        takes = "words; `exclude` does the same"
    cells = [example.said, f"`{name}`", key, takes, f"`{example.value}`"]
    return f"| {' | '.join(cells)} |\n"


def _values(name: str, entry: FilterEntry, catalog: FilterCatalog) -> Iterable[str]:
    """The values of a filter, and the everyday words for them."""
    values = ", ".join(f"`{value.value}`" for value in entry.values)
    said = EXAMPLES[name].said
    yield WORDS.format(said=f"{said[0].upper()}{said[1:]}", name=name, values=values)
    same: Sequence[str] = DATA["same"].get(name, [])
    near: Sequence[str] = DATA["near"].get(name, [])
    if name == "seniority":
        yield LADDER.format(rungs=values)
    if name == "state":
        # Each state, and each city, is a line that says what everybody knows.
        yield CODES
        same, near = [], [line for line in near if "|" in line.partition(" -> ")[2]]
    if same:
        yield SAME
    for line in same:
        names = line.split(" | ")
        if value := resolve(names[0], entry, name).values:
            others = [other for other in names if other not in value]
            yield f"| {', '.join(value)} | {', '.join(others)} |\n"
    if near:
        because = DATA["because"][name]
        yield NEAR.format(because=f"{because[0].upper()}{because[1:]}")
    for line in near:
        names, _, meant = line.partition(" -> ")
        words = names.split(" | ")
        taken = [meant] if name in RANGES else resolve(words[0], entry, name).values
        yield f"| {', '.join(words)} | {', '.join(taken)} |\n"
    if name == "state":
        yield CITIES
