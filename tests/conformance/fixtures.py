"""What the conformance suite calls by name, put beside what the server shows.

The suite's scenarios need a tool that answers with an image, a prompt that asks for something, and
so on. `furnish` adds them to the server that everybody uses, so that the wire, the sealing of
request state, the callers and everything else are the real ones. Run as a program, this serves them
over HTTP: `fixtures.py PORT`.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from mcp import MCPError, types
from mcp.server import Server, ServerRequestContext
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ServerEvent,
    ToolsListChanged,
)

from leadpipe_mcp.hosting.app import build_app
from leadpipe_mcp.hosting.settings import HostingSettings

Context = ServerRequestContext[Any, Any]
Asked = types.CallToolRequestParams
Answer = types.CallToolResult | types.InputRequiredResult
Tool = Callable[[Context, Asked], Awaitable[Answer]]

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8"
    "z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
TEXT = types.TextContent(text="This is a text.")
IMAGE = types.ImageContent(data=PIXEL, mime_type="image/png")
AUDIO = types.AudioContent(data=SILENCE, mime_type="audio/wav")
TEMPLATE = "test://template/{id}/data"
BUS = InMemorySubscriptionBus()


def embedded(uri: str, text: str, mime_type: str = "text/plain") -> types.EmbeddedResource:
    """Return a resource as a part of an answer."""
    inside = types.TextResourceContents(uri=uri, text=text, mime_type=mime_type)
    return types.EmbeddedResource(resource=inside)


def form(message: str, field: str, kind: str = "string") -> types.ElicitRequest:
    """Return the request to ask the user for one thing."""
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return types.ElicitRequest(
        params=types.ElicitRequestFormParams(message=message, requested_schema=schema)
    )


def sampling(question: str) -> types.CreateMessageRequest:
    """Return the request to ask the client's model."""
    said = types.SamplingMessage(role="user", content=types.TextContent(text=question))
    return types.CreateMessageRequest(
        params=types.CreateMessageRequestParams(messages=[said], max_tokens=100)
    )


def answering(*content: types.ContentBlock, is_error: bool = False) -> Tool:
    """Return a tool that always answers the same."""

    async def answer(_: Context, __: Asked) -> Answer:
        return types.CallToolResult(content=list(content), is_error=is_error)

    return answer


def asking(*rounds: types.InputRequests, sealed: bool = False) -> Tool:
    """Return a tool that asks for these things, a few in each round, before it answers.

    Args:
        rounds: What is asked in each.
        sealed: Whether it has to get back what it put beside its question.
    """

    async def ask(_: Context, params: Asked) -> Answer:
        answers = params.input_responses or {}
        # Only the seal tells whether anybody has changed what came back.
        at = int((params.request_state or "0")[0])
        if is_answered(rounds[at], answers) and (params.request_state or not sealed):
            at += 1
        if at == len(rounds):
            said = types.TextContent(text=f"state-ok: {', '.join(answers)}")
            return types.CallToolResult(content=[said])
        state = str(at) if sealed else None
        return types.InputRequiredResult(input_requests=rounds[at], request_state=state)

    return ask


def is_answered(requests: types.InputRequests, answers: types.InputResponses) -> bool:
    """Whether each request has an answer of its own kind."""
    kinds = {
        "elicitation/create": types.ElicitResult,
        "sampling/createMessage": types.CreateMessageResult,
        "roots/list": types.ListRootsResult,
    }
    found = [answers.get(name) for name in requests]
    wanted = [kinds[request.method] for request in requests.values()]
    return all(
        isinstance(answer, kind) and getattr(answer, "action", "accept") == "accept"
        for answer, kind in zip(found, wanted, strict=True)
    )


async def report_progress(context: Context, _: Asked) -> Answer:
    """Tell how far it is, three times."""
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100)
    return types.CallToolResult(content=[TEXT])


