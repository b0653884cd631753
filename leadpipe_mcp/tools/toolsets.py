"""Which tools there are, and which of them a server offers."""

from collections.abc import Mapping, Sequence
from typing import Any

from leadpipe_mcp.settings import Settings, Toolset
from leadpipe_mcp.toolkit import Declaration
from leadpipe_mcp.tools import (
    account,
    activation,
    analysis,
    audiences,
    building,
    exporting,
    finding,
    planning,
    results,
    runs,
    sonarly,
    topics,
    trends,
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
        planning.plan_audience,
        finding.find_filters,
        building.preview_audience,
        building.create_audience,
        building.update_audience,
        audiences.list_audiences,
        audiences.get_audience,
        activation.set_status,
        activation.delete_audience,
        runs.run_audience,
    ),
    "results": (results.query_audience, analysis.analyze_audience, exporting.export_audience),
    "account": (account.get_account_status,),
    "visitors": visitors.TOOLS,
    "sonarly": sonarly.TOOLS,
}

TOOLS = tuple(tool for tools in TOOLSETS.values() for tool in tools)


def chosen_tools(settings: Settings) -> tuple[Declaration[Any, Any, Any], ...]:
    """The tools of the toolsets that are on; in read-only mode, those that change nothing."""
    return tuple(
        tool
        for toolset in settings.chosen_toolsets()
        for tool in TOOLSETS[toolset]
        if tool.hints.read_only_hint or not settings.read_only
    )
