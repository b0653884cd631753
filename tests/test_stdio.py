"""The server as an assistant starts it: a process of its own, spoken to over stdin and stdout.

Each test takes about a second, because each starts a process.
"""

import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp import Client, StdioServerParameters
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

pytestmark = pytest.mark.anyio
Message = dict[str, Any]

DEADLINE_SECONDS = 120
COMMAND = [sys.executable, "-m", "leadpipe_mcp", "--sandbox"]
ENVIRONMENT = {name: text for name, text in os.environ.items() if not name.startswith("LEADPIPE_")}

INITIALIZE: Message = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "pipe", "version": "1"},
    },
}
INITIALIZED: Message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
MODERN: Message = {
    "protocolVersion": "2026-07-28",
    "clientInfo": {"name": "pipe", "version": "1"},
    "clientCapabilities": {},
}


async def test_a_client_starts_the_server_and_works_with_it(era: str) -> None:
    questions: list[str] = []

    async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    server = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=ENVIRONMENT)
    with anyio.fail_after(DEADLINE_SECONDS):
        async with Client(server, mode=era, elicitation_callback=agree) as client:
            assert client.protocol_version == {"auto": "2026-07-28", "legacy": "2025-11-25"}[era]
            assert len((await client.list_tools()).tools) >= 9
            listed = (await client.call_tool("list_audiences", {})).structured_content
            assert listed is not None
            paused = listed["audiences"]["rows"][1][0]
            deleted = await client.call_tool("delete_audience", {"id": paused})
            refused = await client.call_tool("get_audience", {"id": paused})
    assert deleted.structured_content is not None
    assert deleted.structured_content["summary"] == "'CRM Buyers in California' was deleted."
    assert len(questions) == 1
    assert refused.is_error


