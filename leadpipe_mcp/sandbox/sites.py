"""The public route that finds topics for a web site; it never looks at one, only at its address."""

import hashlib
import ipaddress
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.replies import Form, Json, Refusal, Reply, answer
from leadpipe_mcp.sandbox.topic_routes import describe
from leadpipe_mcp.sandbox.topics import FIELDS, Field, Topic, named

_WORD = re.compile(r"[a-z]{2,}")
# What an address says about no site in particular.
_SILENT = frozenset({"www", "com", "co", "net", "org", "index", "html", "php", "en", "us", "the"})
_NOT_PUBLIC = ("localhost", "local", "internal", "lan", "home", "arpa", "onion")
_UNREACHABLE = ".invalid"
_MOST_KEYWORDS = 8
_TOPICS_OF_KEYWORD = 4
# How similar a topic is to a word of the address, and to a word that only its field suggests.
_NAMED, _SUGGESTED = (0.72, 0.95), (0.42, 0.68)


class Likeness(NamedTuple):
    """A topic that a site seems to be about, and why."""

    topic: Topic
    similarity: float
    keyword: str


@dataclass(frozen=True, slots=True)
class Site:
    """A public web site, known by its address alone."""

    host: str
    words: tuple[str, ...]
    """The words of the host name and the path, as they come."""

    @property
    def answers(self) -> bool:
        """Whether it could be read; nothing under .invalid ever can (RFC 2606)."""
        return not self.host.endswith(_UNREACHABLE)

    @property
    def company(self) -> str | None:
        """Whose site it is, if its host name says so."""
        words = _WORD.findall(_name_of(self.host))
        return " ".join(word.capitalize() for word in words) or None

    @property
    def field(self) -> Field:
        """The line of business: the one that most of the words are about, or an invented one."""

        def points(field: Field) -> int:
            text = f"{field.industry} {' '.join(field.subjects)}".lower().split()
            return sum(word in text for word in self.words)

        best = max(FIELDS, key=points)
        return best if points(best) else FIELDS[int(self._luck("field") * len(FIELDS))]

    @property
    def summary(self) -> str | None:
        """What the company does, in a sentence."""
        if self.company is None:
            return None
        subjects = ", ".join(self._subjects())
        return f"{self.company} offers {subjects} in the field of {self.field.industry}."

    @property
    def keywords(self) -> list[str]:
        """What the site talks about: words of its address, then those of its field."""
        if self.company is None:
            return []
        suggested = (subject.lower() for subject in self._subjects())
        return list(dict.fromkeys((*self._telling(), *suggested)))[:_MOST_KEYWORDS]

    @property
    def content_hash(self) -> str:
        """What would change if the site changed."""
        return hashlib.sha256(" ".join((self.host, *self.words)).encode()).hexdigest()

    def topics(self, most: int) -> list[Likeness]:
        """The topics that it seems to be about, the most similar first."""
        telling = self._telling()
        found: dict[int, Likeness] = {}
        for keyword in self.keywords:
            low, high = _NAMED if keyword in telling else _SUGGESTED
            for topic in _closest(keyword, self.field):
                luck = self._luck(f"{keyword} {topic.id}")
                likeness = Likeness(topic, round(low + (high - low) * luck, 4), keyword)
                found.setdefault(topic.id, likeness)
        return sorted(found.values(), key=lambda like: (-like.similarity, like.topic.id))[:most]

    def _telling(self) -> list[str]:
        """The words of the address that topics are called by."""
        return [word for word in self.words if len(word) > 2 and named(word)]

    def _subjects(self) -> list[str]:
        subjects = self.field.subjects
        first = int(self._luck("subjects") * len(subjects))
        return [subjects[(first + step * 3) % len(subjects)] for step in range(3)]

    def _luck(self, what: str) -> float:
        return dice(f"site {self.host} {what}").random()


def read_site(url: str) -> Site | None:
    """The site at an address; None when it is none that the public could visit."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or " " in url or not _is_public(host):
        return None
    return Site(host, tuple(_words(host, parts)))


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        name, _, suffix = host.rpartition(".")
        return bool(name) and suffix not in _NOT_PUBLIC


def _words(host: str, parts: SplitResult) -> Iterable[str]:
    text = f"{host.rpartition('.')[0]} {parts.path}".lower()
    return dict.fromkeys(word for word in _WORD.findall(text) if word not in _SILENT)


def _name_of(host: str) -> str:
    """The label of a host name that is its owner's: "acme" in www.acme.co.example."""
    labels = [label for label in host.split(".")[:-1] if label not in _SILENT]
    return labels[-1] if labels else ""


def _closest(keyword: str, field: Field) -> Sequence[Topic]:
    """The topics called by the keyword, those of the field before others."""
    fitting = named(keyword)
    ours = [topic for topic in fitting if topic.industry == field.industry]
    return (ours or fitting)[:_TOPICS_OF_KEYWORD]


_LONGEST = 2_048
_MOST_TOPICS = 10
# How many sites those without a key may have analysed in a minute, all together.
_WITHOUT_KEY = 2


def analyze(call: Call) -> Reply:
    """What a web site is about, invented from the words of its address."""
    _refuse_haste(call)
    form = Form(call.body)
    form.require("url")
    url = form.text("url", _LONGEST)
    call.refuse_issues(form)
    # OA asks for ten characters; no address of a public site has fewer.
    site = read_site(url or "")
    if site is None:
        raise Refusal(400, "Invalid URL")
    if not site.answers:
        raise Refusal(500, "Processing error")
    data: Json = {
        "company": site.company,
        "summary": site.summary,
        "keywords": site.keywords,
        "topics": [
            {
                **describe(like.topic),
                "similarity": like.similarity,
                "matchedKeyword": like.keyword,
            }
            for like in site.topics(_MOST_TOPICS)
        ],
        "contentHash": site.content_hash,
    }
    return answer(data)


def _refuse_haste(call: Call) -> None:
    """Refuse what comes too soon; everybody without a key waits in one line."""
    a_minute = call.settings.analyses_a_minute if call.has_key else _WITHOUT_KEY
    wait = call.organisation.analyses.wait(call.now, a_minute)
    if wait:
        headers = {"Retry-After": str(math.ceil(wait))}
        raise Refusal(429, "Rate limit exceeded", headers=headers)


ANALYSIS = (Endpoint("POST", "/v1/intent/topics/analyze", analyze, "nothing"),)
