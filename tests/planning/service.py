"""Simulated services to plan with, and clients of them."""

from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.in_process import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
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

    return client_of(answer)
