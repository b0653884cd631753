"""Everyone of a run, as a link, a file or pages, and fill rates, in both generations."""

import csv
import io

import httpx
import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp import errors
from leadpipe_mcp.api.exports import Export
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Run
from tests.api.answering import UNKNOWN_ID, Connect, Service, Start, each_profile
from tests.faults.service import Fault, Sandbox

pytestmark = pytest.mark.anyio
NUMBERED = Run(id=UNKNOWN_ID, state="ready", data_date="2026-05-04")
DATED = Run(state="ready", data_date="2026-05-04")
LINK = "https://files.example/a.csv?signature=1"


async def activated(client: LeadpipeClient) -> tuple[str, Run]:
    spelled = await client.configs.spell(AudienceConfig(topic_ids=(117805,)))
    audience = await client.audiences.create("Buyers", spelled, "active")
    return audience.id, await client.exports.run_of(audience.id)


async def lines(client: LeadpipeClient, audience: str, run: Run) -> int | None:
    async with client.exports.file(audience, run) as file:
        return len(list(csv.reader(io.StringIO(file.read().decode())))) if file else None


async def paged(client: LeadpipeClient, audience: str, run: Run) -> int:
    return sum([len(page.people) async for page in client.exports.pages(audience, run)])


@each_profile
async def test_the_link_the_file_and_the_pages_lead_to_everyone_of_the_run(
    profile: str, client: LeadpipeClient, sandbox: Sandbox
) -> None:
    audience, run = await activated(client)
    export = await client.exports.link(audience, run)
    assert export.url is not None
    assert export.url not in repr(export)
    assert (export.data_date, export.file_name) == ("2026-05-04", "buyers-2026-05-04.csv")
    assert export.expires_in == ("24h" if profile == "flat" else "86400 seconds")
    assert (export.expires_at is None) == (profile == "flat")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox)) as browser:
        file = (await browser.get(export.url)).text
    rows = list(csv.DictReader(io.StringIO(file)))
    assert all("@" in row["email"] for row in rows)
    assert run.size
    assert len(rows) == export.rows == run.size > 300
    assert await lines(client, audience, run) == run.size + 1
    assert await paged(client, audience, run) == run.size
    # Few come page by page.
    assert await lines(client, audience, run.model_copy(update={"size": 300})) is None


async def test_a_file_comes_whole_or_not_at_all(client: LeadpipeClient, sandbox: Sandbox) -> None:
    audience, run = await activated(client)
    for status, error, why in (
        (500, errors.FileFailed, "could not be had: The service failed with status 500"),
        (403, errors.FileFailed, "could not be had: The service refused with status 403"),
        (401, errors.KeyRefused, "status 401"),
    ):
        sandbox.faults.add(Fault("status", path="export.csv", times=None, status=status))
        with pytest.raises(error, match=why):
            await lines(client, audience, run)
        sandbox.faults.clear()
    sandbox.faults.add(Fault("cut", path="export.csv", times=3))
    with pytest.raises(
        errors.FileFailed, match="could not be had: The connection to the service was"
    ):
        await lines(client, audience, run)
    # Pages are the way where there is no file.
    sandbox.faults.add(Fault("status", path="export.csv", status=404))
    assert await lines(client, audience, run) is None


async def test_pages_that_come_again_or_change_meanwhile_are_noticed(connect: Connect) -> None:
    meta = {"status": "ready", "totalCount": 9, "nextCursor": "again"}
    page: dict[str, object] = {"data": [{"fullName": "Ann Vale"}], "meta": meta}
    building: dict[str, object] = {"data": [], "meta": {"status": "materializing"}}
    for second, error, why in (
        (page, errors.UnusableAnswer, "again and again"),
        (building, errors.Conflict, "put together again"),
    ):
        service = Service(JSONResponse(page), JSONResponse(second))
        with pytest.raises(error, match=why):
            await paged(connect(service, "flat"), UNKNOWN_ID, DATED)


async def test_a_file_that_is_still_being_written_is_waited_for_in_the_time_there_is(
    start: Start, connect: Connect, moments: list[float]
) -> None:
    told: list[float] = []

    async def report(waited: float) -> None:
        told.append(waited)
        moments.append(moments[-1] + 60)

    # Five seconds are enough for the first, short pause.
    for seconds, comes in ((5, True), (0, False)):
        client = connect(start(profile="catalog", export_seconds=60))
        audience, run = await activated(client)
        export = await client.exports.link(audience, run, seconds, report)
        assert (export.url is not None, export.data_date) == (comes, "2026-05-04")
        assert len(told) == (1 if comes else 2)
    without_id = connect(JSONResponse({"data": {"export": {"status": "processing"}}}))
    assert (await without_id.exports.link(UNKNOWN_ID, NUMBERED, 60, report)).url is None