class Pipe:
    """A process that speaks JSON-RPC, and what it said that was not asked for."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self._stdin, self._stdout = process.stdin, BufferedByteReceiveStream(process.stdout)
        self._ids = 0

    async def write(self, line: str) -> None:
        await self._stdin.send(line.encode() + b"\n")

    async def read(self) -> Message:
        """The next message; nothing but JSON-RPC comes out."""
        message = json.loads(await self._stdout.receive_until(b"\n", 1_000_000))
        assert message["jsonrpc"] == "2.0"
        return message

    async def notify(self, method: str) -> None:
        await self.write(json.dumps({"jsonrpc": "2.0", "method": method}))

    async def ask(
        self,
        method: str,
        params: Message,
        answer: Callable[[Message], Awaitable[None]] | None = None,
    ) -> Message:
        """The result of a request; what the server asks meanwhile goes to `answer`."""
        self._ids += 1
        await self.write(
            json.dumps({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params})
        )
        while True:
            message = await self.read()
            if "method" in message and answer:
                await answer(message)
            elif message.get("id") == self._ids and "result" in message:
                return message["result"]

    async def call(
        self, tool: str, answer: Callable[[Message], Awaitable[None]] | None = None, **asked: object
    ) -> Message:
        return await self.ask("tools/call", {"name": tool, "arguments": asked}, answer)

    async def end(self) -> int:
        """Close its stdin; its exit code, once it has ended by itself and said nothing more."""
        await self._stdin.aclose()
        with pytest.raises((anyio.EndOfStream, anyio.IncompleteRead)):
            await self._stdout.receive_until(b"\n", 1_000_000)
        return await self.process.wait()


@asynccontextmanager
async def started(capabilities: Message) -> AsyncGenerator[tuple[Pipe, Message]]:
    """A server of the handshake era, greeted by a client with these capabilities."""
    with anyio.fail_after(DEADLINE_SECONDS):
        async with await anyio.open_process(COMMAND, env=ENVIRONMENT) as process:
            pipe = Pipe(process)
            greeting = {
                "protocolVersion": "2025-06-18",
                "capabilities": capabilities,
                "clientInfo": {"name": "pipe", "version": "1"},
            }
            told = await pipe.ask("initialize", greeting)
            await pipe.notify("notifications/initialized")
            yield pipe, told


async def test_a_plain_pipe_is_answered_line_by_line_until_it_closes() -> None:
    async with started({"elicitation": {"url": {}}}) as (pipe, told):
        assert told["protocolVersion"] == "2025-06-18"
        assert told["serverInfo"]["name"] == "leadpipe"
        assert "This is the sandbox" in told["instructions"]
        tools = await pipe.ask("tools/list", {})
        assert "list_audiences" in [tool["name"] for tool in tools["tools"]]
        await pipe.write("this is not JSON")
        await pipe.write('{"jsonrpc": "2.0", "nothing": true}')
        listed = await pipe.call("list_audiences")
        paused = listed["structuredContent"]["audiences"]["rows"][1][0]
        # Its human can be shown a page, but not a form: it gets a code.
        asked = await pipe.call("delete_audience", id=paused)
        assert asked["structuredContent"]["confirm"]
        assert await pipe.end() == 0


async def test_a_client_of_before_the_modes_is_asked_with_a_form() -> None:
    questions: list[Message] = []

    async with started({"elicitation": {}}) as (pipe, _):

        async def agree(question: Message) -> None:
            questions.append(question)
            result = {"action": "accept", "content": {"approve": True}}
            await pipe.write(json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": result}))

        listed = await pipe.call("list_audiences")
        paused = listed["structuredContent"]["audiences"]["rows"][1][0]
        deleted = await pipe.call("delete_audience", agree, id=paused)
        assert await pipe.end() == 0
    assert [question["method"] for question in questions] == ["elicitation/create"]
    assert questions[0]["params"]["requestedSchema"]["required"] == ["approve"]
    assert deleted["structuredContent"]["summary"] == "'CRM Buyers in California' was deleted."


def asked_to(tool: str, *, capabilities: Message | None = None, **more: object) -> Message:
    """The parameters of a call in the revision of 2026."""
    meta = {**MODERN, "clientCapabilities": capabilities or {}}
    named = {f"io.modelcontextprotocol/{name}": value for name, value in meta.items()}
    return {"name": tool, "arguments": {}, "_meta": named, **more}


@pytest.mark.parametrize("is_modern", [False, True])
async def test_what_is_piped_in_at_once_is_answered(*, is_modern: bool) -> None:
    params = asked_to("list_audiences") if is_modern else {"name": "list_audiences"}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
    lines = [call] if is_modern else [INITIALIZE, INITIALIZED, call]
    piped = "".join(f"{json.dumps(line)}\n" for line in lines)
    with anyio.fail_after(DEADLINE_SECONDS):
        done = await anyio.run_process(COMMAND, input=piped.encode(), env=ENVIRONMENT)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["id"], answer["result"]["isError"]) == (2, False)


async def test_a_call_before_the_handshake_is_told_what_to_send_first() -> None:
    with anyio.fail_after(DEADLINE_SECONDS):
        async with await anyio.open_process(COMMAND, env=ENVIRONMENT) as process:
            pipe = Pipe(process)
            call: Message = {"name": "list_audiences", "arguments": {}}
            for method, params in (("tools/call", call), ("tools/list", Message())):
                await pipe.write(
                    json.dumps({"jsonrpc": "2.0", "id": 9, "method": method, "params": params})
                )
                error = (await pipe.read())["error"]
                assert error["code"] == -32600
                assert "Send the request initialize first" in error["message"]
            # It is not too late.
            await pipe.ask("initialize", INITIALIZE["params"])
            assert not (await pipe.call("list_audiences"))["isError"]
            assert await pipe.end() == 0


ODD_RESULTS: list[object] = [
    "yes",
    None,
    True,
    [{"approve": True}],
    {},
    {"action": "agree", "content": {"approve": True}},
    {"action": ["accept"], "content": {"approve": True}},
    {"action": "accept", "content": "yes"},
    {"action": "accept", "content": [True]},
    {"action": "accept", "content": {"approve": {"approve": True}}},
    {"action": "accept", "content": {"approve": "true"}},
    {"content": {"approve": True}},
    {"code": -32603, "message": "The form could not be shown"},
    {"error": {"code": -32603, "message": "The form could not be shown"}},
]
ODD_ANSWERS: list[Message] = [
    *({"result": result} for result in ODD_RESULTS),
    {"error": {"code": -32603, "message": "The form could not be shown"}},
    {"error": "The form could not be shown"},
]


async def test_an_odd_answer_of_the_client_is_no_yes() -> None:
    async with started({"elicitation": {}}) as (pipe, _):
        listed = await pipe.call("list_audiences")
        paused = listed["structuredContent"]["audiences"]["rows"][1][0]
        for odd in ODD_ANSWERS:

            async def answer(question: Message, odd: Message = odd) -> None:
                await pipe.write(json.dumps({"jsonrpc": "2.0", "id": question["id"], **odd}))

            refused = await pipe.call("delete_audience", answer, id=paused)
            assert refused["isError"], odd
            assert "The user did not agree to this" in refused["content"][0]["text"], odd
        assert (await pipe.call("list_audiences")) == listed
        assert await pipe.end() == 0


async def test_an_odd_answer_of_a_client_of_2026_is_no_yes() -> None:
    async def call(tool: str, **more: object) -> Message:
        asks: Message = {"elicitation": {"form": {}}}
        return await pipe.ask("tools/call", asked_to(tool, capabilities=asks, **more))

    with anyio.fail_after(DEADLINE_SECONDS):
        async with await anyio.open_process(COMMAND, env=ENVIRONMENT) as process:
            pipe = Pipe(process)
            listed = await call("list_audiences")
            paused = {"id": listed["structuredContent"]["audiences"]["rows"][1][0]}
            for odd in ODD_RESULTS:
                asked = await call("delete_audience", arguments=paused)
                assert list(asked["inputRequests"]) == ["approval"]
                refused = await call(
                    "delete_audience",
                    arguments=paused,
                    requestState=asked["requestState"],
                    inputResponses={"approval": odd},
                )
                assert refused["isError"], odd
                assert "The user did not agree to this" in refused["content"][0]["text"], odd
            assert (await call("list_audiences")) == listed
            assert await pipe.end() == 0
