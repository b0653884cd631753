"""MCP Apps: the page on which clients that can show one draw plans and audiences.

Only clients that say so are told of it. For all others no byte is different, and for a model there
is nothing more to read in either. The page calls tools through its host, and whatever spends or
deletes is not for it: those tools are marked as the model's alone, which hosts have to enforce.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = "ui://leadpipe/audience"
DRAWN = ("plan_audience", "preview_audience", "get_audience", "analyze_audience")
"""The tools whose replies the page draws."""
SAVES_DRAFTS = "create_audience"
"""The one tool that changes something and that the page may call."""
_FILE = Path(__file__).with_name("page.html")
_NO_REPORT = '<script type="application/json" id="report">null</script>'


def with_page(tools: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the listed tools as a client that shows pages gets them."""
    marked: list[dict[str, Any]] = []
    for tool in tools:
        mark: dict[str, Any] = {}
        if tool["name"] in DRAWN:
            mark = {"ui": {"resourceUri": PAGE}}
        elif not tool["annotations"]["readOnlyHint"] and tool["name"] != SAVES_DRAFTS:
            mark = {"ui": {"visibility": ["model"]}}
        marked.append({**tool, **({"_meta": mark} if mark else {})})
    return marked


def page() -> str:
    """Return the page, which a client shows."""
    return _FILE.read_text(encoding="utf-8")


def page_with(replies: Sequence[Mapping[str, Any]], made: str) -> str:
    """Return the page with these replies in it, as a file of its own."""
    report = json.dumps({"made": made, "replies": replies}, ensure_ascii=False)
    # Nothing in it can end the element: "<" is written as JavaScript would read it.
    safe = report.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return page().replace(_NO_REPORT, _NO_REPORT.replace("null", safe), 1)
