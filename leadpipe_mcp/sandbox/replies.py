"""Answers and refusals, in the envelope that the API puts around them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from leadpipe_mcp.sandbox.settings import SandboxSettings

Json = dict[str, object]
HTTP_ERROR = "HTTP_ERROR"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers; the body is sent as JSON."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a handler answers with, made piece by piece while it is sent."""

    pieces: Iterator[bytes]
    headers: Mapping[str, str]


def answer(data: object, meta: Json | None = None, status: int = 200) -> Reply:
    """The success envelope around `data`."""
    body: Json = {"data": data}
    if meta is not None:
        body["meta"] = meta
    return Reply(body, status)


class Issue(NamedTuple):
    """One thing that is wrong with a request, and where."""

    path: str
    message: str


class Refusal(Exception):
    """An answer that is an error, raised from wherever it becomes clear."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = HTTP_ERROR,
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(message)
        error: Json = {"code": code, "message": message, **more}
        self.reply = Reply({"error": error}, status, headers or {})


def refuse_issues(issues: Sequence[Issue], settings: SandboxSettings) -> Refusal:
    """The refusal of a request that breaks the schema, in the form that the settings choose."""
    sentence = "; ".join(f"{path}: {message}" if path else message for path, message in issues)
    if settings.invalid_config != "zod":
        return Refusal(400, sentence, settings.validation_code)
    listed = [
        {"code": "custom", "path": path.split(".") if path else [], "message": message}
        for path, message in issues
    ]
    return Refusal(400, "Validation failed", "ZodError", issues=listed)


def not_found(what: str) -> Refusal:
    """404 for something that this organisation does not have."""
    return Refusal(404, f"{what} not found")
