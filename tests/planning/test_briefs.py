"""Briefs as a good assistant passes them on, and the config of each: data, in briefs.toml."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.plan import Brief, make_plan
from leadpipe_mcp.planning.sizing import NO_END
from leadpipe_mcp.vocabulary.catalog import FLAT_KEYS
from tests.faults.service import Sandbox
from tests.planning.service import planning_with, start

pytestmark = pytest.mark.anyio
PREVIEW = "/v1/intent/audiences/preview"
BRIEFS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "briefs.toml").read_text("utf-8")
)["brief"]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all briefs, so that the topics are read once."""
    return "asyncio"


@pytest.fixture(scope="module", params=["flat", "catalog"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """A service that all briefs are put to."""
    return start(profile=request.param)


@pytest.fixture(scope="module")
def leadpipe(sandbox: Sandbox) -> LeadpipeClient:
    """A client of it."""
    return planning_with(sandbox)


def asked(brief: Mapping[str, Any]) -> Brief:
    """The brief in the fields of a plan."""
    low, high = (*brief.get("target", [None]), NO_END)[:2]
    return Brief(
        topics=tuple(int(topic) if topic.isdigit() else topic for topic in brief["topics"]),
        filters=brief.get("filters", {}),
        exclude=brief.get("exclude", {}),
        target=None if low is None else range(low, high + 1),
    )


def in_any_order(filters: Mapping[str, list[str] | bool], vocabulary: str) -> dict[str, object]:
    """Filters as they are compared; the flat vocabulary has another word for the C-suite."""
    of_flat = {"c_suite": "cxo"} if vocabulary == "flat" else {}
    return {
        key: value if isinstance(value, bool) else sorted(of_flat.get(word, word) for word in value)
        for key, value in filters.items()
    }


def test_there_are_briefs_of_all_kinds_and_for_every_filter() -> None:
    assert {brief["who"] for brief in BRIEFS} == {"marketer", "sales", "recruiter", "founder"}
    applied = {key for brief in BRIEFS for key in brief.get("applied", {})}
    assert set(FLAT_KEYS) - applied == {"companyDomain"}


@pytest.mark.parametrize("brief", BRIEFS, ids=[brief["says"][:60] for brief in BRIEFS])
async def test_a_brief_comes_to_what_a_careful_colleague_would_make_of_it(
    brief: dict[str, Any], leadpipe: LeadpipeClient, sandbox: Sandbox
) -> None:
    vocabulary = (await leadpipe.configs.filters()).vocabulary
    refused = brief.get("refused") or (vocabulary == "flat" and brief.get("flat_refused"))
    if refused:
        sandbox.requests.clear()
        with pytest.raises(NotPossible) as refusal:
            await make_plan(leadpipe, asked(brief), "size")
        assert [words for words in refused if words not in str(refusal.value)] == []
        assert [request for request in sandbox.requests if request.path == PREVIEW] == []
        return
    plan = await make_plan(leadpipe, asked(brief), "size")
    assert [topic.name.casefold() for topic in plan.topics.topics] == [
        name.casefold() for name in brief.get("chosen", brief["topics"])
    ]
    found = (plan.config.filters, plan.config.exclude)
    wanted = (brief.get("applied", {}), brief.get("excluded", {}))
    assert [in_any_order(cast("Any", part), vocabulary) for part in found] == [
        in_any_order(part, vocabulary) for part in wanted
    ]
    assert (plan.advice is None) == ("target" not in brief)
