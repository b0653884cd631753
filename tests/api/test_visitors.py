"""Visitors and pixels, with the answers that are documented and those that might come."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.api.in_process import Application
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.visitors import PixelChange, Timeframe, Visitor, host_of
from leadpipe_mcp.errors import (
    Conflict,
    NotDone,
    NotFound,
    Unclear,
    UnusableAnswer,
    WrongAddress,
)
from tests.faults.service import Fault, FaultKind, Sandbox

pytestmark = pytest.mark.anyio
Start = Callable[..., Sandbox]
Connect = Callable[..., LeadpipeClient]
Altered = Callable[[Application, Mapping[str, Application]], Application]

SHOP = "northwind-shop.example"
PIXEL = {"id": "9b841198-288a-43ae-94b2-114543507b42", "domain": SHOP, "status": "active"}


def answering(data: object, meta: dict[str, object] | None = None) -> Response:
    return JSONResponse({"data": data, "meta": meta or {}})


async def read_one(connect: Connect, **record: object) -> Visitor:
    page = await connect(answering([record])).visitors.find(domain=SHOP)
    (visitor,) = page.visitors
    return visitor


@pytest.mark.parametrize("aliases", [True, False])
async def test_visitors_of_a_domain_are_read(
    *, aliases: bool, start: Start, connect: Connect
) -> None:
    client = connect(start(examples=True, visitor_aliases=aliases))
    page = await client.visitors.find(domain=SHOP, timeframe="30d")
    assert len(page.visitors) == 50
    assert page.has_more
    assert page.total is not None
    assert page.total > 50
    known = next(visitor for visitor in page.visitors if visitor.job_title and visitor.phone)
    assert known.full_name
    assert known.company
    assert known.pages[0].startswith("/")
    assert known.last_seen_at is not None
    assert known.last_seen_at.startswith("2026-05-0")
    assert known.model_dump()["visitorCountry"] == "United States"
    assert known.model_dump()["intentLevel"] in {"low", "medium", "high"}
    assert known.intent_score is None


async def test_the_last_page_is_known(start: Start, connect: Connect) -> None:
    for meta in ("pages", "total"):
        client = connect(start(examples=True, data_meta=meta))
        found = await client.visitors.find(domain=SHOP, timeframe="30d")
        seen, page = len(found.visitors), 1
        while found.has_more:
            page += 1
            found = await client.visitors.find(domain=SHOP, timeframe="30d", page=page)
            seen += len(found.visitors)
        assert seen == found.total
        assert page > 1


@pytest.mark.parametrize(
    ("meta", "page", "rows", "has_more"),
    [
        ({"hasMore": True, "total": 1}, 1, 1, True),
        ({"hasMore": False, "total": 99}, 1, 50, False),
        ({"totalPages": 2}, 1, 50, True),
        ({"totalPages": 2}, 2, 50, False),
        ({"total": 55}, 1, 50, True),
        ({"total": 55}, 2, 5, False),
        ({"total": 45}, 1, 20, True),
        ({"total": 45}, 2, 20, True),
        ({"total": 20}, 1, 20, False),
        ({"total": 20}, 9, 0, False),
        ({}, 1, 50, True),
        ({}, 1, 49, False),
    ],
)
async def test_whether_there_is_more_is_told_from_whatever_there_is(
    *, meta: dict[str, object], page: int, rows: int, has_more: bool, connect: Connect
) -> None:
    client = connect(answering([{"email": "a@b.example"}] * rows, meta))
    found = await client.visitors.find(domain=SHOP, page=page)
    assert found.has_more is has_more
    assert found.total == meta.get("total")


async def test_what_is_asked_is_what_is_sent(start: Start, connect: Connect) -> None:
    sandbox = start(examples=True)
    client = connect(sandbox)
    await client.visitors.find(domain=SHOP)
    spans: list[Timeframe] = ["24h", "all"]
    for span in spans:
        await client.visitors.find(email="a@b.example", timeframe=span, page=2)
    assert [request.query for request in sandbox.requests] == [
        {"domain": SHOP, "timeframe": "7d", "page": "1"},
        *({"email": "a@b.example", "timeframe": span, "page": "2"} for span in spans),
    ]


@pytest.mark.parametrize("data", [{"email": "a@b.example"}, {"visitor": {"email": "a@b.example"}}])
async def test_one_visitor_may_come_without_a_list_around(data: object, connect: Connect) -> None:
    page = await connect(answering(data)).visitors.find(email="a@b.example")
    assert [visitor.email for visitor in page.visitors] == ["a@b.example"]
    assert (page.total, page.has_more) == (None, False)


async def test_nobody_is_nobody_however_it_is_said(connect: Connect, altered: Altered) -> None:
    found_nobody = altered(answering({}), {"GET /v1/data": JSONResponse({}, 404)})
    for nobody in (answering(None), answering([], {"total": 0}), found_nobody):
        page = await connect(nobody).visitors.find(email="a@b.example")
        assert page.visitors == ()
        assert not page.has_more


async def test_an_address_without_the_api_is_not_a_website_without_visitors(
    connect: Connect,
) -> None:
    with pytest.raises(WrongAddress):
        await connect(JSONResponse({}, 404)).visitors.find(domain=SHOP)


@pytest.mark.parametrize("data", [{}, "text", [7], [{}], [{"email": "", "phones": []}]])
async def test_what_is_no_visitor_is_not_taken_for_one(data: object, connect: Connect) -> None:
    with pytest.raises(UnusableAnswer):
        await connect(answering(data)).visitors.find(domain=SHOP)


@pytest.mark.parametrize(
    ("sent", "name", "read"),
    [
        ({"companyName": "Acme"}, "company", "Acme"),
        ({"company": {"name": "Acme"}, "name": "Jo"}, "company", "Acme"),
        ({"company": {"domain": "acme.example"}}, "companyDomain", "acme.example"),
        ({"industry": "Retail"}, "companyIndustry", "Retail"),
        ({"companyIndustry": "Retail", "industry": "Other"}, "companyIndustry", "Retail"),
        ({"companyEmployeeCount": 51}, "companySize", "51"),
        ({"companySize": "", "companySizeRange": "51 to 100"}, "companySize", "51 to 100"),
        ({"companyTotalRevenue": 5}, "companyRevenue", 5),
        ({"countryCode": "US"}, "visitorCountry", "US"),
        ({"intentScore": "high"}, "intentLevel", "high"),
        ({"emails": ["a@b.example", "c@d.example"]}, "email", "a@b.example"),
        ({"business_emails": ["a@b.example"]}, "businessEmail", "a@b.example"),
        ({"primaryPhone": "+1 212"}, "phone", "+1 212"),
        ({"allPhones": ["+1 212", "+1 213"]}, "phone", "+1 212"),
        ({"referrer": "https://news.example/a?q=b"}, "referrerDomain", "news.example"),
        ({"visit_duration": 12}, "visitDuration", 12),
        ({"page_url": "https://acme.example/pricing"}, "pages", ("/pricing",)),
        ({"landing_page": "https://acme.example/a?e=j@b.example"}, "landingPage", "acme.example/a"),
        ({"never_heard_of": 1}, "neverHeardOf", 1),
    ],
)
async def test_a_field_is_known_by_its_other_names(
    sent: dict[str, Any], name: str, read: object, connect: Connect
) -> None:
    visitor = await read_one(connect, id="1", **sent)
    assert visitor.model_dump(by_alias=True)[name] == read


async def test_pages_are_paths_without_what_forms_append(connect: Connect) -> None:
    visitor = await read_one(
        connect,
        visitedPages=[
            "https://acme.example/pricing?email=jo@b.example",
            "https://acme.example/pricing#plans",
            "acme.example",
            {"url": "https://acme.example/out/jo%40b.example", "seconds": 3},
            {"seconds": 3},
            7,
        ],
    )
    assert visitor.pages == ("/pricing", "/", "/out/jo@b.example")


async def test_pixels_are_listed(start: Start, connect: Connect) -> None:
    (pixel,) = await connect(start(examples=True)).visitors.pixels()
    assert (pixel.domain, pixel.name, pixel.status) == (SHOP, "Northwind Shop", "active")
    assert pixel.excluded_paths is None
    assert "excluded_paths" in pixel.model_fields_set


@pytest.mark.parametrize("domain", ["Acme.example", "www.acme.example", "https://acme.example/a"])
async def test_a_pixel_is_of_a_domain_however_it_is_written(domain: str, connect: Connect) -> None:
    client = connect(answering([{**PIXEL, "domain": domain}]))
    (pixel,) = await client.visitors.pixels()
    assert pixel.is_of("acme.example")
    assert not pixel.is_of("shop.acme.example")


@pytest.mark.parametrize(
    ("written", "host"),
    [
        (" Acme.Example ", "acme.example"),
        ("https://www.acme.example:8443/a?b", "www.acme.example"),
        ("acme.example.", "acme.example"),
        ("bücher.example", "bücher.example"),
        ("jo@acme.example", None),
        ("https://jo:pw@acme.example", None),
        ("localhost", None),
        ("-acme.example", None),
        ("a b.example", None),
        ("https://[half", None),
        ("", None),
    ],
)
def test_a_host_is_told_from_a_domain_or_an_address(written: str, host: str | None) -> None:
    assert host_of(written) == host


async def test_a_pixel_is_created_with_its_code(start: Start, connect: Connect) -> None:
    sandbox = start()
    pixel = await connect(sandbox).visitors.create_pixel("acme.example")
    assert pixel.domain == "acme.example"
    assert pixel.code is not None
    assert pixel.id in pixel.code
    assert pixel.code not in repr(pixel)
    assert sandbox.requests[-1].body == {"domain": "acme.example"}


async def test_the_paths_of_a_new_pixel_are_looked_up(start: Start, connect: Connect) -> None:
    pixel = await connect(start()).visitors.create_pixel(
        "acme.example", "Acme", included_paths=("/pricing",)
    )
    assert (pixel.name, pixel.included_paths) == ("Acme", ("/pricing",))
    assert pixel.code is not None


async def test_paths_that_cannot_be_looked_up_are_not_claimed(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    # The pixels that there are, and then the new one.
    sandbox.faults.add(Fault("status", method="GET", path="/pixels", times=6))
    created = await connect(sandbox).visitors.create_pixel("acme.example", excluded_paths=("/a",))
    assert "excluded_paths" not in created.model_fields_set
    assert created.code is not None
    told = connect(answering({**PIXEL, "excludedPaths": ["/a"]}))
    pixel = await told.visitors.create_pixel(SHOP, excluded_paths=("/a",))
    assert pixel.excluded_paths == ("/a",)


async def test_a_new_pixel_that_is_not_listed_yet_is_there_all_the_same(
    start: Start, connect: Connect, altered: Altered
) -> None:
    client = connect(altered(start(), {"GET /pixels": answering([])}))
    pixel = await client.visitors.create_pixel("acme.example", excluded_paths=("/a",))
    assert pixel.code is not None
    assert pixel.excluded_paths is None


async def test_a_second_pixel_is_a_conflict(start: Start, connect: Connect) -> None:
    client = connect(start(examples=True))
    with pytest.raises(Conflict, match="Pixel already exists for this domain"):
        await client.visitors.create_pixel(SHOP)


async def test_only_what_is_named_of_a_pixel_is_changed(start: Start, connect: Connect) -> None:
    sandbox = start(examples=True)
    client = connect(sandbox)
    (pixel,) = await client.visitors.pixels()
    changes = [
        PixelChange(excluded_paths=("/b", "/a")),
        PixelChange(status="paused"),
        PixelChange(excluded_paths=None, included_paths=("/a",)),
    ]
    for change in changes:
        assert not change.differs_from(await client.visitors.update_pixel(pixel.id, change))
    (pixel,) = await client.visitors.pixels()
    assert (pixel.status, pixel.included_paths) == ("paused", ("/a",))
    assert [request.body for request in sandbox.requests if request.method == "PATCH"] == [
        {"excludedPaths": ["/b", "/a"]},
        {"status": "paused"},
        {"excludedPaths": None, "includedPaths": ["/a"]},
    ]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (PixelChange(status="paused"), {}),
        (PixelChange(excluded_paths=("/a",)), {"excludedPaths": ["/b"]}),
        (PixelChange(excluded_paths=None), {"excludedPaths": ["/b"]}),
        (PixelChange(excluded_paths=("/a",)), {"excludedPaths": None}),
    ],
)
async def test_a_change_that_the_service_did_not_make_is_not_reported(
    change: PixelChange, kept: dict[str, object], connect: Connect
) -> None:
    with pytest.raises((NotDone, Unclear), match="has not changed as asked"):
        await connect(answering({**PIXEL, **kept})).visitors.update_pixel(PIXEL["id"], change)


@pytest.mark.parametrize("kept", [{}, {"excludedPaths": []}, {"excludedPaths": None}])
async def test_no_list_is_no_list_however_it_is_said(
    kept: dict[str, object], connect: Connect
) -> None:
    client = connect(answering({**PIXEL, **kept}))
    pixel = await client.visitors.update_pixel(PIXEL["id"], PixelChange(excluded_paths=None))
    assert not pixel.excluded_paths


async def test_a_pixel_that_is_not_there_cannot_be_changed(start: Start, connect: Connect) -> None:
    with pytest.raises(NotFound):
        await connect(start()).visitors.update_pixel(PIXEL["id"], PixelChange(status="paused"))


@pytest.mark.parametrize("kind", ["status", "reset", "reset_after", "cut"])
async def test_a_pixel_whose_answer_is_lost_is_made_or_changed_once(
    kind: FaultKind, start: Start, connect: Connect
) -> None:
    sandbox = start()
    client = connect(sandbox)
    sandbox.faults.add(Fault(kind, method="POST", path="/pixels"))
    made = await client.visitors.create_pixel("acme.example")
    assert [pixel.id for pixel in await client.visitors.pixels()] == [made.id]
    sandbox.faults.add(Fault(kind, method="PATCH", path="/pixels"))
    paused = await client.visitors.update_pixel(made.id, PixelChange(status="paused"))
    assert (paused.id, paused.status) == (made.id, "paused")


async def test_a_pixel_that_may_have_been_there_before_is_not_called_new(
    start: Start, connect: Connect
) -> None:
    sandbox = start()
    client = connect(sandbox)
    there = await client.visitors.create_pixel("acme.example")
    sandbox.faults.add(Fault("status", method="GET", path="/pixels", times=3))
    sandbox.faults.add(Fault("reset", method="POST", path="/pixels"))
    with pytest.raises(Unclear, match=f"The domain has the pixel {there.id}; it may be it"):
        await client.visitors.create_pixel("acme.example")
    sandbox.faults.clear()
    sandbox.faults.add(Fault("reset", method="PATCH", path="/pixels"))
    sandbox.faults.add(Fault("wrong_shape", method="GET", path="/pixels", times=None))
    with pytest.raises(Unclear, match="Whether it was done is unclear"):
        await client.visitors.update_pixel(there.id, PixelChange(status="paused"))
