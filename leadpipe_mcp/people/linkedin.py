"""Addresses of LinkedIn profiles: which are real, and one spelling for each."""

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
# Besides letters, digits, and the marks and pictures that some write into theirs.
_ALSO_IN_NAMES = "-_~'\u2019\u00b7&!()*"
# The name that LinkedIn makes of a member's number: with another case it is another member's.
_MEMBER_NUMBER = re.compile(r"AC[ow]AA[\w-]{20,}")
_BETWEEN = re.compile(r"[\s,;|<>\"]+")
# Longer is no address of a person's page.
_LONGEST = 4_000


def profile_url(value: object) -> str | None:
    """The one spelling of the first address of a person's LinkedIn profile; None if there is none.

    The same for http and https, with www, a country, a language, a slash or a query and without,
    and for capital and small letters.
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
    """The name in the address, if a profile may have it."""
    name = unicodedata.normalize("NFC", unquote(encoded)).rstrip(".")
    if not any(character.isalnum() for character in name):
        return None
    if not _USUAL_NAME.fullmatch(name) and not _is_unusual_name(name):
        return None
    return quote(name if _MEMBER_NUMBER.fullmatch(name) else name.lower(), safe="~'")


def _is_unusual_name(name: str) -> bool:
    categories = {unicodedata.category(c) for c in name if c not in _ALSO_IN_NAMES}
    return len(name) <= _LONGEST_NAME and all(c[0] in "LMN" or c == "So" for c in categories)
