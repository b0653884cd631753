"""Filters in the service's own words, and back: what is sent, and what replies show."""

import re
import unicodedata
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic import JsonValue

from leadpipe_mcp.api.models import Match, Part
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import join_sentences, listed, nearest, quoted, redact
from leadpipe_mcp.vocabulary.catalog import (
    EXCLUDING,
    FLAT_KEYS,
    NAME_LENGTH,
    RANGES,
    FilterCatalog,
    FilterEntry,
)
from leadpipe_mcp.vocabulary.ranges import Span, joined, read_number, read_range
from leadpipe_mcp.vocabulary.resolve import (
    USE_EXCLUDE,
    has_sign,
    known_words,
    resolve,
    resolve_range,
)

MAX_WORDS = 200
MAX_WORD_LENGTH = 255
_PARTS = ("values", "operator", "mode", "min", "max")
_FLAGS = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
MOST_LISTED_VALUES = 60
_ROOM_FOR_LISTS = 1_850
_NOT_WORDS = re.compile(r"\s*(?:not (?!for\b)|without |except |excluding |exclude )", re.IGNORECASE)
PLAIN_OPERATORS = {None, "in", "is", "any", "equals"}


@dataclass(frozen=True)
class Wish:
    """One thing asked of the people: a key with words, a range, or a yes or no."""

    part: Part
    key: str
    words: tuple[str, ...] = ()
    flag: bool | None = None
    span: Span | None = None
    operator: str | None = None
    mode: str | None = None

    @property
    def name(self) -> str:
        """What the caller called it."""
        name = redact(self.key, NAME_LENGTH)
        return name if self.part == "filters" else f"exclude.{name}"

    def as_flag(self) -> bool:
        """Return the yes or no that it holds, or refuse it."""
        flag = self.flag
        if len(self.words) == 1:
            flag = _FLAGS.get(self.words[0].casefold())
        if flag is None or self.operator or self.mode:
            raise NotPossible(f"'{self.name}' takes true or false.")
        return flag


def _read_wish(part: Part, key: str, value: object) -> Wish:
    wish = Wish(part, key)
    if isinstance(value, bool):
        return replace(wish, flag=value)
    written = isinstance(value, Mapping)
    given = cast("Mapping[str, object]", value) if written else {"values": value}
    for name in given:
        if name not in _PARTS:
            said = redact(name, NAME_LENGTH)
            close = nearest(said, _PARTS) or _PARTS
            raise NotPossible(f"'{wish.name}' has no part '{said}'. Did you mean {quoted(close)}?")
    if given.keys() & {"min", "max"}:
        return replace(wish, span=_span(wish, given))
    if "values" not in given:
        raise NotPossible(f"'{wish.name}' needs 'values': a list of words.")
    how = {name: given[name] for name in ("operator", "mode") if given.get(name) is not None}
    for name, word in how.items():
        if not isinstance(word, str) or not word:
            raise NotPossible(f"'{wish.name}' takes one word as its {name}.")
    return replace(wish, words=_words(wish, given["values"]), **cast("dict[str, str]", how))


def _words(wish: Wish, values: object) -> tuple[str, ...]:
    listed = cast("list[object]", values) if isinstance(values, list | tuple) else [values]
    words = tuple(dict.fromkeys(word.strip() for word in listed if isinstance(word, str)))
    if not all(isinstance(word, str) for word in listed):
        raise NotPossible(f"'{wish.name}' takes a list of words.")
    if not words or not all(words):
        raise NotPossible(f"'{wish.name}' is empty. Leave it out, or name at least one value.")
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD_LENGTH for word in words):
        raise NotPossible(
            f"'{wish.name}' is too long: at most {MAX_WORDS} values of {MAX_WORD_LENGTH}"
            " characters."
        )
    return words


