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

DELETED = "'CRM Buyers in California' was deleted."
CALLED: Message = {
    "_meta": META | {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}
}


async def test_a_client_starts_the_server_and_works_with_it() -> None:
    questions: list[str] = []

    async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        return ElicitResult(action="accept", content={"approve": True})

    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "--sandbox"], env=ENVIRONMENT
    )
    with anyio.fail_after(DEADLINE_SECONDS):
        async with Client(server, elicitation_callback=agree) as client:
            assert client.protocol_version == "2026-07-28"
            listed = (await client.call_tool("list_audiences", {})).structured_content
            assert listed is not None
            paused = listed["audiences"]["rows"][1][0]
            deleted = await client.call_tool("delete_audience", {"id": paused})
    assert deleted.structured_content is not None
    assert deleted.structured_content["summary"] == DELETED
    assert len(questions) == 1


async def test_what_is_piped_in_at_once_is_answered_with_nothing_but_messages() -> None:
    messages: list[Message] = [
        {"id": 1, "method": "initialize", "params": GREETING},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    ]
    lines = ["not JSON", *(json.dumps({"jsonrpc": "2.0", **message}) for message in messages)]
    command = [*COMMAND, "--sandbox", "--confirm", "off", "--log-level", "error"]
    with anyio.fail_after(DEADLINE_SECONDS):
        done = await anyio.run_process(command, input="\n".join(lines).encode(), env=ENVIRONMENT)
    told = {line["id"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert "error" in told[None]
    assert "This is the sandbox" in told[1]["result"]["instructions"]
    assert told[2]["result"]["tools"]
    assert done.stderr == b"leadpipe-mcp: LEADPIPE_CONFIRM=off, nothing is asked first\n"


class Pipe:
    """A client that writes lines, and reads those that come."""

    def __init__(self, stdin: int, stdout: int) -> None:
        self._stdin, self._read = stdin, reading(stdout)
        self._came = bytearray()
        self._ids = 0

    def write(self, **message: object) -> None:
        os.write(self._stdin, json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def ask(self, method: str, params: Message, answer: Answer | None = None) -> Message:
        """The answer to a request; what the server asks meanwhile goes to `answer`."""
        self._ids += 1
        self.write(id=self._ids, method=method, params=params)
        while True:
            while b"\n" not in self._came:
                self._came += await self._read()
            line, _, self._came = self._came.partition(b"\n")
            message = json.loads(line)
            if "method" in message and answer:
                await answer(message)
            elif message.get("id") == self._ids:
                return message

    async def call(
        self, tool: str, asked: Message, answer: Answer | None = None, more: Message | None = None
    ) -> Message:
        params: Message = {"name": tool, "arguments": asked, **(more or {})}
        return (await self.ask("tools/call", params, answer))["result"]

    async def paused(self, more: Message | None = None) -> Message:
        """The arguments that name the paused audience."""
        listed = await self.call("list_audiences", {}, more=more)
        return {"id": listed["structuredContent"]["audiences"]["rows"][1][0]}

    async def greet(self, **capabilities: object) -> None:
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


async def test_a_client_of_before_the_modes_gets_a_form_and_one_with_only_pages_a_code() -> None:
    questions: list[Message] = []
    async with started() as pipe:
        await pipe.greet(elicitation={"url": {}})
        asked = await pipe.call("delete_audience", await pipe.paused())
        assert asked["structuredContent"]["confirm"]
    async with started() as pipe:

        async def agree(question: Message) -> None:
            questions.append(question)
            pipe.write(id=question["id"], result={"action": "accept", "content": {"approve": True}})

        await pipe.greet(elicitation={})
        deleted = await pipe.call("delete_audience", await pipe.paused(), agree)
    assert [question["method"] for question in questions] == ["elicitation/create"]
    assert questions[0]["params"]["requestedSchema"]["required"] == ["approve"]
    assert deleted["structuredContent"]["summary"] == DELETED


async def test_a_call_before_the_handshake_is_told_what_to_send_first() -> None:
    async with started() as pipe:
        for method, params in (("tools/call", {"name": "list_audiences"}), ("tools/list", {})):
            error = (await pipe.ask(method, params))["error"]
            assert error["code"] == -32600
            assert "Send the request initialize first" in error["message"]
        # It is not too late.
        await pipe.greet()
        assert await pipe.paused()


FAILED: Message = {"code": -32603, "message": "The form could not be shown"}
ODD_RESULTS: list[object] = [
    *("yes", None, True, [{"approve": True}], {}, FAILED, {"error": FAILED}),
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
]


@pytest.mark.parametrize("modern", [False, True])
async def test_an_odd_answer_of_the_client_is_no_yes(*, modern: bool) -> None:
    odd_answers: list[Message] = [{"result": result} for result in ODD_RESULTS]
    odd_answers += [] if modern else [{"error": FAILED}, {"error": FAILED["message"]}]
    more = CALLED if modern else None
    async with started() as pipe:
        if not modern:
            await pipe.greet(elicitation={})
        paused = await pipe.paused(more)
        for odd in odd_answers:

            async def answer(question: Message, odd: Message = odd) -> None:
                pipe.write(id=question["id"], **odd)

            said = await pipe.call("delete_audience", paused, answer, more)
            if modern:
                assert list(said["inputRequests"]) == ["approval"]
                brought = {"inputResponses": {"approval": odd["result"]}}
                brought = CALLED | brought | {"requestState": said["requestState"]}
                said = await pipe.call("delete_audience", paused, more=brought)
            assert said["isError"], odd
            assert "The user did not agree to this" in said["content"][0]["text"], odd
        assert await pipe.paused(more) == paused
