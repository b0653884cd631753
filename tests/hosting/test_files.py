"""Exports over HTTP, where a caller has no disk of the server's to look at."""

import csv
import io
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from starlette.responses import JSONResponse

from leadpipe_mcp.callers import Shared
from leadpipe_mcp.downloads import LINK_SECONDS, Downloads
from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.settings import SettingsError
from tests.api.answering import Altered
from tests.hosting.conftest import URL, Host, Hosted, called
from tests.systems import needs_modes

pytestmark = pytest.mark.anyio
ANNA, BEN = "sk_live_anna_0001", "sk_live_ben_0002"
SECRET = "0123456789abcdef" * 4
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


async def active(client: Client) -> str:
    """Return the id of an audience that has people."""
    return (await called(client, "list_audiences"))["audiences"]["rows"][0][0]


async def declared(client: Client) -> dict[str, Any]:
    """Return the tool as it is listed, by the names of its parts."""
    (tool,) = [one for one in (await client.list_tools()).tools if one.name == "export_audience"]
    return tool.model_dump(by_alias=True)


async def test_without_a_folder_for_files_only_the_service_s_own_link_is_offered(
    host: Host, era: str
) -> None:
    async with host(confirm="off") as hosted, hosted.client(ANNA, era) as client:
        tool = await declared(client)
        given = await called(client, "export_audience", id=await active(client), format="URL ")
    assert list(tool["inputSchema"]["properties"]) == ["id", "format", "date", "runId", "confirm"]
    assert tool["inputSchema"]["properties"]["format"]["const"] == "url"
    assert "where this server runs" not in tool["description"]
    assert "path" not in tool["outputSchema"]["properties"]
    assert given["url"].startswith("http")
    assert "path" not in given


@pytest.mark.parametrize("format", ["csv", "jsonl", " LinkedIn_URLs"])
async def test_without_a_folder_a_file_is_refused_by_name(host: Host, format: str) -> None:  # noqa: A002 -- the argument's name
    async with host(confirm="off") as hosted, hosted.client(ANNA) as client:
        asked = {"id": await active(client), "format": format, "fields": ["name"]}
        refused = await client.call_tool("export_audience", asked)
    assert refused.is_error
    said = str(refused.content)
    assert f"format {format.strip().lower()} is not offered" in said
    assert "Use format url" in said
    assert "There is no argument 'fields'" in said


async def test_where_nothing_may_go_out_unmasked_the_service_s_link_is_not_offered(
    host: Host,
) -> None:
    async with host(contact="mask") as hosted, hosted.client(ANNA) as client:
        assert "export_audience" not in {one.name for one in (await client.list_tools()).tools}
        guide = await client.read_resource("leadpipe://guide")
        with pytest.raises(Exception, match="There is no tool 'export_audience'"):
            await client.call_tool("export_audience", {"id": "x"})
    assert "export_audience" not in str(guide)


async def test_more_links_than_anyone_would_open_are_refused_with_another_way(
    host: Host, altered: Altered, tmp_path: Path
) -> None:
    many = {"id": "r", "status": "completed", "dataDate": "2026-05-04", "resultCount": 100_001}
    service = altered(
        Sandbox(SandboxSettings(people=300)), {"GET /runs": JSONResponse({"data": [many]})}
    )
    async with (
        host(service, confirm="off", download_dir=tmp_path) as hosted,
        hosted.client(ANNA) as client,
    ):
        asked = {"id": await active(client), "format": "linkedin_urls"}
        refused = str((await client.call_tool("export_audience", asked)).content)
    assert "a link for each 1,000 profiles, and at most 100 links" in refused
    assert "Use format csv with fields ['linkedinUrl']" in refused


def test_a_folder_that_no_caller_can_get_at_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set LEADPIPE_DOWNLOAD_DIR"):
        HostingSettings(export_dir=tmp_path).check()


async def exported(hosted: Hosted, key: str = ANNA, **asked: object) -> dict[str, Any]:
    """Export an audience of the caller's: the one that has people if none is named."""
    async with hosted.client(key) as client:
        return await called(client, "export_audience", **{"id": await active(client)} | asked)


