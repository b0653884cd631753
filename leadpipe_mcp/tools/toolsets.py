"""Which tools there are, by toolset."""

from collections.abc import Mapping, Sequence
from typing import Any

from leadpipe_mcp.settings import Exports, Toolset
from leadpipe_mcp.toolkit import Declaration
from leadpipe_mcp.tools import (
    account,
    analysis,
    audiences,
    configs,
    export,
    lifecycle,
    people,
    pixels,
    plan,
    sonarly,
    sonarly_changes,
    topics,
    trends,
    visitors,
)

TOOLSETS: Mapping[Toolset, Sequence[Declaration[Any, Any, Any]]] = {
    "topics": (
        topics.search_topics,
        trends.compare_topics,
        trends.get_topic_movers,
        topics.analyze_website_topics,
    ),
    "audiences": (
        plan.plan_audience,
        plan.find_filters,
        configs.preview_audience,
        lifecycle.create_audience,
        lifecycle.update_audience,
        audiences.list_audiences,
        audiences.get_audience,
        lifecycle.set_status,
        lifecycle.delete_audience,
        audiences.run_audience,
    ),
    "results": (people.query_audience, analysis.analyze_audience, export.export_audience),
    "account": (account.get_account_status,),
    "visitors": (
        visitors.query_visitor_data,
        pixels.list_pixels,
        pixels.create_pixel,
        pixels.update_pixel,
    ),
    "sonarly": (
        sonarly.sonarly_list_accounts,
        sonarly.sonarly_list_audiences,
        sonarly.sonarly_get_audience,
        sonarly_changes.sonarly_create_audience,
        sonarly_changes.sonarly_update_audience,
        sonarly_changes.sonarly_delete_audience,
        sonarly.sonarly_list_prospects,
        sonarly_changes.sonarly_move_audience,
        sonarly_changes.sonarly_save_folder,
    ),
}

TOOLS = tuple(tool for tools in TOOLSETS.values() for tool in tools)

OVER_HTTP: Mapping[Exports, Declaration[Any, Any, Any]] = {
    "links": export.export_by_link,
    "urls": export.export_url,
}
"""What stands in the place of the tool of the same name, by what people are exported as."""


def tools_for(exports: Exports) -> list[Declaration[Any, Any, Any]]:
    """Return all tools, exporting people as this."""
    other = OVER_HTTP.get(exports)
    return [other if other and other.name == tool.name else tool for tool in TOOLS]