def _span(wish: Wish, given: Mapping[str, object]) -> Span:
    """The range that {min, max} stands for; each may be a number, or one written as a text."""
    ends: dict[str, float] = {}
    for end in ("min", "max"):
        value = given.get(end)
        read = read_number(str(value)) if isinstance(value, int | float | str) else None
        if value is not None and (read is None or isinstance(value, bool)):
            raise NotPossible(f"'{wish.name}.{end}' must be a number.")
        ends |= {end: read} if read is not None else {}
    span = Span(ends.get("min", 0.0), ends.get("max", float("inf")))
    if not ends or given.keys() - {"min", "max"} or span.low > span.high:
        raise NotPossible(f"'{wish.name}' takes min, max or both, min not above max.")
    return span


@dataclass
class Spelling:
    """Filters spelled for one catalogue, with all that is wrong with them."""

    catalog: FilterCatalog
    near: bool = False
    sent: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    filters: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    exclude: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    matches: list[Match] = field(default_factory=list[Match])
    remarks: list[str] = field(default_factory=list[str])
    by_listing: list[str] = field(default_factory=list[str])
    _stand_ins: dict[str, str] = field(default_factory=dict[str, str])
    _problems: list[str] = field(default_factory=list[str])
    _wrong_lists: dict[str, FilterEntry] = field(default_factory=dict[str, FilterEntry])

    def read(self, filters: Mapping[str, object], exclude: Mapping[str, object]) -> "Spelling":
        """Spell what is asked for and left out, or name everything that cannot be applied."""
        pairs: dict[str, dict[Part, Wish]] = {}
        asked: dict[Part, Mapping[str, object]] = {"filters": filters, "exclude": exclude}
        for part, given in asked.items():
            for key, value in given.items():
                with self._noted():
                    entry = self.catalog.entry_for(key)
                    if value is None:
                        continue
                    wish = _read_wish(part, key, value)
                    entry, meant = self._meant(wish, entry)
                    first = pairs.setdefault(entry.key, {}).setdefault(meant, wish)
                    if first is not wish:
                        names = quoted([first.name, wish.name])
                        raise NotPossible(f"{names} are one and the same filter. Name it once.")
        for key, pair in pairs.items():
            with self._noted():
                self._spell(self.catalog.entries[key], pair.get("filters"), pair.get("exclude"))
        for name in self.filters.keys() & self.exclude.keys():
            if same := words_of(self.filters[name]).keys() & words_of(self.exclude[name]).keys():
                said = quoted(redact(word, NAME_LENGTH) for word in sorted(same))
                self._problems.append(f"{said} is both asked for and left out in '{name}'.")
        if self._stand_ins:
            names = listed([f"{key} is {own}" for key, own in self._stand_ins.items()])
            self.remarks.append(
                f"Applied by the catalogue's only filters of that meaning: {names}."
            )
        if self._problems:
            raise NotPossible(self._all_problems())
        return self

    def _all_problems(self) -> str:
        text = join_sentences(self._problems)
        for name, entry in self._wrong_lists.items():
            values = ", ".join(value.value for value in entry.values)
            listing = f" {name} takes: {values}."
            if len(entry.values) > MOST_LISTED_VALUES or len(text + listing) > _ROOM_FOR_LISTS:
                listing = f" find_filters with key {name} lists its {len(entry.values)} values."
            text += listing
        return text

    @contextmanager
    def _noted(self) -> Generator[None]:
        try:
            yield
        except NotPossible as problem:
            self._problems.append(str(problem))

    def _meant(self, wish: Wish, entry: FilterEntry) -> tuple[FilterEntry, Part]:
        if self.catalog.is_stand_in(wish.key, entry):
            self._stand_ins[wish.key] = entry.key
        if wish.part == "filters":
            return entry, "filters"
        if entry.key in EXCLUDING.values():
            raise NotPossible(f"'{wish.name}' leaves people out twice over. Put it into filters.")
        if excluding := self.catalog.excluding(entry):
            return excluding, "filters"
        if entry.kind in {"text", "range"}:
            raise NotPossible(
                f"'{wish.name}' cannot be applied: the service has no filter that leaves it out."
            )
        return entry, "exclude"

    def _spell(self, entry: FilterEntry, wanted: Wish | None, unwanted: Wish | None) -> None:
        name = self.catalog.name_of(entry.key)
        if entry.kind == "range":
            raise NotPossible(
                f"'{entry.key}' takes a range of numbers, and how the service wants it written"
                " is not published."
            )
        if entry.kind in {"flag", "yes_no"}:
            flags = {wish.as_flag() is (wish is wanted) for wish in (wanted, unwanted) if wish}
            if len(flags) > 1:
                raise NotPossible(f"'{name}' is both asked for and left out.")
            self.filters[name] = flag = flags.pop()
            self.sent[entry.key] = flag if entry.kind == "flag" else "y" if flag else "n"
        elif entry.kind != "text":
            self._spell_values(entry, name, wanted, unwanted)
        elif wanted:
            self._spell_text(entry, name, wanted)

    def _spell_text(self, entry: FilterEntry, name: str, wish: Wish) -> None:
        if not wish.words:
            raise NotPossible(f"'{wish.name}' takes words.")
        including = next((own for own, out in EXCLUDING.items() if out == entry.key), None)
        for word in wish.words:
            if why := _never_in_a_text(word, leaves_out=including is not None):
                self._problems.append(f"'{wish.name}' {why}.")
        self.sent[entry.key] = _written(self.catalog, entry, wish, wish.words)
        usual = wish.operator in {None, usual_operator(entry)} and wish.mode in {None, "any"}
        in_titles = usual and entry.key in {"jobTitle", *EXCLUDING, *EXCLUDING.values()}
        for word in wish.words if in_titles else ():
            if other := known_words().inside.get(word.casefold()):
                self.remarks.append(
                    f"'{word}' is looked for anywhere in a title, so '{other}' has it too."
                )
        shown = list[JsonValue](wish.words) if usual else self.sent[entry.key]
        if including and usual:
            self.exclude[self.catalog.name_of(including)] = shown
        else:
            self.filters[name] = shown

    def _spell_values(
        self, entry: FilterEntry, name: str, wanted: Wish | None, unwanted: Wish | None
    ) -> None:
        asked, left_out = (self._matches(entry, name, wish) for wish in (wanted, unwanted))
        if asked is None or left_out is None:
            return
        out = {value for match in left_out for value in match.values}
        for match in asked:
            if set(match.values) <= out:
                raise NotPossible(f"'{match.asked}' is both asked for and left out in '{name}'.")
        if wanted:
            named = dict.fromkeys(value for match in asked for value in match.values)
            values = [value for value in named if value not in out]
            self.filters[name] = list(values)
        else:
            values = [value.value for value in entry.values if value.value not in out]
            if not values or not out:
                raise NotPossible(f"'exclude.{name}' leaves nobody: no other value is known.")
            self.exclude[name] = [v.value for v in entry.values if v.value in out]
            self.by_listing.append(name)
            if self.catalog.vocabulary == "flat" and entry.kind == "value" and len(values) > 1:
                raise NotPossible(
                    f"The service takes one value for '{name}', so it cannot leave one out."
                )
        wish = wanted or Wish("exclude", name)
        self.sent[entry.key] = _written(self.catalog, entry, wish, tuple(values))

    def _matches(self, entry: FilterEntry, name: str, wish: Wish | None) -> list[Match] | None:
        """What each word of a wish means; None if one means nothing, which is noted."""
        if wish is None:
            return []
        if wish.flag is not None:
            raise NotPossible(f"'{wish.name}' takes words, not a yes or no.")
        if wish.span and name not in RANGES:
            raise NotPossible(f"'{wish.name}' takes words, not min and max.")
        if not entry.values:
            if wish.part == "exclude":
                raise NotPossible(f"'{wish.name}' cannot be applied: its values are not listed.")
            return [Match(wish.part, name, word, (word,), "exact") for word in wish.words]
        looked_up = [(word, resolve(word, entry, name)) for word in wish.words]
        if span := wish.span:
            high = "or more" if span.high == float("inf") else f"to {span.high:,.0f}"
            looked_up.append((f"{span.low:,.0f} {high}", resolve_range(span, entry, name)))
        found: list[Match] = []
        for word, meaning in looked_up:
            asked = redact(word, NAME_LENGTH)
            if not meaning.values or (meaning.sure == "close" and not self.near):
                near = meaning.values or meaning.could_be
                hint = f" Nearest: {quoted(near)}." if near else ""
                note = f" {meaning.note}" if meaning.note else ""
                self._problems.append(f"'{wish.name}' has no value '{asked}'.{hint}{note}")
                self._wrong_lists[name] = entry
            else:
                how = (meaning.sure, meaning.note, meaning.cut)
                found.append(Match(wish.part, name, asked, meaning.values, *how))
        if len(found) < len(looked_up):
            return None
        found = _joined_matches(found, wish, entry)
        self.matches += found
        return found


