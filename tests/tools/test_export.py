"""export_audience to a file: asked for first, written once, told with a receipt."""

import csv
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.responses import JSONResponse

from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools import export
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import (
    UNASKED,
    Altered,
    Assistant,
    Connect,
    Human,
    Reply,
    Start,
    each_profile,
)

pytestmark = pytest.mark.anyio

DIRECTORS = "'Marketing Directors at Tech Companies'"
WANTED = {"topicIds": [117805], "minScore": 50}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A server that writes to a folder of the test's and asks nobody."""
    return Settings(sandbox=True, confirm="off", export_dir=tmp_path / "exports")


async def test_a_csv_file_holds_everyone_once_the_human_agreed_and_the_receipt_is_true(
    connect: Connect, human: Human, questions: list[str], tmp_path: Path
) -> None:
    asking = Settings(sandbox=True, export_dir=tmp_path / "exports")
    async with connect(settings=asking, answer=human("accept")) as client:
        audience = (await client.saved())["active"]
        receipt = await client.call("export_audience", id=audience, fileName="leads")
        harmless = await client.call("export_audience", id=audience, fields=["name", "company"])
        shown = await client.call("get_audience", id=audience)
    size, path = shown["size"], Path(receipt["path"])
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert questions[0] == (
        f"Export {DIRECTORS} ({size} people, data from 2026-05-04) to a CSV file:"
        f" {tmp_path / 'exports' / 'leads.csv'}? contactEmail and phone go out unmasked."
    )
    assert questions[1].endswith("No full e-mail address or phone number goes out.")
    assert path == tmp_path / "exports" / "leads.csv"
    assert len(rows) == receipt["rows"] == receipt["size"] == size
    assert receipt["bytes"] == path.stat().st_size
    assert receipt["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sys.platform == "win32" or path.stat().st_mode & 0o777 == 0o600
    assert receipt["dataDate"] == shown["dataDate"]
    assert receipt["contactFields"] == ["contactEmail", "phone"]
    assert receipt["masked"] is False
    assert any("@" in row["contactEmail"] and "•" not in row["contactEmail"] for row in rows)
    assert list(rows[0])[:3] == ["name", "firstName", "lastName"]
    assert "contactFields" not in harmless


def file_in(question: str) -> str:
    found = re.search(r": (/\S+\.\w+)\?", question)
    assert found
    return found[1]


async def test_four_exports_at_once_write_the_files_that_were_asked_about(
    connect: Connect, human: Human, questions: list[str], tmp_path: Path
) -> None:
    asking, written = Settings(sandbox=True, export_dir=tmp_path), set[str]()

    async def write(client: Assistant, audience: str) -> None:
        written.add((await client.call("export_audience", id=audience))["path"])

    async with connect(settings=asking, answer=human("accept")) as client:
        audience = (await client.saved())["active"]
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(write, client, audience)

    assert len(questions) == 4
    assert written == {file_in(question) for question in questions}
    assert {str(path) for path in tmp_path.iterdir()} == written


async def test_a_name_is_held_while_its_question_is_open_and_then_free_again(
    sandbox: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    async with connect(settings=Settings(sandbox=True, export_dir=tmp_path)) as client:
        wanted = {"id": (await client.saved())["active"]}

        async def asked(**confirm: str) -> Reply:
            return await client.call("export_audience", **wanted, **confirm)

        first, second, third = [await asked() for _ in range(3)]
        for path in ("results", "people"):
            sandbox.faults.add(Fault("malformed", path=path, status=200, times=9))
        await client.refused("export_audience", **wanted, confirm=second["confirm"])
        sandbox.faults.clear()
        assert (await asked())["question"] == second["question"]
        done = await asked(confirm=third["confirm"])
        assert done["path"] == file_in(third["question"]) != file_in(second["question"])
        await anyio.sleep(601)
        assert (await asked())["question"] == first["question"]


async def test_a_file_that_appears_after_the_question_is_not_written_beside(
    connect: Connect, tmp_path: Path
) -> None:
    async with connect(settings=Settings(sandbox=True, export_dir=tmp_path)) as client:
        wanted = {"id": (await client.saved())["active"]}
        asked = await client.call("export_audience", **wanted)
        Path(file_in(asked["question"])).write_text("somebody else's")
        again = await client.call("export_audience", **wanted, confirm=asked["confirm"])
        assert "something has changed since" in again["summary"]
        done = await client.call("export_audience", **wanted, confirm=again["confirm"])

    assert done["path"] == file_in(again["question"]) != file_in(asked["question"])
    assert Path(file_in(asked["question"])).read_text() == "somebody else's"


async def test_masked_is_masked_whoever_asks(
    connect: Connect, sandbox: Sandbox, settings: Settings
) -> None:
    wish = {"format": "jsonl", "contact": "masked"}
    masking = settings.model_copy(update={"contact": "mask"})
    for chosen, asked in ((settings, wish), (masking, {"format": "jsonl"})):
        async with connect(settings=chosen) as client:
            audience = (await client.saved())["active"]
            receipt = await client.call("export_audience", id=audience, **asked)
        lines = Path(receipt["path"]).read_text("utf-8").splitlines()
        emails = [json.loads(line).get("contactEmail", "•••") for line in lines]
        assert len(emails) == receipt["rows"]
        assert all("•••" in email for email in emails)
        assert receipt["masked"] is True
    assert any("LEADPIPE_CONTACT=mask" in warning for warning in receipt["warnings"])
    sandbox.requests.clear()
    async with connect(settings=masking) as client:
        said = await client.refused("export_audience", format="url", id=audience)
    assert said == (
        "This server lets no unmasked e-mail addresses or phone numbers out"
        " (LEADPIPE_CONTACT=mask), and the service's file has them."
        " format csv writes a masked file."
    )
    assert not sandbox.requests


async def test_the_question_says_what_many_profiles_become(
    connect: Connect, human: Human, questions: list[str], tmp_path: Path
) -> None:
    # Without the tools of Sonarly, whose own import is named alone.
    settings = Settings(sandbox=True, export_dir=tmp_path)
    many = {"name": "Many", "config": {"topicIds": [117805]}, "status": "active"}
    async with connect(people=20_000, settings=settings, answer=human("accept")) as client:
        made = await client.call("create_audience", **many)
        wanted = {"id": made["id"], "format": "linkedin_urls"}
        receipts = [await client.call("export_audience", **wanted) for _ in range(2)]

    for name, question, receipt in zip(("", "-2"), questions[-2:], receipts, strict=True):
        said = (
            f"More than 1,000 profiles are split into many-2026-05-04{name}-1-of-2.txt and so on."
        )
        assert question.endswith(said)
        assert receipt["path"] == str(tmp_path / f"many-2026-05-04{name}-1-of-3.txt")
        assert "next" not in receipt
        assert "Sonarly's own import, which takes 1,000 profiles" in receipt["summary"]
        assert any("without a LinkedIn profile" in warning for warning in receipt["warnings"])


async def test_what_makes_no_sense_is_refused(connect: Connect, settings: Settings) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"fileName": "../leads"}, "contains /"),
        ({"fields": ["nmae"]}, "There is no field 'nmae'. Did you mean 'name'"),
        ({"format": "url", "fields": ["name"]}, "format url is the service's own file"),
        ({"format": "linkedin_urls", "fields": ["name"]}, "leave fields out"),
    ]
    async with connect(settings=settings) as client:
        audience = (await client.saved())["active"]
        for arguments, says in cases:
            assert says in await client.refused("export_audience", id=audience, **arguments)