def publishing(event: ServerEvent) -> Tool:
    """Return a tool that says that a list has changed."""

    async def publish(_: Context, __: Asked) -> Answer:
        await BUS.publish(event)
        return types.CallToolResult(content=[TEXT])

    return publish


async def need_sampling(context: Context, _: Asked) -> Answer:
    """Refuse a client that does not offer its model."""
    needed = types.ClientCapabilities(sampling=types.SamplingCapability())
    if not context.session.check_client_capability(needed):
        data = types.MissingRequiredClientCapabilityErrorData(required_capabilities=needed)
        raise MCPError(
            types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            "The client offers no sampling.",
            data.model_dump(by_alias=True, mode="json", exclude_none=True),
        )
    return types.CallToolResult(content=[TEXT])


async def ask_what_is_offered(context: Context, _: Asked) -> Answer:
    """Ask for no more than the client offers."""
    offered = context.session.client_capabilities or types.ClientCapabilities()
    requests: types.InputRequests = {}
    if offered.elicitation:
        requests["name"] = form("What is your name?", "name")
    if offered.sampling:
        requests["greeting"] = sampling("Say a greeting.")
    return types.InputRequiredResult(input_requests=requests)


NAME = form("What is your name?", "name")
CONFIRM: types.InputRequests = {"confirm": form("Please confirm.", "ok", "boolean")}
CAPITAL = sampling("What is the capital of France?")
ROOTS = types.ListRootsRequest()
ALL: types.InputRequests = {"user_name": NAME, "greeting": CAPITAL, "client_roots": ROOTS}
STEPS: list[types.InputRequests] = [
    {"step1": NAME},
    {"step2": form("What is your favorite color?", "color")},
]
MIXED = embedded("test://mixed-content-resource", '{"test":"data"}', "application/json")
TOOLS: dict[str, Tool] = {
    "test_simple_text": answering(TEXT),
    "test_image_content": answering(IMAGE),
    "test_audio_content": answering(AUDIO),
    "test_embedded_resource": answering(embedded("test://embedded-resource", "A resource.")),
    "test_multiple_content_types": answering(TEXT, IMAGE, MIXED),
    "test_error_handling": answering(types.TextContent(text="It failed."), is_error=True),
    "test_tool_with_progress": report_progress,
    "test_missing_capability": need_sampling,
    "test_streaming_elicitation": asking({"user_name": NAME}),
    "test_logging_tool": answering(TEXT),
    "test_trigger_tool_change": publishing(ToolsListChanged()),
    "test_trigger_prompt_change": publishing(PromptsListChanged()),
    "test_input_required_result_elicitation": asking({"user_name": NAME}),
    "test_input_required_result_sampling": asking({"capital_question": CAPITAL}),
    "test_input_required_result_list_roots": asking({"client_roots": ROOTS}),
    "test_input_required_result_request_state": asking(CONFIRM, sealed=True),
    "test_input_required_result_tampered_state": asking(CONFIRM, sealed=True),
    "test_input_required_result_multiple_inputs": asking(ALL, sealed=True),
    "test_input_required_result_multi_round": asking(*STEPS, sealed=True),
    "test_input_required_result_capabilities": ask_what_is_offered,
}
PROMPTS: dict[str, list[str]] = {
    "test_simple_prompt": [],
    "test_prompt_with_arguments": ["arg1", "arg2"],
    "test_prompt_with_embedded_resource": ["resourceUri"],
    "test_prompt_with_image": [],
    "test_input_required_result_prompt": [],
}
CONTENTS: dict[str, types.TextResourceContents | types.BlobResourceContents] = {
    "test://static-text": types.TextResourceContents(
        uri="test://static-text", text="A text that never changes.", mime_type="text/plain"
    ),
    "test://static-binary": types.BlobResourceContents(
        uri="test://static-binary", blob=PIXEL, mime_type="image/png"
    ),
    TEMPLATE.format(id="123"): types.TextResourceContents(
        uri=TEMPLATE.format(id="123"), text='{"id":"123"}', mime_type="application/json"
    ),
}
SAID = "For the conformance suite."


