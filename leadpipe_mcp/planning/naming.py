"""Names and titles that a sentence spells out: 'title contains growth', 'works at Acme'."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from leadpipe_mcp.planning.words import Meaning, Reading

_QUOTED = r"\"[^\"]+\"|“[^”]+”"
_STOP = r"(?!(?:with|in|at|who|and|or|but|from|not|that|also|has|have|is|are)\b)"
_WORD = rf"{_STOP}[\w&+#-]+"
_TERM = rf"(?:{_QUOTED}|{_WORD}(?:[ ]+{_WORD}){{0,3}})"
_TERMS = rf"{_TERM}(?:\s*(?:,?\s*\bor\b|/)\s*{_TERM}|\s*,\s*(?=[\"“]){_TERM})*"
_TITLE = re.compile(
    r"(?:job\s+)?titles?\s*(?:(?:that|which)\s+)?"
    r"(?P<no>(?:do(?:es)?\s+not|do(?:es)?n'?t|is\s+not|isn'?t|not|without|never)\s+)?"
    r"(?P<how>contain(?:s|ing)?|includ(?:es?|ing)|exclud(?:es?|ing)|with|ha(?:s|ve)|like"
    r"|mention(?:s|ing)?|is|are|equals?|exactly|=|:|(?=\"))"
    r"(?:\s+(?:exactly|the\s+words?|words?))?\s*"
    rf"(?P<terms>{_TERMS})"
    rf"(?:,?\s*(?:(?:but|and)\s+not|without|excluding)\s+(?P<without>{_TERMS}))?",
    re.IGNORECASE,
)
_IN_TITLE = re.compile(
    rf"(?P<terms>(?:{_QUOTED})(?:(?:\s*,|\s*,?\s+or)\s*(?:{_QUOTED}))*"
    r"(?=\s+in\s+(?:\w+\s+){0,2}titles?)"
    r"|[\w&+#-]+(?=\s+in\s+(?:the|their|his|her)\s+(?:job\s+)?titles?))"
    r"\s+in\s+(?:\w+\s+){0,2}titles?",
    re.IGNORECASE,
)
_SAYS = re.compile(r"is|are|like|=|:", re.IGNORECASE)
_EXACTLY = re.compile(r"is|are|equals?|exactly|=", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:https?://)?(?:www\.)?(?P<domain>(?:[A-Za-z0-9-]{2,}\.)+[a-z]{2,6})\b/?")
_CAPITAL = r"[A-Z][\w&-]*(?![\w&-]|\s+\d)"
_NAME = rf"(?:{_QUOTED}|{_CAPITAL}(?:[ ](?:of[ ](?:the[ ])?)?{_CAPITAL})*)"
_COMPANY = re.compile(
    r"(?:(?i:(?:work(?:s|ing)?\s+)?at|work(?:s|ing)?\s+for|employed\s+(?:at|by)|employees\s+of"
    r"|compan(?:y|ies)\s+(?:names?\s+)?(?:named|called|contain(?:s|ing)?|is))\s+"
    r"|@\s*|(?i:compan(?:y|ies)(?:\s+names?)?\s*[:=])\s*)"
    rf"(?P<names>{_NAME}(?:\s*(?:,|\bor\b|\band\b)\s*{_NAME})*)"
)
_JOINTS = re.compile(r"\s*(?:,?\s*\b(?:or|and)\b|[,/])\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Naming:
    """Words that the sentence gives for a title or a company, as they stand."""

    meaning: Meaning
    end: int
    out: bool = False
    without: Meaning | None = None
    """What shall not stand in the title: 'title contains VP but not assistant'."""
    without_at: int = 0
    """Where that begins."""


class Known(Protocol):
    """What tells names from words that mean something."""

    def is_name(self, name: str) -> bool:
        """Whether words in capitals are a company's name: 'works at Banks' has none."""
        ...

    def is_level(self, title: str) -> bool:
        """Whether a title begins with a level, and gives no words to look for: 'title: VP'."""
        ...


def read_naming(text: str, start: int, known: Known) -> Naming | None:
    """The title, domain or company name that the text spells out at this place, if any.

    Args:
        text: The sentence.
        start: Where to look.
        known: What tells names from words that mean something.
    """
    found = _TITLE.match(text, start)
    if found and not (_SAYS.fullmatch(found["how"]) and _is_level(found["terms"], known)):
        out = bool(found["no"]) or found["how"].lower().startswith("exclud")
        without = _one("jobTitle", _terms(found["without"])) if found["without"] else None
        title = _title(found["how"], _terms(found["terms"]))
        return Naming(title, found.end(), out, without, found.end("terms"))
    if found := _IN_TITLE.match(text, start):
        return Naming(_title("contains", _terms(found["terms"])), found.end())
    if found := _DOMAIN.match(text, start):
        return Naming(_one("companyDomain", (found["domain"].lower(),)), found.end())
    found = _COMPANY.match(text, start)
    names = _leading(found["names"], known.is_name) if found else ""
    if found and names:
        close = "By words in the company's name; a domain is surer."
        meaning = _one("companyName", _terms(names), close)
        return Naming(meaning, found.start("names") + len(names))
    return None


def _is_level(terms: str, known: Known) -> bool:
    return terms[0] not in '"“' and known.is_level(terms)


def _leading(names: str, is_name: Callable[[str], bool]) -> str:
    """As much of a list as names companies: "Stripe, CFOs" names one."""
    end = 0
    for part in re.finditer(rf"{_NAME}|{_JOINTS.pattern}", names):
        if _JOINTS.fullmatch(part[0]):
            continue
        if not is_name(part[0].strip('"“”')):
            break
        end = part.end()
    return names[:end]


def _title(how: str, terms: tuple[str, ...]) -> Meaning:
    if not _EXACTLY.fullmatch(how):
        return _one("jobTitle", terms)
    close = "No filter asks for whole titles; these words may stand among others."
    return Meaning((Reading("jobTitle.exact", terms), Reading("jobTitle", terms, close)))


def _one(key: str, words: tuple[str, ...], close: str | None = None) -> Meaning:
    return Meaning((Reading(key, words, close),))


def _terms(text: str) -> tuple[str, ...]:
    quoted = re.findall(r"[\"“]([^\"”]+)[\"”]", text)
    plain = re.sub(_QUOTED, "", text)
    terms = [*quoted, *_JOINTS.split(plain)]
    return tuple(dict.fromkeys(term.strip() for term in terms if term.strip()))
