"""Links to the files of runs, and fill rates, in both generations."""

import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.api.exports import Export, FillRates
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Run
from leadpipe_mcp.errors import NotFound, ServiceDown, UnusableAnswer
from tests.api.answering import Connect, Start, each_profile

pytestmark = pytest.mark.anyio

WANTED = AudienceConfig(topic_ids=(117805,))
AUDIENCE = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
NUMBERED = Run(id="11111111-1111-1111-1111-111111111111", state="ready", data_date="2026-05-04")
DATED = Run(state="ready", data_date="2026-05-04")
LINK = "https://files.example/a.csv?signature=1"


@dataclass
class Patience:
    """Who is told of the waiting, and what the service's clock shows after each time."""

    moments: list[float]
    told: list[float] = field(default_factory=list[float])

    async def __call__(self, waited: float) -> None:
        self.told.append(waited)
        self.moments.append(self.moments[-1] + 60)


@pytest.fixture
def patience(moments: list[float]) -> Patience:
    return Patience(moments)


@pytest.fixture
def made(connect: Connect, patience: Patience) -> Callable[..., Awaitable[Export]]:
    """The export that a client makes of one answer."""

    async def made(run: Run, data: object) -> Export:
        client = connect(JSONResponse({"data": data}))
        return await client.exports.link(AUDIENCE, run, 0, patience)

    return made


def stored(link: object = LINK, **file: object) -> dict[str, object]:
    return {"export": {"id": "e1", "status": "completed", **file}, "downloadUrl": link}


async def activated(client: LeadpipeClient) -> str:
    spelled = await client.configs.spell(WANTED)
    audience = await client.audiences.create("Buyers", spelled)
    await client.audiences.update(audience.id, status="active")
    return audience.id


@each_profile
async def test_the_link_leads_to_everyone_of_the_run(
    profile: str, start: Start, connect: Connect, patience: Patience
) -> None:
    sandbox = start(profile=profile)
    client = connect(sandbox)
    audience = await activated(client)
    run = await client.exports.run_of(audience)
    export = await client.exports.link(audience, run, 0, patience)
    assert export.url is not None
    assert export.url not in repr(export)
    assert export.data_date == "2026-05-04"
    assert export.file_name == "buyers-2026-05-04.csv"
    if profile == "flat":
        assert (export.expires_in, export.expires_at) == ("24h", None)
    else:
        assert export.expires_in == "86400 seconds"
        assert (export.expires_at or "").startswith("2026-05-06")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox)) as browser:
        file = (await browser.get(export.url)).text
    rows = list(csv.DictReader(io.StringIO(file)))
    assert len(rows) == export.rows == run.size
    assert all("@" in row["email"] for row in rows)
    assert patience.told == []


async def test_a_file_that_is_still_being_written_is_waited_for_in_the_time_there_is(
    start: Start, connect: Connect, patience: Patience
) -> None:
    # Five seconds are enough for the first, short pause.
    for seconds, comes in ((5, True), (0, False)):
        client = connect(start(profile="catalog", export_seconds=60))
        audience = await activated(client)
        run = await client.exports.run_of(audience)
        patience.told.clear()
        export = await client.exports.link(audience, run, seconds, patience)
        assert (export.url is not None, export.data_date) == (comes, "2026-05-04")
        assert not comes or len(patience.told) == 1
    without_id = connect(JSONResponse({"data": {"export": {"status": "processing"}}}))
    assert (await without_id.exports.link(AUDIENCE, NUMBERED, 60, patience)).url is None


async def test_a_file_that_could_not_be_written_is_an_error(
    made: Callable[..., Awaitable[Export]],
) -> None:
    with pytest.raises(ServiceDown, match=r"\(failed\): disk full at \[email\]\. The fault"):
        await made(NUMBERED, stored(status="failed", errorMessage="disk full at jo@b.example."))
    with pytest.raises(ServiceDown, match=r"\(cancelled\)\."):
        await made(NUMBERED, stored(status="cancelled"))


async def test_a_file_of_something_else_is_not_passed_on(
    made: Callable[..., Awaitable[Export]],
) -> None:
    with pytest.raises(UnusableAnswer, match="of another run"):
        await made(NUMBERED, stored(runId="another"))
    with pytest.raises(UnusableAnswer, match="answered with 2026-05-03"):
        await made(DATED, {"downloadUrl": LINK, "dataDate": "2026-05-03"})


