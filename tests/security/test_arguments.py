"""What an assistant passes in by mistake: an address or a key among the arguments stays there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import MCPError

from leadpipe_mcp import logs
from tests.faults.cells import ACTIVE
from tests.security.services import CANARIES, ONE_CALL_EACH, Connect, escaped, ids, said, words

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("logs_as_they_were")]
# What a person types to be looked for, or to be the name of something, is theirs to read again.
SAID_AGAIN = {
    *("queries", "name", "topics", "filters", "words", "website", "sql", "fileName", "domain"),
    *("description", "folderId", "url"),
    # These are looked up by name, and a name that is not found is said again.
    *("fields", "runId", "accountGroupId"),
}
IDS = ("id", "audienceId", "folderId", "topicIds", "cursor", "confirm")
UNKNOWN = re.compile(r"There is no argument '.*?'\.")
CALL = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO [a-z_]+ (?:ok|asked|refused:[A-Za-z]+) \d+ ms,"
    r" \d+ requests?(?:, \d+ retr(?:y|ies))?(?:, request [\w-]+)?"
)


def misplaced(arguments: dict[str, Any], canary: str) -> Iterator[dict[str, Any]]:
    """The arguments with the canary in the place of each, in every kind of wrapping."""
    for name, value in arguments.items():
        if name in SAID_AGAIN:
            continue
        for wrong in (canary, [canary], {canary: canary}, [{canary: [canary]}]):
            yield {**arguments, name: wrong}
        if isinstance(value, dict):
            yield {**arguments, name: {**value, "minScore": canary, "filters": {"x": canary}}}
    for name in IDS:
        yield {**arguments, name: canary}


async def test_a_value_in_the_wrong_place_is_not_said_again_and_no_value_is_logged(
    connect: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("DEBUG", as_json=False)
    async with connect() as client:
        people = {"audienceId": (await ids(client))[ACTIVE], "contact": "full"}
        await said(client, "query_audience", **people)
        for canary in CANARIES.values():
            for tool, arguments in ONE_CALL_EACH.items():
                for wrong in misplaced(arguments, canary):
                    result = await client.call_tool(tool, wrong)
                    if result.is_error:
                        # The names of unknown arguments have a test of their own.
                        told = UNKNOWN.sub("", words(result))
                        assert escaped(told) == [], (tool, wrong)
    lines = "".join(capsys.readouterr()).splitlines()
    assert len(lines) > 1_000
    for line in lines:
        assert CALL.fullmatch(line), line


async def test_a_name_that_is_not_known_is_not_said_with_an_address_in_it(
    *, connect: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("DEBUG", as_json=False)
    async with connect() as client:
        of = {"audienceId": (await ids(client))[ACTIVE]}
        for canary in CANARIES.values():
            calls = [
                *((tool, asked | {canary: canary}) for tool, asked in ONE_CALL_EACH.items()),
                ("query_audience", {**of, "fields": [canary]}),
                ("export_audience", {**of, "fields": [canary]}),
                ("query_audience", {**of, "runId": canary}),
                ("sonarly_list_audiences", {"accountGroupId": canary}),
            ]
            for tool, arguments in calls:
                result = await client.call_tool(tool, arguments)
                assert result.is_error
                assert escaped(words(result)) == [], tool
            with pytest.raises(MCPError) as caught:
                await client.call_tool(canary, {})
            assert escaped(str(caught.value)) == []
    assert escaped("".join(capsys.readouterr())) == []
