"""The filters that the service has now, and which of them a key stands for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import listed, nearest, quoted, redact
from leadpipe_mcp.vocabulary.keys import EXCLUDING, FLAT_KEYS, NOT_FILTERED, FilterKind, FlatKey

Vocabulary = Literal["flat", "catalog"]

NAME_LENGTH = 64
_TAKES_PLAINLY = {"in", "is", "any", "equals", "is_any_of"}


@dataclass(frozen=True)
class FilterValue:
    """A value that a filter can take, its label, and how many people have it."""

    value: str
    label: str
    count: int | None = None


@dataclass(frozen=True)
class FilterEntry:
    """One filter of the live catalogue."""

    key: str
    label: str
    kind: FilterKind
    values: tuple[FilterValue, ...] = ()
    operators: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether it takes listed values, one or several."""
        return self.kind in {"values", "value"}


@dataclass(frozen=True)
class FilterCatalog:
    """The filters that the service has now, and the generation of its keys."""

    vocabulary: Vocabulary
    entries: Mapping[str, FilterEntry]

    def entry_for(self, key: str) -> FilterEntry:
        """Return the entry that a key of either generation means.

        Raises:
            NotPossible: If the service has no such filter, or more than one could be meant.
        """
        if key in self.entries:
            return self.entries[key]
        if key in FLAT_KEYS:
            return self._twin_of(FLAT_KEYS[key])
        for flat in FLAT_KEYS.values():
            if flat.name in self.entries and (key == flat.twin or flat.looks_like(key)):
                return self.entries[flat.name]
        raise self._unknown(key)

    def name_of(self, key: str) -> str:
        """Return the name of a service's key in replies: its flat name if it has one."""
        for flat in FLAT_KEYS.values():
            if key in {flat.name, flat.twin}:
                return flat.name
            if flat.looks_like(key) and self._candidates(flat) == [key]:
                return flat.name
        return key

    def excluding(self, entry: FilterEntry) -> FilterEntry | None:
        """Return the service's own filter for excluding what this one asks for."""
        return self.entries.get(EXCLUDING.get(entry.key, ""))

    def is_stand_in(self, key: str, entry: FilterEntry) -> bool:
        """Return whether this filter was taken for a flat key that has no documented twin."""
        flat = FLAT_KEYS.get(key)
        return flat is not None and entry.key not in {flat.name, flat.twin}

    def _twin_of(self, flat: FlatKey) -> FilterEntry:
        if flat.twin and flat.twin in self.entries:
            return self.entries[flat.twin]
        found = self._candidates(flat)
        if len(found) == 1 and self._is_plain(self.entries[found[0]], flat):
            return self.entries[found[0]]
        if found:
            keys = listed([f"'{key}'" for key in found], "or")
            raise NotPossible(f"'{flat.name}' could be {keys} here. Use that key itself.")
        raise NotPossible(
            f"The service has no filter for '{flat.name}' now; it has {', '.join(self.entries)}."
        )

    def _candidates(self, flat: FlatKey) -> list[str]:
        return [] if flat.twin else [key for key in self.entries if flat.looks_like(key)]

    @staticmethod
    def _is_plain(entry: FilterEntry, flat: FlatKey) -> bool:
        """Return whether it takes values, or a yes or no, as the flat key does."""
        operators = {operator.casefold() for operator in entry.operators}
        fits = entry.is_closed if flat.kind in {"values", "value"} else entry.kind == "flag"
        return fits and (not operators or bool(operators & _TAKES_PLAINLY))

    def _unknown(self, key: str) -> NotPossible:
        """Return the refusal of a filter key that does not exist, with the nearest that do."""
        said = redact(key, NAME_LENGTH)
        first = said.partition(".")[0].casefold()
        if first in {"exclude", "excluded", "not", "without", "no"}:
            return NotPossible(
                f"There is no filter '{said}'. To leave people out, use the argument exclude beside"
                ' filters: {"state": ["texas"]}.'
            )
        if key in EXCLUDING.values():
            return NotPossible(
                f"There is no filter '{said}' here, nor another that leaves out titles."
            )
        close = nearest(said, FLAT_KEYS) if "." not in said else []
        if close := close or nearest(said, [*self.entries, *FLAT_KEYS]):
            return NotPossible(f"There is no filter '{said}'. Did you mean {quoted(close)}?")
        return NotPossible(
            f"There is no filter '{said}'. There are: {', '.join(self._all_names())}."
            f" {NOT_FILTERED}"
        )

    def _all_names(self) -> Iterable[str]:
        return dict.fromkeys(self.name_of(key) for key in self.entries)
