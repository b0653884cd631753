"""What differs between two states of an audience: as rows of a reply, and as a question says it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from leadpipe_mcp.api.models import Audience
from leadpipe_mcp.api.spelling import SpelledConfig
from leadpipe_mcp.text import clean, in_quotes, listed
from leadpipe_mcp.tools.replies import NAME_LENGTH, Cell

_ROOM = 700
"""As many characters as changes may take of a question; a client may cut a longer one."""
_FEW_VALUES = 8


@dataclass(frozen=True)
class Change:
    """One part of an audience, as it was and as it is to be."""

    part: str
    before: JsonValue
    after: JsonValue

    def row(self) -> list[Cell]:
        """Return the change as a row of a table."""
        return [self.part, _as_text(self.before), _as_text(self.after)]

    def sentence(self) -> str:
        """Say the change: of two lists, what is added and what is dropped."""
        was, will_be = self.before, self.after
        if not isinstance(was, list) or not isinstance(will_be, list):
            return f"{self.part}: {_in_words(was)} → {_in_words(will_be)}"
        added = [value for value in will_be if value not in was]
        dropped = [value for value in was if value not in will_be]
        said = [
            f"{verb} {_several(values)}"
            for verb, values in (("adds", added), ("drops", dropped))
            if values
        ]
        return f"{self.part} {', '.join(said)}"


def changes(before: SpelledConfig, after: SpelledConfig) -> list[Change]:
    """Return each part in which two configs differ."""
    was, will_be = _parts(before), _parts(after)
    return [
        Change(part, was.get(part), will_be.get(part))
        for part in dict.fromkeys([*was, *will_be])
        if _unordered(was.get(part)) != _unordered(will_be.get(part))
    ]


def renamed(audience: Audience, name: str | None) -> list[Change]:
    """Return the change of the name, if it is one."""
    if not name or name == audience.name:
        return []
    return [Change("name", clean(audience.name, NAME_LENGTH), clean(name, NAME_LENGTH))]


def in_one_sentence(made: Sequence[Change]) -> str:
    """Say all changes; of those for which there is no room, how many there are and of what."""
    room, said = _ROOM, list[str]()
    for change in made:
        sentence = change.sentence()
        room -= len(sentence) + 2
        if room < 0 and said:
            break
        said.append(sentence)
    rest = [clean(change.part, NAME_LENGTH) for change in made[len(said) :]]
    if rest:
        parts = listed([*rest[:_FEW_VALUES], *(["others"] if len(rest) > _FEW_VALUES else [])])
        said.append(f"and {len(rest)} more, of {parts}")
    return "; ".join(said)


def _parts(config: SpelledConfig) -> dict[str, JsonValue]:
    """The config as one level of named parts."""
    parts = config.shown.as_shown()
    filters, exclude = parts.pop("filters", None), parts.pop("exclude", None)
    left_out = exclude if isinstance(exclude, dict) else {}
    parts |= filters if isinstance(filters, dict) else {}
    named = parts | {f"exclude.{key}": value for key, value in left_out.items()}
    return {name: _plain(value) for name, value in named.items()}


def _plain(part: JsonValue) -> JsonValue:
    """The words of a filter without how they are matched."""
    if isinstance(part, dict) and isinstance(part.get("values"), list):
        return part["values"]
    return part


def _unordered(part: JsonValue) -> object:
    """The same for two lists of the same words."""
    return sorted(map(str, part)) if isinstance(part, list) else part


def _as_text(part: JsonValue) -> str:
    if part is None or isinstance(part, str):
        return clean(part or "", 200)
    return clean(json.dumps(part, ensure_ascii=False), 200)


def _in_words(part: JsonValue) -> str:
    if part is None:
        return "not set"
    if isinstance(part, str):
        return in_quotes(part, NAME_LENGTH)
    if isinstance(part, list):
        return _several(part)
    return clean(json.dumps(part, ensure_ascii=False), NAME_LENGTH)


def _several(values: Sequence[JsonValue]) -> str:
    few = [_in_words(value) for value in values[:_FEW_VALUES]]
    more = len(values) - len(few)
    return f"{', '.join(few)} and {more} more" if more else listed(few)
