"""How long 300,000 people take to be kept, asked and written: `python -m benchmarks.people`.

The files lie in a temporary folder, about half a gigabyte each, and are deleted at the end.
"""

# ruff: noqa: T201, INP001 -- a script that prints, and no part of the package

import argparse
import csv
import io
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Self

import anyio
import anyio.lowlevel

from leadpipe_mcp.people.columns import COLUMNS
from leadpipe_mcp.people.comparison import compare
from leadpipe_mcp.people.csv_rows import CsvRows
from leadpipe_mcp.people.profile import group, profile
from leadpipe_mcp.people.snapshot import Batch, RunKey, Snapshot, Snapshots
from leadpipe_mcp.people.sql import ask

BATCH = 2_000
MOST_PEOPLE = 1_000_000
FIELDS = {
    "personId": "{id}",
    "intentScore": "{score}",
    "topicId": "{topic}",
    "topicName": "Topic {topic} Consulting",
    "matchedTopicIds": "{topic}, {other}",
    "topicOverlap": "2",
    "firstName": "First{first}",
    "lastName": "Last{last}",
    "ageRange": "25 to 34",
    "gender": "female",
    "incomeRange": "$50,000 to $99,999",
    "netWorth": "under $100,000",
    "hasChildren": "y",
    "isHomeowner": "n",
    "isMarried": "",
    "isB2b": "y",
    "isB2c": "n",
    "address": "{last} Oak Street",
    "city": "City {place}",
    "state": "state {region}",
    "zip": "{zip}",
    "personalCountry": "United States",
    "jobTitle": "Director of Things {last}",
    "jobTitleNormalized": "director of things {last}",
    "seniority": "seniority {seniority}",
    "department": "department {department}",
    "jobFunctions": "department {department}",
    "headline": "Director of Things {last} at Company {company}",
    "company": "Company {company}",
    "companyDomain": "company-{company}.example",
    "companyIndustry": "industry {industry}",
    "companySize": "101 to 250",
    "companyRevenue": "10000000",
    "companyRevenueRange": "10 million to 25 million",
    "companyCity": "City {place}",
    "companyState": "state {region}",
    "companyZip": "{zip}",
    "companyLinkedinUrl": "https://www.linkedin.com/company/example-{company}",
    "companyDescription": "Company {company} works in industry {industry}.",
    "companyNaics": "511210",
    "phones": "{phone}, {mobile}",
    "directNumbers": "{phone}",
    "mobilePhones": "{mobile}",
    "personalPhones": "{mobile}",
    "email": "first{first}.last{last}.{number}@example.com",
    "emails": "first{first}.last{last}.{number}@example.com, {number}@company-{company}.example",
    "personalEmail": "first{first}.last{last}.{number}@example.com",
    "personalEmails": "first{first}.last{last}.{number}@example.com",
    "businessEmail": "{number}@company-{company}.example",
    "businessEmails": "{number}@company-{company}.example",
    "linkedinUrl": "https://www.linkedin.com/in/example-{number}",
    "companyCountry": "United States",
}
SORTED = "SELECT name, company, score FROM people ORDER BY score DESC, name LIMIT 200"


def people(count: int, first: int = 0) -> Iterator[list[str]]:
    """The lines of a CSV file of so many invented people."""
    line = ";".join(FIELDS.values())
    for n in range(first, first + count):
        yield line.format(
            id=f"person-{n:07}", number=n, score=50 + n * 7 % 50, topic=117_805 + n % 7,
            other=117_805 + n % 3, first=n % 100, last=n % 375, place=n % 400, region=n * 3 % 50,
            zip=10_000 + n % 900, seniority=n * 31 % 8, department=n * 17 % 16,
            company=n * 7919 % 40_000, industry=n * 13 % 45, phone=f"+1555{n % 10**7:07}",
            mobile=f"+1556{n % 10**7:07}",
        ).split(";")  # fmt: skip


def file(count: int, first: int = 0) -> Iterator[str]:
    """The CSV file, line by line."""
    for cells in people(count, first):
        written = io.StringIO()
        csv.writer(written).writerow(cells)
        yield written.getvalue()


def fill(count: int, first: int = 0) -> Callable[[], AsyncIterator[Batch]]:
    """What reads the file as it would come from the service."""

    async def batches() -> AsyncIterator[Batch]:
        reader = CsvRows(list(FIELDS))
        batch: list[dict[str, object]] = []
        for cells in csv.reader(file(count, first)):
            batch.append(reader.row(cells))
            if len(batch) == BATCH:
                yield batch
                batch = []
                await anyio.lowlevel.checkpoint()
        yield batch

    return batches


class Memory:
    """By how many megabytes the program grows meanwhile, as far as the system tells."""

    def __enter__(self) -> Self:
        self._over, self._begin, self._most = threading.Event(), _megabytes(), 0.0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self._most = max(self._most, _megabytes())

    @property
    def growth(self) -> float:
        """The most so far."""
        return max(0.0, self._most - self._begin)


def _megabytes() -> float:
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * 4096 / 1e6 if status.exists() else 0.0


async def timed(what: str, question: Callable[[], object]) -> None:
    """Print how long the question takes, and how much memory."""
    with Memory() as memory:
        started = time.perf_counter()
        told = question()
        if isinstance(told, Awaitable):
            await told
        seconds = time.perf_counter() - started
    print(f"{what:<44}{seconds:8.2f} s {memory.growth:8.1f} MB")


async def main(count: int) -> None:
    """Print the numbers."""
    snapshots = Snapshots(None)

    async def snapshot(run: str, first: int = 0) -> Snapshot:
        return await snapshots.of_run(
            RunKey("https://x.example", "audience", run), fill(count, first), count, _quiet
        )

    async def by(*names: str) -> None:
        await group(one, names, 20)

    try:
        await timed(
            f"make {count:,} lines of CSV, to be subtracted", lambda: sum(1 for _ in file(count))
        )
        await timed("fill", lambda: snapshot("1"))
        one = await snapshot("1")
        size = sum(part.stat().st_size for part in one.folder.iterdir())
        print(f"{'on disk':<44}{size / 1e6:8.0f} MB")
        await timed("open again", lambda: snapshot("1"))
        await timed("profile", lambda: profile(one))
        await timed("group by seniority", lambda: by("seniority"))
        await timed("group by state, industry", lambda: by("state", "companyIndustry"))
        await timed("group by company", lambda: by("company"))
        await timed("group by topic, seniority", lambda: by("topic", "seniority"))
        await timed("sql: sorted", lambda: ask(one, SORTED))
        columns = tuple(COLUMNS.values())
        await timed("all rows, all columns", lambda: sum(1 for _ in one.rows(columns)))
        await timed("all rows, eight columns", lambda: sum(1 for _ in one.rows(columns[:8])))
        other = await snapshot("2", count // 4)
        await timed("compare with another", lambda: compare(one, other))
    finally:
        snapshots.close()


async def _quiet(_: int) -> None:
    pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=300_000)
    anyio.run(main, min(parser.parse_args().people, MOST_PEOPLE))
