"""Everyone of a run, from either generation of the service, by its file or by its pages."""

from functools import partial
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
from leadpipe_mcp.people.snapshot import Snapshots, run_key
from leadpipe_mcp.sandbox import SandboxSettings
from tests.faults.service import Sandbox

pytestmark = pytest.mark.anyio
Generation = Literal["flat", "catalog"]
CONFIG = AudienceConfig(topic_ids=(117805, 117890), min_topic_overlap=2)
# What pages and files are made of: id, company.
SOURCES = {"personId", "hashedEmail", "companyName"}


def connect(generation: Generation) -> LeadpipeClient:
    """Return a client of a sandbox of this generation."""
    settings = SandboxSettings(
        profile=generation, people=2_000, examples=False, run_seconds=0, csv_starts_with_bom=True
    )
    network = serve_in_process(Sandbox(settings, clock=lambda: 1_777_972_500.0))
    return LeadpipeClient(Transport("https://x.test", SecretStr("sk_x"), network=network))


async def ready(leadpipe: LeadpipeClient) -> tuple[str, Run]:
    spelled = await leadpipe.configs.spell(CONFIG)
    audience = await leadpipe.audiences.create("Buyers", spelled, "active")
    return audience.id, await leadpipe.runs.latest(audience.id)


async def test_both_generations_and_the_file_and_the_pages_tell_the_same(
    snapshots: Snapshots,
) -> None:
    columns = tuple(COLUMNS.values())
    # How they call seniorities differs.
    names = ("name", "contactEmail", "jobTitle", "companyIndustry", "netWorth", "state", "score")
    told: list[set[tuple[object, ...]]] = []

    async def report(_: int) -> None:
        pass

    for generation in ("flat", "catalog"):
        leadpipe = connect(generation)
        audience, run = await ready(leadpipe)

        filed, paged = [
            await snapshots.of_run(
                run_key(f"{generation} {from_file}", audience, run),
                partial(gather, leadpipe.exports, audience, run, from_file=from_file),
                run.size,
                report,
            )
            for from_file in (True, False)
        ]
        assert filed.size == paged.size == run.size
        assert filed.notes == paged.notes == ()
        assert list(filed.rows(columns)) == list(paged.rows(columns))
        told.append(set(filed.rows([COLUMNS[name] for name in names])))

        topics = (await profile(filed)).breakdowns["topic"]
        overlaps = (await group(filed, ["topicOverlap"])).rows
        assert set(topics) == {"Marketing ROI", "Marketing Automation"}
        assert sum(topics.values()) == sum(int(n) * int(people) for n, people, _ in overlaps)
        assert sum(topics.values()) > filed.size
    assert told[0] == told[1]


async def test_every_field_that_the_service_sends_is_a_column() -> None:
    keys = {column.key for column in COLUMNS.values()}
    for generation in ("flat", "catalog"):
        leadpipe = connect(generation)
        audience, _ = await ready(leadpipe)
        (first, *_) = (await leadpipe.runs.people(audience, limit=100)).people
        assert set(completed(first)) <= keys | SOURCES
    # Rows of queries have hashes, which are left out.
    leadpipe = connect("flat")
    page = await leadpipe.runs.query(await leadpipe.configs.spell(CONFIG))
    assert page is not None
    left_out = {key for person in page.people for key in completed(person)} - keys
    assert left_out == {"hem", "country", "emailHashes", "allEmailHashes"}
