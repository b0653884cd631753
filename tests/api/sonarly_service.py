"""Sonarly as a test wants it: the sandbox that loses answers, or a service that shows things."""

from typing import Any

import anyio.lowlevel
import httpx
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.connections import Application, serve_in_process
from leadpipe_mcp.api.sonarly import SonarlyClient, sonarly_transport
from leadpipe_mcp.api.sonarly_models import LinkedinAudience
from leadpipe_mcp.sandbox import SonarlySandbox, SonarlySettings
from tests.api.answering import lost

KEY = SecretStr("sk_live_0123456789")
URL = "https://sonarly.test"
GROUP = "507f1f77bcf86cd799439011"
AUDIENCE = "507f1f77bcf86cd799439012"
FOLDER = "507f1f77bcf86cd799439013"
NOW = 1_777_390_200.0
CREATED = "2026-04-28T15:30:00.000Z"
MESSAGE = "Thanks for the context. I can send over details this afternoon."


def client(application: Application, key: SecretStr | None = KEY) -> SonarlyClient:
    transport = sonarly_transport(URL, key, network=serve_in_process(application))
    return SonarlyClient(transport, lambda: NOW)


async def created(one: SonarlyClient, description: str | None = None) -> LinkedinAudience:
    before = await one.before_creating(GROUP)
    return await one.create(GROUP, "VPs", "on_demand", description, before=before)


def refusal(status: int, code: str = "string") -> Response:
    said = {"code": code, "message": MESSAGE, "details": "string"}
    body = {"success": False, "data": None, "error": said, "traceId": GROUP}
    return JSONResponse(body, status)


def holding(data: object, status: int = 200) -> Response:
    return JSONResponse({"success": True, "data": data}, status)


class Played:
    """The sandbox's Sonarly without audiences, whose answers to changes can be lost."""

    def __init__(self) -> None:
        settings = SonarlySettings(groups={GROUP: "Acme Growth"}, examples=False, people=300)
        self.sandbox = SonarlySandbox(settings, clock=lambda: NOW)
        self.asked: list[str] = []
        self.works = True
        """Whether a change that fails was made all the same."""
        self.fails: Application | None = None
        """What answers changes, after they were made or instead."""
        self.shows: Application | None = None
        """What answers everything else."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(f"/v1/accounts/{GROUP}/audiences")
        self.asked.append(f"{scope['method']} {path}")
        other = self.shows if scope["method"] == "GET" else self.fails
        if other is None:
            await self.sandbox(scope, receive, send)
            return
        if scope["method"] != "GET" and self.works:
            await self.sandbox(scope, receive, unsent)
        await other(scope, receive, send)

    @property
    def ids(self) -> list[str]:
        return sorted(self.sandbox.groups[GROUP].audiences)

    def changes(self) -> list[str]:
        return [asked for asked in self.asked if not asked.startswith("GET")]


async def unsent(_: Message) -> None:
    await anyio.lowlevel.checkpoint()


async def late(scope: Scope, receive: Receive, send: Send) -> None:
    raise httpx.ReadTimeout("late")


def showing(audiences: list[Any], folders: list[Any] | None = None) -> Application:
    """A service that shows these things and loses every change."""

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        of_folders = scope["path"].endswith("navigation")
        shown = {"folders": folders} if of_folders else {"items": audiences}
        await (holding(shown) if scope["method"] == "GET" else lost)(scope, receive, send)

    return service
