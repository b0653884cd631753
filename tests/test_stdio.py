"""The server as an assistant speaks to it: lines of JSON over stdin and stdout.

Where a process of its own would show nothing more, the server answers in this one, over two pipes.
"""

import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult

from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.wire import Answers, Messages, reading
from tests.processes import COMMAND, DEADLINE_SECONDS, ENVIRONMENT, GREETING, META, Message

pytestmark = pytest.mark.anyio
Answer = Callable[[Message], Awaitable[None]]

SERVER = [*COMMAND, "--sandbox"]
MODERN: Message = META | {
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}
}


# In a process of its own


async def test_a_client_starts_the_server_and_works_with_it() -> None:
    questions: list[str] = []

    async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    server = StdioServerParameters(command=SERVER[0], args=SERVER[1:], env=ENVIRONMENT)
    with anyio.fail_after(DEADLINE_SECONDS):
        async with Client(server, elicitation_callback=agree) as client:
            assert client.protocol_version == "2026-07-28"
            assert len((await client.list_tools()).tools) >= 9
            listed = (await client.call_tool("list_audiences", {})).structured_content
            assert listed is not None
            paused = listed["audiences"]["rows"][1][0]
            deleted = await client.call_tool("delete_audience", {"id": paused})
    assert deleted.structured_content is not None
    assert deleted.structured_content["summary"] == "'CRM Buyers in California' was deleted."
    assert len(questions) == 1


