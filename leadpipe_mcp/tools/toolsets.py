"""Which tools there are, by toolset."""

from collections.abc import Mapping, Sequence
from typing import Any

from leadpipe_mcp.settings import Toolset
from leadpipe_mcp.toolkit import Declaration
from leadpipe_mcp.tools import (
    account,
    analysis,
    audiences,
    build,
    export,
    filters,
    lifecycle,
    people,
    plan,
    runs,
    sonarly,
    topics,
    trends,
    update,
    visitors,
    websites,
)

TOOLSETS: Mapping[Toolset, Sequence[Declaration[Any, Any, Any]]] = {
    "topics": (
        topics.search_topics,
        trends.compare_topics,
        trends.get_topic_movers,
        websites.analyze_website_topics,
    ),
    "audiences": (
        plan.plan_audience,
        filters.find_filters,
        build.preview_audience,
        build.create_audience,
        update.update_audience,
        audiences.list_audiences,
        audiences.get_audience,
        lifecycle.set_status,
        lifecycle.delete_audience,
        runs.run_audience,
    ),
    "results": (people.query_audience, analysis.analyze_audience, export.export_audience),
    "account": (account.get_account_status,),
    "visitors": visitors.TOOLS,
    "sonarly": sonarly.TOOLS,
}

TOOLS = tuple(tool for tools in TOOLSETS.values() for tool in tools)
