"""Names of topics compared with what a user calls them: by what they are, or by a near spelling."""

import heapq
import re
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from leadpipe_mcp.text import likeness, singular

How = Literal["exact", "prefix", "words", "close"]

CLOSE = 0.8
"""From this likeness on, one spelling may be meant for another."""

_WORD = re.compile(r"[^\W_]+[+#]*")
_GLUE = frozenset("a an and for in of or the to with".split())  # noqa: SIM905 -- it reads better
_NO_PLURAL = frozenset({"news"})
_ALL_BUT_SAME = 0.9
# In a word this short, one other letter makes another word.
_SHORT = 3
_CANDIDATES = 24
_OTHER_ORDER = 0.9

# An abbreviation and the words it is short for. Either finds the other.
_ABBREVIATIONS = """
ABM account based marketing|AI artificial intelligence|AML anti money laundering
AP accounts payable|API application programming interface|AR accounts receivable
AR augmented reality|ATS applicant tracking system|BI business intelligence
BIM building information modeling|BPM business process management|CAD computer aided design
CCaaS contact center as a service|CDP customer data platform|CLM contract lifecycle management
CMS content management system|CPQ configure price quote|CRM customer relationship management
CRO conversion rate optimization|CX customer experience|DAM digital asset management
DLP data loss prevention|DSP demand side platform|EDR endpoint detection and response
EHR electronic health records|EMR electronic medical records|ERP enterprise resource planning
ESG environmental social governance|EV electric vehicle|GTM go to market
HCM human capital management|HR human resources|HRIS human resources information system
IaaS infrastructure as a service|IAM identity and access management
IoT internet of things|IT information technology
ITSM IT service management|KYC know your customer|LLM large language model
LMS learning management system|MDM mobile device management|MDM master data management
MES manufacturing execution system|MFA multi factor authentication|ML machine learning
NLP natural language processing|NPS net promoter score|PaaS platform as a service
PEO professional employer organization|PIM product information management
PLM product lifecycle management|POS point of sale|PPC pay per click|PR public relations
QA quality assurance|RCM revenue cycle management|RevOps revenue operations
RFP request for proposal|ROI return on investment|RPA robotic process automation
SaaS software as a service|SCM supply chain management|SDN software defined networking
SEM search engine marketing|SEO search engine optimization
SIEM security information and event management|SMM social media marketing|SSO single sign on
TMS transportation management system|UX user experience|VoIP voice over IP
VPN virtual private network|VR virtual reality|WMS warehouse management system
"""


