"""Read what a service sends as well as it can be read; one odd item does not cost a list.

A field that may be missing and cannot be read counts as not told. An item of a list that cannot be
read is left out, and the call's budget notes it, so that the reply can say so. What makes a thing
what it is (an id, a size) must be there.
"""

import contextlib
import datetime as dt
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from types import GenericAlias
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_wrap_validator_function

from leadpipe_mcp.api.budget import Noun, note_left_out
from leadpipe_mcp.text import clean, cut

LONGEST_ID = 200
LONGEST_LABEL = 120
LONGEST_NAME = 300

_THOUSANDS = re.compile(r"\d{1,3}(?:[,' \u00a0\u202f]\d{3})+|\d{1,18}")
_NO_CENTS = re.compile(r"\.00?$")
_DAY = re.compile(r"(?:19|20)\d\d[01]\d[0-3]\d")
_MILLISECONDS = 1e11

N = TypeVar("N", bound="Model")
Row = Mapping[str, object]
"""One person under the names of `people.columns`, the same for both generations of the API."""


@functools.cache
def _list_of(model: type) -> TypeAdapter[Any]:
    listed: Any = GenericAlias(tuple, (model, ...))
    return TypeAdapter(listed)


class Model(BaseModel):
    """Frozen, in camelCase outside and snake_case inside, keeping what it does not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )
    noun: ClassVar[Noun] = ("item", "items")
    """What one is called, and what several are called."""

    @classmethod
    def read_list(cls, items: Sequence[object]) -> tuple[Self, ...]:
        """Read a list of these, all at once, which takes half the time; or refuse all of it."""
        return _list_of(cls).validate_python(items)


class Told(Model):
    """What a service tells of a thing: a field that has a default and cannot be read is not set."""

    @model_validator(mode="wrap")
    @classmethod
    def _as_far_as_it_goes(cls, said: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(said)
        except ValidationError as error:
            if not isinstance(said, dict):
                raise
            told = cast("dict[str, object]", said)
            odd = {one["loc"][0] for one in error.errors(include_url=False) if one["loc"]}
            if not odd & told.keys():
                raise
            return handler({name: value for name, value in told.items() if name not in odd})


def readable(model: type[N], items: Iterable[object]) -> tuple[N, ...]:
    """Return the items of a list that can be read; the call's budget notes the others."""
    listed, found, odd = list(items), list[N](), list[object]()
    try:
        return model.read_list(listed)
    except ValidationError:
        for item in listed:
            try:
                found += model.read_list([item])
            except ValidationError:
                odd.append(item)
    note_left_out(model.noun, odd, len(listed))
    return tuple(found)


class _Readable:
    """Makes of a tuple of models one whose odd items are left out; null is an empty one."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        model = cast("type[Model]", get_args(source)[0])

        def read(said: object, _: object) -> tuple[Model, ...]:
            if not isinstance(said, list | tuple | None):
                raise ValueError("what should be a list is none")  # noqa: TRY004 -- pydantic takes no other
            return readable(model, cast("Iterable[object]", said or ()))

        return no_info_wrap_validator_function(read, handler(source))


def whole_number(said: object) -> int:
    """Read a number that counts something; it may come as text: "1,480"."""
    if isinstance(said, str):
        text = _NO_CENTS.sub("", said.strip())
        if not _THOUSANDS.fullmatch(text):
            raise ValueError("is no number")
        return int(re.sub(r"\D", "", text))
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < 1e18:
        raise ValueError("is no number of things")
    return round(said)


def _text(said: object) -> object:
    """What should be a text, as one: the service also sends numbers and lists."""
    if isinstance(said, list):
        return ", ".join(str(part) for part in cast("list[object]", said))
    return said if said is None or isinstance(said, str) else str(said)


def _word(said: object) -> object:
    """A text or a number as a short text; other things are none."""
    if (
        isinstance(said, str)
        and said.isascii()
        and said.isprintable()
        and len(said) < LONGEST_LABEL
    ):
        return said.strip()  # thousands of them are as they should be
    if isinstance(said, bool) or not isinstance(said, str | int | float | list):
        return said
    return clean(str(_text(cast("object", said))), LONGEST_LABEL)


def _name(said: object) -> object:
    # What no reader sees stays until it is shown: it may be compared with what was sent.
    return cut(said, LONGEST_NAME) if isinstance(said, str) else said


def _id(said: object) -> object:
    return str(said) if isinstance(said, int) and not isinstance(said, bool) else said


def _moment(said: object) -> object:
    """A moment or a day as text; one that comes as seconds or milliseconds since 1970 as well."""
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None
    digits = str(said).removesuffix(".0")
    if not digits.isascii() or not digits.isdigit():
        return clean(str(said), LONGEST_LABEL)
    if _DAY.fullmatch(digits):
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    number = int(digits[:15])
    with contextlib.suppress(ValueError, OverflowError, OSError):
        seconds = number / 1000 if number > _MILLISECONDS else number
        made = dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds")
        return made.replace("+00:00", "Z")
    return None


M = TypeVar("M")
Each = Annotated[tuple[M, ...], _Readable()]
"""A list of things of which those that cannot be read are left out."""
Count = Annotated[int, BeforeValidator(whole_number)]
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID), BeforeValidator(_id)]
Name = Annotated[str, BeforeValidator(_name)]
Label = Annotated[str, BeforeValidator(_word)]
"""A word or a line of the service's own: a status, a type, a reason. Cleaned and cut."""
Moment = Annotated[str | None, BeforeValidator(_moment)]
Text = Annotated[str | None, BeforeValidator(_text)]
"""Any text about a person, whole: what is shown of it is decided where it is shown."""
