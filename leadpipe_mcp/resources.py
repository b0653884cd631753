"""Things to read: the guide, the filters and topics that there are, one audience."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from mcp import MCPError
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
)
from pydantic import ValidationError

from leadpipe_mcp.api.budget import call_budget
from leadpipe_mcp.errors import LeadpipeError, NotFound, WrongAddress
from leadpipe_mcp.logs import log_crash
from leadpipe_mcp.text import redact
from leadpipe_mcp.toolkit import Declaration, Kit
from leadpipe_mcp.toolkit.calls import Context
from leadpipe_mcp.toolkit.presenting import presentable_refusal
from leadpipe_mcp.toolkit.running import Begin, success
from leadpipe_mcp.tools.audiences import get_audience
from leadpipe_mcp.tools.plan import find_filters
from leadpipe_mcp.tools.topics import search_topics

GUIDE = """\
# Building audiences with Leadpipe

An **audience** is a saved answer to: who researches these **topics** at least this much (**score**)
and is such a person (**filters**)? The list of people is put together again every day while the
audience is active; each list is a **run**, with the day of its data.

## From a sentence to an audience

1. `plan_audience`: the whole brief in one call. Take the sentence apart; the server knows the
   service's words. `topics` are what people research *before* they buy (phrases or ids), `filters`
   who they are, `exclude` who is not wanted, `website` a site to take topics from, `targetSize` how
   many are wanted. Values may be everyday words, one an entry: `{"seniority": ["VP or above"],
   "state": ["CA"], "companySize": {"min": 51, "max": 250}}`. It answers with a config, its size,
   what each score, filter and topic makes of it, and what would reach the target. What fits nothing
   is refused, all of it at once.
2. Tell the user what `plan_audience` took for their words: what is close or ambiguous was chosen
   for them, so ask. What no filter knows (technologies used, funding, hiring, tenure, income) has
   to be said. `config` is what they asked for; `recommended` changes it, so it needs their yes.
3. `create_audience` with that `config`: a draft, which costs nothing.
4. `set_status` active: takes one of the account's slots, so the user is asked. Then `get_audience`
   with `waitSeconds` until the people are ready.
5. `analyze_audience` answers questions about all of them (who they are, how many of what, who is
   new or gone) without a row passing through the conversation; `query_audience` shows some of them;
   `export_audience` writes everyone to a file, after asking.

To go step by step, `search_topics` finds topics (several phrases in one call); `compare_topics`
shows how many people there are and whether interest grows; `find_filters` shows which filters
and values there are; `preview_audience` counts them.

Scores: 90 and up is high interest, 70 medium, below 60 faint. `minTopicOverlap` is how many of the
topics a person must research.

## What to tell the user

The size and the day of the data. What was asked for and could not be applied. That e-mail
addresses and phone numbers are masked until they ask for them. Before spending or deleting, what
would happen.

## When something is refused

A refusal says what was refused, why, and what would work. Use the nearest value it names if it
plainly means the same; otherwise ask the user. Do not leave a filter out silently.
"""
MARKDOWN, JSON = "text/markdown", "application/json"
_GUIDE = "leadpipe://guide"
_AUDIENCE = "leadpipe://audiences/"
RESOURCES = [
    Resource(
        uri=_GUIDE,
        name="guide",
        title="How to build an audience",
        description="From a sentence to people: the steps, the words, what to tell the user.",
        mime_type=MARKDOWN,
    ),
    Resource(
        uri="leadpipe://filters",
        name="filters",
        title="Filters",
        description="Every filter of the service, with its values.",
        mime_type=JSON,
    ),
    Resource(
        uri="leadpipe://topics/facets",
        name="topic-facets",
        title="Topics",
        description="The types, industries and categories of topics, with counts.",
        mime_type=JSON,
    ),
]
TEMPLATE = ResourceTemplate(
    uri_template=_AUDIENCE + "{id}",
    name="audience",
    title="A saved audience",
    description="One saved audience: who is in it, its status, size and runs.",
    mime_type=JSON,
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

    async def read(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        """Read what is at an address.

        Raises:
            MCPError: If nothing is there, or the service fails.
        """
        uri = str(params.uri)
        if uri == _GUIDE:
            text, kind = self._kit.offered.fit_page(GUIDE), MARKDOWN
        else:
            text, kind = await self._read(context, uri), JSON
        content = TextResourceContents(uri=params.uri, text=text, mime_type=kind)
        return ReadResourceResult(contents=[content])

    async def _read(self, context: Context, uri: str) -> str:
        """What the tool answers that tells what is at an address."""
        declaration = _LIVE.get(uri, get_audience)
        arguments: dict[str, Any] = {}
        if uri not in _LIVE:
            name = uri.removeprefix(_AUDIENCE)
            if name in {uri, ""} or "/" in name:
                said = f"There is no resource '{redact(uri, 64)}'."
                raise MCPError(INVALID_PARAMS, said, {"uri": uri})
            arguments = {"id": unquote(name)}
        code = INTERNAL_ERROR
        try:
            asked = declaration.arguments.model_validate(arguments)
            call = CallToolRequestParams(name=declaration.name, arguments=arguments)
            with call_budget() as spent:
                reply = await declaration.function(self._begin(context, call, spent), asked)
            reply.warnings = [*(reply.warnings or ()), *spent.gaps()]
            (block,) = success(reply, self._kit).content
            return block.text if isinstance(block, TextContent) else ""
        except WrongAddress as error:
            said = str(error)
        except (NotFound, ValidationError):
            code, said = INVALID_PARAMS, "There is no such audience; list_audiences shows them."
        except LeadpipeError as error:
            said = presentable_refusal(str(error))
        except Exception as crash:  # noqa: BLE001 -- any crash; its values go nowhere
            log_crash(declaration.name, crash)
            said = "This could not be read: leadpipe-mcp failed. Its log tells where."
        raise MCPError(code, self._kit.offered.fit(said), {"uri": uri})
