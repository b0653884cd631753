"""JSON that was sent, read strictly."""

from collections.abc import Sequence
from typing import TypeGuard, TypeVar, cast

from leadpipe_mcp.sandbox.simulator import Issue, Refusal

Json = dict[str, object]
Choice = TypeVar("Choice", bound=str)


def is_object(value: object) -> TypeGuard[Json]:
    """Whether the value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Whether the value is a JSON array."""
    return isinstance(value, list)


def is_texts(value: object) -> TypeGuard[list[str]]:
    """Whether the value is an array of strings."""
    return is_array(value) and all(isinstance(item, str) for item in value)


class Form:
    """A JSON object being read; `issues` collects what is wrong with it.

    Every method gives the value, or None for one that is absent or wrong.
    """

    def __init__(self, body: object, path: str = "", issues: list[Issue] | None = None) -> None:
        self.issues: list[Issue] = [] if issues is None else issues
        self._path = path
        self.fields: Json = body if is_object(body) else {}
        if not is_object(body):
            self.wrong("", "Expected an object")

    def wrong(self, field: str, message: str) -> None:
        """Note what is wrong with a field, or with the whole for an empty name."""
        self.issues.append(Issue(".".join(filter(None, (self._path, field))), message))

    def check(self) -> None:
        """Refuse the request if anything is wrong with it."""
        if self.issues:
            raise Refusal(400, "Request validation failed", issues=self.issues)

    def inner(self, field: str) -> "Form":
        """An object inside this one, read as a form of its own."""
        path = ".".join(filter(None, (self._path, field)))
        return Form(self.fields.get(field), path, self.issues)

    def has(self, field: str) -> bool:
        """Whether the field was sent at all."""
        return field in self.fields

    def require(self, *fields: str) -> None:
        """Note those that were not sent."""
        for name in fields:
            if name not in self.fields:
                self.wrong(name, "Required")

    def text(self, field: str, longest: int, shortest: int = 0) -> str | None:
        """A string of a permitted length."""
        value = self.fields.get(field)
        if not self.has(field):
            return None
        if isinstance(value, str) and shortest <= len(value) <= longest:
            return value
        return self.wrong(field, f"Expected a string of {shortest} to {longest} characters")

    def integer(self, field: str, low: int, high: int, *, may_be_null: bool = False) -> int | None:
        """A whole number within its bounds; the text "5" is not one, nor is true."""
        value = self.fields.get(field)
        if not self.has(field) or (value is None and may_be_null):
            return None
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        return self.wrong(field, f"Expected an integer from {low} to {high}")

    def integers(self, field: str, most: int) -> list[int] | None:
        """A list of 1 to `most` whole numbers."""
        value = self.fields.get(field)
        if not self.has(field):
            return None
        numbers = value if is_array(value) else []
        if 1 <= len(numbers) <= most and all(type(number) is int for number in numbers):
            return cast("list[int]", numbers)
        return self.wrong(field, f"Expected an array of 1 to {most} integers")

    def choice(self, field: str, choices: Sequence[Choice]) -> Choice | None:
        """One of a closed set of strings."""
        value = self.fields.get(field)
        if not self.has(field):
            return None
        for known in choices:
            if value == known:
                return known
        return self.wrong(field, f"Expected one of {', '.join(choices)}")
