"""The yardstick: a bare server on the SDK, whose tools hand on what one request answers.

It checks nothing, masks nothing and explains nothing; whatever ours does beside has to be paid for.
"""

import os
import sys
from typing import Any

import httpx
from mcp.server.mcpserver import MCPServer

service = httpx.AsyncClient(
    base_url=os.environ["LEADPIPE_BASE_URL"],
    headers={"X-API-Key": os.environ["LEADPIPE_API_KEY"]},
)
server = MCPServer("bare")


async def _get(path: str, **query: str | int) -> dict[str, Any]:
    answer = await service.get(path, params=query)
    return answer.raise_for_status().json()


@server.tool()
async def search_topics(q: str, limit: int) -> dict[str, Any]:
    """Search topics."""
    return await _get("/v1/intent/topics/search", q=q, limit=limit)


@server.tool()
async def list_audiences(limit: int) -> dict[str, Any]:
    """List audiences."""
    return await _get("/v1/intent/audiences", limit=limit)


@server.tool()
async def preview_audience(config: dict[str, Any]) -> dict[str, Any]:
    """Preview an audience."""
    answer = await service.post("/v1/intent/audiences/preview", json=config)
    return answer.raise_for_status().json()


@server.tool()
async def query_audience(audience: str, limit: int, run: str = "") -> dict[str, Any]:
    """Query people."""
    path = f"/v1/intent/audiences/{audience}"
    if run:
        return await _get(f"{path}/runs/{run}/results", limit=limit, offset=0)
    return await _get(f"{path}/results", limit=limit)


@server.tool()
async def get_audience(audience: str) -> dict[str, Any]:
    """Get an audience."""
    return await _get(f"/v1/intent/audiences/{audience}")


if __name__ == "__main__":
    if sys.argv[1:]:
        (port,) = sys.argv[1:]
        server.run("streamable-http", port=int(port), stateless_http=True, json_response=True)
    else:
        server.run("stdio")
