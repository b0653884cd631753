"""One request to a service: where it goes, what it carries, and where it does not go."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.types import Receive, Scope, Send

from leadpipe_mcp import errors
from leadpipe_mcp.api.addresses import names_a_thing
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NOT_OFFERED
from leadpipe_mcp.sandbox.app import ENDPOINTS
from tests.api.answering import KEY, UNKNOWN_ID, Connect, refusal, to
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
LISTS, ONE = "/v1/intent/audiences", f"/v1/intent/audiences/{UNKNOWN_ID}"
MISSING = JSONResponse({"error": {"message": "Not Found"}}, 404)


@pytest.mark.parametrize("url", ["https://a.test:8443/x", "http://LOCALHOST", "http://[::1]:80"])
def test_a_key_may_go_over_https_or_to_this_machine(url: str) -> None:
    Transport(url, SecretStr(KEY))


@pytest.mark.parametrize(
    ("why", "urls"),
    [
        ("must start with https", "http://a.test http://localhost.a.test http://10.0.0.7"),
        ("must be an address like", "ftp://localhost a.test https:// https://[::1 https://a:port"),
        ("must be an address like", "https://a:0 https://a\x7f"),
        ("without user", "https://me:secret@a https://@a https://a? https://a/?x=1 https://a/#x"),
    ],
)
def test_a_key_goes_nowhere_else(why: str, urls: str) -> None:
    for url in urls.split(" "):
        with pytest.raises(ValueError, match=why) as caught:
            Transport(url, SecretStr(KEY))
        assert "secret" not in str(caught.value)


async def test_a_request_carries_what_was_asked_and_the_key_in_its_header() -> None:
    requests: list[tuple[Request, bytes]] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        requests.append((request := Request(scope, receive), await request.body()))
        await JSONResponse({"data": []})(scope, receive, send)

    transport = to(service, "https://gate.test/leadpipe/")
    await transport.request("GET", "/v1/x", query={"a": 1, "b": None, "c": "&d=ü"})
    await to(service, bearer=True).request("POST", "/v1/y", body={"a": None}, idempotency_key="k")
    (got, _), (posted, body) = requests
    assert str(got.url) == "https://gate.test/leadpipe/v1/x?a=1&c=%26d%3D%C3%BC"
    assert dict(got.query_params) == {"a": "1", "c": "&d=ü"}
    assert got.headers["User-Agent"].startswith("leadpipe-mcp/")
    assert (got.headers["Accept"], got.headers["Accept-Encoding"]) == ("application/json", "gzip")
    assert (got.headers["X-API-Key"], "authorization" in got.headers) == (KEY, False)
    assert (posted.headers["Authorization"], "x-api-key" in posted.headers) == (
        f"Bearer {KEY}",
        False,
    )
    assert (body, posted.headers["Idempotency-Key"]) == (b'{"a":null}', "k")
    assert KEY not in f"{got.url}{posted.url}"


async def test_without_a_key_only_what_is_public_is_asked(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = connect(sandbox, key=None)
    for call in (client.account, client.audiences.list, client.configs.filters):
        with pytest.raises(errors.NotConfigured, match="LEADPIPE_API_KEY"):
            await call()
    assert not sandbox.requests
    assert [topic.name for topic in await client.topic_names((117805,))] == ["Marketing ROI"]
    assert sandbox.requests[-1].headers == {}


async def test_an_id_cannot_reach_another_route(client: LeadpipeClient, sandbox: Sandbox) -> None:
    hostile = ["", ".", "..", "../x", "a/b", "a\\b", "a%2Fb", "a?b", "a#b", "a b", "ä", "\ud800"]
    for odd in [*hostile, f"{UNKNOWN_ID}\n"]:
        calls: list[Callable[[], Any]] = [
            lambda odd=odd: client.audiences.get(odd),
            lambda odd=odd: client.audiences.update(odd, name="x"),
            lambda odd=odd: client.audiences.delete(odd),
            lambda odd=odd: client.runs.list(odd),
            lambda odd=odd: client.runs.people(UNKNOWN_ID, run_id=odd),
            lambda odd=odd: client.runs.queue(odd, "once"),
            lambda odd=odd: client.runs.cancel(UNKNOWN_ID, odd),
        ]
        for call in calls:
            with pytest.raises(errors.NotPossible, match="cannot be an id: ids are of letters"):
                await call()
    assert not sandbox.requests
    with pytest.raises(errors.ServiceError):
        await client.audiences.get("aud_1.2-x")
    assert sandbox.requests[-1].path == "/v1/intent/audiences/aud_1.2-x"


async def test_what_cannot_be_sent_is_refused(client: LeadpipeClient, sandbox: Sandbox) -> None:
    with pytest.raises(errors.NotPossible, match="holds half a character; nothing was sent"):
        await client.audiences.update(UNKNOWN_ID, name="half \ud83d")
    with pytest.raises(errors.NotPossible, match="too long"):
        await client.runs.people(UNKNOWN_ID, cursor="x" * 70_000)
    assert not sandbox.requests


def test_every_route_of_the_services_is_known_to_be_about_a_thing_or_not() -> None:
    paths = {endpoint.path for endpoint in ENDPOINTS}
    for path in {*paths, "/v1/accounts", "/v1/accounts/{group}/audiences"}:
        assert names_a_thing(path) == ("{" in path), path


async def test_where_not_even_a_list_is_found_the_address_is_said_to_be_wrong() -> None:
    page = HTMLResponse("<pre>Cannot GET /v1/x</pre>", 404)
    asked = [(MISSING, LISTS), (MISSING, "/v1/intent/topics/facets"), (page, LISTS), (page, ONE)]
    for answer, path in asked:
        assert type(error := await refusal(answer, path=path)) is errors.WrongAddress
        assert error.advice.startswith("The address of the service looks wrong")


async def test_where_lists_are_found_a_missing_thing_or_route_is_said_to_be_one() -> None:
    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        fine = scope["path"] == LISTS
        await (JSONResponse({"data": []}) if fine else MISSING)(scope, receive, send)

    transport = to(service)
    error = await refusal(transport, path=ONE)
    assert (
        error.advice == f"{errors.NotFound.what_next} If the id is right, check LEADPIPE_BASE_URL."
    )
    await transport.request("GET", LISTS)
    assert (await refusal(transport, path=ONE)).advice == errors.NotFound.what_next
    assert (await refusal(transport, path="/v1/intent/topics/movers")).advice == NOT_OFFERED


async def test_a_redirect_is_not_followed_and_said() -> None:
    hosts: list[str] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        hosts.append(Request(scope).url.hostname or "")
        await RedirectResponse("https://elsewhere.test/x?token=abc", 307)(scope, receive, send)

    error = await refusal(service)
    assert (hosts, type(error), error.status) == (["service.test"], errors.NeverUsable, 307)
    assert str(error) == (
        "The service answered with a redirect (status 307), which is not followed."
        " Check LEADPIPE_BASE_URL."
    )
