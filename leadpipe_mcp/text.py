"""Cleans, cuts, redacts, lists and compares text."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate

# What a third party's message may contain that nobody else should see. Each is as broad as it can
# be without hitting what such messages need: ids, dates, numbers of people, lines of code.
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
_LONGEST_JOINED = 1_500
# Invisible, though their Unicode classes say letter, mark or symbol: variation selectors (whole
# messages have been hidden in them), joiners and fillers.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159"
    "\U000e0100-\U000e01ef]"
)
# Commands of a terminal: colours, titles, links.
_TERMINAL = re.compile("(?:\x1b\\[|\x9b)[0-?]{0,40}[ -/]{0,4}[@-~]")
# Two joiners and the emoji selector, which some scripts and most families of emoji need.
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
    """Return the text on one line without invisible or control characters, at most `limit` long.

    Removed are the Unicode classes that no reader sees but a model may obey: control, format
    (zero-width, bidirectional, tag characters), private use and lone surrogates.
    """
    # Cut before anything looks at it, so that size costs nothing.
    spaced = " ".join(text[: limit * 10].split())
    visible = "".join(c for c in _BLANK.sub("", spaced) if unicodedata.category(c)[0] != "C")
    return visible if len(visible) <= limit else visible[: limit - 1].rstrip() + "…"


def visible(text: str, *, joiners: bool = False) -> str:
    """Return the whole text on one line, without the characters that no reader sees.

    These are those that `clean` removes, and a terminal's commands. With `joiners`, for a file that
    people read, three of them stay where removing them would misspell a word: joiners between
    letters of Arabic, Syriac and the scripts of India, and what holds an emoji together.
    """
    line = " ".join(text.split())
    if line.isprintable() and (line.isascii() or not _BLANK.search(line)):
        return line
    # Printable: neither of the classes that `clean` removes nor a blank other than the space.
    kept = _JOINERS if joiners else ""
    line = "".join(
        c for c in _TERMINAL.sub("", text) if c in kept or c.isspace() or c.isprintable()
    )
    line = "".join(c for c in line if c in kept or not _BLANK.match(c))
    if joiners:
        line = _JOINER.sub(lambda found: found["needed"] or "", line)
    return " ".join(line.split())


def cut(text: str, limit: int) -> str:
    """Return the text, at most `limit` long; an ellipsis shows that there was more."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def redact(text: str, limit: int = 200) -> str:
    """Make a third party's message fit for a log or an error.

    Keys, e-mail addresses, phone numbers, web addresses and internal addresses are replaced.
    """
    # Cut afterwards: half an address would not be recognized.
    whole = clean(text, limit * 10)
    return clean(_SECRET.sub(lambda found: f"[{found.lastgroup}]", whole), limit)


def nearest(word: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return the known words that look most like this one, the best first; none if none is near."""
    # No known word is longer.
    asked = form(word[:100])

    def nearness(other: str) -> float:
        if asked == other:
            return 1.0
        if len(asked) > 2 and other.startswith(asked):
            return 0.9
        return 0.89 if len(asked) > 2 and f" {asked}" in other else likeness(asked, other)

    near = {name: nearness(form(name)) for name in known}
    best = max(near.values(), default=0.0)
    close = [name for name, value in near.items() if value >= max(0.6, best - 0.1)]
    return sorted(close, key=lambda name: -near[name])[:limit]


def likeness(one: str, other: str) -> float:
    """Return from 0 to 1 how much of two spellings is the same, in order."""
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(one, other)


def quoted(words: Iterable[str]) -> str:
    """Return the words in quotation marks, separated by commas."""
    return ", ".join(f"'{word}'" for word in words)


def in_quotes(name: str, limit: int) -> str:
    """Return a name that somebody else chose, in quotation marks that it cannot close.

    Otherwise a name in a question could pass for the question's own words.
    """
    plain = "".join(
        "\u2019" if c in "'\"`\uff02\uff07" or unicodedata.category(c) in {"Pi", "Pf"} else c
        for c in clean(name, limit)
    )
    return f"'{plain}'"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Return the words as in a sentence: one, two and three."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def join_sentences(problems: Iterable[str]) -> str:
    """Join sentences about problems, each once: of many the first ones and how many more."""
    sentences = list(dict.fromkeys(problems))
    ends = accumulate(map(len, sentences))
    fit = max(1, sum(end <= _LONGEST_JOINED for end in ends))
    more = len(sentences) - fit
    rest = [f"And {counted(more, 'more problem')}."] if more > 0 else []
    return " ".join([*sentences[:fit], *rest])


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return the number with its noun: 1 person, 1,480 people."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def form(word: str) -> str:
    """Return the word as it is compared: in lower case, with a space for any other character."""
    return re.sub(r"[\W_]+", " ", word).strip().casefold()


def singular(word: str) -> str:
    """Return the word without a plural ending. It is only for comparing, and need not be a word."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
