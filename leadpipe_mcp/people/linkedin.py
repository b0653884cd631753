"""Addresses of LinkedIn profiles, in one spelling each."""

import re
import unicodedata
from urllib.parse import quote, unquote

from leadpipe_mcp.text import visible

_PROFILE = re.compile(
    r"(?:https?:)?/{0,2}(?:(?:www|m|mobile|touch|[a-z]{2})\.)?linkedin\.com(?::(?:80|443))?"
    r"/+(?:[a-z]{2}(?:[-_][a-z]{2})?/+)?in/+(?P<name>[^/?#\\]+)(?:[/?#].*)?",
    re.IGNORECASE,
)
_USUAL_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LONGEST_NAME = 100
# Besides letters, digits, and the marks and emoji that some people use.
_ALSO_IN_NAMES = "-_~'\u2019\u00b7&!()*"
# The name that LinkedIn makes of a member's number, in which upper and lower case differ.
_MEMBER_NUMBER = re.compile(r"AC[ow]AA[\w-]{20,}")
_BETWEEN = re.compile(r"[\s,;|<>\"]+")
# Nothing longer is the address of a person's page.
_LONGEST = 4_000


def profile_url(value: object) -> str | None:
    """Return the first address of a person's LinkedIn profile in one spelling; None without one.

    It is the same with http and https, with and without www, a country, a language, a slash or a
    query, and in upper and lower case.
    """
    if not isinstance(value, str):
        return None
    for part in _BETWEEN.split(visible(value[:_LONGEST])):
        found = _PROFILE.fullmatch(part)
        name = found and _name(found["name"])
        if name:
            return f"https://www.linkedin.com/in/{name}"
    return None


def _name(encoded: str) -> str | None:
    """Return the name in the address, if a profile may have it."""
    name = unicodedata.normalize("NFC", unquote(encoded)).rstrip(".")
    if not any(character.isalnum() for character in name):
        return None
    if not _USUAL_NAME.fullmatch(name) and not _is_unusual_name(name):
        return None
    return quote(name if _MEMBER_NUMBER.fullmatch(name) else name.lower(), safe="~'")


def _is_unusual_name(name: str) -> bool:
    categories = {unicodedata.category(c) for c in name if c not in _ALSO_IN_NAMES}
    return len(name) <= _LONGEST_NAME and all(c[0] in "LMN" or c == "So" for c in categories)