async def made(hosted: Hosted) -> str:
    """Make an audience of many people and return its id."""
    config = {"topicIds": [117805]}
    async with hosted.client(ANNA) as client:
        many = await called(client, "create_audience", name="Many", config=config, status="active")
    return many["id"]


async def test_with_a_folder_a_file_is_fetched_by_a_link_that_says_when_it_expires(
    host: Host, era: str, tmp_path: Path
) -> None:
    async with host(confirm="off", download_dir=tmp_path / "d") as hosted, hosted.http() as http:
        async with hosted.client(ANNA, era) as client:
            tool = await declared(client)
            given = await called(client, "export_audience", id=await active(client))
        answer = await http.get(given["url"])
    assert "works for an hour" in tool["description"]
    assert "computer" not in str(tool["inputSchema"])
    assert "path" not in tool["outputSchema"]["properties"]
    assert given["url"].startswith(f"{URL}/files/")
    assert given["expiresAt"] in given["summary"]
    assert str(tmp_path) not in str(given)
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == given["rows"]
    assert len(answer.content) == given["bytes"]
    assert answer.headers["content-disposition"] == f'attachment; filename="{given["fileName"]}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "Anyone with the link" in str(given["warnings"])


async def test_the_question_says_that_the_file_can_be_fetched_by_link_and_not_where_it_is(
    host: Host, tmp_path: Path
) -> None:
    async with host(download_dir=tmp_path) as hosted:
        asked = await exported(hosted, fileName="leads")
        given = await exported(hosted, fileName="leads", confirm=asked["confirm"])
        again = await exported(hosted)
        async with hosted.client(ANNA) as client:
            taken = {"id": await active(client), "fileName": "leads"}
            refused = await client.call_tool("export_audience", taken)
    assert "to a CSV file that can be fetched by link for an hour: leads.csv?" in asked["question"]
    assert given["fileName"] == "leads.csv"
    assert "'leads.csv' already exists, and nothing is overwritten" in str(refused.content)
    assert str(tmp_path) not in f"{asked}{given}{again}{refused}"


@needs_modes
async def test_only_the_server_s_user_may_read_the_files_which_lie_apart_by_caller(
    host: Host, tmp_path: Path
) -> None:
    async with host(confirm="off", download_dir=tmp_path) as hosted:
        for key in (ANNA, BEN):
            await exported(hosted, key)
    folders = list(tmp_path.iterdir())
    assert len(folders) == 2
    for folder in folders:
        assert folder.stat().st_mode & 0o777 == 0o700
        (file,) = folder.iterdir()
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"authorization": "Basic dXNlcjpwYXNz"}, 200),
        ({"authorization": f"Bearer {ANNA}"}, 200),
        ({"authorization": f"Bearer {BEN}"}, 404),
        ({"x-api-key": BEN}, 404),
        ({"x-api-key": "hunter2"}, 401),
    ],
)
async def test_a_link_is_enough_but_not_with_another_caller_s_key(
    host: Host, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with host(confirm="off", download_dir=tmp_path) as hosted:
        given = await exported(hosted)
        async with hosted.http(**headers) as http:
            answer = await http.get(given["url"])
    assert answer.status_code == status
    assert ("@" in answer.text) == (status == 200)


async def test_a_link_that_was_altered_leads_nowhere(host: Host, tmp_path: Path) -> None:
    async with host(confirm="off", download_dir=tmp_path) as hosted, hosted.http() as http:
        url: str = (await exported(hosted))["url"]
        altered = [
            url[:-9],
            f"{url}A",
            f"{url[:-9]}{'AB'[url[-9] == 'A']}{url[-8:]}",
            f"{URL}/files/x",
        ]
        answers = [await http.get(one) for one in altered]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.text for answer in answers} == {
        "No file of yours is behind this link; copy the whole link."
    }