class Spelled(NamedTuple):
    """A name in the form in which it is compared: its words, in lower case and the singular."""

    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words with spaces between them."""
        return " ".join(self.words)

    @property
    def run_together(self) -> str:
        """The words without spaces: e-commerce and ecommerce are the same."""
        return "".join(self.words)


class Hit(NamedTuple):
    """The number of a name in its list, how it matches a phrase, and how like it is (0 to 1)."""

    number: int
    how: How
    likeness: float


def spelled(text: str) -> Spelled:
    """Return the form in which a text is compared."""
    plain = text.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    if not plain.isascii():
        letters = unicodedata.normalize("NFKD", plain)
        plain = "".join(c for c in letters if unicodedata.category(c) != "Mn")
    words = tuple(map(_singular, _WORD.findall(plain)))
    return Spelled(tuple(word for word in words if word not in _GLUE) or words)


@lru_cache(maxsize=65_536)
def _singular(word: str) -> str:
    return word if word in _NO_PLURAL else singular(word)


@lru_cache(maxsize=256)
def ways_to_say(phrase: str) -> tuple[Spelled, ...]:
    """Return the phrase itself, then the same with an abbreviation written out or the reverse."""
    own = spelled(phrase)
    return tuple(dict.fromkeys([own, *_otherwise(own.words)]))


def _otherwise(words: tuple[str, ...]) -> Iterator[Spelled]:
    for short, long in _abbreviations():
        for have, want in ((short, long), (long, short)):
            for start in range(len(words) - len(have) + 1):
                if words[start : start + len(have)] == have:
                    yield Spelled((*words[:start], *want, *words[start + len(have) :]))


@cache
def _abbreviations() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    entries = _ABBREVIATIONS.strip().replace("\n", "|").split("|")
    pairs = (entry.split(" ", 1) for entry in entries)
    return tuple((spelled(short).words, spelled(long).words) for short, long in pairs)


def compare(phrase: Spelled, name: Spelled) -> tuple[How, float]:
    """Return how a name matches a phrase, and how like it is; "close" where nothing plain does."""
    if phrase.run_together == name.run_together:
        return "exact", 1.0
    share = len(phrase.text) / max(len(name.text), len(phrase.text), 1)
    if name.run_together.startswith(phrase.run_together):
        # "car" begins both "car rental" and "cargo": a whole word is worth more than a part of one.
        return "prefix", share if name.text.startswith(f"{phrase.text} ") else share / 2
    if set(phrase.words) <= set(name.words):
        return "words", share
    whole = likeness(phrase.text, name.text)
    # What two names share may tell least about them: "HR software" is far from "VR software".
    short_ones = {word for word in phrase.words if len(word) <= _SHORT}
    if whole >= _ALL_BUT_SAME and short_ones <= set(name.words):
        return "close", whole
    if words_are_near(phrase.words, name.words):
        return "close", max(whole, CLOSE)
    in_any_order = likeness(" ".join(sorted(phrase.words)), " ".join(sorted(name.words)))
    return "close", max(whole, _OTHER_ORDER * in_any_order) * CLOSE


def words_are_near(words: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether each of the words is spelled nearly like one of the others."""
    known = tuple(others)
    return all(any(likeness(word, other) >= CLOSE for other in known) for word in words)


class NameIndex:
    """A list of names to look phrases up in."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [spelled(name) for name in names]
        self._texts = {n: name.text for n, name in enumerate(self._names)}
        self._in_order = sorted((name.run_together, n) for n, name in enumerate(self._names))
        self._by_word: dict[str, set[int]] = defaultdict(set)
        for number, name in enumerate(self._names):
            for word in name.words:
                self._by_word[word].add(number)
        self._words = list(self._by_word)

    def plain(self, phrase: Spelled) -> list[Hit]:
        """Return the names that begin with the phrase or hold all of its words, in no order."""
        if not phrase.words:
            return []
        start = phrase.run_together
        first, end = (
            bisect_left(self._in_order, (edge,)) for edge in (start, f"{start}\U0010ffff")
        )
        beginning = {number for _, number in self._in_order[first:end]}
        holding, *others = (self._by_word.get(word, set[int]()) for word in phrase.words)
        return self._hits(phrase, beginning | holding.intersection(*others))

    def near(self, phrase: Spelled, fits: Callable[[int], bool] | None = None) -> list[Hit]:
        """Return the fitting names that look most like the phrase, the likest first."""
        from rapidfuzz import fuzz, process

        if not phrase.words:
            return []
        names = {n: text for n, text in self._texts.items() if fits(n)} if fits else self._texts
        found = process.extract(phrase.text, names, scorer=fuzz.ratio, limit=_CANDIDATES)
        likest = [number for _, _, number in found]
        shared = Counter(n for word in phrase.words for n in self._holding(word) if n in names)
        most = heapq.nsmallest(_CANDIDATES, shared, lambda n: (-shared[n], len(names[n])))
        hits = self._hits(phrase, dict.fromkeys([*likest, *most]))
        return sorted(hits, key=lambda hit: -hit.likeness)

    def _holding(self, word: str) -> set[int]:
        """Return the names in which a word is spelled nearly like this one."""
        from rapidfuzz import fuzz, process

        least = 100 * CLOSE
        near = process.extract(word, self._words, scorer=fuzz.ratio, score_cutoff=least, limit=None)
        return set[int]().union(*(self._by_word[other] for other, _, _ in near))

    def _hits(self, phrase: Spelled, numbers: Iterable[int]) -> list[Hit]:
        return [Hit(number, *compare(phrase, self._names[number])) for number in numbers]