async def test_little_is_needed_of_a_link(made: Callable[..., Awaitable[Export]]) -> None:
    export = await made(DATED, {"downloadUrl": LINK})
    assert (export.url, export.rows, export.data_date) == (LINK, None, "2026-05-04")
    export = await made(NUMBERED, {"downloadUrl": LINK})
    assert (export.url, export.expires_at, export.expires_in) == (LINK, None, None)
    assert (await made(Run(state="ready"), {"downloadUrl": LINK})).data_date is None


@pytest.mark.parametrize(
    "link",
    [
        "http://files.example/a.csv",
        "javascript:alert(1)",
        "https://jo:pw@files.example/a.csv",
        "https://files.example/a b.csv",
        "https://[half",
        "https://files.example/" + "a" * 4_000,
    ],
)
@pytest.mark.parametrize("run", [NUMBERED, DATED])
async def test_a_link_that_is_not_plain_https_is_refused(
    run: Run, link: str, made: Callable[..., Awaitable[Export]]
) -> None:
    with pytest.raises(UnusableAnswer, match="not a plain https address") as caught:
        await made(run, stored(link))
    assert "files.example" not in str(caught.value)


async def test_a_run_is_found_by_its_id_its_day_or_its_newness(
    start: Start, connect: Connect
) -> None:
    client = connect(start(profile="catalog", examples=True))
    audience = (await client.audiences.list("active"))[0].id
    newest, earlier, *_ = await client.runs.list(audience)
    assert await client.exports.run_of(audience) == newest
    assert await client.exports.run_of(audience, date=earlier.data_date) == earlier
    assert await client.exports.run_of(audience, run_id=earlier.id) == earlier
    with pytest.raises(NotFound, match="There is no such run"):
        await client.exports.run_of(audience, run_id=AUDIENCE)


async def rates_of(
    client: LeadpipeClient, audience: str, date: str | None = None
) -> FillRates | None:
    run = await client.exports.run_of(audience, date=date)
    return await client.exports.fill_rates(audience, run)


@each_profile
async def test_fill_rates_have_the_same_names_in_both_generations(
    profile: str, start: Start, connect: Connect
) -> None:
    client = connect(start(profile=profile))
    audience = await activated(client)
    run = await client.exports.run_of(audience)
    rates = await client.exports.fill_rates(audience, run)
    assert rates is not None
    assert (rates.total, rates.data_date) == (run.size, "2026-05-04")
    assert rates.percent["email"] == 100
    assert rates.percent["company"] == 100
    assert 0 < rates.percent["businessEmail"] < 100
    assert {"companyDomain", "companyIndustry", "jobTitle"} <= rates.percent.keys()
    assert not [name for name in rates.percent if "." in name]


@each_profile
async def test_without_people_there_are_no_fill_rates(
    profile: str, start: Start, connect: Connect
) -> None:
    client = connect(start(profile=profile, run_seconds=60))
    spelled = await client.configs.spell(WANTED)
    draft = (await client.audiences.create("Draft", spelled)).id
    assert await rates_of(client, draft) is None
    assert await rates_of(client, await activated(client)) is None


@pytest.mark.parametrize("status", [404, 409])
async def test_a_service_that_counts_nothing_has_no_fill_rates(
    status: int, with_answers: Connect
) -> None:
    answer = JSONResponse({"error": {}}, status)
    client = with_answers({"GET /stats": answer}, profile="catalog")
    assert await rates_of(client, await activated(client)) is None


async def test_fill_rates_that_make_no_sense_are_left_out_or_refused(with_answers: Connect) -> None:
    def counting(stats: object) -> Response:
        return JSONResponse({"data": {"stats": stats}})

    odd = {"fillRates": {"email": {"count": 3, "percent": 50.5}, "phone": {"count": 1}, "a": "b"}}
    client = with_answers({"GET /stats": counting(odd)}, profile="catalog")
    rates = await rates_of(client, await activated(client))
    assert rates is not None
    assert (rates.total, rates.percent) == (None, {"email": 50.5})
    for none in ({}, {"fillRates": 7}):
        client = with_answers({"GET /stats": counting(none)}, profile="catalog")
        with pytest.raises(UnusableAnswer, match="the fill rates are missing"):
            await rates_of(client, await activated(client))
