"""Briefs as people give them, and what a careful colleague makes of each: data, in briefs.toml."""

import tomllib
from collections.abc import AsyncGenerator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.filters import FLAT_KEYS
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.spelling import FilterCatalog
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.plan import Brief, Plan, make_plan
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings

pytestmark = pytest.mark.anyio
BRIEFS = cast(
    "list[dict[str, Any]]",
    tomllib.loads((Path(__file__).parent / "briefs.toml").read_text("utf-8"))["brief"],
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all briefs, so that the topics are read once."""
    return "asyncio"


@pytest.fixture(scope="module", params=["mixed", "flat"])
async def leadpipe(request: pytest.FixtureRequest) -> AsyncGenerator[LeadpipeClient]:
    """A client of a service that all briefs are put to."""
    profile = request.param
    sandbox = Sandbox(SandboxSettings(profile=profile, people=2_000, examples=False))
    transport = Transport("https://service.test", SecretStr("sk_test"), application=sandbox)
    client = LeadpipeClient(transport)
    yield client
    await client.close()


def plain(value: Any) -> Any:  # noqa: ANN401 -- whatever a filter holds
    """A filter's value without how it is written: its values, or a yes or no."""
    if isinstance(value, Mapping):
        value = cast("Mapping[str, Any]", value).get("values", value)
    if isinstance(value, list):
        return sorted(cast("list[str]", value))
    return {"y": True, "n": False}.get(value, value) if isinstance(value, str) else value


def applied(plan: Plan, catalog: FilterCatalog) -> dict[str, Any]:
    """The filters of a plan's config, under the service's keys."""
    return {catalog.entry_for(key).key: plain(value) for key, value in plan.config.filters.items()}


def wanted(brief: dict[str, Any], catalog: FilterCatalog) -> dict[str, Any]:
    """The filters that the brief stands for, under the service's keys."""
    flat = catalog.vocabulary == "flat"
    filters = brief["flat"] if flat and "flat" in brief else brief.get("applied", {})
    made: dict[str, Any] = {}
    for key, value in filters.items():
        entry = catalog.entry_for(key)
        values = value
        if isinstance(value, list) and value[:1] == ["all but"]:
            values = [known.value for known in entry.values if known.value not in value]
        if flat and "flat" not in brief:
            values = _in_flat_words(values)
        made[entry.key] = plain(values)
    return made


def _in_flat_words(values: Any) -> Any:  # noqa: ANN401 -- whatever a filter holds
    """The same where the flat vocabulary has another word for it, or takes one value alone."""
    if not isinstance(values, list):
        return values
    return ["cxo" if value == "c_suite" else value for value in cast("list[str]", values)]


def test_there_are_briefs_of_all_kinds() -> None:
    assert len(BRIEFS) >= 40
    assert {brief["who"] for brief in BRIEFS} == {"marketer", "sales", "recruiter", "founder"}
    assert set(FLAT_KEYS) & {key for brief in BRIEFS for key in brief.get("applied", {})}


@pytest.mark.parametrize("brief", BRIEFS, ids=[brief["says"][:60] for brief in BRIEFS])
async def test_a_brief_comes_to_what_a_careful_colleague_would_make_of_it(
    brief: dict[str, Any], leadpipe: LeadpipeClient
) -> None:
    topics = tuple(int(topic) if topic.isdigit() else topic for topic in brief["topics"])
    asked = Brief(topics=topics, about=brief.get("filters"))
    catalog = await leadpipe.configs.filters()
    expected: dict[str, str | list[str]] = brief["chosen"]
    if all(name == "" for name in expected.values()):
        with pytest.raises(NotPossible, match="No topic was found for"):
            await make_plan(leadpipe, asked, "size")
        return
    plan = await make_plan(leadpipe, asked, "size")
    flat = catalog.vocabulary == "flat"

    chosen = {one.asked: one.topic.name if one.topic else "" for one in plan.topics.choices}
    assert set(chosen) == set(expected)
    for phrase, name in chosen.items():
        names = expected[phrase]
        patterns = names if isinstance(names, list) else [names]
        assert any(fnmatchcase(name, pattern) for pattern in patterns), (phrase, name)
    found, own = applied(plan, catalog), wanted(brief, catalog)
    assert found == {
        key: value[0] if _is_one(found, key, value) else value for key, value in own.items()
    }
    if plan.filters:
        name = "flat_not_possible" if flat and "flat_not_possible" in brief else "not_possible"
        assert [unsaid.asked for unsaid in plan.filters.not_possible] == brief.get(name, [])
        assert list(plan.filters.not_understood) == brief.get("not_understood", [])
    low, *high = brief.get("people_wanted", [None])
    if low is None:
        assert plan.target is None
    else:
        assert plan.target
        assert plan.target.start == low
        assert not high or plan.target.stop - 1 == high[0]


def _is_one(found: dict[str, Any], key: str, value: Any) -> bool:  # noqa: ANN401 -- as above
    """Whether the service takes a single word for what is given as a list of one."""
    return (
        isinstance(value, list)
        and len(cast("list[str]", value)) == 1
        and not isinstance(found.get(key), list)
    )
