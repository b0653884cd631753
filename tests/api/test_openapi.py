"""The vendor's own description of the API of April 2026, where a copy of it is at hand."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Run
from leadpipe_mcp.errors import NotFound
from tests.api.answering import UNKNOWN_ID, Connect, Start
from tests.api.test_filters import ALL_CATALOG

pytestmark = pytest.mark.anyio
DESCRIPTION = Path(__file__).parents[2].parent / "shared/api/leadpipe-openapi-2026-04.json"
AUDIENCES = "/v1/intent/audiences"
ONE = f"{AUDIENCES}/{{id}}"
# In all that the client sends, these alone are not described: the newer API takes them, and which
# one answers is not known before.
UNDESCRIBED = {(AUDIENCES, "status"), (AUDIENCES, "limit"), (f"{ONE}/runs", "limit")}
EXPECTED = {
    ("GET", f"{AUDIENCES}/filters"): {200},
    ("POST", f"{AUDIENCES}/preview"): {200},
    ("POST", f"{AUDIENCES}/query"): {200, 202},
    ("GET", AUDIENCES): {200},
    ("POST", AUDIENCES): {201},
    ("GET", ONE): {200, 404},
    ("PATCH", ONE): {200},
    ("DELETE", ONE): {200, 404},
    ("GET", f"{ONE}/results"): {200, 202},
    ("GET", f"{ONE}/status"): {200},
    ("GET", f"{ONE}/runs"): {200},
    ("POST", "/v1/intent/topics/compare"): {200},
}
WHOLE = AudienceConfig(
    topic_ids=(117805, 117890),
    min_score=0,
    max_score=100,
    min_topic_overlap=1,
    filters=ALL_CATALOG,
    source_url="https://acme.example/crm",
)
BROAD = AudienceConfig(topic_ids=(117805,), min_score=60)


async def every_call(client: LeadpipeClient, moments: list[float]) -> None:
    """Ask for everything that the older API can do, with every parameter."""

    async def unheard(_run: Run, _seconds: float) -> None: ...

    whole, broad = [await client.configs.spell(config) for config in (WHOLE, BROAD)]
    await client.configs.preview(whole)
    await client.configs.preview(broad)
    await client.runs.query(broad, limit=100)
    await client.runs.query(whole, limit=1, date="2026-05-03")
    created = await client.audiences.create("Buyers", whole)
    await client.audiences.get(created.id)
    await client.runs.list(created.id)
    await client.runs.wait(created.id, 0, unheard)
    await client.audiences.update(created.id, name="Everybody", config=whole, audience_size=7)
    await client.audiences.update(created.id, status="active", config=broad)
    await client.runs.people(created.id, cursor="early")
    moments.append(moments[-1] + 10)
    page = await client.runs.people(created.id, limit=50, date="2026-05-04")
    assert page.next_cursor is not None
    await client.runs.people(created.id, limit=100, date="2026-05-04", cursor=page.next_cursor)
    page = await client.runs.query(broad, limit=50)
    assert page is not None
    assert page.next_cursor is not None
    await client.runs.query(broad, limit=50, cursor=page.next_cursor)
    await client.runs.query(audience_id=created.id, limit=50)
    await client.audiences.list()
    await client.audiences.list("active", 50)
    await client.runs.list(created.id, 100)
    await client.topic_names(tuple(range(114_001, 114_011)))
    await client.audiences.delete(created.id)
    for missing in (client.audiences.get(UNKNOWN_ID), client.audiences.delete(UNKNOWN_ID)):
        with pytest.raises(NotFound):
            await missing


class Described:
    """A service each of whose exchanges is held against the document."""

    def __init__(self, application: Application, document: dict[str, Any]) -> None:
        self._application, self._document = application, document
        self._validator = pytest.importorskip("jsonschema").Draft202012Validator
        self._routes = {
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route))): route
            for route in sorted(document["paths"], key=lambda route: route.count("{"))
        }
        self.seen: dict[tuple[str, str], set[int]] = {}
        self.undescribed: set[tuple[str, str]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        answered: list[Message] = []

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def note(message: Message) -> None:
            answered.append(message)
            await send(message)

        await self._application(scope, again, note)
        status = answered[0]["status"]
        route = next(at for form, at in self._routes.items() if form.fullmatch(scope["path"]))
        operation = self._document["paths"][route][request.method.lower()]
        self.seen.setdefault((request.method, route), set()).add(status)
        places = operation.get("parameters", [])
        schemas = {place["name"]: place["schema"] for place in places if place["in"] == "query"}
        for name, text in request.query_params.items():
            if name in schemas:
                is_number = schemas[name]["type"] == "integer"
                self._fits(schemas[name], int(text) if is_number else text)
            else:
                self.undescribed.add((route, name))
        if "requestBody" in operation:
            self._fits_content(operation["requestBody"], body)
        else:
            assert not body
        answer = b"".join(message.get("body", b"") for message in answered)
        self._fits_content(operation["responses"][str(status)], answer)

    def _fits_content(self, described: dict[str, Any], content: bytes) -> None:
        if "content" in described:
            schema = described["content"]["application/json"]["schema"]
            self._fits(schema, json.loads(content))

    def _fits(self, schema: dict[str, Any], value: object) -> None:
        whole = {**schema, "components": self._document["components"]}
        checker = self._validator.FORMAT_CHECKER
        self._validator(whole, format_checker=checker).validate(value)


@pytest.mark.skipif(not DESCRIPTION.exists(), reason="no copy of the description is at hand")
async def test_requests_and_answers_are_those_that_the_vendor_describes(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    sandbox = start(profile="flat", run_seconds=8)
    service = Described(sandbox, json.loads(DESCRIPTION.read_text()))
    await every_call(connect(service), moments)
    assert service.seen == EXPECTED
    assert service.undescribed == UNDESCRIBED
