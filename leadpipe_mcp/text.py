"""What becomes of words before anybody reads them: cleaned, redacted, listed, compared."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate

# What a message of somebody else's may hold that is not for others. Each is as broad as can be
# without hitting what such messages need: ids, dates, numbers of people, lines of code.
_SECRETS = {
    "key": r"""\bsk_\S+|\bbearer\s+(?=[^\s\d]{0,99}\d)\S{6,}
        |\b(?:x-api-key|api[ _-]?key|authorization|token)["']?\s*[:=]\s*["']?
            (?:(?:bearer|basic)\s+)?(?=[^\s\d]{0,99}\d)\S{6,}
        |\b(?:password|passwd|secret)["']?\s*[:=]\s*\S+""",
    "email": r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+\.[\w.-]+",
    "address": r"""\b\w+://\S+
        |(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)(?::\d+)?(?:/\S*)?
        |(?<![\w:])\[?(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}\]?(?::\d+)?
        |(?<![\w:])\[?(?:::[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4})\]?(?::\d+)?
        |(?<![\w.-])(?:[\w-]+\.)+(?:internal|local|localdomain|lan|corp|intranet)\b(?!-|\.\w)
            (?:[:/]\S*)?
        |\blocalhost\b(?:[:/]\S*)?""",
    "phone": r"""(?<!\w)\+\s?\d(?:[\s().\-/]{0,3}\d){6,}
        |(?<![\w.-])(?:1[\s.-])?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]\d{4}(?![\w-])
        |(?<![\w.-])1?\d{10}(?![\w-])""",
}
_SECRET = re.compile(
    "|".join(f"(?P<{name}>{pattern})" for name, pattern in _SECRETS.items()),
    re.VERBOSE | re.IGNORECASE,
)
_ROOM_TO_TELL = 1_500
# Blank, though their Unicode classes say letter, mark or symbol: selectors of a letter's variant
# (whole messages have been hidden in them), joiners and fillers.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159"
    "\U000e0100-\U000e01ef]"
)
# What a terminal takes for a command: colours, titles, links.
_TERMINAL = re.compile("(?:\x1b\\[|\x9b)[0-?]{0,40}[ -/]{0,4}[@-~]")
# Two joiners and the selector of a picture. Some scripts and most families of emoji need them.
_JOINERS = "\u200c\u200d\ufe0f"
_LETTER = "[\u0620-\u06d5\u06fa-\u06ff\u0710-\u072f\u0750-\u077f\u08a0-\u08c9\u0900-\u0dff]"
_PICTURE = (
    "[\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff]"
)
_JOINER = re.compile(
    f"(?P<needed>(?<={_LETTER})[\u200c\u200d](?={_LETTER})"
    f"|(?<={_PICTURE})(?:\ufe0f?\u200d(?={_PICTURE})|\ufe0f))|[{_JOINERS}]"
)


def clean(text: str, limit: int) -> str:
    """The text on one line without invisible or control characters, at most `limit` long.

    What goes are the Unicode classes that no reader sees but a model may obey: control, format
    (zero-width, bidirectional, tag characters), private use and lone surrogates.
    """
    # A text ten times the limit is cut before it is looked at, so that size costs nothing.
    spaced = " ".join(text[: limit * 10].split())
    visible = "".join(c for c in _BLANK.sub("", spaced) if unicodedata.category(c)[0] != "C")
    return visible if len(visible) <= limit else visible[: limit - 1].rstrip() + "…"


def visible(text: str, *, joiners: bool = False) -> str:
    """The whole text on one line, without the characters that no reader sees.

    They are those that `clean` takes out, and a terminal's commands. With `joiners`, for a file
    that people read, three of them stay where leaving them out would misspell: joiners between
    letters of Arabic, Syriac and the scripts of India, and what holds one emoji together.
    """
    line = " ".join(text.split())
    if line.isprintable() and (line.isascii() or not _BLANK.search(line)):
        return line
    # Printable is what is neither of the classes that `clean` takes out nor a blank but the space.
    kept = _JOINERS if joiners else ""
    line = "".join(
        c for c in _TERMINAL.sub("", text) if c in kept or c.isspace() or c.isprintable()
    )
    line = "".join(c for c in line if c in kept or not _BLANK.match(c))
    if joiners:
        line = _JOINER.sub(lambda found: found["needed"] or "", line)
    return " ".join(line.split())


def cut(text: str, limit: int) -> str:
    """The text, at most `limit` long; an ellipsis says that there was more."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def redact(text: str, limit: int = 200) -> str:
    """A message of somebody else's, fit for a log or an error.

    No key, e-mail, phone number, web address or internal address is left in it.
    """
    # Only then cut: half an address would not be known for one.
    whole = clean(text, limit * 10)
    return clean(_SECRET.sub(lambda found: f"[{found.lastgroup}]", whole), limit)


_LONGEST_COMPARED = 100
_APOSTROPHE = "\u2019"


def nearest(word: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known words that look most like this one, best first; none if none is close."""
    # Comparing takes as long as both are long together, squared; no known word is longer.
    asked = form(word[:_LONGEST_COMPARED])
    near = {name: _nearness(asked, form(name)) for name in known}
    best = max(near.values(), default=0.0)
    close = [name for name, value in near.items() if value >= max(0.6, best - 0.1)]
    return sorted(close, key=lambda name: -near[name])[:limit]


def likeness(one: str, other: str) -> float:
    """Return from 0 to 1 how much of two spellings is the same, in order."""
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(one, other)


def _nearness(asked: str, known: str) -> float:
    """Return the likeness of two forms; one that begins with the other is very near."""
    if asked == known:
        return 1.0
    if len(asked) > 2 and known.startswith(asked):
        return 0.9
    if len(asked) > 2 and f" {asked}" in known:
        return 0.89
    return likeness(asked, known)


def quoted(words: Iterable[str]) -> str:
    """The words in quotation marks, with commas between."""
    return ", ".join(f"'{word}'" for word in words)


def in_quotes(name: str, limit: int) -> str:
    """Return a name that somebody else chose, in quotation marks that it cannot close.

    In a question it might otherwise pass for the question's own words.
    """
    plain = "".join(_APOSTROPHE if _closes(c) else c for c in clean(name, limit))
    return f"'{plain}'"


def _closes(character: str) -> bool:
    """Whether a reader might take the character for the end of a quotation."""
    return character in "'\"`\uff02\uff07" or unicodedata.category(character) in {"Pi", "Pf"}


def listed(words: Sequence[str], joint: str = "and") -> str:
    """The words as in a sentence: one, two and three."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def told(problems: Iterable[str]) -> str:
    """The sentences about what is wrong, each once: of many the first, and how many more."""
    sentences = list(dict.fromkeys(problems))
    ends = accumulate(map(len, sentences))
    fit = max(1, sum(end <= _ROOM_TO_TELL for end in ends))
    more = len(sentences) - fit
    rest = [f"And {counted(more, 'more problem')}."] if more > 0 else []
    return " ".join([*sentences[:fit], *rest])


def counted(number: int, one: str, many: str | None = None) -> str:
    """The number with its noun: 1 person, 1,480 people."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def form(word: str) -> str:
    """The word as it is compared: lower case, with one space for any other character."""
    return re.sub(r"[\W_]+", " ", word).strip().casefold()


def singular(word: str) -> str:
    """The word without the ending of a plural. Where two are cut alike, neither need be one."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