async def test_what_is_piped_in_at_once_is_answered_with_nothing_but_messages() -> None:
    messages: list[Message] = [
        {"id": 1, "method": "initialize", "params": GREETING},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "list_audiences"}},
    ]
    lines = ["not JSON", *(json.dumps({"jsonrpc": "2.0", **message}) for message in messages)]
    with anyio.fail_after(DEADLINE_SECONDS):
        piped = "\n".join(lines).encode()
        done = await anyio.run_process(SERVER, input=piped, env=ENVIRONMENT)
    told = {line["id"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert "error" in told[None]
    assert "This is the sandbox" in told[1]["result"]["instructions"]
    assert told[2]["result"]["isError"] is False


# In this one


class Pipe:
    """A client that writes lines, and reads those that come."""

    def __init__(self, stdin: int, stdout: int) -> None:
        self._stdin, self._read = stdin, reading(stdout)
        self._came = bytearray()
        self._ids = 0

    def write(self, **message: object) -> None:
        os.write(self._stdin, json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def read(self) -> Message:
        while b"\n" not in self._came:
            self._came += await self._read()
        line, _, self._came = self._came.partition(b"\n")
        return json.loads(line)

    async def ask(self, method: str, params: Message, answer: Answer | None = None) -> Message:
        """The answer to a request; what the server asks meanwhile goes to `answer`."""
        self._ids += 1
        self.write(id=self._ids, method=method, params=params)
        while True:
            message = await self.read()
            if "method" in message and answer:
                await answer(message)
            elif message.get("id") == self._ids:
                return message

    async def call(self, tool: str, answer: Answer | None = None, **asked: object) -> Message:
        params: Message = {"name": tool, "arguments": asked}
        return (await self.ask("tools/call", params, answer))["result"]

    async def call_modern(self, tool: str, asked: Message, **more: object) -> Message:
        params: Message = {"name": tool, "arguments": asked, "_meta": MODERN, **more}
        return (await self.ask("tools/call", params))["result"]

    async def greet(self, capabilities: Message) -> None:
        await self.ask("initialize", GREETING | {"capabilities": capabilities})
        self.write(method="notifications/initialized")


@asynccontextmanager
async def started() -> AsyncGenerator[Pipe]:
    (theirs, stdin), (stdout, ours) = os.pipe(), os.pipe()
    server = build_server(Settings(sandbox=True), service=Sandbox(SandboxSettings(people=1_000)))
    answers = Answers(ours, lambda: None)
    messages = Messages(theirs, answers, lambda: None)
    with anyio.fail_after(DEADLINE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, messages, answers, server.create_initialization_options())
            yield Pipe(stdin, stdout)
            os.close(stdin)
    for descriptor in (theirs, stdout, ours):
        os.close(descriptor)


def paused_of(listed: Message) -> str:
    return listed["structuredContent"]["audiences"]["rows"][1][0]


async def test_a_client_that_can_show_only_pages_gets_a_code() -> None:
    async with started() as pipe:
        await pipe.greet({"elicitation": {"url": {}}})
        paused = paused_of(await pipe.call("list_audiences"))
        asked = await pipe.call("delete_audience", id=paused)
        assert asked["structuredContent"]["confirm"]


async def test_a_client_of_before_the_modes_is_asked_with_a_form() -> None:
    questions: list[Message] = []
    async with started() as pipe:

        async def agree(question: Message) -> None:
            questions.append(question)
            pipe.write(id=question["id"], result={"action": "accept", "content": {"approve": True}})

        await pipe.greet({"elicitation": {}})
        paused = paused_of(await pipe.call("list_audiences"))
        deleted = await pipe.call("delete_audience", agree, id=paused)
    assert [question["method"] for question in questions] == ["elicitation/create"]
    assert questions[0]["params"]["requestedSchema"]["required"] == ["approve"]
    assert deleted["structuredContent"]["summary"] == "'CRM Buyers in California' was deleted."


async def test_a_call_before_the_handshake_is_told_what_to_send_first() -> None:
    async with started() as pipe:
        call: Message = {"name": "list_audiences", "arguments": {}}
        for method, params in (("tools/call", call), ("tools/list", Message())):
            error = (await pipe.ask(method, params))["error"]
            assert error["code"] == -32600
            assert "Send the request initialize first" in error["message"]
        # It is not too late.
        await pipe.greet({})
        assert not (await pipe.call("list_audiences"))["isError"]


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
    {"action": "decline"},
    {"action": "cancel", "content": {"approve": True}},
    {"action": "accept"},
    {"action": "accept", "content": {"approve": False}},
    {"action": "accept", "content": {"approve": ["yes", "yes"]}},
    {"action": "accept", "content": {"confirm": True, "agreed": "yes"}},
    {"code": -32603, "message": "The form could not be shown"},
    {"error": {"code": -32603, "message": "The form could not be shown"}},
]
ODD_ANSWERS: list[Message] = [
    *({"result": result} for result in ODD_RESULTS),
    {"error": {"code": -32603, "message": "The form could not be shown"}},
    {"error": "The form could not be shown"},
]


async def test_an_odd_answer_of_the_client_is_no_yes() -> None:
    async with started() as pipe:
        await pipe.greet({"elicitation": {}})
        listed = await pipe.call("list_audiences")
        for odd in ODD_ANSWERS:

            async def answer(question: Message, odd: Message = odd) -> None:
                pipe.write(id=question["id"], **odd)

            refused = await pipe.call("delete_audience", answer, id=paused_of(listed))
            assert refused["isError"], odd
            assert "The user did not agree to this" in refused["content"][0]["text"], odd
        assert (await pipe.call("list_audiences")) == listed


async def test_an_odd_answer_of_a_client_of_2026_is_no_yes() -> None:
    async with started() as pipe:
        listed = await pipe.call_modern("list_audiences", {})
        paused = {"id": paused_of(listed)}
        for odd in ODD_RESULTS:
            asked = await pipe.call_modern("delete_audience", paused)
            assert list(asked["inputRequests"]) == ["approval"]
            answers = {"requestState": asked["requestState"], "inputResponses": {"approval": odd}}
            refused = await pipe.call_modern("delete_audience", paused, **answers)
            assert refused["isError"], odd
            assert "The user did not agree to this" in refused["content"][0]["text"], odd
        assert (await pipe.call_modern("list_audiences", {})) == listed
