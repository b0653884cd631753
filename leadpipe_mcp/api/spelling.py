"""Filters in the service's own words: its live catalogue, and the way there from each spelling."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from leadpipe_mcp.api.filters import (
    FLAT_KEYS,
    Filter,
    FlatKey,
    Kind,
    as_flag,
    read_filters,
    unknown_key,
)
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import form, listed, nearest, quoted

Vocabulary = Literal["flat", "catalog"]

# The documents spell one seniority in two ways, one for each generation of the API.
_SAME_WORD = ({"c suite", "cxo"},)


@dataclass(frozen=True)
class FilterValue:
    """A value that a filter can take, what people call it, and how many people have it."""

    value: str
    label: str
    count: int | None = None


@dataclass(frozen=True)
class FilterEntry:
    """One filter of the live catalogue."""

    key: str
    label: str
    kind: Kind
    values: tuple[FilterValue, ...] = ()
    operators: tuple[str, ...] = ()

    def value_for(self, word: str, key: str) -> str:
        """The service's spelling of a word: by value or label, whatever its case.

        `key` is what the caller called the filter.

        Raises:
            NotPossible: If no value is called so, with the nearest that exist.
        """
        if not self.values:
            return word
        asked = _same_words(word)
        for known in self.values:
            if {form(known.value), form(known.label)} & asked:
                return known.value
        names = {v.label: v.value for v in self.values} | {v.value: v.value for v in self.values}
        close = list(dict.fromkeys(names[name] for name in nearest(word, names, limit=4)))
        if close:
            hint = f"Nearest: {quoted(close)}."
        else:
            some = [known.value for known in self.values[:8]]
            hint = f"It has {len(self.values)} values, such as {quoted(some)}."
        raise NotPossible(f"'{key}' has no value '{word}'. {hint}")


@dataclass(frozen=True)
class FilterCatalog:
    """The filters that the service has now, and the spelling in which it takes them."""

    vocabulary: Vocabulary
    entries: Mapping[str, FilterEntry]

    def spell(self, wishes: Iterable[Filter]) -> dict[str, JsonValue]:
        """The filters as the service takes them, each under the service's own key.

        Raises:
            NotPossible: Naming every filter and value that the service cannot apply.
        """
        spelled: dict[str, JsonValue] = {}
        written: dict[str, str] = {}
        problems: list[str] = []
        for wish in wishes:
            try:
                entry = self.entry_for(wish.key)
                value = self._spell(wish, entry)
            except NotPossible as refusal:
                problems.append(str(refusal))
                continue
            if entry.key in written:
                names = quoted([written[entry.key], wish.key])
                problems.append(f"{names} are one and the same filter. Name it once.")
            written[entry.key] = wish.key
            spelled[entry.key] = value
        if problems:
            raise NotPossible(" ".join(problems))
        return spelled

    def merge(
        self, present: Mapping[str, JsonValue], change: Mapping[str, object]
    ) -> dict[str, JsonValue]:
        """The present filters with the change applied key by key; a None removes its filter."""
        removed = {self.entry_for(key).key for key, value in change.items() if value is None}
        kept = {key: value for key, value in unnested(present).items() if key not in removed}
        return kept | self.spell(read_filters(change))

    def entry_for(self, key: str) -> FilterEntry:
        """The entry that a key of either spelling stands for.

        Raises:
            NotPossible: If the service has no such filter, or more than one could be meant.
        """
        if key in self.entries:
            return self.entries[key]
        if key in FLAT_KEYS:
            return self._twin_of(FLAT_KEYS[key])
        for flat in FLAT_KEYS.values():
            if flat.name in self.entries and (key == flat.twin or _tail(key) in flat.lookalikes):
                return self.entries[flat.name]
        if self.vocabulary == "flat":
            raise NotPossible(
                f"The service has no filter '{key}', nor another that does the same."
                f" It has: {', '.join(self.entries)}."
            )
        raise unknown_key(key, [*self.entries, *FLAT_KEYS])

    def _twin_of(self, flat: FlatKey) -> FilterEntry:
        if flat.twin and flat.twin in self.entries:
            return self.entries[flat.twin]
        entries = self.entries.values()
        found = [e for e in entries if _tail(e.key) in flat.lookalikes] or [
            e for e in entries if form(e.label).replace(" ", "") in flat.lookalikes
        ]
        if len(found) == 1:
            return found[0]
        if found:
            keys = listed([f"'{entry.key}'" for entry in found], "or")
            raise NotPossible(f"'{flat.name}' could be {keys} here. Use one of these keys.")
        raise NotPossible(
            f"The service has no filter for '{flat.name}' now; it has {', '.join(self.entries)}."
        )

    def _spell(self, wish: Filter, entry: FilterEntry) -> JsonValue:
        if entry.kind == "flag":
            return as_flag(wish)
        if entry.kind == "yes_no":
            return "y" if as_flag(wish) else "n"
        if entry.kind == "range":
            raise NotPossible(
                f"'{entry.key}' takes a range of numbers, and how the service wants it written"
                " is not published."
            )
        words = wish.values if wish.flag is None else ("y" if wish.flag else "n",)
        if wish.flag is not None and not entry.values:
            raise NotPossible(f"'{wish.key}' takes words, not a yes or no.")
        if entry.kind != "text":
            words = tuple(entry.value_for(word, wish.key) for word in words)
        if self.vocabulary == "flat":
            return _flat_value(wish, entry, words)
        return _catalog_value(wish, entry, words)


def missing_filters(
    spelled: Mapping[str, JsonValue], applied: Iterable[str] | None
) -> tuple[str, ...]:
    """The keys that were asked for and that the service does not say it applied.

    `applied` is None where the service says nothing of it: then nothing can be missed.
    """
    if applied is None:
        return ()
    said = list(applied)
    return tuple(key for key in spelled if not any(_names(entry, key) for entry in said))


def unnested(filters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The filters under dotted keys; the service also writes {"role": {"seniority": ...}}."""
    flat: dict[str, JsonValue] = {}
    for key, value in filters.items():
        if isinstance(value, dict) and "." not in key and "values" not in value:
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat


