"""analyze_audience: the whole of an audience in one answer, and no row of it."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from leadpipe_mcp.api.in_process import Application
from leadpipe_mcp.settings import Settings
from tests.faults.service import Fault, Sandbox
from tests.tools.assistant import UNASKED, Assistant, Connect, Start

pytestmark = pytest.mark.anyio
WANTED = {"topicIds": [117805], "minScore": 50}


@pytest.fixture
def large() -> Callable[[Assistant], Awaitable[str]]:
    """The id of an active audience of many people."""

    async def large(client: Assistant) -> str:
        made = await client.call("create_audience", name="Many", config=WANTED, status="active")
        return made["id"]

    return large


@pytest.mark.parametrize("profile", ["mixed", "flat", "catalog"])
async def test_the_profile_tells_who_they_are_in_few_words(
    profile: str, connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    async with connect(profile=profile, settings=UNASKED) as client:
        audience = await large(client)
        told = await client.call("analyze_audience", audienceId=audience)
        shown = await client.call("get_audience", id=audience)

    assert told["size"] == shown["size"] > 300
    assert len(json.dumps(told)) / 4 < 1_200
    assert sum(told["scores"]["people"].values()) == told["size"]
    for name in ("seniorities", "departments", "industries", "states"):
        assert sum(told["breakdowns"][name].values()) == told["size"]
    assert told["filled"]["jobTitle"] == 100
    assert re.match(r"[\d,]+ people at [\d,]+ companies, \d+% with a business", told["summary"])


async def test_the_profile_tells_how_many_have_each_kind_of_email_and_phone(
    connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    kinds = ["businessEmail", "personalEmail"]
    kinds += ["phone", "directNumbers", "mobilePhones", "personalPhones"]
    async with connect(profile="flat", settings=UNASKED) as client:
        audience = {"audienceId": await large(client)}
        told = await client.call("analyze_audience", **audience)
        counts = ", ".join(f"count({kind})" for kind in [*kinds, "id"])
        asked = f"SELECT {counts} FROM people"  # noqa: S608 -- our own names
        answer = await client.call("analyze_audience", **audience, sql=asked)

    *counted, size = answer["table"]["rows"][0]
    assert list(told["filled"])[: len(kinds) + 1] == [*kinds, "linkedinUrl"]
    shares = [round(100 * count / size, 1) for count in counted]
    assert [told["filled"][kind] for kind in kinds] == shares
    assert all(shares)


async def test_a_field_that_does_not_exist_is_answered_with_every_kind_of_email_and_phone(
    connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    async with connect(settings=UNASKED) as client:
        audience = await large(client)
        said = await client.refused("query_audience", audienceId=audience, fields=["telephone"])
        also = await client.refused("export_audience", id=audience, fields=["telephone"])

    assert said == also
    for kind in ("businessEmail", "personalEmail", "phone", "directNumbers", "mobilePhones"):
        assert f" {kind}," in said


async def test_a_second_question_asks_nothing_of_the_service(
    sandbox: Sandbox, connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    async with connect(settings=UNASKED) as client:
        audience = {"audienceId": await large(client)}
        await client.call("analyze_audience", **audience)
        asked = len(sandbox.requests)
        groups = await client.call("analyze_audience", **audience, groupBy="seniority", top=3)
        counted = await client.call(
            "analyze_audience", **audience, sql="SELECT count(*) AS n FROM people"
        )

    assert len(sandbox.requests) == asked
    assert groups["table"]["columns"] == ["seniority", "people", "percent"]
    assert len(groups["table"]["rows"]) == 3
    assert counted["table"] == {"columns": ["n"], "rows": [[counted["size"]]]}


async def test_two_questions_at_once_fetch_the_people_once(
    start: Start, connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    sandbox = start()
    async with connect(sandbox, settings=UNASKED) as client:
        audience = await large(client)

        async def ask() -> None:
            await client.call("analyze_audience", audienceId=audience)

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)

    files = [request for request in sandbox.requests if request.path.endswith("export.csv")]
    assert len(files) == 1


async def test_after_a_change_the_newest_run_is_looked_up_anew(
    connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    async with connect(settings=UNASKED) as client:
        audience = await large(client)
        before = await client.call("analyze_audience", audienceId=audience)
        change = {"filters": {"hasPhone": True}}
        await client.call("update_audience", id=audience, config=change)
        await client.call("run_audience", id=audience)
        after = await client.call("analyze_audience", audienceId=audience)

    assert after["size"] < before["size"]


async def test_contact_columns_are_masked_in_sql(
    connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    async with connect(settings=UNASKED) as client:
        sql = "SELECT contactEmail, phone FROM people WHERE phone <> '' LIMIT 5"
        told = await client.call("analyze_audience", audienceId=await large(client), sql=sql)

    assert all("•••" in cell for row in told["table"]["rows"] for cell in row)


async def test_a_wrong_question_is_answered_with_the_columns(
    connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    async with connect(settings=UNASKED) as client:
        audience = {"audienceId": await large(client)}
        wrong = await client.refused("analyze_audience", **audience, sql="SELECT nmae FROM people")
        group = await client.refused("analyze_audience", **audience, groupBy=["contactEmail"])
        write = await client.refused("analyze_audience", **audience, sql="DELETE FROM people")

    assert "no column 'nmae'" in wrong
    assert "jobTitle" in wrong
    assert "contactEmail" in group
    assert "SELECT" in write


async def test_two_days_are_compared_by_who_is_new_and_gone(connect: Connect) -> None:
    async with connect(people=20_000, settings=UNASKED) as client:
        audience = (await client.saved())["active"]
        told = await client.call(
            "analyze_audience", audienceId=audience, compareWith={"date": "2026-05-02"}
        )

    assert told["both"]["size"] + told["onlyHere"]["size"] == told["size"]
    assert told["both"]["size"] > told["onlyThere"]["size"] > 0
    assert told["both"]["seniorities"]
    assert "2026-05-02" in told["summary"]


async def test_a_list_is_not_compared_with_itself(client: Assistant) -> None:
    audience = (await client.saved())["active"]
    for same in ({"date": "2026-05-04"}, {"audienceId": audience}):
        said = await client.refused("analyze_audience", audienceId=audience, compareWith=same)
        assert said.startswith("Both sides are the same list (2026-05-04), so there is nothing to")


async def test_a_list_that_is_shorter_than_the_service_says_is_said_to_be(
    connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    async with connect(export_row_cap=500, settings=UNASKED) as client:
        told = await client.call("analyze_audience", audienceId=await large(client))

    assert told["size"] == 500
    (warning,) = told["warnings"]
    assert re.fullmatch(r"The service says [\d,]+ people; 500 came\.", warning)


async def test_a_fetch_that_fails_leaves_nothing_and_the_next_one_works(
    start: Start, connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    sandbox = start()
    async with connect(sandbox, settings=UNASKED) as client:
        audience = await large(client)
        for path in ("export.csv", "/results"):
            sandbox.faults.add(Fault("reset_after", path=path, times=3))
        said = await client.refused("analyze_audience", audienceId=audience)
        await anyio.sleep(10)  # after so many failures the service is left alone
        told = await client.call("analyze_audience", audienceId=audience)

    assert "connection to the service was lost before its answer was complete" in said
    assert told["size"]


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
        (refusing, "that host could not be reached"),
        (hanging, "that host did not answer in time"),
        (lost, "the connection was lost before the file was complete"),
        (Response(status_code=403), "the link has expired, or is not taken there (status 403)"),
        (HTMLResponse("<h1>", 404), "the link has expired, or is not taken there (status 404)"),
        (Response(status_code=503), "that host answered with status 503"),
        (
            RedirectResponse("http://169.254.169.254/"),
            "that host answered with a redirect (status 307), which is not followed",
        ),
        (
            Response(b"x", headers={"Content-Encoding": "br"}),
            "the service's answer is compressed as 'br', which was not asked for, and was not read",
        ),
        (HTMLResponse("<h1>Welcome</h1>"), "file is not a list of people"),
        (Response(b"x" * 2**21), "file is not a list of people"),
        (Response(b"firstName,city\nAda,Paris\nBob"), "file has 1 cell under 2 headings"),
        (Response(b'firstName,city\nAda,Paris\nBob,"Lo'), "file is broken in the middle"),
    ]
    service = FilesElsewhere(start(profile="flat", slots=20), refusing)
    async with connect(service, settings=UNASKED) as client:
        for number, (service.elsewhere, why) in enumerate(cases):
            asked = {"name": f"Many {number}", "config": WANTED, "status": "active"}
            made = await client.call("create_audience", **asked)
            told = await client.call("analyze_audience", audienceId=made["id"])
            again = await client.call("analyze_audience", audienceId=made["id"])
            (warning,) = told["warnings"]
            assert warning.endswith(f"{why}. So the people were fetched page by page.")
            assert "warnings" not in again
            assert told["size"] == again["size"] > 300
            await anyio.sleep(60)  # after so many failures a host is left alone
    assert service.asked.count("127.0.0.1") > 3 * len(cases)


@pytest.mark.parametrize("era", ["auto"])
async def test_where_neither_file_nor_pages_come_both_are_said(
    start: Start, connect: Connect, large: Callable[[Assistant], Awaitable[str]]
) -> None:
    sandbox = start(profile="flat")
    async with connect(FilesElsewhere(sandbox, refusing), settings=UNASKED) as client:
        audience = await large(client)
        sandbox.faults.add(Fault("status", path="/results", status=500, times=None))
        said = await client.refused("analyze_audience", audienceId=audience)

    assert "that host could not be reached." in said
    assert "Fetching the file failed before that: " in said
    assert "The service failed with status 500" in said
    for wrong in ("LEADPIPE_BASE_URL", "LEADPIPE_API_KEY", "administers"):
        assert wrong not in said


async def test_people_who_are_not_ready_are_said_to_be_so(connect: Connect) -> None:
    async with connect(run_seconds=60, settings=UNASKED) as client:
        draft = await client.call("create_audience", name="Draft", config=WANTED)
        nobody = await client.refused("analyze_audience", audienceId=draft["id"])
        await client.call("set_status", id=draft["id"], status="active")
        waiting = await client.refused("analyze_audience", audienceId=draft["id"])
        active = (await client.saved())["active"]
        other_day = await client.refused("analyze_audience", audienceId=active, date="2025-01-01")

    assert "Activate the audience with set_status first" in nobody
    assert "waitSeconds" in waiting
    assert "no people for 2025-01-01" in other_day


async def test_what_makes_no_sense_is_refused(client: Assistant) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"groupBy": ["state"], "sql": "SELECT 1"}, "pass one at a time"),
        ({"compareWith": {}}, "compareWith needs"),
        ({"date": "2026-05-02", "runId": "x"}, "not both"),
        ({"groupBy": ["a", "b", "c", "d"]}, "at most 3"),
        ({"top": 0}, "'top' must be 1 or more"),
    ]
    for arguments, says in cases:
        audience = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
        assert says in await client.refused("analyze_audience", audienceId=audience, **arguments)


async def test_people_are_kept_only_where_a_folder_is_named(
    start: Start,
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    large: Callable[[Assistant], Awaitable[str]],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    key = {"api_key": "sk_test", "base_url": "https://service.test", "confirm": "off"}
    kept = Settings.model_validate({**key, "cache_dir": tmp_path / "kept"})
    sandbox = start()
    async with connect(sandbox, settings=Settings.model_validate(key)) as client:
        audience = await large(client)
        await client.call("analyze_audience", audienceId=audience)
    assert list((tmp_path / "temporary").iterdir()) == []

    for _ in range(2):
        async with connect(sandbox, settings=kept) as client:
            await client.call("analyze_audience", audienceId=audience)
    files = [request for request in sandbox.requests if request.path.endswith("export.csv")]
    assert len(files) == 2
    (people,) = [path for path in (tmp_path / "kept").iterdir() if path.is_dir()]
    assert people.stat().st_mode & 0o777 == 0o700