def _joined_matches(found: list[Match], wish: Wish, entry: FilterEntry) -> list[Match]:
    """The matches with what no range holds alone: 51-200 and 201-500 hold 101 to 250."""
    if not any(match.cut for match in found):
        return found
    name = found[0].key
    spans = [span for word in wish.words if (span := read_range(word, name))]
    spans = joined([*spans, wish.span] if wish.span else spans, name)
    together = {v for span in spans for v in resolve_range(span, entry, name).values}
    taken = together.union(*(match.values for match in found))
    joins: list[Match] = []
    for match in found:
        whole = tuple(value for value in match.cut if value in together)
        cut = tuple(value for value in match.cut if value not in taken)
        joins.append(replace(match, values=(*match.values, *whole), cut=cut))
    return joins


def _written(
    catalog: FilterCatalog, entry: FilterEntry, wish: Wish, words: tuple[str, ...]
) -> JsonValue:
    if catalog.vocabulary == "flat":
        usual = "in" if entry.kind != "text" else usual_operator(entry)
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
    operator = wish.operator
    if operator and entry.operators and operator not in entry.operators:
        raise NotPossible(
            f"'{entry.key}' has no operator '{redact(operator, NAME_LENGTH)}'. It has"
            f" {quoted(entry.operators)}."
        )
    if operator and entry.is_closed and operator not in PLAIN_OPERATORS:
        raise NotPossible(
            f"'{entry.key}' is asked for by its values. To leave some out, use exclude."
        )
    modes = ("any", "all") if entry.kind == "text" else ("any",)
    if wish.mode not in {None, *modes}:
        said = redact(wish.mode or "", NAME_LENGTH)
        raise NotPossible(f"'{entry.key}' has no mode '{said}'. It has {quoted(modes)}.")
    spelled: dict[str, JsonValue] = {"values": list(words)}
    if entry.is_closed:
        return spelled
    if entry.kind == "text":
        operator = operator or usual_operator(entry)
        spelled["mode"] = wish.mode or "any"
    return spelled | ({"operator": operator} if operator else {})


