"""Addresses: where a service may be, and the paths below it."""

import ipaddress
import re
from urllib.parse import urlsplit

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import redact

_NO_ADDRESS = "must be an address like https://api.example.com"
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
# The words of the services' routes. Whatever else stands in a path is the id of something.
_ROUTE = re.compile(
    "/v1(/(accounts?|analyze|audiences|compare|data|facets|filters|intent|movers|pixels|preview"
    "|query|search|topics|validate))*"
)


def checked_base_url(url: str) -> str:
    """The URL without a slash at its end, if a key may be sent there; else a ValueError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # half of an IPv6 address, or a port that is none
        raise ValueError(_NO_ADDRESS) from None
    is_plain = url.isprintable() and " " not in url
    if parts.scheme not in {"http", "https"} or not host or port == 0 or not is_plain:
        raise ValueError(_NO_ADDRESS)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError("must be a plain address, without user, question mark or hash")
    if parts.scheme == "http" and not is_this_machine(host):
        raise ValueError("must start with https:// (http is only for this machine)")
    return url.rstrip("/")


def is_this_machine(host: str) -> bool:
    """Whether the host is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def path_of(*parts: str, shown_by: str = "list_audiences") -> str:
    """The parts as one path; none of them can reach into another route.

    Escaping would not do: a slash is one again where the service reads the path, and dots are gone
    before it is sent.
    """
    for part in parts:
        if not _PART.fullmatch(part):
            raise NotPossible(
                f"'{redact(part, 60)}' cannot be an id: ids are of letters, digits and dashes.",
                f"{shown_by} shows those that exist.",
            )
    return "".join(f"/{part}" for part in parts)


def names_a_thing(path: str) -> bool:
    """Whether the path is about a single thing, by its id: then a 404 may mean that one."""
    return not _ROUTE.fullmatch(path)