async def get_prompt(
    _: Context, params: types.GetPromptRequestParams
) -> types.GetPromptResult | types.InputRequiredResult:
    """Answer with one of the suite's prompts."""
    given = params.arguments or {}
    content: list[types.ContentBlock] = [types.TextContent(text=f"Arguments: {given}")]
    if "resourceUri" in given:
        content.insert(0, embedded(given["resourceUri"], "A resource."))
    elif params.name == "test_prompt_with_image":
        content.insert(0, IMAGE)
    elif params.name == "test_input_required_result_prompt":
        asked: types.InputRequests = {"user_context": form("Which context?", "context")}
        if not is_answered(asked, params.input_responses or {}):
            return types.InputRequiredResult(input_requests=asked)
    return types.GetPromptResult(
        messages=[types.PromptMessage(role="user", content=block) for block in content]
    )


async def call_tool(context: Context, params: Asked) -> Answer:
    """Call one of the suite's tools."""
    return await TOOLS[params.name](context, params)


async def read_resource(
    _: Context, params: types.ReadResourceRequestParams
) -> types.ReadResourceResult:
    """Read one of the suite's resources."""
    return types.ReadResourceResult(contents=[CONTENTS[str(params.uri)]])


LISTED: dict[str, list[Any]] = {
    "tools": [
        types.Tool(name=name, description=SAID, input_schema={"type": "object"}) for name in TOOLS
    ],
    "prompts": [
        types.Prompt(
            name=name,
            description=SAID,
            arguments=[types.PromptArgument(name=one, required=True) for one in arguments],
        )
        for name, arguments in PROMPTS.items()
    ],
    "resources": [
        types.Resource(uri=uri, name=uri, description=SAID, mime_type=inside.mime_type)
        for uri, inside in CONTENTS.items()
    ],
    "resource_templates": [
        types.ResourceTemplate(uri_template=TEMPLATE, name="template", description=SAID)
    ],
}


def furnish(server: Server[Any]) -> None:
    """Add the suite's tools, prompts and resources to those of the server."""
    also_listed(server, "tools/list", "tools")
    also_listed(server, "prompts/list", "prompts")
    also_listed(server, "resources/list", "resources")
    also_listed(server, "resources/templates/list", "resource_templates")
    also_answered(server, "tools/call", "name", TOOLS, call_tool)
    also_answered(server, "prompts/get", "name", PROMPTS, get_prompt)
    also_answered(server, "resources/read", "uri", CONTENTS, read_resource)
    # The same listening, to something that these tools can tell of a change.
    listening = types.SubscriptionsListenRequestParams
    server.add_request_handler("subscriptions/listen", listening, ListenHandler(BUS))


def also_listed(server: Server[Any], method: str, field: str) -> None:
    """Let a list of the server's end with the suite's things."""
    own = server.get_request_handler(method)
    assert own

    async def answer(context: Context, params: Any) -> Any:  # noqa: ANN401 -- any list
        listed: Any = await own.handler(context, params)
        return listed.model_copy(update={field: [*getattr(listed, field), *LISTED[field]]})

    server.add_request_handler(method, own.params_type, answer)


def also_answered(
    server: Server[Any],
    method: str,
    field: str,
    known: dict[str, Any],
    handler: Callable[[Context, Any], Awaitable[Any]],
) -> None:
    """Let requests for the suite's things be answered here, and all others by the server."""
    own = server.get_request_handler(method)
    assert own

    async def answer(context: Context, params: Any) -> Any:  # noqa: ANN401 -- any request
        chosen = handler if str(getattr(params, field)) in known else own.handler
        return await chosen(context, params)

    server.add_request_handler(method, own.params_type, answer)


if __name__ == "__main__":
    port = int(sys.argv[1])
    settings = HostingSettings(sandbox=True, port=port, requests_per_minute=100_000)
    app = build_app(settings, furnish=furnish)
    uvicorn.run(app, port=port, log_level="error")
