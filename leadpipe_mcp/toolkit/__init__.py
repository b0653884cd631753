"""How tools are declared and called: what is the same for every tool of any service."""

from leadpipe_mcp.toolkit.confirm import CODE_SECONDS, Action, Codes, Request
from leadpipe_mcp.toolkit.cursors import read_cursor, subject_of, write_cursor
from leadpipe_mcp.toolkit.declaring import (
    Arguments,
    Call,
    Declaration,
    Kit,
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
    "Declaration",
    "Kit",
    "OfferedTools",
    "Question",
    "Reply",
    "Request",
    "Suggestion",
    "read_cursor",
    "subject_of",
    "tool",
    "write_cursor",
]
