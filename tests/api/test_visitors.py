"""Visitors and pixels, with the answers that are documented and those that might come."""

import pytest
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.visitors import PixelChange, host_of
from leadpipe_mcp.errors import Conflict, NotDone, NotFound, Unclear, UnusableAnswer, WrongAddress
from tests.api.answering import Altered, Connect, Start
from tests.faults.service import Fault, FaultKind, Sandbox

pytestmark = pytest.mark.anyio

SHOP = "northwind-shop.example"
PIXEL = {"id": "9b841198-288a-43ae-94b2-114543507b42", "domain": SHOP, "status": "active"}
ONE = {"email": "a@b.example"}


def answering(data: object, meta: dict[str, object] | None = None) -> Response:
    return JSONResponse({"data": data, "meta": meta or {}})


async def test_whether_there_is_more_is_told_from_whatever_there_is(connect: Connect) -> None:
    cases: list[tuple[dict[str, object], int, int, bool]] = [
        ({"hasMore": True, "total": 1}, 1, 1, True),
        ({"hasMore": False, "total": 99}, 1, 50, False),
        ({"totalPages": 2}, 1, 50, True),
        ({"totalPages": 2}, 2, 50, False),
        ({"total": 55}, 1, 50, True),
        ({"total": 55}, 2, 5, False),
        ({"total": 45}, 2, 20, True),
        ({"total": 20}, 9, 0, False),
        ({}, 1, 50, True),
        ({}, 1, 49, False),
    ]
    for meta, page, rows, has_more in cases:
        client = connect(answering([ONE] * rows, meta))
        found = await client.visitors.find(domain=SHOP, page=page)
        assert (found.has_more, found.total) == (has_more, meta.get("total")), meta


async def test_what_is_asked_is_what_is_sent(start: Start, connect: Connect) -> None:
    sandbox = start(examples=True)
    client = connect(sandbox)
    await client.visitors.find(domain=SHOP)
    await client.visitors.find(email="a@b.example", timeframe="all", page=2)
    assert [request.query for request in sandbox.requests] == [
        {"domain": SHOP, "timeframe": "7d", "page": "1"},
        {"email": "a@b.example", "timeframe": "all", "page": "2"},
    ]


async def test_one_visitor_or_nobody_is_known_however_it_is_said(
    connect: Connect, altered: Altered
) -> None:
    gone = altered(answering({}), {"GET /v1/data": JSONResponse({}, 404)})
    cases: list[tuple[Application, list[object]]] = [
        (answering(ONE), [ONE]),
        (answering({"visitor": ONE}), [ONE]),
        (gone, []),
        (answering(None), []),
        (answering([], {"total": 0}), []),
    ]
    for answer, found in cases:
        page = await connect(answer).visitors.find(email="a@b.example")
        assert [{"email": one["email"]} for one in page.visitors] == found
        assert not page.has_more
    with pytest.raises(WrongAddress):
        await connect(JSONResponse({}, 404)).visitors.find(domain=SHOP)
    odd: list[object] = ["text", "", {}, [7], [{"email": "", "phones": []}]]
    for data in odd:
        with pytest.raises(UnusableAnswer):
            await connect(answering(data)).visitors.find(domain=SHOP)


async def test_a_field_is_known_by_its_other_names(connect: Connect) -> None:
    pages = [
        "https://acme.example/pricing?email=jo@b.example",
        "https://acme.example/pricing#plans",
        {"url": "https://acme.example/out/jo%40b.example", "seconds": 3},
        *("acme.example", {"seconds": 3}, 7),
    ]
    cases: list[tuple[dict[str, object], str, object]] = [
        ({"companyName": "Acme"}, "company", "Acme"),
        ({"company": {"name": "Acme"}, "name": "Jo"}, "company", "Acme"),
        ({"company": {"domain": "acme.example"}}, "companyDomain", "acme.example"),
        ({"companyIndustry": "Retail", "industry": "Other"}, "companyIndustry", "Retail"),
        ({"companySize": "", "companySizeRange": "51 to 100"}, "companySize", "51 to 100"),
        ({"countryCode": "US"}, "visitorCountry", "US"),
        ({"intentScore": "high"}, "intentLevel", "high"),
        ({"business_emails": ["a@b.example", "c@d.example"]}, "businessEmail", "a@b.example"),
        ({"allPhones": ["+1 212", "+1 213"]}, "phone", "+1 212"),
        ({"referrer": "https://news.example/a?q=b"}, "referrerDomain", "news.example"),
        ({"page_url": "https://acme.example/pricing"}, "pages", ["/pricing"]),
        ({"visitedPages": pages}, "pages", ["/pricing", "/out/jo@b.example", "/"]),
        ({"landing_page": "https://acme.example/a?e=j@b.example"}, "landingPage", "acme.example/a"),
        ({"last_seen_at": 1_781_012_312}, "lastSeenAt", "2026-06-09T13:38:32.000Z"),
        ({"never_heard_of": 1}, "neverHeardOf", 1),
    ]
    page = await connect(answering([sent for sent, _, _ in cases])).visitors.find(domain=SHOP)
    read = [visitor[name] for visitor, (_, name, _) in zip(page.visitors, cases, strict=True)]
    assert read == [value for _, _, value in cases]


async def test_a_pixel_is_of_a_domain_however_it_is_written(connect: Connect) -> None:
    for domain in ("Acme.example", "www.acme.example", "https://acme.example/a"):
        (pixel,) = await connect(answering([{**PIXEL, "domain": domain}])).visitors.pixels()
        assert pixel.is_of("acme.example")
        assert not pixel.is_of("shop.acme.example")
    hosts = {" Acme.Example ": "acme.example", "acme.example.": "acme.example"}
    hosts |= {"https://www.acme.example:8443/a?b": "www.acme.example", "bücher.de": "bücher.de"}
    no_hosts = ("https://jo:pw@acme.example", "localhost", "-acme.example", "https://[half")
    for written, host in (hosts | dict.fromkeys(no_hosts)).items():
        assert host_of(written) == host


