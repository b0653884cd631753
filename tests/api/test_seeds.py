"""Every example of the documents that this project grew from, word for word.

Two of them show the API of May 2026 (once as a page, once as its Markdown), two that of April.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.models import AudienceConfig, ServiceConfig
from leadpipe_mcp.errors import NotDone
from tests.api.answering import Connect, Start
from tests.faults.service import Recorded, Sandbox

pytestmark = pytest.mark.anyio
Json = dict[str, Any]
AUDIENCE_ID = "6fb81599-f601-4afe-b3ff-e8a211cae27d"

# The documents show the API of May 2026, and that of April (QUERY, QUERIED, PATCH and PATCHED).
EXAMPLES: Json = json.loads(Path(__file__).with_name("seeds.json").read_bytes())
CREATE, UPDATE, QUERY, PATCH = (EXAMPLES[name] for name in ("CREATE", "UPDATE", "QUERY", "PATCH"))
FLAT_FILTERS = EXAMPLES["FLAT_FILTERS"]


class Service:
    """Answers every request with one example, and keeps what it was asked."""

    def __init__(self, example: Json) -> None:
        words = {key: ["<string>"] for key in FLAT_FILTERS if key not in {"isB2b", "jobTitle"}}
        self._filters = {"data": {key: words[key] for key in words if not key.startswith("has")}}
        self._example = example
        self.asked: list[tuple[str, str, object]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.url.path.endswith("/filters"):
            await JSONResponse(self._filters)(scope, receive, send)
            return
        assert request.headers["X-API-Key"].startswith("sk_")
        body = await request.body()
        if body:
            assert request.headers["Content-Type"] == "application/json"
        sent = json.loads(body) if body else None
        self.asked.append((request.method, request.url.path, sent))
        await JSONResponse(self._example)(scope, receive, send)


def config_of(example: Json) -> AudienceConfig:
    fields = ("topicIds", "minScore", "maxScore", "minTopicOverlap", "filters", "sourceUrl")
    return AudienceConfig.model_validate({key: example[key] for key in fields if key in example})


def as_written(example: Json) -> ServiceConfig:
    """The config of an example whose words stand for others: they are in no catalogue."""
    return ServiceConfig.model_validate(config_of(example).model_dump(exclude={"exclude"}))


def changes(sandbox: Sandbox) -> Iterator[Recorded]:
    """What was asked of the sandbox, beside what only looks."""
    looks = ("/filters", "/validate", "/preview", "/runs", "/status")
    before = ("GET", {"limit": "100"})
    return (
        r for r in sandbox.requests if not r.path.endswith(looks) and (r.method, r.query) != before
    )


@pytest.mark.parametrize("spelling", ["catalog", "flat"])
async def test_the_examples_of_may_are_sent_as_written_and_taken(
    spelling: str, start: Start, connect: Connect
) -> None:
    sandbox = start(profile="catalog")
    client = connect(sandbox)
    config, other = config_of(CREATE["config"]), config_of(UPDATE["config"])
    if spelling == "flat":
        filters = {
            "companyIndustry": ["Software Development"],
            "seniority": ["Director", "VP", "cxo"],
            "hasBusinessEmail": "y",
        }
        config = config.model_copy(update={"filters": filters, "max_score": 100})
        words = {"jobTitle": ["chief financial officer", "cfo"]}
        other = other.model_copy(update={"filters": words})
    created = await client.audiences.create(
        CREATE["name"], await client.configs.spell(config), "draft"
    )
    active = await client.audiences.update(created.id, status="active")
    assert active.status == "active"
    listed = await client.audiences.list("active", 50)
    assert [(a.id, a.name) for a in listed] == [(created.id, CREATE["name"])]
    assert (listed[0].size or 0) > 0
    paused = await client.audiences.update(created.id, status="paused")
    assert paused.status == "paused"
    spelled = await client.configs.spell(other)
    updated = await client.audiences.update(created.id, name=UPDATE["name"], config=spelled)
    assert updated.name == "Updated Name"
    assert updated.config is not None
    assert updated.config.written() == UPDATE["config"]
    await client.audiences.delete(created.id)
    path = "/v1/intent/audiences"
    assert [(r.method, r.path, r.query, r.body, r.status) for r in changes(sandbox)] == [
        ("POST", path, {}, CREATE, 201),
        ("PATCH", f"{path}/{created.id}", {}, EXAMPLES["ACTIVATE"], 200),
        ("GET", path, {"status": "active", "limit": "50"}, None, 200),
        ("PATCH", f"{path}/{created.id}", {}, EXAMPLES["PAUSE"], 200),
        ("PATCH", f"{path}/{created.id}", {}, UPDATE, 200),
        ("DELETE", f"{path}/{created.id}", {}, None, 200),
    ]
    assert all(request.headers == {"X-API-Key": "redacted"} for request in changes(sandbox))


async def test_the_audiences_of_may_are_read(connect: Connect, with_answers: Connect) -> None:
    answer = JSONResponse(EXAMPLES["CREATED"], 201)
    client = with_answers({"POST /audiences": answer}, profile="catalog")
    spelled = await client.configs.spell(config_of(CREATE["config"]))
    created = await client.audiences.create(CREATE["name"], spelled)
    assert (created.id, created.name, created.status) == (
        AUDIENCE_ID,
        "Marketing Directors at Tech Companies",
        "draft",
    )
    assert (created.size, created.config, created.topics) == (0, None, ())
    assert (created.created_at, created.updated_at) == ("2026-05-05T09:15:00.000Z",) * 2
    service = Service(EXAMPLES["LISTED"])
    (listed,) = await connect(service).audiences.list("active", 50)
    assert (listed.id, listed.status, listed.size) == (AUDIENCE_ID, "active", 151)
    assert listed.last_refreshed_at == "2026-05-05T08:45:00.000Z"
    assert listed.created_at == "2026-05-04T16:20:00.000Z"
    assert await connect(service).audiences.list("paused") == ()
    assert service.asked[0] == ("GET", "/v1/intent/audiences", None)


async def test_the_query_of_april_is_sent_as_written_and_its_answer_read(connect: Connect) -> None:
    service = Service(EXAMPLES["QUERIED"])
    client = connect(service)
    page = await client.runs.query(
        await client.configs.as_saved(as_written(QUERY)),
        audience_id=QUERY["audienceId"],
        date=QUERY["date"],
        limit=QUERY["limit"],
        cursor=QUERY["cursor"],
    )
    assert service.asked == [("POST", "/v1/intent/audiences/query", QUERY)]
    assert page is not None
    assert (page.run.state, page.run.size, page.run.data_date) == ("ready", 123, "<string>")
    assert page.next_cursor == "<string>"
    (person,) = page.people
    assert (person["id"], person["intentScore"], person["topicId"]) == ("<string>", 123, 123)
    assert (person["email"], person["company"], person["jobTitle"]) == ("<string>",) * 3


async def test_the_change_of_april_is_sent_as_written(connect: Connect) -> None:
    service = Service(EXAMPLES["PATCHED"])
    client = connect(service)
    config = await client.configs.as_saved(as_written(PATCH["config"]))
    # The example's answer does not show the status that its request asks for.
    with pytest.raises(NotDone, match="has not changed as asked"):
        await client.audiences.update(
            QUERY["audienceId"],
            name=PATCH["name"],
            status=PATCH["status"],
            config=config,
            audience_size=PATCH["audienceSize"],
        )
    assert service.asked[0] == ("PATCH", f"/v1/intent/audiences/{QUERY['audienceId']}", PATCH)
    assert {method for method, _, _ in service.asked[1:]} == {"GET"}
