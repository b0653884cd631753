"""An audience drawn as a file: what is in it, and what it says where it cannot be made."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from leadpipe_mcp.cli import main
from leadpipe_mcp.report import NoReport, replies_about
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.settings import SANDBOX_KEY, Settings
from tests.sandbox.asking import client_of, create

CONFIG = {"topicIds": [117805], "minScore": 60}
# What each reply is known by.
PARTS = {"name", "breakdowns", "onlyHere", "sample", "slots"}
NAME = "Marketing Directors at Tech Companies"


def held(path: Path) -> dict[str, Any]:
    """What a report holds."""
    found = re.search(r'id="report">(.*?)</script>', path.read_text(encoding="utf-8"))
    assert found
    return json.loads(found[1])


@pytest.mark.usefixtures("logs_as_they_were")
def test_a_report_holds_the_audience_who_is_in_it_and_who_is_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audience.html"
    main(["report", "--sandbox", "--audience", NAME, "--out", str(path)])
    said = capsys.readouterr().out
    assert said.startswith(f"'{NAME}' is active.")
    assert str(path) in said

    audience, everyone, new, now, account = held(path)["replies"]
    assert (audience["name"], audience["size"]) == (NAME, everyone["size"])
    assert everyone["breakdowns"]["seniorities"]
    assert new["onlyHere"]["size"] + new["both"]["size"] == audience["size"]
    assert len(now["sample"]["rows"]) == 5
    assert account["slots"] == {"used": 1, "limit": 3, "free": 2}
    assert "@" not in json.dumps(held(path))  # five masked people, and no address

    with pytest.raises(SystemExit, match="is there already; choose another name"):
        main(["report", "--sandbox", "--audience", NAME, "--out", str(path)])
    with pytest.raises(SystemExit, match="cannot be written: No such file"):
        main(["report", "--sandbox", "--audience", NAME, "--out", str(tmp_path / "no/a.html")])


@pytest.mark.anyio
async def test_an_audience_is_found_by_its_id_and_nothing_is_changed() -> None:
    service = Sandbox(SandboxSettings(people=3_000))
    settings = Settings(sandbox=True, toolsets="visitors")
    (by_name, *_) = await replies_about("CRM Buyers in California", settings, service=service)
    (by_id, *_) = await replies_about(by_name["id"], settings, service=service)
    assert by_id == by_name


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "shows_config", "shown"),
    [
        ("active", True, ["name", "breakdowns", "sample", "slots"]),
        ("draft", True, ["name", "sample", "slots"]),
        ("draft", False, ["name", "slots"]),
    ],
)
async def test_who_is_new_needs_two_lists_and_other_figures_what_they_are_drawn_from(
    status: str, shown: list[str], *, shows_config: bool
) -> None:
    service = Sandbox(
        SandboxSettings(
            profile="catalog",
            people=300,
            run_seconds=0,
            examples=False,
            detail_has_config=shows_config,
        )
    )
    await create(client_of(service, SANDBOX_KEY), CONFIG, name=NAME, status=status)
    replies = await replies_about(NAME, Settings(sandbox=True), service=service)
    assert [next(key for key in reply if key in PARTS) for reply in replies] == shown


@pytest.mark.anyio
async def test_a_name_that_several_audiences_have_is_not_guessed_at() -> None:
    service = Sandbox(SandboxSettings(people=300, examples=False))
    client = client_of(service, SANDBOX_KEY)
    ids = [(await create(client, CONFIG, name=NAME))["id"] for _ in range(2)]
    with pytest.raises(NoReport, match="several audiences have this name") as caught:
        await replies_about(NAME, Settings(sandbox=True), service=service)
    assert all(one in str(caught.value) for one in ids)


@pytest.mark.anyio
async def test_an_audience_that_is_not_there_is_named() -> None:
    service = Sandbox(SandboxSettings(people=300))
    with pytest.raises(NoReport, match="list_audiences"):
        await replies_about("Nobody", Settings(sandbox=True), service=service)
