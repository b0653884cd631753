"""The way to the Leadpipe service, and what has been found out about the API that answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from leadpipe_mcp.api.answers import Answer
from leadpipe_mcp.api.connections import path_of
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NotFound, WrongAddress
from leadpipe_mcp.vocabulary.catalog import Vocabulary

Pin = Literal["auto", "flat", "catalog"]
"""Which generation of the API it is; `auto` finds out as it goes."""


@dataclass
class ApiProfile:
    """What is known of the API that answers. The four facts are independent; None is unknown."""

    vocabulary: Vocabulary | None = None
    runs: Literal["dated", "numbered"] | None = None
    validates: bool | None = None
    queries: bool | None = None


class Service:
    """Requests to the service, and the profile of its API, shared by all that speak to it."""

    def __init__(self, transport: Transport, pin: Pin = "auto") -> None:
        self.transport = transport
        self.profile = ApiProfile()
        if pin == "flat":
            self.profile = ApiProfile("flat", "dated", validates=False, queries=True)
        elif pin == "catalog":
            self.profile = ApiProfile("catalog", "numbered", validates=True, queries=False)

    async def get(self, path: str, **query: str | int | None) -> Answer:
        """The answer to a GET request."""
        return await self.transport.request("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, object]) -> Answer:
        """The answer to a POST request."""
        return await self.transport.request("POST", path, body=body)

    async def ask(self, path: str, body: Mapping[str, object]) -> Answer:
        """The answer to a POST request that changes nothing."""
        return await self.transport.request("POST", path, body=body, repeatable=True)

    async def check_missing(self, missing: NotFound) -> None:
        """Make sure that a 404 is about what was asked for, and not about where.

        Raises:
            WrongAddress: If the API is not there at all.
        """
        if not self.transport.has_answered:
            await self.transport.request("GET", "/v1/intent/topics/facets", public=True)
        elif isinstance(missing, WrongAddress):
            raise missing


def audience_path(audience_id: str | None = None, *rest: str) -> str:
    """The route of the saved audiences, of one of them, or of something of it."""
    parts = () if audience_id is None else (audience_id, *rest)
    return f"/v1/intent/audiences{path_of(*parts)}"