def _never_in_a_text(word: str, *, leaves_out: bool) -> str:
    """Say why a word could be in no title or name; nothing if it could."""
    said = redact(word, NAME_LENGTH)
    if any(unicodedata.category(letter)[0] == "C" for letter in word):
        return f"holds an invisible character in '{said}'"
    if has_sign(word.replace("+", "")):
        hint = "" if leaves_out else f". {USE_EXCLUDE.removesuffix('.')}"
        return f"takes plain words, and '{said}' carries a sign{hint}"
    if _NOT_WORDS.match(word):
        return f"takes plain words. {USE_EXCLUDE.removesuffix('.')}"
    if leaves_out and "," in word:
        return f"would leave out nobody by '{said}': name each title on its own"
    return ""


def usual_operator(entry: FilterEntry) -> str | None:
    """What is meant where no operator is named; None leaves it to the service.

    A domain is meant whole: "acme.com" is not "notacme.com".
    """
    domain = FLAT_KEYS["companyDomain"]
    if entry.key == domain.name or (entry.key == domain.twin and "equals" in entry.operators):
        return "equals"
    return "contains" if not entry.operators or "contains" in entry.operators else None


def words_of(value: JsonValue) -> dict[str, str]:
    """Return the words of a filter's value, by their form in any case."""
    words = value.get("values") if isinstance(value, dict) else value
    listed = words if isinstance(words, list) else [words]
    return {word.casefold(): word for word in listed if isinstance(word, str)}