def _names(entry: str, key: str) -> bool:
    """Whether an entry of the service's list speaks of this key, alone or with more behind it."""
    names = [key, *(flat.name for flat in FLAT_KEYS.values() if flat.twin == key)]
    return any(re.match(rf"{re.escape(name)}(?![\w.])", entry) for name in names)


def _flat_value(wish: Filter, entry: FilterEntry, words: tuple[str, ...]) -> JsonValue:
    if wish.operator not in {None, "contains"} or wish.mode not in {None, "any"}:
        raise NotPossible(f"The service takes '{entry.key}' without operator and mode.")
    if entry.kind == "values":
        return list(words)
    if len(words) != 1:
        raise NotPossible(
            f"The service takes one value for '{entry.key}', not {len(words)}."
            " Make one audience for each."
        )
    return words[0]


def _catalog_value(wish: Filter, entry: FilterEntry, words: tuple[str, ...]) -> JsonValue:
    operator = wish.operator
    if operator and entry.operators and operator not in entry.operators:
        known = quoted(entry.operators)
        raise NotPossible(f"'{entry.key}' has no operator '{operator}'. It has {known}.")
    spelled: dict[str, JsonValue] = {"values": list(words)}
    if entry.kind == "text":
        spelled |= {"operator": operator or "contains", "mode": wish.mode or "any"}
        return spelled
    spelled |= {"operator": operator} if operator else {}
    spelled |= {"mode": wish.mode} if wish.mode else {}
    return spelled


def _same_words(word: str) -> set[str]:
    asked = form(word)
    return next((same for same in _SAME_WORD if asked in same), {asked})


def _tail(key: str) -> str:
    return form(key.rpartition(".")[2]).replace(" ", "")
