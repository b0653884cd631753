"""export_audience to a file: asked for first, written once, told with a receipt."""

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest

from leadpipe_mcp.settings import Settings
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import Assistant, Connect, Human, Start, each_era

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A server that writes to a folder of the test's and asks nobody."""
    return Settings(sandbox=True, confirm="off", export_dir=tmp_path / "exports")


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
async def test_a_csv_file_holds_everyone_and_the_receipt_is_true(
    profile: str, connect: Connect, settings: Settings
) -> None:
    async with connect(profile=profile, settings=settings) as client:
        audience = (await client.saved())["active"]
        receipt = await client.call("export_audience", id=audience)
        shown = await client.call("get_audience", id=audience)
    path = Path(receipt["path"])
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))

    assert path.parent == settings.export_dir
    assert len(rows) == receipt["rows"] == receipt["size"] == shown["size"]
    assert receipt["bytes"] == path.stat().st_size
    assert receipt["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    assert receipt["dataDate"] == shown["dataDate"]
    assert receipt["contactFields"] == ["contactEmail", "phone"]
    assert receipt["masked"] is False
    assert any("@" in row["contactEmail"] and "•" not in row["contactEmail"] for row in rows)
    assert list(rows[0])[:3] == ["name", "firstName", "lastName"]


@each_era
async def test_the_human_is_asked_with_the_number_the_path_and_what_goes_out(
    connect: Connect, human: Human, questions: list[str], tmp_path: Path
) -> None:
    asking = Settings(sandbox=True, export_dir=tmp_path)
    async with connect(settings=asking, answer=human("accept")) as client:
        audience = (await client.saved())["active"]
        asked = {"id": audience, "fileName": "leads"}
        full = await client.call("export_audience", **asked)
        asked = {"id": audience, "fields": ["name", "company"]}
        harmless = await client.call("export_audience", **asked)

    assert re.fullmatch(
        r"Export 'Marketing Directors at Tech Companies' \(\d+ people, data from 2026-05-04\) to a"
        rf" CSV file: {tmp_path}/leads\.csv\? contactEmail and phone go out unmasked\.",
        questions[0],
    )
    assert questions[1].endswith("No full e-mail address or phone number goes out.")
    assert full["contactFields"]
    assert "contactFields" not in harmless


@each_era
async def test_a_human_who_says_no_gets_no_file(
    connect: Connect, human: Human, tmp_path: Path, sandbox: Sandbox
) -> None:
    asking = Settings(sandbox=True, export_dir=tmp_path / "exports")
    async with connect(settings=asking, answer=human("decline")) as client:
        audience = (await client.saved())["active"]
        await client.refused("export_audience", id=audience)

    assert not (tmp_path / "exports").exists()
    assert not any(request.path.endswith("export.csv") for request in sandbox.requests)


async def test_without_a_way_to_ask_the_code_holds_for_just_this_file(
    connect: Connect, tmp_path: Path
) -> None:
    async with connect(settings=Settings(sandbox=True, export_dir=tmp_path)) as client:
        audience = (await client.saved())["active"]
        asked = await client.call("export_audience", id=audience)
        other = await client.call(
            "export_audience", id=audience, fields=["name"], confirm=asked["confirm"]
        )
        assert "path" not in other
        done = await client.call("export_audience", id=audience, confirm=other["confirm"])
        assert "path" not in done
        done = await client.call("export_audience", id=audience, confirm=done["confirm"])

    assert Path(done["path"]).exists()


async def test_a_second_file_stands_beside_the_first(connect: Connect, settings: Settings) -> None:
    async with connect(settings=settings) as client:
        audience = (await client.saved())["active"]
        first = await client.call("export_audience", id=audience)
        second = await client.call("export_audience", id=audience)
        named = {"id": audience, "fileName": "leads"}
        await client.call("export_audience", **named)
        said = await client.refused("export_audience", **named)

    assert first["path"] != second["path"]
    assert "leads" in said
    assert "fileName" in said


def file_in(question: str) -> str:
    found = re.search(r": (/\S+\.\w+)\?", question)
    assert found
    return found[1]


@each_era
async def test_four_exports_at_once_write_the_files_that_were_asked_about(
    connect: Connect, human: Human, questions: list[str], tmp_path: Path
) -> None:
    asking, written = Settings(sandbox=True, export_dir=tmp_path), set[str]()

    async def export(client: Assistant, audience: str) -> None:
        written.add((await client.call("export_audience", id=audience))["path"])

    async with connect(settings=asking, answer=human("accept")) as client:
        audience = (await client.saved())["active"]
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(export, client, audience)

    assert len(questions) == 4
    assert written == {file_in(question) for question in questions}
    assert {str(path) for path in tmp_path.iterdir()} == written


async def test_codes_given_at_once_are_for_different_files(
    connect: Connect, tmp_path: Path
) -> None:
    async with connect(settings=Settings(sandbox=True, export_dir=tmp_path)) as client:
        wanted = {"id": (await client.saved())["active"]}
        asked = [await client.call("export_audience", **wanted) for _ in range(4)]
        assert len({file_in(one["question"]) for one in asked}) == 4
        for one in reversed(asked):
            done = await client.call("export_audience", **wanted, confirm=one["confirm"])
            assert done["path"] == file_in(one["question"])


async def test_a_name_is_free_again_when_the_code_holds_no_longer(
    connect: Connect, tmp_path: Path
) -> None:
    async with connect(settings=Settings(sandbox=True, export_dir=tmp_path)) as client:
        wanted = {"id": (await client.saved())["active"]}
        first = await client.call("export_audience", **wanted)
        await anyio.sleep(601)
        again = await client.call("export_audience", **wanted)
        assert again["question"] == first["question"]
        done = await client.call("export_audience", **wanted, confirm=again["confirm"])
        assert done["path"] == file_in(first["question"])


async def test_a_name_is_free_again_after_a_no(
    connect: Connect, human: Human, questions: list[str], tmp_path: Path
) -> None:
    asking = Settings(sandbox=True, export_dir=tmp_path / "exports")
    async with connect(settings=asking, answer=human("decline")) as client:
        audience = (await client.saved())["active"]
        await client.refused("export_audience", id=audience)
        await client.refused("export_audience", id=audience)

    assert questions[0] == questions[1]


async def test_a_name_is_free_again_after_a_failure(
    sandbox: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    async with connect(settings=Settings(sandbox=True, export_dir=tmp_path)) as client:
        wanted = {"id": (await client.saved())["active"]}
        asked = await client.call("export_audience", **wanted)
        for path in ("results", "people"):
            sandbox.faults.add(Fault("malformed", path=path, status=200, times=9))
        await client.refused("export_audience", **wanted, confirm=asked["confirm"])
        sandbox.faults.clear()
        again = await client.call("export_audience", **wanted)

    assert again["question"] == asked["question"]


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


async def test_masked_is_masked_whoever_asks(connect: Connect, tmp_path: Path) -> None:
    unasked = Settings(sandbox=True, confirm="off", export_dir=tmp_path)
    masking = unasked.model_copy(update={"contact": "mask"})
    async with connect(settings=unasked) as client:
        audience = (await client.saved())["active"]
        wish = {"id": audience, "format": "jsonl", "contact": "masked"}
        wished = await client.call("export_audience", **wish)
    async with connect(settings=masking) as client:
        audience = (await client.saved())["active"]
        forced = await client.call("export_audience", id=audience, format="jsonl")

    for receipt in (wished, forced):
        lines = Path(receipt["path"]).read_text("utf-8").splitlines()
        people = [json.loads(line) for line in lines]
        assert len(people) == receipt["rows"]
        assert all("•••" in person["contactEmail"] for person in people if "contactEmail" in person)
    assert forced["masked"] is True
    assert any("LEADPIPE_CONTACT=mask" in warning for warning in forced["warnings"])


async def test_linkedin_profiles_come_once_each(connect: Connect, settings: Settings) -> None:
    async with connect(settings=settings) as client:
        audience = (await client.saved())["active"]
        receipt = await client.call("export_audience", id=audience, format="linkedin_urls")
    lines = Path(receipt["path"]).read_text("utf-8").split()

    assert len(lines) == len(set(lines)) == receipt["rows"] < receipt["size"]
    assert all(line.startswith("https://www.linkedin.com/in/") for line in lines)
    assert any("without a LinkedIn profile" in warning for warning in receipt["warnings"])


async def test_the_question_says_what_many_profiles_become(
    connect: Connect, human: Human, questions: list[str], tmp_path: Path
) -> None:
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
        assert receipt["path"] == f"{tmp_path}/many-2026-05-04{name}-1-of-3.txt"


async def test_what_makes_no_sense_is_refused(connect: Connect, settings: Settings) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"fileName": "../leads"}, "contains /"),
        ({"fields": ["nmae"]}, "There is no field 'nmae'. Did you mean 'name'"),
        ({"format": "url", "fields": ["name"]}, "format url is the service's own file"),
        ({"format": "linkedin_urls", "fields": ["name"]}, "leave fields out"),
    ]
    for arguments, says in cases:
        async with connect(settings=settings) as client:
            audience = (await client.saved())["active"]
            assert says in await client.refused("export_audience", id=audience, **arguments)


