"""analyze_audience: the whole of an audience in one answer, and no row of it."""

import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.settings import Settings
from tests.faults.service import Fault, Sandbox
from tests.systems import needs_modes
from tests.tools.assistant import UNASKED, Assistant, Connect, Reply, Start

pytestmark = pytest.mark.anyio
ANALYZE = "analyze_audience"
WANTED = {"topicIds": [117805], "minScore": 50}


async def large(client: Assistant, name: str = "Many") -> dict[str, str]:
    """Make an active audience of so many people that the service's file is fetched."""
    made = await client.call("create_audience", name=name, config=WANTED, status="active")
    return {"audienceId": made["id"]}


def files_of(sandbox: Sandbox) -> int:
    """How often a file of people was fetched."""
    return sum(request.path.endswith("export.csv") for request in sandbox.requests)


async def test_questions_about_one_run_fetch_its_people_once_until_it_is_changed(
    sandbox: Sandbox, connect: Connect
) -> None:
    kinds = ["businessEmail", "personalEmail"]
    kinds += ["phone", "directNumbers", "mobilePhones", "personalPhones"]
    counts = ", ".join(f"count({kind})" for kind in [*kinds, "id"])
    async with connect(settings=UNASKED) as client:
        audience = await large(client)
        shown = await client.call("get_audience", **audience)
        told: list[Reply] = []

        async def ask() -> None:
            told.append(await client.call(ANALYZE, **audience))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)
        asked = len(sandbox.requests)
        groups = await client.call(ANALYZE, **audience, groupBy="seniority", top=3)
        sql = f"SELECT {counts} FROM people"  # noqa: S608 -- our own names
        answer = await client.call(ANALYZE, **audience, sql=sql)
        sql = "SELECT contactEmail, phone FROM people WHERE phone <> '' LIMIT 5"
        masked = await client.call(ANALYZE, **audience, sql=sql)
        wrong = await client.refused(ANALYZE, **audience, sql="SELECT nmae FROM people")
        assert files_of(sandbox) == 1
        assert len(sandbox.requests) == asked
        await client.call("update_audience", **audience, config={"filters": {"hasPhone": True}})
        await client.call("run_audience", **audience)
        after = await client.call(ANALYZE, **audience)

    profile = told[0]
    assert told == [profile] * 3
    assert profile["size"] == shown["size"] > 300
    assert len(json.dumps(profile)) / 4 < 1_200
    assert sum(profile["scores"]["people"].values()) == profile["size"]
    for name in ("seniorities", "departments", "industries", "states"):
        assert sum(profile["breakdowns"][name].values()) == profile["size"]
    assert re.match(r"[\d,]+ people at [\d,]+ companies, \d+% with a business", profile["summary"])
    *counted, size = answer["table"]["rows"][0]
    shares = {kind: round(100 * n / size, 1) for kind, n in zip(kinds, counted, strict=True) if n}
    assert {kind: profile["filled"][kind] for kind in kinds if kind in profile["filled"]} == shares
    assert len(shares) >= 3
    assert groups["table"]["columns"] == ["seniority", "people", "percent"]
    assert len(groups["table"]["rows"]) == 3
    assert masked["table"]["columns"] == ["contactEmail", "phone"]
    assert all("•••" in cell for row in masked["table"]["rows"] for cell in row)
    assert "no column 'nmae'" in wrong
    assert "jobTitle" in wrong
    assert after["size"] < profile["size"]


async def test_two_days_are_compared_by_who_is_new_and_gone(connect: Connect) -> None:
    async with connect(people=20_000, settings=UNASKED) as client:
        audience = {"audienceId": (await client.saved())["active"]}
        told = await client.call(ANALYZE, **audience, compareWith={"date": "2026-05-02"})
        same = await client.refused(ANALYZE, **audience, compareWith=audience)

    assert told["both"]["size"] + told["onlyHere"]["size"] == told["size"]
    assert told["both"]["size"] > told["onlyThere"]["size"] > 0
    assert told["both"]["seniorities"]
    assert "2026-05-02" in told["summary"]
    assert same.startswith("Both sides are the same list (2026-05-04), so there is nothing to")


class FilesElsewhere:
    """A service whose links to files lead to another host, and what that one answers instead."""

    def __init__(self, service: Application, elsewhere: Application) -> None:
        self._service = service
        self.elsewhere = elsewhere
        self.asked: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Request(scope).url.hostname or ""
        self.asked.append(host)

        async def change(message: Message) -> None:
            if b"downloadUrl" in message.get("body", b""):
                own = f"http://{host}/".encode()
                # Of the same length.
                there = b"http://" + b"127.9.9.9"[: len(host)].ljust(len(host), b"9") + b"/"
                message["body"] = message["body"].replace(own, there)
            await send(message)

        if host == "127.0.0.1":
            await self._service(scope, receive, change)
        else:
            await self.elsewhere(scope, receive, send)


