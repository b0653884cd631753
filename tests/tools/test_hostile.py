"""Hostile people on their whole way: from the service through query, analysis and every export."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.people.columns import COLUMNS
from leadpipe_mcp.settings import Settings
from tests.faults.service import Sandbox
from tests.tools.assistant import Assistant, Connect, Start

pytestmark = pytest.mark.anyio
CORPUS = json.loads((Path(__file__).parent.parent / "people" / "hostile.json").read_text("utf-8"))
SECRETS: list[str] = CORPUS["secrets"]
COLUMNS_HIT = (
    *("name", "jobTitle", "company", "city", "linkedinUrl", "untrustedHeadline"),
    *("contactEmail", "emails", "phone"),
)


def long_text(value: object) -> object:
    rule: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if "repeat" not in rule:
        return cast("object", value)
    return str(rule["repeat"]) * int(rule["times"]) + str(rule.get("then", ""))


def hostile_people() -> Iterator[dict[str, Any]]:
    """Everybody of the corpus, as the service would send them."""
    for number, row in enumerate(CORPUS["rows"]):
        cells = row.get("cells") or dict.fromkeys(COLUMNS_HIT, row.get("everywhere"))
        fields = {COLUMNS[name].key: long_text(value) for name, value in cells.items()}
        if "contactEmail" in fields:
            fields["businessEmail"] = fields.pop("contactEmail")
        yield {"hashedEmail": f"person-{number}", **fields}


PEOPLE = list(hostile_people())


def text_cell(value: object) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value)
    # No file in UTF-8 can hold half a character.
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def hostile(sandbox: Sandbox) -> Application:
    """The service, whose runs are of these people."""
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    headings = list(dict.fromkeys(name for person in PEOPLE for name in person))
    writer.writerow(headings)
    for person in PEOPLE:
        writer.writerow([text_cell(person.get(name)) for name in headings])
    file = table.getvalue().encode()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.endswith("export.csv"):
            await Response(file, media_type="text/csv")(scope, receive, send)
        elif path.endswith("/results"):
            run = {"id": path.split("/")[-2], "status": "completed"}
            # JSON can hold half characters, as escapes.
            data = {"run": run, "total": len(PEOPLE), "results": PEOPLE[:100]}
            body = json.dumps({"data": data})
            await Response(body, media_type="application/json")(scope, receive, send)
        else:
            await sandbox(scope, receive, send)

    return answer


async def audience(client: Assistant) -> str:
    config = {"topicIds": [117805], "minScore": 50}
    made = await client.call("create_audience", name="Odd", config=config, status="active")
    return made["id"]


def is_clean(text: str) -> bool:
    return all(unicodedata.category(c)[0] != "C" for c in text)


def strings(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for key, value in cast("dict[str, object]", part).items():
            yield key
            yield from strings(value)
    elif isinstance(part, list):
        for value in cast("list[object]", part):
            yield from strings(value)


@pytest.fixture
def unasked(tmp_path: Path) -> Settings:
    return Settings(sandbox=True, confirm="off", export_dir=tmp_path)


async def test_answers_are_clean_short_and_masked(
    start: Start, connect: Connect, unasked: Settings
) -> None:
    async with connect(hostile(start(profile="catalog")), settings=unasked) as client:
        of = {"audienceId": await audience(client)}
        answers = [
            await client.call("query_audience", **of, fields=list(COLUMNS_HIT), limit=100),
            await client.call("analyze_audience", **of),
            await client.call("analyze_audience", **of, groupBy=["company"], top=200),
            await client.call("analyze_audience", **of, groupBy=["jobTitle"], top=200),
            await client.call("analyze_audience", **of, sql="SELECT * FROM people LIMIT 200"),
        ]

    assert answers[1]["size"] == len(PEOPLE)
    for said in (text for answer in answers for text in strings(answer)):
        assert is_clean(said)
        assert len(said) <= 1_100
        assert not any(secret in said for secret in SECRETS), said


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_without_a_contact_column_no_address_or_number_goes_out_whole(
    start: Start, connect: Connect, unasked: Settings, kind: str
) -> None:
    fields = ["name", "jobTitle", "company", "city", "untrustedHeadline"]
    async with connect(hostile(start(profile="catalog")), settings=unasked) as client:
        of = {"id": await audience(client), "contact": "full"}
        file = await client.call("export_audience", **of, format=kind, fields=fields)

    said = Path(file["path"]).read_text("utf-8")
    assert "•••" in said
    assert not any(secret in said for secret in SECRETS)
