"""Everyone of a run, from either generation of the service, by its file or by its pages."""

from collections.abc import Callable
from typing import Literal

import pytest
from pydantic import SecretStr

from leadpipe_mcp.api.connections import serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, Run
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.people.columns import COLUMNS, completed
from leadpipe_mcp.people.profile import group, profile
from leadpipe_mcp.people.runs import gather
from leadpipe_mcp.people.snapshot import Snapshot, Snapshots, run_key
from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Generation = Literal["flat", "catalog"]
CONFIG = AudienceConfig(topic_ids=(117805, 117890), min_topic_overlap=2)
# What pages and files are made of: id, company.
SOURCES = {"personId", "hashedEmail", "companyName"}


@pytest.fixture
def connect() -> Callable[[Generation], LeadpipeClient]:
    """A client of a sandbox of this generation."""

    def connect(generation: Generation) -> LeadpipeClient:
        settings = SandboxSettings(
            profile=generation,
            people=4_000,
            examples=False,
            run_seconds=0,
            csv_starts_with_bom=True,
        )
        sandbox = Sandbox(settings, clock=lambda: 1_777_972_500.0)
        network = serve_in_process(sandbox)
        return LeadpipeClient(Transport("https://x.test", SecretStr("sk_x"), network=network))

    return connect


async def ready(leadpipe: LeadpipeClient) -> tuple[str, Run]:
    spelled = await leadpipe.configs.spell(CONFIG)
    audience = await leadpipe.audiences.create("Buyers", spelled, "active")
    return audience.id, await leadpipe.runs.latest(audience.id)


async def kept(
    snapshots: Snapshots, leadpipe: LeadpipeClient, audience: str, run: Run, *, from_file: bool
) -> Snapshot:
    async def report(_: int) -> None:
        pass

    key = run_key(f"https://x.test/{from_file}", audience, run)
    exports = leadpipe.exports
    return await snapshots.of_run(
        key, lambda: gather(exports, audience, run, from_file=from_file), run.size, report
    )


@pytest.mark.parametrize("generation", ["flat", "catalog"])
async def test_the_file_and_the_pages_tell_the_same_of_the_same_people(
    snapshots: Snapshots, connect: Callable[[Generation], LeadpipeClient], generation: Generation
) -> None:
    leadpipe = connect(generation)
    audience, run = await ready(leadpipe)
    filed, paged = [
        await kept(snapshots, leadpipe, audience, run, from_file=from_file)
        for from_file in (True, False)
    ]
    columns = tuple(COLUMNS.values())
    assert filed.size == paged.size == run.size
    assert filed.notes == paged.notes == ()
    assert list(filed.rows(columns)) == list(paged.rows(columns))

    told = await profile(filed)
    overlaps = (await group(filed, ["topicOverlap"])).rows
    topics = told.breakdowns["topic"].top
    assert set(topics) == {"Marketing ROI", "Marketing Automation"}
    assert sum(topics.values()) == sum(int(n) * int(people) for n, people, _ in overlaps)
    assert sum(topics.values()) > told.size


async def test_both_generations_tell_the_same_and_every_field_is_a_column(
    snapshots: Snapshots, connect: Callable[[Generation], LeadpipeClient]
) -> None:
    keys = {column.key for column in COLUMNS.values()}
    told: list[set[tuple[object, ...]]] = []
    # How they call seniorities differs.
    names = ("name", "contactEmail", "jobTitle", "companyIndustry", "netWorth", "state", "score")
    shared = [COLUMNS[name] for name in names]
    for generation in ("flat", "catalog"):
        leadpipe = connect(generation)
        audience, run = await ready(leadpipe)
        (first, *_) = (await leadpipe.runs.people(audience, limit=100)).people
        assert set(completed(first)) <= keys | SOURCES
        people = await kept(snapshots, leadpipe, audience, run, from_file=True)
        told.append(set(people.rows(shared)))
    assert told[0] == told[1]
    # Rows of queries have hashes, which are left out.
    leadpipe = connect("flat")
    page = await leadpipe.runs.query(await leadpipe.configs.spell(CONFIG))
    assert page is not None
    left_out = {key for person in page.people for key in completed(person)} - keys
    assert left_out == {"hem", "country", "emailHashes", "allEmailHashes"}
