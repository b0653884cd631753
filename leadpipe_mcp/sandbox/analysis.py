"""The public route that finds topics for a web site; it never looks at one."""

import math

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.discovery import describe
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json, Refusal, Reply, answer
from leadpipe_mcp.sandbox.sites import read_site

_LONGEST = 2_048


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
            for like in site.topics(call.settings.analyzed_topics)
        ],
    }
    if call.settings.analyze_content_hash:
        data["contentHash"] = site.content_hash
    return answer(data)


def _refuse_haste(call: Call) -> None:
    """Refuse what comes too soon; everybody without a key waits in one line."""
    settings = call.settings
    a_minute = settings.analyses_a_minute if call.has_key else settings.analyses_without_key
    wait = call.organisation.analyses.wait(call.now, a_minute)
    if wait:
        headers = {"Retry-After": str(math.ceil(wait))} if settings.retry_after else {}
        raise Refusal(429, "Rate limit exceeded", settings.rate_limit_code, headers)


ENDPOINTS = (Endpoint("POST", "/v1/intent/topics/analyze", analyze, "nothing"),)
