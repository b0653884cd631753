"""The vendor's own description of the API of April 2026, where a copy of it is at hand."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Run
from leadpipe_mcp.errors import NotFound
from tests.api.answering import UNKNOWN_ID, Connect, Start
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
DESCRIPTION = Path(__file__).parents[2].parent / "shared/api/leadpipe-openapi-2026-04.json"
AUDIENCES = "/v1/intent/audiences"
ONE = f"{AUDIENCES}/{{id}}"
# In all that the client sends, these alone are not described: the newer API takes them, and which
# one answers is not known before.
UNDESCRIBED = {(AUDIENCES, "status"), (AUDIENCES, "limit"), (f"{ONE}/runs", "limit")}
EXPECTED = {
    ("GET", f"{AUDIENCES}/filters", 200),
    ("POST", f"{AUDIENCES}/preview", 200),
    ("POST", f"{AUDIENCES}/query", 200),
    ("POST", f"{AUDIENCES}/query", 202),
    ("GET", AUDIENCES, 200),
    ("POST", AUDIENCES, 201),
    ("GET", ONE, 200),
    ("GET", ONE, 404),
    ("PATCH", ONE, 200),
    ("DELETE", ONE, 200),
    ("DELETE", ONE, 404),
    ("GET", f"{ONE}/results", 200),
    ("GET", f"{ONE}/results", 202),
    ("GET", f"{ONE}/status", 200),
    ("GET", f"{ONE}/runs", 200),
    ("POST", "/v1/intent/topics/compare", 200),
}
WHOLE = AudienceConfig(
    topic_ids=(117805, 117890),
    min_score=0,
    max_score=100,
    min_topic_overlap=1,
    filters={
        "company.industries": {"values": ["Software Development", "banking"]},
        "role.seniority": {"values": ["c_suite", "vp", "director", "manager", "senior", "entry"]},
        "company.sizes": ["1 to 10", "51 to 100"],
        "role.departments": ["Marketing", "sales"],
        "location.states": ["California"],
        "company.revenueRanges": ["10 million to 25 million"],
        "demographics.ageRanges": ["25 to 34"],
        "demographics.genders": ["female"],
        "company.isB2b": True,
        "jobTitle.include": ["manager"],
        "contact.hasBusinessEmail": True,
        "contact.hasPersonalEmail": False,
        "contact.hasLinkedin": "y",
        "contact.hasPhone": ["yes"],
        "company.domains": ["northwind-analytics.example"],
        "company.names": ["north"],
    },
    source_url="https://acme.example/crm",
)
BROAD = AudienceConfig(topic_ids=(117805,), min_score=60)


class Exchange(NamedTuple):
    """A request as it was sent, and its answer as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: object
    status: int
    answer: object


def listening(application: Sandbox, heard: list[Exchange]) -> Any:  # noqa: ANN401 -- an application
    """The application, and what passes through it."""

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        chunks: list[bytes] = []
        statuses: list[int] = []

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            chunks.append(message.get("body", b""))
            await send(message)

        await application(scope, again, note)
        sent = json.loads(body) if body else None
        query = dict(request.query_params)
        answer = json.loads(b"".join(chunks))
        heard.append(Exchange(request.method, request.url.path, query, sent, statuses[0], answer))

    return service


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


class Description:
    """The document, and whether an exchange is what it describes."""

    def __init__(self, document: dict[str, Any]) -> None:
        validation = pytest.importorskip("jsonschema").Draft202012Validator
        self._document = document
        self._validator = validation
        self._routes = {
            re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route))): route
            for route in sorted(document["paths"], key=lambda route: route.count("{"))
        }
        self.seen: set[tuple[str, str, int]] = set()
        self.undescribed: set[tuple[str, str]] = set()

    def check(self, exchange: Exchange) -> None:
        """Hold the request and the answer against the document."""
        route = next(at for form, at in self._routes.items() if form.fullmatch(exchange.path))
        operation = self._document["paths"][route][exchange.method.lower()]
        self.seen.add((exchange.method, route, exchange.status))
        self._check_query(route, operation, exchange.query)
        if described := operation.get("requestBody"):
            self._fits(described["content"]["application/json"]["schema"], exchange.body)
        else:
            assert exchange.body is None
        answer = operation["responses"][str(exchange.status)]
        if described := answer.get("content"):
            self._fits(described["application/json"]["schema"], exchange.answer)

    def _check_query(self, route: str, operation: dict[str, Any], query: dict[str, str]) -> None:
        places = operation.get("parameters", [])
        schemas = {place["name"]: place["schema"] for place in places if place["in"] == "query"}
        for name, text in query.items():
            if name not in schemas:
                self.undescribed.add((route, name))
                continue
            number = schemas[name]["type"] == "integer"
            self._fits(schemas[name], int(text) if number else text)

    def _fits(self, schema: dict[str, Any], value: object) -> None:
        whole = {**schema, "components": self._document["components"]}
        checker = self._validator.FORMAT_CHECKER
        self._validator(whole, format_checker=checker).validate(value)


@pytest.fixture
def description() -> Description:
    if not DESCRIPTION.exists():
        pytest.skip("No copy of the vendor's description of the API is at hand.")
    return Description(json.loads(DESCRIPTION.read_text()))


async def test_requests_and_answers_are_those_that_the_vendor_describes(
    description: Description, start: Start, connect: Connect, moments: list[float]
) -> None:
    heard: list[Exchange] = []
    sandbox = start(profile="flat", run_seconds=8)
    await every_call(connect(listening(sandbox, heard)), moments)
    for exchange in heard:
        description.check(exchange)
    assert description.seen == EXPECTED
    assert description.undescribed == UNDESCRIBED
