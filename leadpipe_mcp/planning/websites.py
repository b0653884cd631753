"""Checks that the address of a website is public."""

import re
from urllib.parse import urlsplit, urlunsplit

from leadpipe_mcp.errors import NotPossible

LONGEST_ADDRESS = 2048

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# The ends of names that belong to one machine, one house or one company.
_INTERNAL = (
    *("arpa", "corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost"),
    *("onion", "private", "test"),
)
# The standard library writes these as other letters, which is another website's name.
_MISREAD = re.compile("[\N{LATIN SMALL LETTER SHARP S}\N{GREEK SMALL LETTER FINAL SIGMA}]")


def public_address(text: str) -> str:
    """Return the address of a public website as it is sent: with https by default, no fragment.

    No server is asked. The service that visits it must check where the name leads.

    Raises:
        NotPossible: Saying why it is not public, without repeating it.
    """
    given = text.strip()
    if not given or len(given) > LONGEST_ADDRESS:
        raise _refused(f"is empty, or longer than {LONGEST_ADDRESS:,} characters")
    if "\\" in given or " " in given or not given.isprintable():
        raise _refused("contains a space, a backslash or an invisible character")
    try:
        parts = urlsplit(given if _SCHEME.match(given) else f"https://{given}")
        name = (parts.hostname or "").removesuffix(".")
        host = name.encode("idna").decode().lower()
    except ValueError:
        raise _refused("has an impossible host name") from None
    labels = host.split(".")
    is_odd = _MISREAD.search(name) or not all(map(_LABEL.fullmatch, labels))
    for why, holds in {
        "is neither http nor https": parts.scheme not in {"http", "https"},
        "contains a user name or a password": "@" in parts.netloc,
        "is an IP address": "[" in parts.netloc or _NUMBER.fullmatch(labels[-1]),
        "names a port": ":" in parts.netloc,
        "has an impossible host name, or one that must be written as xn--": is_odd,
        "belongs to an internal network": len(labels) == 1 or labels[-1] in _INTERNAL,
    }.items():
        if holds:
            raise _refused(why)
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def _refused(why: str) -> NotPossible:
    return NotPossible(
        f"The url {why}, so nothing was sent: only public websites can be analyzed.",
        "Pass the address of the website's page, such as www.acme.example/products.",
    )
