from collections.abc import Callable

import httpx
import pytest

from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[[SandboxSettings], Sandbox]
Connect = Callable[..., httpx.AsyncClient]
ANALYZE = "/v1/intent/topics/analyze"
SITE = {"url": "https://www.bluefern-crm.example/pricing?from=mail"}


@pytest.fixture
def client(start: Start, connect: Connect) -> httpx.AsyncClient:
    return connect(start(SandboxSettings()))


async def test_a_site_is_about_the_words_of_its_address(client: httpx.AsyncClient) -> None:
    response = await client.post(ANALYZE, json=SITE)
    assert response.status_code == 200
    data = response.json()["data"]
    assert data["company"] == "Bluefern Crm"
    assert "Sales" in data["summary"]
    assert data["keywords"][:2] == ["crm", "pricing"]
    assert len(data["contentHash"]) == 64
    assert len(data["topics"]) == 10
    similarities = [topic["similarity"] for topic in data["topics"]]
    assert similarities == sorted(similarities, reverse=True)
    assert all(0 < similarity < 1 for similarity in similarities)
    for topic in data["topics"]:
        assert topic["matchedKeyword"] in data["keywords"]
        assert topic["matchedKeyword"].split()[0] in topic["topicName"].lower()
    assert (await client.post(ANALYZE, json=SITE)).json()["data"] == data


async def test_a_site_that_says_nothing_is_invented(client: httpx.AsyncClient) -> None:
    data = (await client.post(ANALYZE, json={"url": "https://xyzzy.example"})).json()["data"]
    assert data["company"] == "Xyzzy"
    assert len(data["keywords"]) == 3
    assert len({topic["industry"] for topic in data["topics"]}) == 1
    data = (await client.post(ANALYZE, json={"url": "https://123.co.example/"})).json()["data"]
    assert (data["company"], data["summary"], data["keywords"], data["topics"]) == (
        None,
        None,
        [],
        [],
    )


async def test_another_path_is_another_page(client: httpx.AsyncClient) -> None:
    pages = [
        (await client.post(ANALYZE, json={"url": f"https://fern.example/{path}"})).json()["data"]
        for path in ("payroll", "payroll", "seo")
    ]
    assert pages[0] == pages[1]
    assert pages[0]["contentHash"] != pages[2]["contentHash"]
    assert [page["keywords"][0] for page in pages] == ["payroll", "payroll", "seo"]


@pytest.mark.parametrize(
    "url",
    [
        "//crm.example",
        "crm.example/about",
        "ftp://crm.example/",
        "http://localhost/",
        "http://intranet/",
        "https://printer.local/",
        "https://127.0.0.1/",
        "https://10.0.0.8/about",
        "http://[::1]/about",
        "http://[::1/about",
        "https://crm.example:port/",
        "https://crm .example/",
        "https://./about",
    ],
)
async def test_what_is_not_a_public_site_is_refused(url: str, client: httpx.AsyncClient) -> None:
    response = await client.post(ANALYZE, json={"url": url})
    assert response.status_code == 400
    assert response.json() == {"error": {"code": "HTTP_ERROR", "message": "Invalid URL"}}


@pytest.mark.parametrize("body", [{}, {"url": 5}, {"url": "x" * 2_049}, None])
async def test_an_analysis_needs_a_url(body: object, client: httpx.AsyncClient) -> None:
    response = await client.post(ANALYZE, json=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "VALIDATION_ERROR"


async def test_a_site_that_cannot_be_read_is_an_error(client: httpx.AsyncClient) -> None:
    response = await client.post(ANALYZE, json={"url": "https://crm.invalid/"})
    assert response.status_code == 500
    assert response.json()["error"]["message"] == "Processing error"


async def test_a_key_may_ask_thirty_times_a_minute_and_nobody_twice(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    sandbox = start(SandboxSettings())
    known, other = connect(sandbox), connect(sandbox, "sk_other")
    nobody = connect(sandbox, "")
    for client, limit in ((known, 30), (nobody, 2), (other, 30)):
        statuses = [(await client.post(ANALYZE, json=SITE)).status_code for _ in range(limit + 1)]
        assert statuses == [200] * limit + [429]
    moments.append(moments[-1] + 45.5)
    response = await nobody.post(ANALYZE, json=SITE)
    assert response.headers["Retry-After"] == "15"
    assert response.json() == {"error": {"code": "HTTP_ERROR", "message": "Rate limit exceeded"}}
    moments.append(moments[-1] + 15)
    assert (await nobody.post(ANALYZE, json=SITE)).status_code == 200
