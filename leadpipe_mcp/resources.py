"""Things to read: the guide, the filters and topics that there are, one audience."""

from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import TextContent
from pydantic import ValidationError

from leadpipe_mcp.api.errand import errand
from leadpipe_mcp.errors import LeadpipeError, NotFound, WrongAddress
from leadpipe_mcp.toolkit import Declaration, Kit
from leadpipe_mcp.toolkit.presenting import presentable_refusal
from leadpipe_mcp.toolkit.running import Begin, success
from leadpipe_mcp.tools.audiences import get_audience
from leadpipe_mcp.tools.finding import find_filters
from leadpipe_mcp.tools.topics import search_topics

GUIDE = """\
# Building audiences with Leadpipe

An **audience** is a saved answer to: who researches these **topics** at least this much (**score**)
and is such a person (**filters**)? The list of people is put together anew every day while the
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


def add_resources(server: MCPServer[Any], kit: Kit, begin: Begin) -> None:
    """Give the server its things to read; what is live is what the tools of the same name say."""

    @server.resource(
        "leadpipe://guide",
        name="guide",
        title="How to build an audience",
        description="From a sentence to people: the steps, the words, what to tell the user.",
        mime_type="text/markdown",
    )
    def guide() -> str:
        return kit.offered.fit_page(GUIDE)

    @server.resource(
        "leadpipe://filters",
        name="filters",
        title="Filters",
        description="Every filter of the service, with its values.",
        mime_type="application/json",
    )
    async def filters() -> str:
        return await _told(kit, begin, find_filters, Context(mcp_server=server))

    @server.resource(
        "leadpipe://topics/facets",
        name="topic-facets",
        title="Topics",
        description="The types, industries and categories of topics, with counts.",
        mime_type="application/json",
    )
    async def facets() -> str:
        return await _told(kit, begin, search_topics, Context(mcp_server=server))

    @server.resource(
        "leadpipe://audiences/{id}",
        name="audience",
        title="A saved audience",
        description="One saved audience: who is in it, its status, size and runs.",
        mime_type="application/json",
    )
    async def audience(id: str, ctx: Context[Any, Any]) -> str:  # noqa: A002 -- the address says id
        return await _told(kit, begin, get_audience, ctx, id=id)


async def _told(
    kit: Kit,
    begin: Begin,
    declaration: Declaration[Any, Any, Any],
    context: Context[Any, Any],
    **arguments: str,
) -> str:
    """What a reading tool answers."""
    try:
        asked = declaration.arguments.model_validate(arguments)
        with errand() as spent:
            reply = await declaration.function(begin(context, spent), asked)
        reply.warnings = [*(reply.warnings or ()), *spent.gaps()]
    except WrongAddress as error:
        raise ResourceError(kit.offered.fit(str(error))) from None
    except (NotFound, ValidationError):
        missing = kit.offered.fit("There is no such audience; list_audiences shows them.")
        raise ResourceNotFoundError(missing) from None
    except LeadpipeError as error:
        raise ResourceError(presentable_refusal(kit.offered.fit(str(error)))) from None
    (block,) = success(reply, kit).content
    return block.text if isinstance(block, TextContent) else ""
