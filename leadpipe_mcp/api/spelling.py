"""Filters in the service's own words: what a caller asks for becomes what is sent and shown."""

import math
import re
import unicodedata
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

from leadpipe_mcp.api.models import Filters, Match, Part
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import join_sentences, listed, quoted, redact
from leadpipe_mcp.vocabulary import catalog as known
from leadpipe_mcp.vocabulary.ranges import Span, joined, read_number, read_range
from leadpipe_mcp.vocabulary.resolve import (
    USE_EXCLUDE,
    Meaning,
    has_sign,
    known_words,
    resolve,
    resolve_range,
)

MAX_WORDS = 200
MOST_LISTED_VALUES = 60
FLAGS = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
_FORMS = "It takes a list of words, {values, operator, mode}, {min, max}, or true or false."
_ROOM_FOR_LISTS = 1_850
_NOT_WORDS = re.compile(r"\s*(?:not (?!for\b)|without |except |excluding |exclude )", re.IGNORECASE)
_PLAIN_OPERATORS = ("in", "is", "any", "equals")


_Number = Annotated[float, BeforeValidator(lambda said: read_number(str(said)))]
_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]


class _Said(BaseModel):
    """What may stand under a key: words, a range, or a yes or no."""

    model_config = ConfigDict(extra="forbid", strict=True)
    values: bool | Annotated[list[_Word], Field(min_length=1, max_length=MAX_WORDS)] | None = None
    operator: _Word | None = None
    mode: _Word | None = None
    min: _Number | None = None
    max: _Number | None = None


class Wish(_Said):
    """One thing asked of the people, and what its caller called it."""

    part: Part
    name: str

    @property
    def words(self) -> list[str]:
        """What is asked for in words, each once."""
        return list(dict.fromkeys(self.values)) if isinstance(self.values, list) else []

    @property
    def span(self) -> Span | None:
        """The range that min and max stand for."""
        low, high = self.min or 0.0, math.inf if self.max is None else self.max
        return Span(low, high) if {self.min, self.max} != {None} and low <= high else None

    def refused(self, why: str) -> NotPossible:
        """The refusal of this wish."""
        return NotPossible(f"'{self.name}' {why}")

    def as_flag(self) -> bool:
        """Return the yes or no that it holds, or refuse it."""
        flag = self.values if isinstance(self.values, bool) else None
        flag = FLAGS.get(self.words[0].casefold()) if len(self.words) == 1 else flag
        if flag is None or self.operator or self.mode:
            raise self.refused("takes true or false.")
        return flag


def _read_wish(part: Part, key: str, value: object) -> Wish:
    name = redact(key, known.NAME_LENGTH)
    name = name if part == "filters" else f"exclude.{name}"
    try:
        if isinstance(value, list | bool):
            said = _Said.model_validate({"values": value})
        else:
            said = _Said.model_validate(value if isinstance(value, dict) else {"values": [value]})
    except ValidationError as error:
        last = error.errors()[-1]
        place = redact(str(last["loc"][0]), known.NAME_LENGTH)
        odd = f"'{name}' cannot be read at {place}: {last['msg']}."
        raise NotPossible(f"{odd} {_FORMS}") from None
    wish = Wish.model_construct(part=part, name=name, **dict(said))
    if (wish.values is None) is (wish.span is None):
        raise wish.refused(f"holds neither words nor a range of numbers. {_FORMS}")
    return wish


