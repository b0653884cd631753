"""Simulated services to plan with, and clients of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import SecretStr
from pydantic_core import to_jsonable_python
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.connections import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.topics import Topic, Topics
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox


def start(**settings: object) -> Sandbox:
    """A service in which runs take no time, unless its settings say otherwise."""
    usual = SandboxSettings(people=5_000, examples=False, run_seconds=0)
    return Sandbox(replace(usual, **settings))


def client_of(service: Application) -> LeadpipeClient:
    """A client of a service."""
    network = serve_in_process(service)
    return LeadpipeClient(Transport("https://service.test", SecretStr("sk_test"), network=network))


@cache
def _topics() -> Topics:
    return client_of(start(people=100)).topics


def planning_with(service: Application) -> LeadpipeClient:
    """A client of a sandbox that finds topics in another, which has the same and is read once."""
    client = client_of(service)
    client.topics = _topics()
    return client


def altered(
    service: Application, path_end: str, change: Callable[[bytes], bytes]
) -> LeadpipeClient:
    """A client of a service whose answers on one route are changed on their way."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        concerned = scope["path"].endswith(path_end)
        await service(scope, receive, keep if concerned else send)
        if concerned:
            body = b"".join(message.get("body", b"") for message in sent)
            response = Response(change(body), media_type="application/json")
            await response(scope, receive, send)

    return planning_with(answer)


def topics_of(*names: str) -> tuple[Topic, ...]:
    """Topics of business with these names, numbered from 1."""
    kind = {"type": "b2b", "industry": "Sales", "category": "Product"}
    return tuple(Topic.model_validate({"id": n, "name": s, **kind}) for n, s in enumerate(names, 1))


class TopicService:
    """A service that knows topics and remembers what it was asked.

    Each route answers what it is given here, or fails with a status. Its search finds the names
    that begin so if it is not given anything else.
    """

    def __init__(
        self,
        lists: Sequence[Topic] | int = (),
        finds: Sequence[Topic] | int | None = None,
        facets: object = 500,
        people: Callable[[int], int] | int = lambda topic: 1_000 - topic,
    ) -> None:
        self._lists, self._finds, self._facets, self._people = lists, finds, facets, people
        self.asked: list[tuple[str, Any]] = []
        self.topics = client_of(self).topics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path.removeprefix("/v1/intent/topics")
        body: Any = await request.json() if request.method == "POST" else dict(request.query_params)
        self.asked.append((path, body))
        answer = {"": self._lists, "/search": self._finds, "/facets": self._facets}.get(path)
        if path == "/compare":
            of = self._people
            answer = of if isinstance(of, int) else [_series(id_, of) for id_ in body["topicIds"]]
        elif answer is None and not isinstance(self._lists, int):
            words = body["q"].casefold()
            answer = [topic for topic in self._lists if topic.name.casefold().startswith(words)]
        if isinstance(answer, int):
            response = JSONResponse({}, answer)
        else:
            response = JSONResponse({"data": to_jsonable_python(answer)})
        await response(scope, receive, send)

    def paths(self) -> list[str]:
        """The routes that were asked, in order."""
        return [path for path, _ in self.asked]


def _series(topic: int, people: Callable[[int], int]) -> dict[str, object]:
    day = {"date": "2026-05-04", "uniqueAudience": people(topic)}
    return {"topicId": topic, "topicName": str(topic), "data": [day]}