async def test_where_the_services_file_fails_the_pages_are_exported(
    start: Start, connect: Connect, settings: Settings
) -> None:
    sandbox = start()
    async with connect(sandbox, settings=settings) as client:
        config = {"topicIds": [117805], "minScore": 50}
        made = await client.call("create_audience", name="Many", config=config, status="active")
        sandbox.faults.add(Fault("status", path="export.csv", status=500, times=None))
        told = await client.call("export_audience", id=made["id"])

    assert told["rows"] == made["size"] > 300
    (warning,) = told["warnings"]
    assert warning.endswith(
        "status 500: Something went wrong. So the people were fetched page by page."
    )


@pytest.mark.parametrize("kind", ["reset_after", "cut", "html", "malformed"])
async def test_a_list_that_does_not_come_whole_leaves_no_file(
    kind: Any,  # noqa: ANN401 -- a Literal of the sandbox
    start: Start,
    connect: Connect,
    settings: Settings,
) -> None:
    sandbox = start(people=20_000)
    async with connect(sandbox, settings=settings) as client:
        config = {"topicIds": [117805]}
        made = await client.call("create_audience", name="Many", config=config, status="active")
        for path in ("export.csv", "/results"):
            sandbox.faults.add(Fault(kind, path=path, status=200, times=3))
        said = await client.refused("export_audience", id=made["id"])
        assert "Fetching the file failed before that: " in said
        sandbox.faults.clear()
        await anyio.sleep(10)  # after so many failures the service is left alone
        assert not settings.export_dir or not list(settings.export_dir.glob("*"))
        again = await client.call("export_audience", id=made["id"])

    assert again["rows"] == made["size"]
