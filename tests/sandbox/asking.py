"""One call of a simulated service, and what came of it."""

from collections.abc import Callable
from typing import Any

import httpx

from leadpipe_mcp.sandbox import Sandbox

Start = Callable[..., Sandbox]
Play = Callable[..., httpx.AsyncClient]
AUDIENCES = "/v1/intent/audiences"
SOME_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
DAY = 86_400


def client_of(sandbox: Sandbox, key: str = "sk_test") -> httpx.AsyncClient:
    """A client that sends a key."""
    transport, headers = httpx.ASGITransport(app=sandbox), {"X-API-Key": key}
    return httpx.AsyncClient(transport=transport, base_url="http://sandbox.test", headers=headers)


async def ask(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: object = None,
    *,
    expect: int = 200,
    **params: str | int,
) -> Any:  # noqa: ANN401 -- JSON, which each test knows
    """The `data` of the answer, or its `error`."""
    response = await client.request(method, path, json=body, params=params or None)
    assert response.status_code == expect, response.text
    return response.json()["data" if expect < 400 else "error"]


async def create(client: httpx.AsyncClient, config: object, **more: object) -> dict[str, Any]:
    """A saved audience."""
    body = {"name": "Buyers", "config": config, **more}
    return await ask(client, "POST", AUDIENCES, body, expect=201)


async def saved(client: httpx.AsyncClient, config: object, **more: object) -> str:
    """Where a new audience is."""
    return f"{AUDIENCES}/{(await create(client, config, **more))['id']}"
