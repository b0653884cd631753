"""Simulated services to plan with, and clients of them."""

from collections.abc import Callable
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
    return client_of(start()).topics


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
    """A service of topics alone, which remembers what it was asked.

    Each route gives the answer of the test: JSON or models, a status, or what a function makes of
    the request. The routes are named by their paths; `all` is the list.
    """

    def __init__(self, **answers: Any) -> None:  # noqa: ANN401 -- any JSON
        self._answers = {"compare": audiences(lambda topic: 1_000 - topic), **answers}
        self.asked: list[tuple[str, Any]] = []
        self.topics = client_of(self).topics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        route = request.url.path.removeprefix("/v1/intent/topics").strip("/") or "all"
        body: Any = await request.json() if request.method == "POST" else dict(request.query_params)
        self.asked.append((route, body))
        answer = self._answers.get(route, 500)
        answer = answer(body) if callable(answer) else answer
        failed = isinstance(answer, int)
        data = {} if failed else {"data": to_jsonable_python(answer)}
        await JSONResponse(data, answer if failed else 200)(scope, receive, send)


def audiences(people: Callable[[int], int]) -> Callable[[Any], list[dict[str, object]]]:
    """An answer to a comparison, in which so many people research each topic."""

    def series(topic: int) -> dict[str, object]:
        day = {"date": "2026-05-04", "uniqueAudience": people(topic)}
        return {"topicId": topic, "topicName": str(topic), "data": [day]}

    return lambda body: [series(topic) for topic in body["topicIds"]]
