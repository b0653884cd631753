"""Names of files that are safe on every system, and mean something to who finds them."""

import re
import unicodedata

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.text import listed, visible

LONGEST_FILE_NAME = 120
# What a file system allows is counted in bytes: 255, of which a block's number takes some.
_MOST_BYTES = 200
_SLUG_BYTES = 100

_EXTENSIONS = (".csv", ".jsonl", ".json", ".txt")
_NOT_IN_NAMES = '/\\:*?"<>|'
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)",
    re.IGNORECASE,
)


def checked_name(name: str) -> str:
    """The name that somebody gave a file, without the extension, which the format decides.

    Raises:
        NotPossible: Saying what of it cannot be in the name of a file.
    """
    stem = _without_extension(unicodedata.normalize("NFC", name.strip()))
    problem = _problem(stem)
    if problem:
        raise NotPossible(
            f"A file cannot be called so: {problem}.",
            "Give fileName a plain name, such as 'crm-buyers', without a folder; or leave it out.",
        )
    return stem


def slug(words: str) -> str:
    """The words as a part of a file's name: small letters and digits, with dashes between."""
    letters = unicodedata.normalize("NFC", visible(words)).lower()
    dashed = "".join(
        c if c.isalnum() or unicodedata.category(c)[0] == "M" else "-" for c in letters
    )
    short = dashed.encode()[:_SLUG_BYTES].decode(errors="ignore")
    return re.sub("-+", "-", short).strip("-")


def _without_extension(name: str) -> str:
    ending = next((ending for ending in _EXTENSIONS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)].rstrip() if ending else name


def _problem(stem: str) -> str:
    """Why this cannot be the name of a file; empty if it can."""
    if not stem:
        return "there is nothing before the extension"
    forbidden = [character for character in _NOT_IN_NAMES if character in stem]
    problems = {
        f"it has {listed(forbidden, 'and')} in it": bool(forbidden),
        "it has characters in it that nobody sees, or several blanks in a row": visible(stem)
        != stem,
        "it begins with a dot, a dash or a tilde": stem[0] in ".-~",
        "it ends with a dot": stem[-1] == ".",
        "Windows keeps the name for a device": _RESERVED.match(stem),
        f"it has more than {LONGEST_FILE_NAME} characters or {_MOST_BYTES} bytes": len(stem)
        > LONGEST_FILE_NAME
        or len(stem.encode(errors="replace")) > _MOST_BYTES,
    }
    return next((problem for problem, is_there in problems.items() if is_there), "")