@dataclass
class Spelling:
    """Filters spelled for one catalogue, with all that is wrong with them."""

    catalog: known.FilterCatalog
    near: bool = False
    sent: Filters = field(default_factory=Filters)
    filters: Filters = field(default_factory=Filters)
    exclude: Filters = field(default_factory=Filters)
    matches: list[Match] = field(default_factory=list[Match])
    remarks: list[str] = field(default_factory=list[str])
    by_listing: list[str] = field(default_factory=list[str])
    _stand_ins: list[str] = field(default_factory=list[str])
    _problems: list[str] = field(default_factory=list[str])
    _wrong_lists: dict[str, known.FilterEntry] = field(default_factory=dict[str, known.FilterEntry])

    def read(self, filters: Mapping[str, object], exclude: Mapping[str, object]) -> "Spelling":
        """Spell what is asked for and left out, or name everything that cannot be applied."""
        pairs: dict[str, dict[Part, Wish]] = {}
        for key, value in filters.items():
            with self._noted():
                self._add("filters", key, value, pairs)
        for key, value in exclude.items():
            with self._noted():
                self._add("exclude", key, value, pairs)
        for key, pair in pairs.items():
            with self._noted():
                self._spell(self.catalog.entries[key], pair)
        for name in self.filters.keys() & self.exclude.keys():
            if same := words_of(self.filters[name]).keys() & words_of(self.exclude[name]).keys():
                said = quoted(redact(word, known.NAME_LENGTH) for word in sorted(same))
                self._problems.append(f"{said} is both asked for and left out in '{name}'.")
        if self._problems:
            raise NotPossible(self._all_problems())
        if self._stand_ins:
            only = "Applied by the catalogue's only filters of that meaning"
            self.remarks.append(f"{only}: {listed(self._stand_ins)}.")
        return self

    def _all_problems(self) -> str:
        text = join_sentences(self._problems)
        for name, entry in self._wrong_lists.items():
            listing = f" {name} takes: {', '.join(value.value for value in entry.values)}."
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

    def _add(self, part: Part, key: str, value: object, pairs: dict[str, dict[Part, Wish]]) -> None:
        entry = self.catalog.entry_for(key)
        if value is None:
            return
        wish = _read_wish(part, key, value)
        if self.catalog.is_stand_in(key, entry):
            self._stand_ins.append(f"{key} is {entry.key}")
        if part == "exclude":
            if entry.key in known.EXCLUDING.values():
                raise wish.refused("leaves people out twice over. Put it into filters.")
            if excluding := self.catalog.excluding(entry):
                entry, part = excluding, "filters"
            elif entry.kind in {"text", "range"}:
                why = "cannot be applied: the service has no filter that leaves it out."
                raise wish.refused(why)
        first = pairs.setdefault(entry.key, {}).setdefault(part, wish)
        if first is not wish:
            names = quoted([first.name, wish.name])
            raise NotPossible(f"{names} are one and the same filter. Name it once.")

    def _spell(self, entry: known.FilterEntry, pair: Mapping[Part, Wish]) -> None:
        name = self.catalog.name_of(entry.key)
        if entry.kind == "range":
            how = "takes a range of numbers, and how the service wants it written is not published"
            raise NotPossible(f"'{entry.key}' {how}.")
        if entry.kind == "text":
            self._spell_text(entry, name, pair["filters"])
        elif entry.is_closed:
            self._spell_values(entry, name, pair)
        else:
            flags = {wish.as_flag() is (part == "filters") for part, wish in pair.items()}
            if len(flags) > 1:
                raise NotPossible(f"'{name}' is both asked for and left out.")
            self.filters[name] = flag = flags.pop()
            self.sent[entry.key] = flag if entry.kind == "flag" else "y" if flag else "n"

    def _spell_text(self, entry: known.FilterEntry, name: str, wish: Wish) -> None:
        if not wish.words:
            raise wish.refused("takes words.")
        including = next((own for own, out in known.EXCLUDING.items() if out == entry.key), None)
        for word in wish.words:
            said = redact(word, known.NAME_LENGTH)
            is_hidden = any(unicodedata.category(letter)[0] == "C" for letter in word)
            if is_hidden or has_sign(word.replace("+", "")) or _NOT_WORDS.match(word):
                odd = f"'{said}' carries a sign, a 'not' or an invisible character"
                problem = f"takes plain words, and {odd}. {USE_EXCLUDE}"
                self._problems.append(str(wish.refused(problem)))
            elif including and "," in word:
                nobody = f"would leave out nobody by '{said}': name each title on its own."
                self._problems.append(str(wish.refused(nobody)))
        self.sent[entry.key] = sent = self._written(entry, wish, wish.words)
        if not is_usual(entry, wish.operator, wish.mode):
            self.filters[name] = sent
            return
        if entry.key in {"jobTitle", *known.EXCLUDING, *known.EXCLUDING.values()}:
            inside = known_words().inside
            self.remarks += [
                f"'{word}' is looked for anywhere in a title, so '{inside[plain]}' has it too."
                for word in wish.words
                if (plain := word.casefold()) in inside
            ]
        shown = self.exclude if including else self.filters
        shown[self.catalog.name_of(including or entry.key)] = list(wish.words)

    def _spell_values(self, entry: known.FilterEntry, name: str, pair: Mapping[Part, Wish]) -> None:
        matches = {part: self._matches(entry, name, wish) for part, wish in pair.items()}
        if None in matches.values():
            return
        asked, left_out = matches.get("filters") or [], matches.get("exclude") or []
        out = {value for match in left_out for value in match.values}
        for match in asked:
            if set(match.values) <= out:
                raise NotPossible(f"'{match.asked}' is both asked for and left out in '{name}'.")
        there = [value.value for value in entry.values]
        if asked:
            there = list(dict.fromkeys(value for match in asked for value in match.values))
        values = [value for value in there if value not in out]
        if asked:
            self.filters[name] = list(values)
        elif values and out:
            self.exclude[name] = [value for value in there if value in out]
            self.by_listing.append(name)
        else:
            raise NotPossible(f"'exclude.{name}' leaves nobody: no other value is known.")
        self.sent[entry.key] = self._written(entry, next(iter(pair.values())), values)

    def _matches(self, entry: known.FilterEntry, name: str, wish: Wish) -> list[Match] | None:
        """What each word of a wish means; None if one means nothing, which is noted."""
        if isinstance(wish.values, bool) or (wish.span and name not in known.RANGES):
            raise wish.refused("takes words.")
        if not entry.values:
            if wish.part == "exclude":
                raise wish.refused("cannot be applied: its values are not listed.")
            return [Match(wish.part, name, word, (word,), "exact") for word in wish.words]
        found: list[Match] = []
        looked_up = _meanings(wish, entry, name)
        for word, meaning in looked_up:
            asked = redact(word, known.NAME_LENGTH)
            if meaning.values and (self.near or meaning.sure != "close"):
                how = (meaning.sure, meaning.note, meaning.cut)
                found.append(Match(wish.part, name, asked, meaning.values, *how))
                continue
            near = meaning.values or meaning.could_be
            hint = f" Nearest: {quoted(near)}." if near else ""
            why = f"has no value '{asked}'.{hint} {meaning.note}".strip()
            self._problems.append(str(wish.refused(why)))
            self._wrong_lists[name] = entry
        if len(found) < len(looked_up):
            return None
        self.matches += found
        return found

    def _written(self, entry: known.FilterEntry, wish: Wish, words: list[str]) -> JsonValue:
        operator, mode = wish.operator, wish.mode
        if self.catalog.vocabulary == "flat":
            if not is_usual(entry, operator, mode):
                raise NotPossible(f"The service takes '{entry.key}' without operator and mode.")
            if entry.kind == "values":
                return list(words)
            if len(words) != 1:
                one = f"The service takes one value for '{entry.key}', not {len(words)}"
                raise NotPossible(f"{one}. Make one audience for each.")
            return words[0]
        modes = ("any", "all") if entry.kind == "text" else ("any",)
        for what, asked, there in (("operator", operator, entry.operators), ("mode", mode, modes)):
            if asked and there and asked not in there:
                said = f"has no {what} '{redact(asked, known.NAME_LENGTH)}'"
                raise NotPossible(f"'{entry.key}' {said}. It has {quoted(there)}.")
        if entry.is_closed:
            if not is_usual(entry, operator, mode):
                by_values = f"'{entry.key}' is asked for by its values."
                raise NotPossible(f"{by_values} To leave some out, use exclude.")
            return {"values": list(words)}
        operator = operator or usual_operator(entry)
        spelled: Filters = {"values": list(words), "mode": mode or "any"}
        return spelled | ({"operator": operator} if operator else {})


