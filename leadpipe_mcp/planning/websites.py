"""Addresses of websites that anybody may visit, told from those that lead somewhere private."""

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from leadpipe_mcp.errors import NotPossible

LONGEST_ADDRESS = 2048

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# What the names of one machine, one house or one company end in.
_INTERNAL = (
    *("arpa", "corp", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost"),
    *("onion", "private", "test"),
)
# The standard library writes these as other letters: another website's name.
_MISREAD = re.compile("[\N{LATIN SMALL LETTER SHARP S}\N{GREEK SMALL LETTER FINAL SIGMA}]")


def public_address(text: str) -> str:
    """The address of a public website as it is sent: https where none is named, no fragment.

    Nothing is asked of any server. Whoever visits it has to look where the name leads.

    Raises:
        NotPossible: Saying why it is none, without repeating it.
    """
    given = text.strip()
    if not given or len(given) > LONGEST_ADDRESS:
        raise _refused(f"is empty, or longer than {LONGEST_ADDRESS:,} characters")
    if "\\" in given or " " in given or not given.isprintable():
        raise _refused("holds a space, a backslash or an invisible character")
    try:
        parts = urlsplit(given if _SCHEME.match(given) else f"https://{given}")
    except ValueError:
        raise _refused("has no host name that could exist") from None
    if parts.scheme not in {"http", "https"}:
        raise _refused("is neither http nor https")
    if "@" in parts.netloc:
        raise _refused("carries a user name or a password")
    if "[" in parts.netloc:
        raise _refused("is an IP address")
    if ":" in parts.netloc:
        raise _refused("names a port")
    return urlunsplit((parts.scheme, _public_host(parts), parts.path, parts.query, ""))


def _public_host(parts: SplitResult) -> str:
    name = (parts.hostname or "").removesuffix(".")
    try:
        host = name.encode("idna").decode().lower()
    except UnicodeError:
        raise _refused("has no host name that could exist") from None
    labels = host.split(".")
    if _MISREAD.search(name) or not all(map(_LABEL.fullmatch, labels)):
        raise _refused("has no host name that could exist, or one to be written as xn--")
    if _NUMBER.fullmatch(labels[-1]):
        raise _refused("is an IP address")
    if len(labels) == 1 or labels[-1] in _INTERNAL:
        raise _refused("is of an internal network")
    return host


def _refused(why: str) -> NotPossible:
    return NotPossible(
        f"The url {why}, so nothing was sent: only public websites can be analyzed.",
        "Pass the address of the website's page, such as www.acme.example/products.",
    )
