"""The public route that finds topics for a web site; it never looks at one, only at its address."""

import hashlib
import ipaddress
import math
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.responses import Response

from leadpipe_mcp.sandbox.calls import Call, LeadpipeEndpoint, answer
from leadpipe_mcp.sandbox.dice import dice
from leadpipe_mcp.sandbox.forms import Form, Json
from leadpipe_mcp.sandbox.rows import topic_row
from leadpipe_mcp.sandbox.simulator import Refusal
from leadpipe_mcp.sandbox.topics import FIELDS, Field, named

_WORD = re.compile(r"[a-z]{2,}")
# What an address says about no site in particular.
_SILENT = frozenset({"www", "com", "co", "net", "org", "index", "html", "php", "en", "us", "the"})
_NOT_PUBLIC = ("localhost", "local", "internal", "lan", "home", "arpa", "onion")
_LONGEST = 2_048
_MOST_KEYWORDS, _TOPICS_OF_KEYWORD, _MOST_TOPICS = 8, 4, 10
# How similar a topic is to a word of the address, and to a word that only its field suggests.
_NAMED, _SUGGESTED = (0.72, 0.95), (0.42, 0.68)
# How many sites those without a key may have analysed in a minute, all together.
_WITHOUT_KEY = 2


def _analyze(call: Call) -> Response:
    """What a web site is about, invented from the words of its address."""
    _refuse_haste(call)
    form = Form(call.body)
    form.require("url")
    url = form.text("url", _LONGEST) or ""
    form.check()
    # OA asks for ten characters; no address of a public site has fewer.
    host = _public_host(url)
    if not host:
        raise Refusal(400, "Invalid URL")
    if host.endswith(".invalid"):
        raise Refusal(500, "Processing error")  # nothing under it can ever be read (RFC 2606)
    text = f"{host.rpartition('.')[0]} {urlsplit(url).path}".lower()
    words = [word for word in dict.fromkeys(_WORD.findall(text)) if word not in _SILENT]
    labels = [label for label in host.split(".")[:-1] if label not in _SILENT]
    company = " ".join(word.capitalize() for word in _WORD.findall(labels[-1] if labels else ""))
    field = _field_of(host, words)
    subjects = _subjects(host, field)
    telling = [word for word in words if len(word) > 2 and named(word)]
    keywords = list(dict.fromkeys((*telling, *(subject.lower() for subject in subjects))))
    keywords = keywords[:_MOST_KEYWORDS] if company else []
    offer = f"{company} offers {', '.join(subjects)} in the field of {field.industry}."
    return answer(
        {
            "company": company or None,
            "summary": offer if company else None,
            "keywords": keywords,
            "topics": _topics(host, field, keywords, telling),
            "contentHash": hashlib.sha256(" ".join((host, *words)).encode()).hexdigest(),
        }
    )


def _refuse_haste(call: Call) -> None:
    """Refuse what comes too soon; everybody without a key waits in one line."""
    a_minute = call.settings.analyses_a_minute if call.has_key else _WITHOUT_KEY
    recent = [moment for moment in call.organisation.analyses if moment > call.now - 60]
    call.organisation.analyses = recent
    if len(recent) >= a_minute:
        wait = str(math.ceil(recent[0] + 60 - call.now if recent else 60))
        raise Refusal(429, "Rate limit exceeded", headers={"Retry-After": wait})
    recent.append(call.now)


def _public_host(url: str) -> str:
    """The host of an address; empty when it is none that the public could visit."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or " " in url:
        return ""
    try:
        return host if ipaddress.ip_address(host).is_global else ""
    except ValueError:
        name, _, suffix = host.rpartition(".")
        return host if name and suffix not in _NOT_PUBLIC else ""


def _field_of(host: str, words: Sequence[str]) -> Field:
    """The line of business: the one that most of the words are about, or an invented one."""

    def points(field: Field) -> int:
        about = f"{field.industry} {' '.join(field.subjects)}".lower().split()
        return sum(word in about for word in words)

    fields = tuple(FIELDS.values())
    best = max(fields, key=points)
    return best if points(best) else fields[int(_luck(host, "field") * len(fields))]


def _subjects(host: str, field: Field) -> list[str]:
    first = int(_luck(host, "subjects") * len(field.subjects))
    return [field.subjects[(first + step * 3) % len(field.subjects)] for step in range(3)]


def _topics(host: str, field: Field, keywords: Sequence[str], telling: Sequence[str]) -> list[Json]:
    """The topics called by the keywords, those of the field before others, by similarity."""
    found: dict[int, tuple[float, Json]] = {}
    for keyword in keywords:
        low, high = _NAMED if keyword in telling else _SUGGESTED
        fitting = named(keyword)
        ours = [topic for topic in fitting if topic.industry == field.industry]
        for topic in (ours or fitting)[:_TOPICS_OF_KEYWORD]:
            similarity = round(low + (high - low) * _luck(host, f"{keyword} {topic.id}"), 4)
            row = {**topic_row(topic), "similarity": similarity, "matchedKeyword": keyword}
            found.setdefault(topic.id, (similarity, row))
    ranked = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    return [row for _, (_, row) in ranked[:_MOST_TOPICS]]


def _luck(host: str, what: str) -> float:
    return dice(f"site {host} {what}").random()


ANALYSIS = (LeadpipeEndpoint("POST", "/v1/intent/topics/analyze", _analyze),)
