"""How a tool is declared, its arguments checked, its reply given and its refusal worded.

This is where the MCP SDK is bent (and, for their parts, in `middleware` and `serving`): a
`HouseTool` takes the place of the SDK's own handling of arguments and results.
"""

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, TypeVar, cast, get_type_hints

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import (
    CallToolResult,
    InputRequiredResult,
    TextContent,
    ToolAnnotations,
)
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from leadpipe_mcp.api.errand import Errand, errand
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.sonarly import SonarlyClient
from leadpipe_mcp.errors import LeadpipeError, NotPossible
from leadpipe_mcp.logs import log_call, log_crash
from leadpipe_mcp.people.runs import LoadedRuns
from leadpipe_mcp.people.sql import SqlWorkers
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.confirm import Action, Agreed, Asking, Codes, Unconfirmed, ask
from leadpipe_mcp.tools.last_active import LastActive
from leadpipe_mcp.tools.offered import OfferedTools
from leadpipe_mcp.tools.presenting import (
    presentable,
    presentable_question,
    presentable_refusal,
)
from leadpipe_mcp.tools.schema import published_schema
from leadpipe_mcp.tools.wording import in_our_words

CRASHED = (
    "{tool} failed inside leadpipe-mcp, so whether anything was changed is unknown. Look first;"
    " then try once more. The server's log tells where it failed."
)
LOOKED = "The service's own answer was lost; a look afterwards shows that it was done, once."


class Arguments(BaseModel):
    """The arguments of a tool: camelCase outside, nothing unknown, never shown in an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, hide_input_in_errors=True
    )
    thing: ClassVar[str] = "audience"
    """What an `id` is the id of; a client may write it out, as in audienceId."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        """What was given, where null for something that has a default is nothing given."""
        if not isinstance(given, dict):
            return given
        fields = cls.model_fields.values()
        filled = {f.alias for f in fields if not f.is_required() and f.default is not None}
        named = cast("dict[str, object]", given)
        return {name: v for name, v in named.items() if v is not None or name not in filled}

    @model_validator(mode="before")
    @classmethod
    def _with_its_id(cls, given: object) -> object:
        """Move an id that came as `audienceId` to `id`, or the other way, to the one published."""
        if not isinstance(given, dict):
            return given
        named = dict(cast("dict[str, object]", given))
        both = {"id", f"{cls.thing}Id"}
        published = both & {field.alias for field in cls.model_fields.values()}
        if len(published) != 1:
            return named
        (name,), (other,) = published, both - published
        said = named.pop(other, None)
        if said is None:
            return named
        if named.get(name) not in (None, said):
            raise NotPossible(
                f"id and {cls.thing}Id both name the {cls.thing}, and they differ.",
                "Give one of them.",
            )
        return named | {name: said}


class Suggestion(BaseModel):
    """A call that makes sense now."""

    tool: str
    arguments: dict[str, JsonValue] | None = None
    why: str


class Reply(BaseModel):
    """What every reply says: a summary first, then the tool's own data, then what to mind."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )

    summary: str = Field(description="The answer in a sentence or two.")
    warnings: list[str] | None = Field(default=None, description="What to mind.")
    next: list[Suggestion] | None = Field(default=None, description="Calls that make sense now.")
    sandbox: bool | None = Field(default=None, description="True: the people are invented.")


class ConfirmableReply(Reply):
    """A reply that may be a question first: then nothing was changed, and `confirm` is the code."""

    question: str | None = Field(default=None, description="To put to the user before going on.")
    confirm: str | None = Field(
        default=None, description="Repeat the call with this code once the user has agreed."
    )


@dataclass(frozen=True)
class Services:
    """What tools work with: the services, the settings, the open questions, the people at hand."""

    leadpipe: LeadpipeClient
    sonarly: SonarlyClient
    settings: Settings
    codes: Codes
    runs: LoadedRuns
    sql: SqlWorkers
    offered: OfferedTools
    last_active: LastActive = field(default_factory=LastActive)


