"""Things to read: the guide, the filters and topics that there are, one audience."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mcp import MCPError, types
from pydantic import ValidationError

from leadpipe_mcp.api.budget import call_budget
from leadpipe_mcp.apps import PAGE, page
from leadpipe_mcp.errors import LeadpipeError, NotFound, WrongAddress
from leadpipe_mcp.logs import log_crash
from leadpipe_mcp.text import redact
from leadpipe_mcp.toolkit import Declaration
from leadpipe_mcp.toolkit.calls import KIND_OF_PAGE, Context, Kit
from leadpipe_mcp.toolkit.presenting import presentable_refusal
from leadpipe_mcp.toolkit.running import Begin, success
from leadpipe_mcp.tools.audiences import get_audience
from leadpipe_mcp.tools.plan import find_filters
from leadpipe_mcp.tools.topics import search_topics

_GUIDE = Path(__file__).with_name("guide.md").read_text(encoding="utf-8")
_AUDIENCE = "leadpipe://audiences/"
RESOURCES = [
    types.Resource(uri=f"leadpipe://{path}", name=name, title=title, description=said, mime_type=of)
    for path, name, title, of, said in (
        (
            *("guide", "guide", "How to build an audience", "text/markdown"),
            "From a sentence to people: the steps, the words, what to tell the user.",
        ),
        (
            *("filters", "filters", "Filters", "application/json"),
            "Every filter of the service, with its values.",
        ),
        (
            *("topics/facets", "topic-facets", "Topics", "application/json"),
            "The types, industries and categories of topics, with counts.",
        ),
    )
]
TEMPLATE = types.ResourceTemplate(
    uri_template=_AUDIENCE + "{id}",
    name="audience",
    title="A saved audience",
    description="One saved audience: who is in it, its status, size and runs.",
    mime_type="application/json",
)
_LIVE: Mapping[str, Declaration[Any, Any, Any]] = {
    "leadpipe://filters": find_filters,
    "leadpipe://topics/facets": search_topics,
}


class Resources:
    """The things to read. What is live is what the tool of the same subject says."""

    def __init__(self, kit: Kit, begin: Begin) -> None:
        self._kit = kit
        self._begin = begin

    async def read(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """Read what is at an address.

        Raises:
            MCPError: If nothing is there, or the service fails.
        """
        uri, meta = str(params.uri), None
        if uri == RESOURCES[0].uri:
            text, kind = self._kit.offered.fit_page(_GUIDE), "text/markdown"
        elif uri == PAGE:
            text, kind, meta = page(), KIND_OF_PAGE, {"ui": {"prefersBorder": True}}
        else:
            text, kind = await self._live(context, uri), "application/json"
        content = types.TextResourceContents(uri=params.uri, text=text, mime_type=kind, _meta=meta)
        return types.ReadResourceResult(contents=[content])

    async def _live(self, context: Context, uri: str) -> str:
        declaration = _LIVE.get(uri, get_audience)
        arguments: dict[str, Any] = {}
        if uri not in _LIVE:
            name = uri.removeprefix(_AUDIENCE)
            if name in {uri, ""} or "/" in name:
                said = f"There is no resource '{redact(uri, 64)}'."
                raise MCPError(types.INVALID_PARAMS, said, {"uri": uri})
            arguments = {"id": unquote(name)}
        code = types.INTERNAL_ERROR
        try:
            asked = declaration.arguments.model_validate(arguments)
            call = types.CallToolRequestParams(name=declaration.name, arguments=arguments)
            with call_budget() as spent:
                reply = await declaration.function(self._begin(context, call, spent), asked)
            reply.warnings = [*(reply.warnings or ()), *spent.gaps()]
            (block,) = success(reply, self._kit).content
            return block.text if isinstance(block, types.TextContent) else ""
        except WrongAddress as error:
            said = str(error)
        except (NotFound, ValidationError):
            code = types.INVALID_PARAMS
            said = "There is no such audience; list_audiences shows them."
        except LeadpipeError as error:
            said = presentable_refusal(str(error))
        except Exception as crash:  # noqa: BLE001 -- any crash; its values go nowhere
            log_crash(declaration.name, crash)
            said = "This could not be read: leadpipe-mcp failed. Its log tells where."
        raise MCPError(code, self._kit.offered.fit(said), {"uri": uri})
