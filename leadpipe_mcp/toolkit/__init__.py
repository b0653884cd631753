"""How tools are declared and called: what is the same for every tool of any service."""

from leadpipe_mcp.toolkit.calls import CODE_SECONDS, Action, Call, Codes, Kit
from leadpipe_mcp.toolkit.declaring import (
    Arguments,
    Cursor,
    Declaration,
    Question,
    Reply,
    Suggestion,
    tool,
)
from leadpipe_mcp.toolkit.offered import OfferedTools

__all__ = [
    "CODE_SECONDS",
    "Action",
    "Arguments",
    "Call",
    "Codes",
    "Cursor",
    "Declaration",
    "Kit",
    "OfferedTools",
    "Question",
    "Reply",
    "Suggestion",
    "tool",
]
