"""What can be asked of people: the sixteen flat keys, any catalogue key, and how both are read.

A filter may be written in either spelling, whichever the service speaks. Here it is only read;
`spelling` says it in the service's words.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import nearest, quoted, redact, told

Kind = Literal["values", "value", "text", "flag", "yes_no", "range"]
"""What a filter holds: words of a list (several, or one), free words, or a yes or no."""

MAX_WORDS = 200
MAX_WORD_LENGTH = 255
NAME_LENGTH = 64


@dataclass(frozen=True)
class FlatKey:
    """One of the sixteen keys of the April 2026 API.

    `twin` is its catalogue key where the documents suggest one. Where they do not, `lookalikes`
    are the names under which it is looked for in the live catalogue.
    """

    name: str
    kind: Kind
    twin: str | None = None
    lookalikes: frozenset[str] = frozenset()


def _names(*names: str) -> frozenset[str]:
    return frozenset(names)


FLAT_KEYS: Mapping[str, FlatKey] = {
    key.name: key
    for key in (
        FlatKey("companyIndustry", "values", twin="company.industries"),
        FlatKey("seniority", "values", twin="role.seniority"),
        FlatKey(
            "companySize",
            "values",
            lookalikes=_names(
                "companysize", "companysizes", "size", "sizes", "employees", "employeecount",
                "employeecounts", "employeeranges", "headcount",
            ),
        ),
        FlatKey("department", "values", twin="role.departments"),
        FlatKey("state", "value", lookalikes=_names("state", "states", "usstate", "usstates")),
        FlatKey("companyRevenueRange", "values", twin="company.revenueRanges"),
        FlatKey("ageRange", "values", lookalikes=_names("age", "ages", "agerange", "ageranges")),
        FlatKey("gender", "value", lookalikes=_names("gender", "genders")),
        FlatKey("isB2b", "yes_no", lookalikes=_names("isb2b", "b2b")),
        FlatKey("jobTitle", "text", twin="jobTitle.include"),
        FlatKey("hasBusinessEmail", "flag", twin="contact.hasBusinessEmail"),
        FlatKey(
            "hasPersonalEmail", "flag", lookalikes=_names("haspersonalemail", "personalemail")
        ),
        FlatKey(
            "hasLinkedin",
            "flag",
            lookalikes=_names("haslinkedin", "haslinkedinurl", "linkedin", "haslinkedinprofile"),
        ),
        FlatKey("hasPhone", "flag", lookalikes=_names("hasphone", "phone", "hasphonenumber")),
        FlatKey("companyDomain", "text", twin="company.domains"),
        FlatKey("companyName", "text", twin="company.names"),
    )
}  # fmt: skip

CATALOG_KEY = re.compile(r"(?!.{101})[A-Za-z]\w*(\.[A-Za-z]\w*)+", re.ASCII)

# Catalogue keys of the documents, to suggest from before the live catalogue is at hand.
_KNOWN_CATALOG_KEYS = (
    *(key.twin for key in FLAT_KEYS.values() if key.twin),
    "company.industryGroups", "role.isDecisionMaker", "role.isCeo", "role.isVp",
    "role.isFinance", "jobTitle.exclude", "jobTitle.exact",
)  # fmt: skip

_YES = {"y", "yes", "true"}
_NO = {"n", "no", "false"}


@dataclass(frozen=True)
class Filter:
    """One wish about the people: a key with the words that it may hold, or a yes or no."""

    key: str
    values: tuple[str, ...] = ()
    flag: bool | None = None
    operator: str | None = None
    mode: str | None = None


def read_filters(written: Mapping[str, object]) -> tuple[Filter, ...]:
    """The filters as written by a caller; a None stands for no filter.

    Raises:
        NotPossible: Naming every key that is not known and every value of the wrong kind.
    """
    filters: list[Filter] = []
    problems: list[str] = []
    for key, value in written.items():
        if value is None:
            continue
        try:
            filters.append(_read(key, value))
        except NotPossible as refusal:
            problems.append(str(refusal))
    if problems:
        raise NotPossible(told(problems))
    return tuple(filters)


def same_wish(key: str, one: object, other: object) -> bool:
    """Whether two writings of a filter's value ask for the same people."""
    try:
        first, second = _read(key, one), _read(key, other)
        if first.flag is not None or second.flag is not None:
            return as_flag(first) == as_flag(second)
    except NotPossible:
        return False
    return (
        {word.casefold() for word in first.values} == {w.casefold() for w in second.values}
        and (first.operator or "contains") == (second.operator or "contains")
        and (first.mode or "any") == (second.mode or "any")
    )


