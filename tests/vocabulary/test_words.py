"""The data file: each of its names means what it says, and one thing only."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from leadpipe_mcp.vocabulary.catalog import (
    FLAT_KEYS,
    RANGES,
    FilterCatalog,
    FilterEntry,
    FilterValue,
)
from leadpipe_mcp.vocabulary.ranges import read_range
from leadpipe_mcp.vocabulary.resolve import plain, resolve

DATA: dict[str, Any] = tomllib.loads(
    (files("leadpipe_mcp.vocabulary") / "words.toml").read_text(encoding="utf-8")
)


def parts(names: str) -> list[str]:
    return [name.strip() for name in names.split("|")]


def lines(table: str) -> list[tuple[str, str]]:
    return [(key, line) for key, written in DATA[table].items() for line in written]


def listing(key: str, *values: str) -> FilterEntry:
    return FilterEntry(key, key, "values", tuple(FilterValue(v, v) for v in values))


def test_every_list_is_of_a_filter_and_no_name_means_two_things() -> None:
    assert {*DATA["same"], *DATA["near"], *DATA["because"]} <= FLAT_KEYS.keys()
    for key, written in (*DATA["same"].items(), *DATA["near"].items()):
        names = (name for line in written for name in {*map(plain, parts(line.split(" -> ")[0]))})
        assert [name for name, times in Counter(names).items() if times > 1] == [], key


def test_all_names_of_one_thing_are_the_value_that_has_one_of_them() -> None:
    for key, line in lines("same"):
        names = parts(line)
        for value in names:
            entry = listing(key, value, "something else")
            for name in names:
                found = resolve(name, entry, key)
                assert (found.sure, found.values) == ("exact", (value,)), (key, name, value)


def test_a_name_that_is_only_near_is_taken_for_near_and_nothing_else(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    for key, line in lines("near"):
        said, arrow, meant = line.partition(" -> ")
        assert arrow, line
        values = [value.replace("*", "some") for value in parts(meant)]
        ranged = key in RANGES and all(read_range(value, key) for value in values)
        entry = catalogs["flat"].entry_for(key) if ranged else listing(key, *values)
        for name in parts(said):
            if plain(name) in map(plain, values):
                continue
            found = resolve(name, entry, key)
            assert found.sure == "close", (key, name, found)
            assert ranged or {*found.values} == {*values}, (key, name, found)
            assert found.note.endswith(".")


def test_every_rung_of_the_ladder_is_a_level_and_each_level_is_on_one_rung(
    catalogs: Mapping[str, FilterCatalog],
) -> None:
    rungs = [plain(name) for rung in DATA["ladder"]["rungs"] for name in parts(rung)]
    assert len(rungs) == len(set(rungs))
    groups = [{*map(plain, parts(line))} for line in DATA["same"]["seniority"]]
    assert all(len(group & set(rungs)) <= 1 for group in groups)
    for entry in (catalog.entry_for("seniority") for catalog in catalogs.values()):
        for value in entry.values:
            assert value.value in resolve(f"{value.label}+", entry, "seniority").values