@dataclass(frozen=True)
class Call:
    """One call of a tool: the services, and the way back to the client while it runs."""

    services: Services
    context: Context[Any, Any]
    errand: Errand
    agreed: str | None = None
    """The code of a yes that the human gave in the middle of this call."""

    @property
    def leadpipe(self) -> LeadpipeClient:
        """The Leadpipe service."""
        return self.services.leadpipe

    @property
    def sonarly(self) -> SonarlyClient:
        """The Sonarly service."""
        return self.services.sonarly

    @property
    def shows_contact(self) -> bool:
        """Whether e-mail addresses and phone numbers may leave the server whole."""
        return self.services.settings.contact == "allow"

    @property
    def asks(self) -> bool:
        """Whether the human is asked before something is spent or gone."""
        return self.services.settings.confirm == "auto"

    async def confirm(self, action: Action, code: str | None) -> None:
        """Nothing, once the human agreed to the action; else the call ends here."""
        if self.asks:
            with self.errand.asking_a_human():
                codes, context = self.services.codes, self.context
                shown = replace(action, question=presentable_question(action.question))
                await ask(shown, code, codes, context, agreed=self.agreed)

    async def progress(self, done: float, total: float, message: str) -> None:
        """Tell the client how far the call is."""
        self.errand.done = max(done, self.errand.done)
        await self.context.report_progress(self.errand.done, total, message)

    async def tell(self, message: str) -> None:
        """Tell the client why it takes longer."""
        # Progress has to grow, though nothing was done.
        self.errand.done += 0.001
        await self.context.report_progress(self.errand.done, message=message)


A = TypeVar("A", bound=Arguments)
R = TypeVar("R", bound=Reply)


@dataclass(frozen=True)
class Declaration(Generic[A, R]):
    """A tool as it is written down: its words, its hints, and the function that does it."""

    name: str
    title: str
    description: str
    hints: ToolAnnotations
    arguments: type[A]
    reply: type[R]
    function: Callable[[Call, A], Awaitable[R]]


def tool(
    title: str, *, reads: bool = False, destroys: bool = False, idempotent: bool = False
) -> Callable[[Callable[[Call, A], Awaitable[R]]], Declaration[A, R]]:
    """Declare a tool: its name is the function's, its description the docstring.

    Args:
        title: What a person sees in a list of tools.
        reads: It changes nothing.
        destroys: What it changes cannot be had back.
        idempotent: Calling it twice is calling it once.
    """

    def declare(function: Callable[[Call, A], Awaitable[R]]) -> Declaration[A, R]:
        types = get_type_hints(function)
        hints = ToolAnnotations(
            title=title,
            read_only_hint=reads,
            destructive_hint=destroys,
            idempotent_hint=reads or idempotent,
            open_world_hint=True,
        )
        return Declaration(
            name=function.__name__,
            title=title,
            description=" ".join((function.__doc__ or "").split()),
            hints=hints,
            arguments=types["asked"],
            reply=types["return"],
            function=function,
        )

    return declare


