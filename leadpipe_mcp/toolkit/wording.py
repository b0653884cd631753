"""Refusals of arguments in our words: which one, why, and what would do. Never the value given."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel, ValidationError

from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.text import join_sentences, listed, nearest, quoted, redact

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NAME_LENGTH = 64

_SENTENCES: Mapping[str, str] = {
    "int_type": "{name} must be a whole number.",
    "int_parsing": "{name} must be a whole number.",
    "int_parsing_size": "{name} is too large a number.",
    "int_from_float": "{name} must be a whole number.",
    "bool_type": "{name} must be true or false.",
    "bool_parsing": "{name} must be true or false.",
    "string_type": "{name} must be a text.",
    "string_unicode": "{name} holds characters that no text has.",
    "tuple_type": "{name} must be a list.",
    "list_type": "{name} must be a list.",
    "dict_type": "{name} must be an object.",
    "model_type": "{name} must be an object.",
    "model_attributes_type": "{name} must be an object.",
    "greater_than_equal": "{name} must be {ge} or more.",
    "less_than_equal": "{name} must be {le} or less.",
    "string_too_short": "{name} must not be empty.",
    "string_too_long": "{name} must be at most {max_length} characters long.",
    "too_short": "{name} needs at least {min_length} entry.",
    "too_long": "{name} takes at most {max_length} entries.",
    "string_pattern_mismatch": "{name} does not have the form that it should.",
    "literal_error": "{name} must be {expected}.",
    "missing": "{name} is required.",
}


def in_our_words(error: ValidationError, model: type[BaseModel]) -> str:
    """Every problem with the arguments, a sentence or two each, and what the tool takes."""
    problems = error.errors(include_url=False, include_input=False)
    return join_sentences(_sentence(problem, model) for problem in problems)


def _sentence(problem: "ErrorDetails", model: type[BaseModel]) -> str:
    # An unknown argument is called as the caller called it, which may be anything.
    path = [redact(str(part), NAME_LENGTH) for part in problem["loc"]]
    kind, context = problem["type"], problem.get("ctx", {})
    name = f"'{'.'.join(path)}'" if path else "The arguments"
    if kind == "extra_forbidden":
        known = _fields(path[:-1], model)
        close = nearest(path[-1], known)
        hint = f"There are: {listed(list(known))}." if known else "This takes none."
        hint = f"Did you mean {quoted(close)}?" if close else hint
        return f"There is no argument {name}. {hint}"
    if kind == "value_error":
        # Of a validator of ours: an error of ours, or a ValueError about its field.
        error = context["error"]
        return f"{name} {error}" if path and not isinstance(error, LeadpipeError) else str(error)
    sentence = _SENTENCES.get(kind, "{name} is not what it should be.")
    sentence = sentence.format(name=name, **context)
    if kind == "missing" and (purpose := _fields(path[:-1], model).get(path[-1])):
        sentence += f" It is: {purpose}"
    return sentence


def _fields(path: list[str], model: type[BaseModel]) -> dict[str, str | None]:
    """The arguments that exist at a place, with what they are for."""
    for part in path:
        field = next((f for f in model.model_fields.values() if f.alias == part), None)
        inner = next(_models(field.annotation), None) if field else None
        if inner is None:
            return {}
        model = inner
    return {field.alias or name: field.description for name, field in model.model_fields.items()}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models in an annotation, however deep: one may be optional, or have validators."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
