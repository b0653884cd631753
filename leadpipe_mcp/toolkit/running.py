"""How a call of a tool runs: its arguments checked, its reply given, its refusal worded.

A refused argument is named, with why and what would do, and never with its value.
"""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mcp import MCPError, types
from pydantic import BaseModel, ValidationError

from leadpipe_mcp.api.budget import CallBudget, call_budget
from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.logs import log_call, log_crash
from leadpipe_mcp.text import join_sentences, listed, nearest, quoted, redact
from leadpipe_mcp.toolkit import Declaration, Reply, Schema, published_schema
from leadpipe_mcp.toolkit.calls import Agreed, Asking, Call, Context, Kit
from leadpipe_mcp.toolkit.presenting import presentable, presentable_refusal

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Begin = Callable[[Context, types.CallToolRequestParams, CallBudget], Call]
"""Begins a call of a tool."""
Declared = Declaration[Any, Any, Any]

CRASHED = (
    "{tool} failed inside leadpipe-mcp, so whether anything was changed is unknown. Look first;"
    " then try once more. The server's log tells where it failed."
)
LOOKED = "The service's own answer was lost; a look afterwards shows that it was done, once."
TOO_LARGE = "The whole answer has {size:,} bytes, and this server sends at most {most:,}."
ASK_FOR_LESS = "Ask for less: a smaller limit, fewer fields, or one thing at a time."
DONE = "This was done, so do not repeat it:"
NAME_LENGTH = 64
_SENTENCES = {
    "int_parsing_size": "is too large a number",
    "string_unicode": "holds characters that no text has",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "too_short": "needs at least {min_length} entry",
    "too_long": "takes at most {max_length} entries",
    "string_pattern_mismatch": "does not have the form that it should",
    "literal_error": "must be {expected}",
    "missing": "is required",
}
# By the first word of the kind of a problem.
_SHOULD_BE = {
    "int": "a whole number",
    "bool": "true or false",
    "string": "a text",
    "tuple": "a list",
    "list": "a list",
    "dict": "an object",
    "model": "an object",
}


class Toolbox:
    """The tools that a server offers, and how a call of one is answered."""

    def __init__(self, declarations: Iterable[Declared], kit: Kit, begin: Begin) -> None:
        self._declarations = {one.name: one for one in declarations}
        self._kit = kit
        self._begin = begin

    async def call(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Answer with the tool's reply, its refusal, or a question that the user has to answer."""
        declaration = self._declarations.get(params.name)
        if declaration is None:
            close = nearest(params.name, self._declarations)
            hint = f" Did you mean {quoted(close)}?" if close else ""
            name = redact(params.name, 64)
            raise MCPError(types.INVALID_PARAMS, f"There is no tool '{name}'.{hint}")
        started = time.monotonic()
        outcome = "cancelled"
        with call_budget() as spent:
            try:
                call = self._begin(context, params, spent)
                result, outcome = await self._outcome(declaration, call)
            finally:
                if not declaration.hints.read_only_hint:
                    self._kit.changed()
                log_call(
                    declaration.name,
                    outcome,
                    ms=round((time.monotonic() - started) * 1000),
                    requests=spent.requests,
                    retries=spent.retries,
                    request_id=spent.request_id,
                )
        return result

    async def _outcome(
        self, declaration: Declared, call: Call
    ) -> tuple[types.CallToolResult | types.InputRequiredResult, str]:
        """What the client gets, and a word for the log."""
        spent = call.budget
        spent.tell = call.tell
        try:
            asked = declaration.arguments.model_validate(call.params.arguments or {})
        except ValidationError as error:
            return self._refused(in_our_words(error, declaration.arguments)), "refused:arguments"
        try:
            made = await declaration.function(call, asked)
        except Agreed as yes:
            # It looks at everything again.
            return await self._outcome(declaration, replace(call, agreed=yes.code))
        except LeadpipeError as error:
            return self._refused(str(error)), f"refused:{type(error).__name__}"
        except Asking as asking:
            asked = asking.question
            return success(asked, self._kit) if isinstance(asked, Reply) else asked, "asked"
        except Exception as crash:  # noqa: BLE001 -- any crash; its values go nowhere
            log_crash(declaration.name, crash)
            return self._refused(CRASHED.format(tool=declaration.name)), "crashed"
        seen = [*spent.gaps(), *([LOOKED] if spent.looked else [])]
        made.warnings = [*(made.warnings or ()), *seen]
        return self._within_bounds(declaration, made)

    def _within_bounds(
        self, declaration: Declared, made: Reply
    ) -> tuple[types.CallToolResult, str]:
        """The reply; its refusal if it is larger than this server sends."""
        result, most = success(made, self._kit), self._kit.largest_reply
        if not most:
            return result, "ok"
        size = len(result.model_dump_json(by_alias=True, exclude_none=True).encode())
        if size <= most:
            return result, "ok"
        said = TOO_LARGE.format(size=size, most=most)
        if declaration.hints.read_only_hint:
            said = f"{said} {ASK_FOR_LESS}"
        else:
            said = f"{DONE} {made.summary} {said}"
        return self._refused(said), "refused:TooLarge"

    def _refused(self, text: str) -> types.CallToolResult:
        """What was refused, why, and what to do next, as text alone."""
        said = types.TextContent(text=presentable_refusal(self._kit.offered.fit(text)))
        return types.CallToolResult(content=[said], is_error=True)


def success(reply: Reply, kit: Kit) -> types.CallToolResult:
    """The reply as structured content, and the same as compact text."""
    fit = kit.offered.fit
    said = reply.model_dump(mode="json", by_alias=True, exclude_none=True)
    said["summary"] = fit(reply.summary)
    said["warnings"] = [words for text in reply.warnings or () if (words := fit(text))]
    # What this server does not offer, nobody can call next.
    said["next"] = [step for step in said.get("next", ()) if step["tool"] in kit.offered]
    said = presentable(said, kit.offered)
    kept = {key: value for key, value in said.items() if value not in ([], {})}
    last = {key: kept.pop(key) for key in ("warnings", "next") if key in kept}
    kept |= last | ({"sandbox": True} if kit.invented else {})
    text = types.TextContent(text=json.dumps(kept, ensure_ascii=False, separators=(",", ":")))
    return types.CallToolResult(content=[text], structured_content=kept)


def in_our_words(error: ValidationError, model: type[BaseModel]) -> str:
    """Say every problem with the arguments, and what would do. Never the value given."""
    problems = error.errors()
    return join_sentences(_sentence(problem, model) for problem in problems)


def _sentence(problem: "ErrorDetails", model: type[BaseModel]) -> str:
    # An unknown argument is called as the caller called it, which may be anything.
    path = [redact(str(part), NAME_LENGTH) for part in problem["loc"]]
    kind, context = problem["type"], problem.get("ctx", {})
    name = f"'{'.'.join(path)}'"
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
    what = _SHOULD_BE.get(kind.partition("_")[0], "of another kind")
    sentence = f"{name} {_SENTENCES.get(kind, f'must be {what}').format(**context)}."
    if kind == "missing" and (purpose := _fields(path[:-1], model).get(path[-1])):
        sentence += f" It is: {purpose}"
    return sentence


def _fields(path: list[str], model: type[BaseModel]) -> dict[str, str | None]:
    """The arguments that exist at a place, with what they are for."""
    schema = published_schema(model)
    for part in path:
        schema = schema.get("properties", {}).get(part, {})
    fields: dict[str, Schema] = schema.get("properties", {})
    return {name: field.get("description") for name, field in fields.items()}
