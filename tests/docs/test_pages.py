"""Pages that are made from the code are as the code is. `make docs` writes them again."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from mcp import Client

from leadpipe_mcp.sandbox import SandboxSettings
from leadpipe_mcp.sandbox.settings import Profile
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.vocabulary.catalog import FLAT_KEYS
from tests.docs.filters_page import EXAMPLES, filters_page
from tests.docs.settings_page import settings_page
from tests.docs.tools_page import tools_page
from tests.faults.service import Sandbox
from tests.snapshots import held_to

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "filters": filters_page,
    "settings": settings_page,
    "tools": tools_page,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_current(name: str) -> None:
    held_to(DOCS / f"{name}.md", PAGES[name]())


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_what_belongs_into_a_list_is_indented_by_four_spaces_as_the_site_needs_it(
    page: Path,
) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^ {1,3}(?:```|[-*] |\d+\. ).*", text, re.MULTILINE) == []


@pytest.mark.anyio
@pytest.mark.parametrize("profile", ["flat", "catalog"])
async def test_every_example_of_a_filter_is_taken_by_each_of_its_names(
    profile: Profile,
) -> None:
    rows = re.findall(
        r"^\| .+ \| `(\S+)` \| \(?(?:`(\S+)`)?\)? \| .+ \| `(.+)` \|$",
        (DOCS / "filters.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert [name for name, _, _ in rows] == list(EXAMPLES)
    service = Sandbox(SandboxSettings(profile=profile, people=1_000))
    async with Client(build_server(Settings(sandbox=True), service=service)) as client:
        for name, other, value in rows:
            keys = [name, other] if name in FLAT_KEYS else [name] if profile == "catalog" else []
            for key in keys:
                asked = {"topicIds": [117805], "filters": {key: json.loads(value)}}
                result = await client.call_tool("preview_audience", asked)
                assert not result.is_error, (key, result.content)
