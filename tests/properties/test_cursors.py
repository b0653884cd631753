"""A cursor goes on exactly behind the last row, and never into another question."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client

from leadpipe_mcp.people.columns import COLUMNS, PROSPECT_COLUMNS
from leadpipe_mcp.sandbox import SandboxSettings, SonarlySettings
from leadpipe_mcp.sandbox.settings import Profile
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox, SonarlySandbox
from tests.properties.conftest import CHARACTERS

Object = dict[str, Any]
NOW = datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()
NEVER_SAID = re.compile(r"pydantic|traceback|failed inside|https?://\w", re.IGNORECASE)
LONGEST = 2_000
MOST_STEPS = 5
# A hundred rows of these do not fit into one answer.
WIDE = {"query_audience": list(COLUMNS), "sonarly_list_prospects": list(PROSPECT_COLUMNS)}

# How the ids of audiences are found, and how their people are asked for.
LISTS = [
    ("list_audiences", "query_audience", "audienceId"),
    ("sonarly_list_audiences", "sonarly_list_prospects", "id"),
]
IDS = {"fields": ["id"]}


class Refused(Exception):
    """What is said against a question."""


@dataclass(frozen=True)
class Question:
    """A question whose answer has many rows, to a server that lives as long as these tests."""

    portal: BlockingPortal
    client: Client
    tool: str
    arguments: Object

    def __repr__(self) -> str:
        return f"{self.tool}({self.arguments})"

    def page(self, **more: object) -> tuple[list[str], str | None]:
        """The ids of the rows of a page, and the cursor behind them."""
        result = self.portal.call(self.client.call_tool, self.tool, {**self.arguments, **more})
        if result.is_error:
            raise Refused(str(result.content[0]))
        reply: Object = result.structured_content or {}
        table: Object = reply.get("people") or reply.get("audiences") or {"columns": ["id"]}
        place = table["columns"].index("id")
        return [row[place] for row in table.get("rows", [])], reply.get("nextCursor")

    @cached_property
    def everyone(self) -> list[str]:
        """The ids of all rows, in order."""
        ids, cursor = self.page(limit=100)
        while cursor:
            more, cursor = self.page(limit=100, cursor=cursor)
            ids += more
        assert len(set(ids)) == len(ids) > 3
        return ids


@pytest.fixture(scope="module")
def questions() -> Iterator[list[Question]]:
    """Questions to services of both generations, and to Sonarly."""
    profiles: tuple[Profile, ...] = ("flat", "catalog")
    with start_blocking_portal() as portal, ExitStack() as stack:
        found: list[Question] = []
        for profile in profiles:
            chosen = SandboxSettings(people=1_000, run_seconds=0, profile=profile)
            server = build_server(
                Settings(sandbox=True, toolsets="all"),
                service=Sandbox(chosen, clock=lambda: NOW),
                sonarly=SonarlySandbox(SonarlySettings(people=1_000)),
            )
            client = stack.enter_context(portal.wrap_async_context_manager(Client(server)))
            found.append(Question(portal, client, "sonarly_list_audiences", {}))
            if profile != "catalog":  # There only people of saved audiences come in pages.
                for score in (80, 82):
                    config = {"topicIds": [117805], "minScore": score, **IDS}
                    found.append(Question(portal, client, "query_audience", config))
            for lists, tool, key in LISTS:
                ids, _ = Question(portal, client, lists, {}).page()
                found += [Question(portal, client, tool, {key: id_, **IDS}) for id_ in ids]
        yield [question for question in found if len(question.page()[0]) > 3]


limits = st.lists(st.integers(1, 100), min_size=1, max_size=MOST_STEPS)


@given(st.data(), limits)
def test_pages_of_any_sizes_follow_each_other_without_a_gap_or_a_repetition(
    questions: list[Question], data: st.DataObject, limits: list[int]
) -> None:
    question = data.draw(st.sampled_from(questions))
    wide = {"fields": WIDE[question.tool]} if question.tool in WIDE else {}
    fields = data.draw(st.sampled_from([{}, wide]))
    seen: list[str] = []
    cursor: str | None = None
    for limit in limits:
        ids, cursor = question.page(limit=limit, cursor=cursor, **fields)
        assert len(ids) <= limit
        seen += ids
        if cursor is None:
            break
    assert seen == question.everyone[: len(seen)]
    assert (cursor is None) == (len(seen) == len(question.everyone))


fields = st.sampled_from(["subject", "run_id", "date", "cursor", "skip", "more"])
parts = st.none() | st.booleans() | st.integers() | st.text(CHARACTERS, max_size=20)
slips = st.tuples(st.integers(0, 200), st.characters(max_codepoint=127))


@given(st.data(), st.tuples(fields, parts) | slips)
def test_an_altered_cursor_is_refused_or_stays_in_its_audience(
    questions: list[Question], data: st.DataObject, change: tuple[str | int, Any]
) -> None:
    of_people = [question for question in questions if question.tool == "query_audience"]
    question = data.draw(st.sampled_from(of_people if isinstance(change[0], str) else questions))
    _, cursor = question.page(limit=3)
    assert cursor is not None
    place, value = change
    if isinstance(place, str):
        held = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        changed = json.dumps({**held, place: value}).encode()
        altered = base64.urlsafe_b64encode(changed).decode().rstrip("=")
    else:
        place %= len(cursor)
        altered = cursor[:place] + value + cursor[place + 1 :]
    ids: list[str] = []
    said = ""
    try:
        ids, _ = question.page(cursor=altered)
    except Refused as refused:
        said = str(refused)
    assert len(said) <= LONGEST
    assert not NEVER_SAID.search(said)
    if ids:
        at = question.everyone.index(ids[0])
        assert question.everyone[at : at + len(ids)] == ids
