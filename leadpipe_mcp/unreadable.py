"""What is said to a line that is no message of JSON-RPC, so that nobody waits in vain."""

import json
import re
from typing import cast

from mcp.types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError, JSONRPCResponse

END = 4_096
"""How much of each end of a line that is too long is kept."""

_NOT_JSON = ErrorData(
    code=PARSE_ERROR,
    message="This line is not JSON. Send every message as one line of JSON-RPC 2.0, in UTF-8.",
)
_TOO_LONG = ErrorData(
    code=INVALID_REQUEST,
    message="This message is longer than 16 MB, so it was not read. Send less at once.",
)
_BATCH = ErrorData(
    code=INVALID_REQUEST,
    message="A batch of messages is not taken here. Send each message on a line of its own.",
)
_INVALID = ErrorData(
    code=INVALID_REQUEST,
    message="This is not a message of JSON-RPC 2.0, or it holds half a character, a number that is"
    " too large, or brackets nested too deeply. A request has jsonrpc, id, method and params.",
)

_SIMPLE = r'"[^"\\\x00-\x1f]*"|-?(?:0|[1-9]\d{0,18})'
_MEMBER = rf'"(?:id|jsonrpc|method)"\s*:\s*(?:{_SIMPLE})\s*'
_FIRST = re.compile(rf'\s*\{{\s*(?:{_MEMBER},\s*)*"\w+"\s*:')
_LAST = re.compile(rf"(?:,\s*{_MEMBER})+\}}\s*$")
_NAMED = re.compile(rf'"(\w+)"\s*:\s*({_SIMPLE}|)')


class Ends(str):
    """Both ends of a line that is too long to be kept, one after the other."""

    __slots__ = ()


def judge(line: str) -> JSONRPCResponse | list[JSONRPCError]:
    """Say what a line that cannot be read is taken for.

    Returns:
        An empty answer if it is the client's answer to a request of ours: whoever waits for it has
        to know that it came. Else the refusals to send: one, with the id of the request if it has
        one, or one for each request of a batch; none for a notification.
    """
    said, problem = _make_out(line)
    if isinstance(said, list):
        numbers = [_id_of(one) for one in cast("list[object]", said) if _is_request(one)]
        return [_refusal(number, _BATCH) for number in numbers or [None]]
    number = _id_of(said)
    if isinstance(said, dict) and "method" not in said:
        if number is not None and ("result" in said or "error" in said):
            return JSONRPCResponse(jsonrpc="2.0", id=number, result={})
    elif isinstance(said, dict) and "id" not in said:
        return []
    return [_refusal(number, problem)]


def _make_out(line: str) -> tuple[object, ErrorData]:
    """Return what a line holds, or its first and last members, and what is wrong with it."""
    if isinstance(line, Ends):
        return _outer_members(line), _TOO_LONG
    try:
        # Python makes no whole number of some thousand digits; an id has twenty at most.
        said = json.loads(line, parse_int=lambda digits: int(digits) if len(digits) < 20 else 0.0)
    except RecursionError:
        return _outer_members(line), _INVALID
    except ValueError:
        return None, _NOT_JSON
    return said, _INVALID


def _outer_members(line: str) -> dict[str, object]:
    """Read the simple members that an object begins and ends with: surely not those of another."""
    first, last = _FIRST.match(line[:END]), _LAST.search(line[-END:])
    found = "".join(end.group() for end in (first, last) if end)
    members: dict[str, object] = {"id": None}  # It may have one in its middle.
    return members | {name: json.loads(text or "null") for name, text in _NAMED.findall(found)}


def _is_request(said: object) -> bool:
    return isinstance(said, dict) and "method" in said and "id" in said


def _id_of(said: object) -> str | int | None:
    match said:
        case {"id": str() | int() as number} if not isinstance(number, bool):
            return number
        case _:
            return None


def _refusal(number: str | int | None, problem: ErrorData) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=number, error=problem)
