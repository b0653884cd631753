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
_YES = {"y", "yes", "true"}
_NO = {"n", "no", "false"}


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
        word = self.words[0].strip().casefold() if len(self.words) == 1 else ""
        flag = word in _YES if word in _YES | _NO else self.flag
        if flag is None or self.operator or self.mode:
            raise NotPossible(f"'{self.name}' takes true or false.")
        return flag

    def as_text(self) -> tuple[str, ...]:
        """Return the words that it looks for in a text.

        Raises:
            NotPossible: If it holds something else than words.
        """
        if self.flag is not None or self.span is not None:
            raise NotPossible(f"'{self.name}' takes words.")
        return self.words


def read_wish(part: Part, key: str, value: object) -> Wish:
    """Read what a caller wrote under a key.

    Raises:
        NotPossible: If no filter could take it.
    """
    wish = Wish(part, key)
    if isinstance(value, bool):
        return replace(wish, flag=value)
    if not isinstance(value, Mapping):
        return replace(wish, words=_words(wish, value))
    given = cast("Mapping[str, object]", value)
    for name in given:
        if name not in _PARTS:
            said = redact(name, NAME_LENGTH)
            close = nearest(said, _PARTS) or _PARTS
            raise NotPossible(f"'{wish.name}' has no part '{said}'. Did you mean {quoted(close)}?")
    if given.keys() & {"min", "max"}:
        return replace(wish, span=_span(wish, given))
    if "values" not in given:
        raise NotPossible(f"'{wish.name}' needs 'values': a list of words.")
    return replace(
        wish,
        words=_words(wish, given["values"]),
        operator=_word_or_none(wish, "operator", given.get("operator")),
        mode=_word_or_none(wish, "mode", given.get("mode")),
    )


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


def _words(wish: Wish, value: object) -> tuple[str, ...]:
    given = cast("list[object]", value) if isinstance(value, list | tuple) else [value]
    words = tuple(dict.fromkeys(word.strip() for word in given if isinstance(word, str)))
    if not all(isinstance(word, str) for word in given):
        raise NotPossible(f"'{wish.name}' takes a list of words.")
    if not words or not all(words):
        raise NotPossible(f"'{wish.name}' is empty. Leave it out, or name at least one value.")
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD_LENGTH for word in words):
        raise NotPossible(
            f"'{wish.name}' is too long: at most {MAX_WORDS} values of {MAX_WORD_LENGTH}"
            " characters."
        )
    return words


def _word_or_none(wish: Wish, part: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise NotPossible(f"'{wish.name}' takes one word as its {part}.")
