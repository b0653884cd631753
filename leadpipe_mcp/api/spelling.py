"""Filters in the service's own words: its live catalogue, and the way there from each spelling."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from leadpipe_mcp.api.filters import (
    FLAT_KEYS,
    NAME_LENGTH,
    Filter,
    FlatKey,
    Kind,
    as_flag,
    read_filters,
    unknown_key,
)
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import form, listed, nearest, quoted, redact, told

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
        if len(found := self._called(word)) == 1:
            return found[0]
        said = redact(word, NAME_LENGTH)
        if found:
            could = listed([f"'{value}'" for value in found[:4]], "or")
            raise NotPossible(f"'{key}' has more than one value '{said}': it could be {could}.")
        names = {v.label: v.value for v in self.values} | {v.value: v.value for v in self.values}
        close = list(dict.fromkeys(names[name] for name in nearest(word, names, limit=4)))
        if close:
            hint = f"Nearest: {quoted(close)}."
        else:
            some = [known.value for known in self.values[:8]]
            hint = f"It has {len(self.values)} values, such as {quoted(some)}."
        raise NotPossible(f"'{key}' has no value '{said}'. {hint}")

    def _called(self, word: str) -> list[str]:
        """The values that are called so: exactly, or else in another case, or else nearly."""
        asked, folded = _same_words(word), word.casefold()
        ways = (
            [v for v in self.values if v.value == word],
            [v for v in self.values if folded in {v.value.casefold(), v.label.casefold()}],
            [v for v in self.values if asked & {form(v.value), form(v.label)}],
        )
        return list(dict.fromkeys(v.value for v in next((way for way in ways if way), ways[0])))


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
            raise NotPossible(told(problems))
        return spelled

    def merge(
        self, present: Mapping[str, JsonValue], change: Mapping[str, object]
    ) -> dict[str, JsonValue]:
        """The present filters with the change applied key by key; a None removes its filter."""
        own = {self._own_key(key): value for key, value in unnested(present).items()}
        gone = [key for key, value in change.items() if value is None]
        # One that the service has no more can still be taken out.
        removed = {key if key in own else self.entry_for(key).key for key in gone}
        kept = {key: value for key, value in own.items() if key not in removed}
        return kept | self.spell(read_filters(change))

    def _own_key(self, key: str) -> str:
        """The service's present key for one that it keeps, perhaps in its older spelling."""
        try:
            return self.entry_for(key).key
        except NotPossible:
            return key

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
                f"The service has no filter '{redact(key, NAME_LENGTH)}', nor another that does the"
                f" same. It has: {', '.join(self.entries)}."
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
        if entry.kind in {"flag", "yes_no"}:
            wanted = as_flag(wish)
            if wish.operator or wish.mode:
                raise NotPossible(f"'{wish.key}' takes true or false, without operator and mode.")
            return wanted if entry.kind == "flag" else "y" if wanted else "n"
        if entry.kind == "range":
            raise NotPossible(
                f"'{entry.key}' takes a range of numbers, and how the service wants it written"
                " is not published."
            )
        words = wish.values if wish.flag is None else ("y" if wish.flag else "n",)
        if wish.flag is not None and not entry.values:
            raise NotPossible(f"'{wish.key}' takes words, not a yes or no.")
        if entry.kind != "text":
            # Two writings of one value are one.
            words = tuple(dict.fromkeys(entry.value_for(word, wish.key) for word in words))
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
    """The filters under dotted keys; the service also writes {"role": {"seniority": ...}}.

    There "includeMode" stands beside "include", and is its mode.
    """
    flat: dict[str, JsonValue] = {}
    for key, value in filters.items():
        if isinstance(value, dict) and "." not in key and "values" not in value:
            for name, inner in value.items():
                mode = value.get(f"{name}Mode")
                if name.endswith("Mode") and name.removesuffix("Mode") in value:
                    continue
                flat[f"{key}.{name}"] = {"values": inner, "mode": mode} if mode else inner
        else:
            flat[key] = value
    return flat


def _names(entry: str, key: str) -> bool:
    """Whether an entry of the service's list speaks of this key, alone or with more behind it."""
    names = [key, *(flat.name for flat in FLAT_KEYS.values() if flat.twin == key)]
    return any(re.match(rf"{re.escape(name)}(?![\w.])", entry) for name in names)


def _flat_value(wish: Filter, entry: FilterEntry, words: tuple[str, ...]) -> JsonValue:
    usual = "in" if entry.kind != "text" else _usual_operator(entry)
    if wish.operator not in {None, usual} or wish.mode not in {None, "any"}:
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
        raise NotPossible(
            f"'{entry.key}' has no operator '{redact(operator, NAME_LENGTH)}'. It has {known}."
        )
    modes = ("any", "all") if entry.kind == "text" else ("any",)
    if wish.mode not in {None, *modes}:
        said = redact(wish.mode or "", NAME_LENGTH)
        raise NotPossible(f"'{entry.key}' has no mode '{said}'. It has {quoted(modes)}.")
    spelled: dict[str, JsonValue] = {"values": list(words)}
    if entry.kind == "text":
        operator = operator or _usual_operator(entry)
        spelled["mode"] = wish.mode or "any"
    return spelled | ({"operator": operator} if operator else {})


def _usual_operator(entry: FilterEntry) -> str | None:
    """What is meant where no operator is named; None leaves it to the service.

    A domain is meant whole: "acme.com" is not "notacme.com".
    """
    domain = FLAT_KEYS["companyDomain"]
    if entry.key == domain.name or (entry.key == domain.twin and "equals" in entry.operators):
        return "equals"
    return "contains" if not entry.operators or "contains" in entry.operators else None


def _same_words(word: str) -> set[str]:
    asked = form(word)
    return next((same for same in _SAME_WORD if asked in same), {asked})


def _tail(key: str) -> str:
    return form(key.rpartition(".")[2]).replace(" ", "")