def links_of(folder: Path, age: int) -> Downloads:
    """Return what makes links as another process did, this number of seconds ago."""
    shared = Shared(SECRET.encode(), lambda: time.time() - age)
    return Downloads(folder, URL, shared.key("files"), shared.clock)


async def test_any_process_with_the_secret_serves_a_link_until_it_expires(
    host: Host, tmp_path: Path
) -> None:
    caller = "0" * 32
    (tmp_path / caller).mkdir()
    async with host(secret=SECRET, download_dir=tmp_path) as hosted, hosted.http() as http:
        file = tmp_path / caller / "leads.csv"
        file.write_text("name")
        works, _ = links_of(tmp_path, LINK_SECONDS - 600).link(file, caller)
        expired, _ = links_of(tmp_path, LINK_SECONDS).link(file, caller)
        answers = [await http.get(works), await http.get(expired)]
        file.unlink()
        answers.append(await http.get(works))
    assert [answer.status_code for answer in answers] == [200, 410, 410]
    assert answers[1].text == "This link has expired; have the audience exported again."


async def test_files_go_once_their_links_have_expired(host: Host, tmp_path: Path) -> None:
    def grow_old(age: int) -> Path:
        (file,) = (file for folder in tmp_path.glob("?" * 32) for file in folder.iterdir())
        os.utime(file, (time.time() - age, time.time() - age))
        return file

    others = tmp_path / "of-somebody-else.csv"
    others.write_text("name")
    os.utime(others, (0, 0))
    async with host(confirm="off", download_dir=tmp_path) as hosted:
        await exported(hosted, fileName="first")
        first = grow_old(LINK_SECONDS + 1)
        await exported(hosted, fileName="second")
        assert not first.exists()
        second = grow_old(LINK_SECONDS - 600)
    async with host(download_dir=tmp_path):
        assert second.exists()
    grow_old(LINK_SECONDS + 1)
    async with host(download_dir=tmp_path):
        assert not second.exists()
    assert others.exists()


async def test_a_masked_file_has_no_address_that_a_whole_one_has(
    host: Host, tmp_path: Path
) -> None:
    async def fetched(**settings: object) -> str:
        service = Sandbox(SandboxSettings(people=2_000, run_seconds=0))
        async with host(service, confirm="off", download_dir=tmp_path, **settings) as hosted:
            given = await exported(hosted, id=await made(hosted), format="jsonl")
            async with hosted.http() as http:
                return (await http.get(given["url"])).text

    canaries = set(EMAIL.findall(await fetched()))
    masked = await fetched(contact="mask")
    assert len(canaries) > 10
    assert not [one for one in canaries if one in masked]


async def test_each_of_several_files_has_a_link(host: Host, tmp_path: Path) -> None:
    service = Sandbox(SandboxSettings(people=20_000, run_seconds=0))
    async with (
        host(service, confirm="off", download_dir=tmp_path) as hosted,
        hosted.http() as http,
    ):
        given = await exported(hosted, id=await made(hosted), format="linkedin_urls")
        files = [(await http.get(url), rows) for url, rows in given["files"]["rows"]]
    assert given["files"]["columns"] == ["url", "rows"]
    assert len(files) > 1
    assert [len(answer.text.splitlines()) for answer, _ in files] == [rows for _, rows in files]
    assert sum(rows for _, rows in files) == given["rows"]


async def test_where_no_file_can_be_written_the_caller_is_not_told_where(
    host: Host, tmp_path: Path
) -> None:
    settings = HostingSettings(download_dir=tmp_path / "d" / "e")
    async with (
        host(confirm="off", download_dir=tmp_path / "d" / "e") as hosted,
        hosted.client(ANNA) as client,
    ):
        (tmp_path / "d").write_text("in the way")
        asked = {"id": await active(client)}
        refused = await client.call_tool("export_audience", asked)
    assert "Tell whoever runs this server" in str(refused.content)
    assert str(tmp_path) not in str(refused.content)
    with pytest.raises(SettingsError, match="LEADPIPE_DOWNLOAD_DIR: cannot be used"):
        settings.check()