@each_profile
async def test_a_link_is_given_once_the_human_agreed(
    profile: str, connect: Connect, human: Human, questions: list[str]
) -> None:
    async with connect(profile=profile, answer=human("accept")) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("export_audience", format="url", id=audience)
        day = {"id": audience, "format": "url", "date": "2026-05-02"}
        earlier = await client.call("export_audience", **day)
    size = reply["size"]
    assert questions[0] == (
        f"Export {DIRECTORS} ({size} people, data from 2026-05-04) as a link to a CSV file? E-mail"
        " addresses and phone numbers go out unmasked, to anyone with the link."
    )
    until = "for 24h" if profile == "flat" else f"until {reply.get('expiresAt')}"
    assert reply["summary"] == (
        f"A link to the CSV of {DIRECTORS}: {size} people, unmasked, data from 2026-05-04."
        f" It works {until}."
    )
    assert reply["url"].startswith("http://127.0.0.1/")
    assert reply["fileName"] == "marketing-directors-at-tech-companies-2026-05-04.csv"
    assert reply["warnings"] == [export.ANYONE, export.ONLY_HERE]
    assert "next" not in reply
    assert earlier["dataDate"] == "2026-05-02"


@pytest.mark.parametrize(
    ("profile", "world", "status", "way"),
    [
        ("flat", {}, "draft", {"status": "active"}),
        ("flat", {"runs_fail": True}, "active", {}),
        ("catalog", {"run_seconds": 60}, "active", {"waitSeconds": 60}),
        ("catalog", {"runs_fail": True}, "active", {}),
    ],
)
async def test_where_there_is_nothing_to_export_yet_it_is_said_how_people_come(
    profile: str, world: dict[str, Any], status: str, way: dict[str, Any], connect: Connect
) -> None:
    async with connect(profile=profile, settings=UNASKED, **world) as client:
        made = await client.call("create_audience", name="N", config=WANTED, status=status)
        reply = await client.call("export_audience", id=made["id"])
    assert reply["summary"].endswith(" There is nothing to export yet.")
    assert [step["arguments"] for step in reply["next"]] == [{"id": made["id"], **way}]


