"""Everyone in a run: the service's file, or its pages."""

import csv
import io
import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.connections import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Run
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import (
    Conflict,
    FileFailed,
    KeyRefused,
    UnusableAnswer,
)
from leadpipe_mcp.people.runs import gather
from tests.api.answering import UNKNOWN_ID, Connect, Start, each_profile
from tests.faults.service import Fault

pytestmark = pytest.mark.anyio

WANTED = AudienceConfig(topic_ids=(117805,), min_score=50)


async def ready(leadpipe: LeadpipeClient) -> tuple[str, Run]:
    audience = await leadpipe.audiences.create("Everyone", await leadpipe.configs.spell(WANTED))
    await leadpipe.audiences.update(audience.id, status="active")
    return audience.id, await leadpipe.runs.latest(audience.id)


async def lines(leadpipe: LeadpipeClient, audience_id: str, run: Run) -> list[list[str]] | None:
    async with leadpipe.exports.file(audience_id, run) as file:
        if file is None:
            return None
        return list(csv.reader(io.StringIO(file.read().decode(), newline="")))


async def counted(leadpipe: LeadpipeClient, audience_id: str, run: Run) -> int:
    return sum([len(page.people) async for page in leadpipe.exports.pages(audience_id, run)])


@each_profile
async def test_the_file_and_the_pages_hold_everyone(
    start: Start, connect: Connect, profile: str
) -> None:
    leadpipe = connect(start(profile=profile))
    audience_id, run = await ready(leadpipe)
    found = await lines(leadpipe, audience_id, run)

    assert run.size
    assert found
    assert len(found) - 1 == run.size > 300
    assert await counted(leadpipe, audience_id, run) == run.size
    # Few come page by page.
    assert await lines(leadpipe, audience_id, run.model_copy(update={"size": 300})) is None


async def test_where_the_service_has_no_file_pages_are_the_way(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    leadpipe = connect(sandbox)
    audience_id, run = await ready(leadpipe)
    sandbox.faults.add(Fault("status", path="export.csv", status=404))

    assert await lines(leadpipe, audience_id, run) is None


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("status", path="export.csv", times=3, status=500), "failed with status 500"),
        (Fault("status", path="export.csv", times=3, status=403), "refused with status 403"),
        (Fault("cut", path="export.csv", times=3), "connection to the service was lost"),
    ],
)
async def test_a_file_that_does_not_come_whole_is_none(
    start: Start, connect: Connect, fault: Fault, why: str
) -> None:
    sandbox = start()
    leadpipe = connect(sandbox)
    audience_id, run = await ready(leadpipe)
    sandbox.faults.add(fault)
    with pytest.raises(FileFailed, match=f"could not be had: The .*{why}"):
        await lines(leadpipe, audience_id, run)


async def test_a_key_that_is_refused_is_no_fault_of_the_file(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    leadpipe = connect(sandbox)
    audience_id, run = await ready(leadpipe)
    sandbox.faults.add(Fault("status", path="export.csv", status=401))
    with pytest.raises(KeyRefused):
        await lines(leadpipe, audience_id, run)


async def test_a_file_that_breaks_off_is_read_from_its_start_again() -> None:
    downloads = count(1)

    async def pieces(download: int) -> AsyncIterator[bytes]:
        yield b"firstName,city\nAda,Austin\n"
        if download > 1:
            yield b"Bo,Boston\n"

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        coming = StreamingResponse(pieces(next(downloads)), headers={"content-length": "36"})
        await coming(scope, receive, send)

    network = serve_in_process(answer)
    client = LeadpipeClient(Transport("https://x.test", SecretStr("sk_test_0"), network=network))
    run = Run(id="run", state="ready")
    async with gather(client.exports, "audience", run) as batches:
        cities = [batch["city"] async for batch in batches]
    assert cities == [("Austin", "Boston")]


async def test_no_key_is_sent_to_where_a_link_leads(start: Start) -> None:
    keys: list[str | None] = []
    sandbox = start(profile="flat")

    async def watching(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        keys.append(request.headers.get("x-api-key") if "_files" in request.url.path else "own")
        await sandbox(scope, receive, send)

    transport = Transport(
        "https://service.test", SecretStr("sk_test"), network=serve_in_process(watching)
    )
    leadpipe = LeadpipeClient(transport)
    audience_id, run = await ready(leadpipe)
    await lines(leadpipe, audience_id, run)

    assert None in keys


def paging(first: dict[str, Any], second: dict[str, Any]) -> Application:
    """A service whose pages of results are these, the second one for ever."""
    answers = [first]

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        state = {"data": {"status": "ready", "dataDate": "2026-05-04", "totalCount": 9}}
        if scope["path"].endswith("/status"):
            body: dict[str, Any] = state
        else:
            body = answers.pop() if answers else second
        response = Response(json.dumps(body), media_type="application/json")
        await response(scope, receive, send)

    return answer


async def test_pages_that_come_again_or_change_meanwhile_are_noticed(connect: Connect) -> None:
    page: dict[str, Any] = {
        "data": [{"fullName": "Ann Vale"}],
        "meta": {"status": "ready", "totalCount": 9, "nextCursor": "again"},
    }
    building: dict[str, Any] = {"data": [], "meta": {"status": "materializing"}}
    run = Run(state="ready", data_date="2026-05-04", size=9)
    with pytest.raises(UnusableAnswer, match="again and again"):
        await counted(connect(paging(page, page), "flat"), UNKNOWN_ID, run)
    with pytest.raises(Conflict, match="put together again"):
        await counted(connect(paging(page, building), "flat"), UNKNOWN_ID, run)
