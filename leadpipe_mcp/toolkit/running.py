"""How a call of a tool runs: its arguments checked, its reply given, its refusal worded.

This is where the MCP SDK is bent (and, for their parts, in `middleware` and `serving`): a
`HouseTool` takes the place of the SDK's own handling of arguments and results.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool as SdkTool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, InputRequiredResult, TextContent
from pydantic import PrivateAttr, ValidationError

from leadpipe_mcp.api.errand import Errand, errand
from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.logs import log_call, log_crash
from leadpipe_mcp.toolkit.confirm import Agreed, Asking, Unconfirmed
from leadpipe_mcp.toolkit.declaring import (
    Arguments,
    Call,
    ConfirmableReply,
    Declaration,
    Kit,
    Reply,
)
from leadpipe_mcp.toolkit.presenting import presentable, presentable_refusal
from leadpipe_mcp.toolkit.schema import published_schema
from leadpipe_mcp.toolkit.wording import in_our_words

Begin = Callable[[Context[Any, Any], Errand], Call]
"""Begins a call of a tool."""

CRASHED = (
    "{tool} failed inside leadpipe-mcp, so whether anything was changed is unknown. Look first;"
    " then try once more. The server's log tells where it failed."
)
LOOKED = "The service's own answer was lost; a look afterwards shows that it was done, once."


class HouseTool(SdkTool):
    """A declared tool in the SDK's registry."""

    _declaration: Declaration[Any, Any, Any] = PrivateAttr()
    _kit: Kit = PrivateAttr()
    _begin: Begin = PrivateAttr()

    @classmethod
    def of(cls, declaration: Declaration[Any, Any, Any], kit: Kit, begin: Begin) -> "HouseTool":
        """The declared tool, whose calls begin like this."""
        offered = kit.offered
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
        made._kit = kit
        made._begin = begin
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
                    self._kit.changed()
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
            call = self._begin(context, spent)
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
        return success(reply, self._kit)

    def _refused(self, text: str) -> CallToolResult:
        """What was refused, why, and what to do next, as text alone."""
        said = presentable_refusal(self._kit.offered.fit(text))
        return CallToolResult(content=[TextContent(type="text", text=said)], is_error=True)


def _question(declaration: Declaration[Any, Any, Any], unconfirmed: Unconfirmed) -> Reply:
    summary = (
        f"{unconfirmed.reason} Ask the user: «{unconfirmed.question}» Only if they agree, call"
        f' {declaration.name} again with the same arguments and confirm: "{unconfirmed.code}"'
        " (holds for ten minutes)."
    )
    reply = cast("type[ConfirmableReply]", declaration.reply)
    return reply(summary=summary, question=unconfirmed.question, confirm=unconfirmed.code)


def success(reply: Reply, kit: Kit) -> CallToolResult:
    """The reply as structured content, and the same as compact text."""
    fit = kit.offered.fit
    reply = reply.model_copy(
        update={
            "summary": fit(reply.summary),
            "warnings": [words for text in reply.warnings or () if (words := fit(text))],
            # What this server does not offer, nobody can call next.
            "next": [step for step in reply.next or () if step.tool in kit.offered],
        }
    )
    said = reply.model_dump(mode="json", by_alias=True, exclude_none=True)
    said = presentable(said, kit.offered)
    kept = {key: value for key, value in said.items() if value not in ([], {})}
    last = {key: kept.pop(key) for key in ("warnings", "next") if key in kept}
    kept |= last | ({"sandbox": True} if kit.invented else {})
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=kept)