async def test_while_a_new_run_is_on_its_way_the_earlier_people_are_offered(
    connect: Connect,
) -> None:
    async with connect(run_seconds=60, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        await client.call("run_audience", id=audience)
        reply = await client.call("export_audience", format="url", id=audience)
        step = reply["next"][1]
        assert step["why"] == "the people from 2026-05-04 instead"
        assert (await client.call(step["tool"], **step["arguments"]))["url"]
        day = {"id": audience, "date": "2025-01-01"}
        said = await client.refused("export_audience", **day)
    assert said.startswith("This audience has no people for 2025-01-01. It has people for: 2026-")


@pytest.mark.parametrize(
    ("data", "summary", "warning"),
    [
        ({"export": {"status": "processing"}}, "is still being written.", None),
        (
            {"export": {"rowCount": 7}, "downloadUrl": "https://files.example/a.csv"},
            "The service does not say how long it works.",
            "people, but the file has 7 people.",
        ),
    ],
)
async def test_what_is_odd_about_a_file_of_the_service_is_said(
    data: dict[str, Any],
    summary: str,
    warning: str | None,
    start: Start,
    connect: Connect,
    altered: Altered,
) -> None:
    answer = {"POST /exports": JSONResponse({"data": data}, 201)}
    async with connect(altered(start(profile="catalog"), answer), settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        reply = await client.call("export_audience", format="url", id=audience)
    assert reply["summary"].endswith(summary)
    assert ("url" in reply) == (warning is not None)
    if warning:
        assert reply["warnings"][1].endswith(warning)
    else:
        assert reply["next"][0]["tool"] == "export_audience"


@pytest.mark.parametrize("kind", ["reset_after", "malformed"])
async def test_a_list_that_does_not_come_whole_leaves_no_file(
    kind: Any,  # noqa: ANN401 -- a Literal of the sandbox
    sandbox: Sandbox,
    connect: Connect,
    settings: Settings,
    tmp_path: Path,
) -> None:
    async with connect(settings=settings) as client:
        made = await client.call("create_audience", name="M", config=WANTED, status="active")
        sandbox.faults.add(Fault(kind, path="export.csv", status=200, times=3))
        sandbox.faults.add(Fault(kind, path="/results", status=200, times=3))
        said = await client.refused("export_audience", id=made["id"])
        assert "Fetching the file failed before that: " in said
        assert not list(tmp_path.glob("exports/*"))
        sandbox.faults.clear()
        sandbox.faults.add(Fault("status", path="export.csv", status=500, times=None))
        await anyio.sleep(10)  # after so many failures the service is left alone
        again = await client.call("export_audience", id=made["id"])
    assert again["rows"] == made["size"] > 300
    (warning,) = again["warnings"]
    assert warning.endswith("So the people were fetched page by page.")