def unknown_key(key: str, known: Iterable[str]) -> NotPossible:
    """The refusal for a filter key that does not exist, with the nearest that do."""
    known, name = list(known), redact(key, NAME_LENGTH)
    close = nearest(name, known)
    if close:
        return NotPossible(f"There is no filter '{name}'. Did you mean {quoted(close)}?")
    return NotPossible(f"There is no filter '{name}'. There are: {', '.join(known)}.")


def _read(key: str, value: object) -> Filter:
    flat = FLAT_KEYS.get(key)
    if flat is None and not CATALOG_KEY.fullmatch(key):
        near = nearest(key[:NAME_LENGTH], FLAT_KEYS)
        raise unknown_key(key, FLAT_KEYS if near else _KNOWN_CATALOG_KEYS)
    wish = _read_value(key, value)
    if flat is None:
        return wish
    if flat.kind in {"flag", "yes_no"}:
        return replace(wish, flag=as_flag(wish), values=())
    if wish.flag is not None:
        raise NotPossible(f"'{key}' takes words, not a yes or no.")
    return wish


def as_flag(wish: Filter) -> bool:
    """The yes or no that the filter holds.

    Raises:
        NotPossible: If it holds anything else.
    """
    if wish.flag is not None:
        return wish.flag
    word = wish.values[0].strip().casefold() if len(wish.values) == 1 else ""
    if word in _YES | _NO:
        return word in _YES
    raise NotPossible(f"'{wish.key}' takes true or false.")


def _read_value(key: str, value: object) -> Filter:
    if isinstance(value, bool):
        return Filter(key, flag=value)
    if isinstance(value, Mapping):
        return _read_object(key, cast("Mapping[str, object]", value))
    return Filter(key, values=_words(key, value))


def _read_object(key: str, value: Mapping[str, object]) -> Filter:
    parts = ("values", "operator", "mode")
    for name in value:
        if name not in parts:
            said = redact(name, NAME_LENGTH)
            close = nearest(said, parts) or parts
            raise NotPossible(f"'{key}' has no part '{said}'. Did you mean {quoted(close)}?")
    if "values" not in value:
        raise NotPossible(f"'{key}' needs 'values': a list of words.")
    return Filter(
        key,
        values=_words(key, value["values"]),
        operator=_word_or_none(key, "operator", value.get("operator")),
        mode=_word_or_none(key, "mode", value.get("mode")),
    )


def _words(key: str, value: object) -> tuple[str, ...]:
    given = cast("list[object]", value) if isinstance(value, list | tuple) else [value]
    words = tuple(dict.fromkeys(word.strip() for word in given if isinstance(word, str)))
    if not all(isinstance(word, str) for word in given):
        raise NotPossible(f"'{key}' takes a list of words.")
    if not words or not all(words):
        raise NotPossible(f"'{key}' is empty. Leave it out, or name at least one value.")
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD_LENGTH for word in words):
        raise NotPossible(
            f"'{key}' is too long: at most {MAX_WORDS} values of {MAX_WORD_LENGTH} characters."
        )
    return words


def _word_or_none(key: str, part: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise NotPossible(f"'{key}' takes one word as its {part}.")
