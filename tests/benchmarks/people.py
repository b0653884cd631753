"""How long everyone of an audience takes: fetched, kept, read and profiled."""

import time

import httpx

from tests.benchmarks.page import Table, judged
from tests.benchmarks.servers import AUDIENCES, EVERYBODY, KEY, OURS, server
from tests.faults.service import CONTROL_PATH, served

PEOPLE = 22_000


def measure() -> Table:
    """What a profile of everyone takes: from both generations' file, and from pages."""
    rows: list[list[str]] = []
    for name, profile in (
        ("file of May 2026", "catalog"),
        ("file of April 2026", "flat"),
        ("pages", "mixed"),
    ):
        number = PEOPLE // 10 if name == "pages" else PEOPLE
        with served(profile=profile, people=number, examples=False, run_seconds=0) as url:
            if name == "pages":
                fault = {"kind": "status", "path": "export", "status": 404, "times": 1_000}
                httpx.post(f"{url}{CONTROL_PATH}", json=fault).raise_for_status()
            rows.append([name, *profiled(url)])
    first = ["everyone, from", "people", "file alone, s", "ours, s", "ours / alone"]
    headings = [*first, "µs CPU a person", "peak memory, MB", "of it for them", "goal"]
    within = {"people": 1.1, "ours / alone": 1.6, "peak memory, MB": 1.25}
    return Table(headings, rows, within)


def download_seconds(http: httpx.Client, audience: str) -> float:
    """How long the service alone takes for its file, nobody reading it; 0 without a file."""
    path = f"{AUDIENCES}/{audience}"
    exported = http.post(f"{path}/export")
    if exported.is_success:
        address = str(exported.json()["data"]["downloadUrl"])
    else:
        run = http.get(f"{path}/runs", params={"limit": 1}).json()["data"][0]["id"]
        address = f"{path}/runs/{run}/export.csv"
    began = time.perf_counter()
    found = http.get(address).is_success
    return time.perf_counter() - began if found else 0.0


def profiled(url: str) -> list[str]:
    """How long everyone of an audience takes: fetched, kept and profiled."""
    headers = {"X-API-Key": KEY}
    with (
        server(OURS, url) as ours,
        httpx.Client(base_url=url, headers=headers, timeout=60) as http,
    ):
        wanted = {"name": "All", "config": EVERYBODY, "status": "active"}
        audience = ours.reply("create_audience", wanted)["id"]
        people = ours.reply("get_audience", {"id": audience, "waitSeconds": 30})["size"]
        # The first time the service thinks its people up.
        alone = min([download_seconds(http, audience) for _ in range(3)])
        memory, cpu, began = ours.megabytes(), ours.cpu_seconds(), time.perf_counter()
        ours.reply("analyze_audience", {"audienceId": audience})
        seconds, cpu = time.perf_counter() - began, ours.cpu_seconds() - cpu
        peak = ours.megabytes()
    return [
        f"{people:,}",
        f"{alone:.2f}" if alone else "",
        f"{seconds:.2f}",
        f"{seconds / alone:.2f}" if alone else "",
        f"{cpu / people * 1e6:.0f}",
        f"{peak:.0f}",
        f"{peak - memory:.0f}",
        judged(seconds / alone, 1.25) if alone else "",
    ]