async def test_a_pixel_is_created_with_its_code_and_its_paths(
    client: LeadpipeClient, sandbox: Sandbox, with_answers: Connect
) -> None:
    pixel = await client.visitors.create_pixel("acme.example")
    assert pixel.code is not None
    assert pixel.id in pixel.code
    assert pixel.code not in repr(pixel)
    assert sandbox.requests[-1].body == {"domain": "acme.example"}
    with pytest.raises(Conflict, match="Pixel already exists for this domain"):
        await client.visitors.create_pixel("acme.example")
    # No document shows the paths in the answer: they are looked up, or not claimed.
    pixel = await client.visitors.create_pixel("b.example", "B", included_paths=("/pricing",))
    assert (pixel.name, pixel.included_paths) == ("B", ("/pricing",))
    assert pixel.code is not None
    for listing in (answering([]), JSONResponse({}, 500)):
        client = with_answers({"GET /pixels": listing})
        created = await client.visitors.create_pixel("acme.example", excluded_paths=("/a",))
        assert "excluded_paths" not in created.model_fields_set
        assert created.code is not None


async def test_only_what_is_named_of_a_pixel_is_changed(start: Start, connect: Connect) -> None:
    sandbox = start(examples=True)
    client = connect(sandbox)
    (pixel,) = await client.visitors.pixels()
    assert (pixel.domain, pixel.status, pixel.excluded_paths) == (SHOP, "active", None)
    for change in (
        PixelChange(excluded_paths=("/b", "/a")),
        PixelChange(status="paused"),
        PixelChange(excluded_paths=None, included_paths=("/a",)),
    ):
        assert not change.differs_from(await client.visitors.update_pixel(pixel.id, change))
    (pixel,) = await client.visitors.pixels()
    assert (pixel.status, pixel.included_paths) == ("paused", ("/a",))
    assert [request.body for request in sandbox.requests if request.method == "PATCH"] == [
        {"excludedPaths": ["/b", "/a"]},
        {"status": "paused"},
        {"excludedPaths": None, "includedPaths": ["/a"]},
    ]
    with pytest.raises(NotFound):
        await client.visitors.update_pixel(PIXEL["id"], PixelChange(status="paused"))


async def test_a_change_that_the_service_did_not_make_is_not_reported(connect: Connect) -> None:
    cases: list[tuple[PixelChange, dict[str, object], bool]] = [
        (PixelChange(status="paused"), {}, False),
        (PixelChange(excluded_paths=None), {"excludedPaths": ["/b"]}, False),
        (PixelChange(excluded_paths=("/a",)), {"excludedPaths": None}, False),
        (PixelChange(excluded_paths=None), {"excludedPaths": []}, True),
        (PixelChange(excluded_paths=None), {"excludedPaths": None}, True),
        (PixelChange(excluded_paths=None), {}, True),
    ]
    for change, kept, is_made in cases:
        client = connect(answering({**PIXEL, **kept}))
        if is_made:
            assert not (await client.visitors.update_pixel(PIXEL["id"], change)).excluded_paths
        else:
            with pytest.raises((NotDone, Unclear), match="has not changed as asked"):
                await client.visitors.update_pixel(PIXEL["id"], change)


@pytest.mark.parametrize("kind", ["status", "reset_after", "cut"])
async def test_a_pixel_whose_answer_is_lost_is_made_or_changed_once(
    kind: FaultKind, client: LeadpipeClient, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(kind, method="POST", path="/pixels"))
    made = await client.visitors.create_pixel("acme.example")
    assert [pixel.id for pixel in await client.visitors.pixels()] == [made.id]
    sandbox.faults.add(Fault(kind, method="PATCH", path="/pixels"))
    paused = await client.visitors.update_pixel(made.id, PixelChange(status="paused"))
    assert (paused.id, paused.status) == (made.id, "paused")


async def test_a_pixel_that_may_have_been_there_before_is_not_called_new(
    client: LeadpipeClient, sandbox: Sandbox
) -> None:
    there = await client.visitors.create_pixel("acme.example")
    sandbox.faults.add(Fault("status", method="GET", path="/pixels", times=3))
    sandbox.faults.add(Fault("reset", method="POST", path="/pixels"))
    with pytest.raises(Unclear, match=f"It may be the pixel with the id {there.id}"):
        await client.visitors.create_pixel("acme.example")
    sandbox.faults.clear()
    sandbox.faults.add(Fault("reset", method="PATCH", path="/pixels"))
    sandbox.faults.add(Fault("wrong_shape", method="GET", path="/pixels", times=None))
    with pytest.raises(Unclear, match="Whether it was done is unclear"):
        await client.visitors.update_pixel(there.id, PixelChange(status="paused"))


@pytest.mark.parametrize("shown", [[], [PIXEL]])
async def test_where_a_pixel_or_its_paths_are_not_shown_a_change_is_not_called_undone(
    shown: list[object], with_answers: Connect
) -> None:
    lost, there = JSONResponse({}, 500), {"GET /pixels": answering(shown)}
    client = with_answers({**there, f"PATCH /{PIXEL['id']}": lost})
    with pytest.raises(Unclear, match="does not show what was to be changed"):
        await client.visitors.update_pixel(PIXEL["id"], PixelChange(excluded_paths=("/a",)))
