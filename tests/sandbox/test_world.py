"""Who lives in the sandbox, and what interests them."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from tests.sandbox.asking import AUDIENCES, Play

pytestmark = pytest.mark.anyio


@pytest.fixture
def client(play: Play) -> httpx.AsyncClient:
    return play()


async def everyone(client: httpx.AsyncClient, **body: object) -> list[dict[str, Any]]:
    """All people that a query finds, page after page."""
    people: list[dict[str, Any]] = []
    page: dict[str, Any] = {"meta": {"nextCursor": ""}}
    while (cursor := page["meta"]["nextCursor"]) is not None:
        asked = {**body, "limit": 100, "cursor": cursor or None}
        page = (await client.post(f"{AUDIENCES}/query", json=asked)).json()
        people += page["data"]
        assert page["meta"]["hasMore"] is (page["meta"]["nextCursor"] is not None)
    assert len(people) == page["meta"]["totalCount"]
    return people


async def test_the_same_people_live_in_it_on_every_python(client: httpx.AsyncClient) -> None:
    rows = await everyone(client, topicIds=[117805, 117890], minTopicOverlap=2)
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    assert digest[:16] == "ced464426f9d6c35"


async def test_nobody_in_it_can_be_reached_and_no_two_share_an_address(
    client: httpx.AsyncClient,
) -> None:
    rows = await everyone(client, topicIds=[117805], minScore=50)
    addresses = [email for row in rows for email in row["emails"].split(", ")]
    assert len(addresses) == len(set(addresses)) > len(rows) > 400
    personal = {"example.com", "example.org", "example.net"}
    hosts = {email.split("@")[1] for email in addresses} | {row["companyDomain"] for row in rows}
    assert all(host in personal or host.endswith(".example") for host in hosts)
    phones = {phone for row in rows for phone in (row["phones"] or "").split(", ") if phone}
    assert {phone[:2] + phone[5:10] for phone in phones} == {"+155501"}
    assert all("/in/sandbox-" in row["linkedinUrl"] for row in rows if row["linkedinUrl"])