async def lost(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"firstName,city", "more_body": True})
    raise ConnectionResetError


async def refusing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ConnectionRefusedError


async def hanging(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await anyio.sleep_forever()


async def test_where_the_file_of_another_host_fails_the_pages_are_fetched(
    start: Start, connect: Connect
) -> None:
    cases: list[tuple[Application, str]] = [
        (refusing, "that host could not be reached; nothing was sent"),
        (hanging, "that host did not answer in the time that there was"),
        (lost, "the connection to that host was lost before its answer was complete"),
        (HTMLResponse("<h1>", 404), "the link has expired, or is not taken there (status 404)"),
        (HTMLResponse("<h1>Welcome</h1>"), "file is not a list of people"),
    ]
    service = FilesElsewhere(start(profile="flat", slots=20), refusing)
    async with connect(service, settings=UNASKED) as client:
        for number, (service.elsewhere, why) in enumerate(cases):
            audience = await large(client, f"Many {number}")
            told = await client.call(ANALYZE, **audience)
            (warning,) = told["warnings"]
            assert warning.endswith(f"{why}. So the people were fetched page by page.")
            assert told["size"] > 300
            await anyio.sleep(60)  # after so many failures a host is left alone
    assert service.asked.count("127.0.0.1") > 3 * len(cases)


async def test_where_neither_file_nor_pages_come_both_are_said(
    start: Start, connect: Connect
) -> None:
    sandbox = start(profile="flat")
    async with connect(FilesElsewhere(sandbox, refusing), settings=UNASKED) as client:
        audience = await large(client)
        sandbox.faults.add(Fault("status", path="/results", status=500, times=None))
        said = await client.refused(ANALYZE, **audience)

    assert "that host could not be reached; nothing was sent." in said
    assert "Fetching the file failed before that: " in said
    assert "The service failed with status 500" in said
    for wrong in ("LEADPIPE_BASE_URL", "LEADPIPE_API_KEY", "administers"):
        assert wrong not in said


async def test_people_who_are_not_ready_are_said_to_be_so(connect: Connect) -> None:
    async with connect(run_seconds=60, settings=UNASKED) as client:
        draft = await client.call("create_audience", name="Draft", config=WANTED)
        nobody = await client.refused(ANALYZE, audienceId=draft["id"])
        await client.call("set_status", id=draft["id"], status="active")
        waiting = await client.refused(ANALYZE, audienceId=draft["id"])
        active = (await client.saved())["active"]
        other_day = await client.refused(ANALYZE, audienceId=active, date="2025-01-01")

    assert "Activate the audience with set_status first" in nobody
    assert "waitSeconds" in waiting
    assert "no people for 2025-01-01" in other_day


async def test_what_makes_no_sense_is_refused(client: Assistant) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"groupBy": ["state"], "sql": "SELECT 1"}, "pass one at a time"),
        ({"compareWith": {}}, "compareWith needs"),
        ({"groupBy": ["a", "b", "c", "d"]}, "at most 3"),
        ({"top": 0}, "'top' must be 1 or more"),
    ]
    for arguments, says in cases:
        audience = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
        assert says in await client.refused(ANALYZE, audienceId=audience, **arguments)


@needs_modes
async def test_people_are_kept_only_where_a_folder_is_named(
    sandbox: Sandbox, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    key = {"api_key": "sk_test", "base_url": "https://service.test", "confirm": "off"}
    kept = Settings.model_validate({**key, "cache_dir": tmp_path / "kept"})
    async with connect(settings=Settings.model_validate(key)) as client:
        audience = await large(client)
        await client.call(ANALYZE, **audience)
    assert list((tmp_path / "temporary").iterdir()) == []

    for _ in range(2):
        async with connect(settings=kept) as client:
            await client.call(ANALYZE, **audience)
    assert files_of(sandbox) == 2
    (people,) = [path for path in (tmp_path / "kept").iterdir() if path.is_dir()]
    assert people.stat().st_mode & 0o777 == 0o700


async def test_somebody_alone_is_at_one_company(connect: Connect) -> None:
    async with connect(people=300) as client:
        audience = (await client.saved())["active"]
        profile = await client.call(ANALYZE, audienceId=audience)

    assert profile["size"] == 1
    assert profile["summary"].startswith("1 person at 1 company, ")


async def test_of_nobody_there_is_nothing_more_to_ask(connect: Connect) -> None:
    nobody = {**WANTED, "filters": {"companyName": ["Nobody at all"]}}
    async with connect(settings=UNASKED) as client:
        made = await client.call("create_audience", name="N", config=nobody, status="active")
        profile = await client.call(ANALYZE, audienceId=made["id"])

    assert profile["summary"].startswith("0 people, data from")
    assert not {"scores", "next"} & set(profile)