def _meanings(wish: Wish, entry: known.FilterEntry, name: str) -> list[tuple[str, Meaning]]:
    """What each word and range means; 51-200 and 201-500 together hold 101 to 250."""
    words = wish.words
    found = [(word, resolve(word, entry, name)) for word in words]
    if span := wish.span:
        high = "or more" if span.high == math.inf else f"to {span.high:,.0f}"
        found.append((f"{span.low:,.0f} {high}", resolve_range(span, entry, name)))
    if not any(meaning.cut for _, meaning in found):
        return found
    spans = [its for word in words if (its := read_range(word, name))] + ([span] if span else [])
    together = {v for its in joined(spans, name) for v in resolve_range(its, entry, name).values}
    taken = together.union(*(meaning.values for _, meaning in found))
    for at, (word, meaning) in enumerate(found):
        whole = tuple(value for value in meaning.cut if value in together)
        cut = tuple(value for value in meaning.cut if value not in taken)
        found[at] = (word, replace(meaning, values=(*meaning.values, *whole), cut=cut))
    return found


def usual_operator(entry: known.FilterEntry) -> str | None:
    """What is meant where no operator is named; None leaves it to the service.

    A domain is meant whole: "acme.com" is not "notacme.com".
    """
    domain = known.FLAT_KEYS["companyDomain"]
    if entry.key == domain.name or (entry.key == domain.twin and "equals" in entry.operators):
        return "equals"
    if not entry.operators or "contains" in entry.operators:
        return "contains"
    return entry.operators[0] if len(entry.operators) == 1 else None


def is_usual(entry: known.FilterEntry, operator: JsonValue, mode: JsonValue) -> bool:
    """Whether operator and mode say no more than the words do without them."""
    plain = (usual_operator(entry),) if entry.kind == "text" else _PLAIN_OPERATORS
    return operator in (None, *plain) and mode in (None, "any")


def words_of(value: JsonValue) -> dict[str, str]:
    """Return the words of a filter's value, by their form in any case."""
    words = value.get("values") if isinstance(value, dict) else value
    given = words if isinstance(words, list) else [words]
    return {word.casefold(): word for word in given if isinstance(word, str)}