class HouseTool(SdkTool):
    """A declared tool in the SDK's registry."""

    _declaration: Declaration[Any, Any] = PrivateAttr()
    _services: Services = PrivateAttr()

    @classmethod
    def of(cls, declaration: Declaration[Any, Any], services: Services) -> "HouseTool":
        """The declared tool, working with these services."""
        offered = services.offered
        made = cls(
            fn=declaration.function,
            name=declaration.name,
            title=declaration.title,
            description=offered.fit(declaration.description),
            parameters=offered.fit_schema(published_schema(declaration.arguments, "validation")),
            fn_metadata=FuncMetadata(
                arg_model=ArgModelBase,
                output_schema=offered.fit_schema(
                    published_schema(declaration.reply, "serialization")
                ),
            ),
            is_async=True,
            context_kwarg=None,
            annotations=declaration.hints,
        )
        made._declaration = declaration
        made._services = services
        return made

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: ARG002, FBT001, FBT002 -- the SDK's signature
    ) -> CallToolResult | InputRequiredResult:
        """The tool's reply, its refusal, or the question that its user has to answer first."""
        started = time.monotonic()
        outcome = "cancelled"
        with errand() as spent:
            try:
                result, outcome = await self._outcome(arguments, context, spent)
            finally:
                if not self._declaration.hints.read_only_hint:
                    self._services.runs.forget()
                log_call(
                    self.name,
                    outcome,
                    milliseconds=round((time.monotonic() - started) * 1000),
                    requests=spent.requests,
                    retries=spent.retries,
                    request_id=spent.request_id,
                )
        return result

    async def _outcome(
        self, arguments: dict[str, Any], context: Context[Any, Any], spent: Errand
    ) -> tuple[CallToolResult | InputRequiredResult, str]:
        """What the client gets, and a word for the log."""
        declaration = self._declaration
        try:
            asked = declaration.arguments.model_validate(arguments)
        except ValidationError as error:
            return self._refused(in_our_words(error, declaration.arguments)), "refused:arguments"
        try:
            call = Call(self._services, context, spent)
            spent.tell = call.tell
            made = await self._made(asked, call)
        except LeadpipeError as error:
            return self._refused(str(error)), f"refused:{type(error).__name__}"
        except Asking as asking:
            return asking.result, "asked"
        except Unconfirmed as unconfirmed:
            return self._said(_question(declaration, unconfirmed)), "asked"
        except Exception as crash:  # noqa: BLE001 -- whatever it is, its values go nowhere
            log_crash(self.name, crash)
            return self._refused(CRASHED.format(tool=self.name)), "crashed"
        seen = [*spent.gaps(), *([LOOKED] if spent.looked else [])]
        if seen:
            made.warnings = [*(made.warnings or ()), *seen]
        return self._said(made), "ok"

    async def _made(self, asked: Arguments, call: Call) -> Reply:
        """What the tool answers; after a yes it looks at everything anew."""
        try:
            return await self._declaration.function(call, asked)
        except Agreed as yes:
            return await self._made(asked, replace(call, agreed=yes.code))

    def _said(self, reply: Reply) -> CallToolResult:
        return success(reply, self._services)

    def _refused(self, text: str) -> CallToolResult:
        """What was refused, why, and what to do next, as text alone."""
        said = presentable_refusal(self._services.offered.fit(text))
        return CallToolResult(content=[TextContent(type="text", text=said)], is_error=True)


def _question(declaration: Declaration[Any, Any], unconfirmed: Unconfirmed) -> Reply:
    summary = (
        f"{unconfirmed.reason} Ask the user: «{unconfirmed.question}» Only if they agree, call"
        f' {declaration.name} again with the same arguments and confirm: "{unconfirmed.code}"'
        " (holds for ten minutes)."
    )
    reply = cast("type[ConfirmableReply]", declaration.reply)
    return reply(summary=summary, question=unconfirmed.question, confirm=unconfirmed.code)


def success(reply: Reply, services: Services) -> CallToolResult:
    """The reply as structured content, and the same as compact text."""
    fit = services.offered.fit
    reply = reply.model_copy(
        update={
            "summary": fit(reply.summary),
            "warnings": [words for text in reply.warnings or () if (words := fit(text))],
            # What this server does not offer, nobody can call next.
            "next": [step for step in reply.next or () if step.tool in services.offered],
        }
    )
    said = reply.model_dump(mode="json", by_alias=True, exclude_none=True)
    said = presentable(said, services.offered)
    kept = {key: value for key, value in said.items() if value not in ([], {})}
    last = {key: kept.pop(key) for key in ("warnings", "next") if key in kept}
    kept |= last | ({"sandbox": True} if services.settings.sandbox else {})
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=kept)
