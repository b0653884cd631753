"""What is asked of people, as a caller writes it in `filters` and `exclude`: only read here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import nearest, quoted, redact
from leadpipe_mcp.vocabulary.catalog import NAME_LENGTH
from leadpipe_mcp.vocabulary.ranges import Span, read_number

Part = Literal["filters", "exclude"]

MAX_WORDS = 200
MAX_WORD_LENGTH = 255
_PARTS = ("values", "operator", "mode", "min", "max")
_FLAGS = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}


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
        """Return the yes or no that it holds.

        Raises:
            NotPossible: If it holds anything else.
        """
        flag = self.flag
        if len(self.words) == 1:
            flag = _FLAGS.get(self.words[0].casefold())
        if flag is None or self.operator or self.mode:
            raise NotPossible(f"'{self.name}' takes true or false.")
        return flag


def read_wish(part: Part, key: str, value: object) -> Wish:
    """Read what a caller wrote under a key.

    Raises:
        NotPossible: If no filter could take it.
    """
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