def stored(link: object = LINK, **file: object) -> dict[str, object]:
    return {"export": {"id": "e1", "status": "completed", **file}, "downloadUrl": link}


NOT_PLAIN = "not a plain https address"


@pytest.mark.parametrize(
    ("run", "data", "why"),
    [
        (NUMBERED, stored(status="failed", errorMessage="at jo@b.example."), r"d\): at \[email\]."),
        (NUMBERED, stored(status="cancelled"), r"\(cancelled\)\."),
        (NUMBERED, stored(runId="another"), "of another run"),
        (NUMBERED, stored(None), "the link to the file is missing"),
        (DATED, {"downloadUrl": LINK, "dataDate": "2026-05-03"}, "answered with 2026-05-03"),
        (NUMBERED, stored("http://files.example/a.csv"), NOT_PLAIN),
        (DATED, stored("javascript:alert(1)"), NOT_PLAIN),
        (NUMBERED, stored("https://jo:pw@files.example/a.csv"), NOT_PLAIN),
        (DATED, stored("https://files.example/a b.csv"), NOT_PLAIN),
        (NUMBERED, stored("https://[half"), NOT_PLAIN),
        (DATED, stored("https://files.example/?" + "a" * 4_000), NOT_PLAIN),
    ],
)
async def test_a_link_that_is_not_a_plain_one_to_the_file_is_not_passed_on(
    run: Run, data: object, why: str, connect: Connect
) -> None:
    client = connect(JSONResponse({"data": data}))
    with pytest.raises((errors.ServiceDown, errors.UnusableAnswer), match=why) as caught:
        await client.exports.link(UNKNOWN_ID, run)
    assert "files.example" not in str(caught.value)


@pytest.mark.parametrize("run", [DATED, NUMBERED, Run(state="ready")])
async def test_little_is_needed_of_a_link(run: Run, connect: Connect) -> None:
    client = connect(JSONResponse({"data": {"downloadUrl": LINK}}))
    export = await client.exports.link(UNKNOWN_ID, run)
    assert export == Export(url=LINK, data_date=run.data_date)


async def test_a_run_is_found_by_its_id_its_day_or_its_newness(
    start: Start, connect: Connect
) -> None:
    client = connect(start(profile="catalog", examples=True))
    audience = (await client.audiences.list("active"))[0].id
    newest, earlier, *_ = await client.runs.list(audience)
    assert await client.exports.run_of(audience) == newest
    assert await client.exports.run_of(audience, date=earlier.data_date) == earlier
    assert await client.exports.run_of(audience, run_id=earlier.id) == earlier
    with pytest.raises(errors.NotFound, match="There is no such run"):
        await client.exports.run_of(audience, run_id=UNKNOWN_ID)


@each_profile
async def test_fill_rates_have_the_same_names_in_both_generations(
    profile: str, client: LeadpipeClient, start: Start, connect: Connect
) -> None:
    rates = await client.exports.fill_rates(*await activated(client))
    assert rates is not None
    assert (rates["email"], rates["company"]) == (100, 100)
    assert 0 < rates["businessEmail"] < 100
    assert {"companyDomain", "companyIndustry", "jobTitle"} <= rates.keys()
    assert not [name for name in rates if "." in name]
    being_made = connect(start(profile=profile, run_seconds=60))
    assert await being_made.exports.fill_rates(*await activated(being_made)) is None


async def test_fill_rates_that_are_missing_or_make_no_sense_are_not_shown(
    with_answers: Connect,
) -> None:
    odd = {"email": {"count": 3, "percent": 50.5}, "phone": {"count": 1}, "a": "b"}
    for status, stats, rates in ((404, {}, None), (409, {}, None), (200, odd, {"email": 50.5})):
        answer = JSONResponse({"data": {"stats": {"fillRates": stats}}}, status)
        client = with_answers({"GET /stats": answer}, profile="catalog")
        assert await client.exports.fill_rates(*await activated(client)) == rates
    answer = JSONResponse({"data": {"stats": {"fillRates": 7}}})
    client = with_answers({"GET /stats": answer}, profile="catalog")
    with pytest.raises(errors.UnusableAnswer, match="the fill rates are missing"):
        await client.exports.fill_rates(*await activated(client))
