"""Everyone of a run in private files: filled once, whole or not at all, and not for ever."""

import gc
import os
import sqlite3
import stat
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest

from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import NotPossible, Unreachable
from leadpipe_mcp.people.columns import COLUMNS, Batch, batch_of, choose_columns
from leadpipe_mcp.people.layout import SEEN, SUMS, WHOLE
from leadpipe_mcp.people.snapshot import MOST_BYTES, RunKey, Snapshot, Snapshots
from leadpipe_mcp.people.write import LONGEST_TEXT

pytestmark = pytest.mark.anyio
Row = Mapping[str, object]
Kept = Callable[..., Awaitable[Snapshot]]

KEY = RunKey("https://x.test", "audience", "run")
DAY = 86_400
PEOPLE: list[Row] = [{"fullName": f"Person {number}", "intentScore": number} for number in range(5)]


@dataclass
class Source:
    """Where people come from, and how often they were asked for."""

    rows: Sequence[Row] = tuple(PEOPLE)
    at_once: int = 2
    void: Sequence[Row] = ()
    error: Exception | None = None
    fills: int = 0
    ended: int = 0
    told: list[int] = field(default_factory=list[int])
    wait_for: anyio.Event | None = None

    def __call__(self) -> "aclosing[AsyncGenerator[Batch | None]]":
        return aclosing(self._batches())

    async def _batches(self) -> AsyncGenerator[Batch | None]:
        self.fills += 1
        try:
            if self.void:
                yield batch_of(self.void)
                yield None
            for start in range(0, len(self.rows), self.at_once):
                yield batch_of(self.rows[start : start + self.at_once])
                if self.wait_for:
                    await self.wait_for.wait()
            if self.error:
                raise self.error
        finally:
            self.ended += 1

    async def report(self, count: int) -> None:
        self.told.append(count)

    async def of(
        self, snapshots: Snapshots, key: RunKey = KEY, expected: int | None = None
    ) -> Snapshot:
        return await snapshots.of_run(key, self, expected, self.report)


def names(people: Snapshot) -> list[object]:
    return [name for (name,) in people.rows(choose_columns(("name",)))]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def moments() -> list[float]:
    """What the clock has shown; the last is now."""
    return [1_777_972_500.0]


@pytest.fixture
def keeping(tmp_path: Path, moments: list[float]) -> Callable[..., Snapshots]:
    """Starts a server that keeps people in a folder."""

    def keeping(most_bytes: int = MOST_BYTES) -> Snapshots:
        return Snapshots(tmp_path, clock=lambda: moments[-1], most_bytes=most_bytes)

    return keeping


async def test_everyone_is_kept_in_the_order_in_which_they_came(snapshots: Snapshots) -> None:
    source = Source()
    people = await source.of(snapshots, expected=5)
    assert people.size == 5
    assert people.notes == ()
    assert names(people) == [f"Person {number}" for number in range(5)]
    assert source.told == [2, 4, 5]
    assert source.ended == 1


async def test_when_people_start_over_only_the_last_are_kept(snapshots: Snapshots) -> None:
    people = await Source(void=PEOPLE[:2]).of(snapshots, expected=5)
    assert (people.size, people.notes) == (5, ())
    assert names(people) == [f"Person {number}" for number in range(5)]


async def test_a_second_question_asks_for_nobody(snapshots: Snapshots) -> None:
    source = Source()
    first = await source.of(snapshots)
    assert await source.of(snapshots) == first
    assert (source.fills, source.told) == (1, [2, 4, 5])


async def test_two_who_ask_at_once_wait_for_one_filling(snapshots: Snapshots) -> None:
    source = Source(wait_for=anyio.Event())
    found: list[Snapshot] = []

    async def ask() -> None:
        found.append(await source.of(snapshots))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        assert source.wait_for
        source.wait_for.set()
    assert found[0] == found[1]
    assert source.fills == 1


@pytest.mark.parametrize("part", ["service", "audience", "run", "making"])
async def test_each_run_has_its_own_people(snapshots: Snapshots, part: str) -> None:
    source = Source()
    one = await source.of(snapshots)
    other = await source.of(snapshots, replace(KEY, **{part: "another"}))
    assert one.folder != other.folder
    assert source.fills == 2


def test_a_run_is_identified_by_its_id_or_day_and_when_it_was_made() -> None:
    def key(**told: object) -> RunKey:
        return RunKey.of("https://x.test", "a1", Run.model_validate({"status": "ready", **told}))

    assert key(id="r1", dataDate="2026-05-04").run == "r1"
    assert key(dataDate="2026-05-04").run == "2026-05-04"
    day = key(dataDate="2026-05-04", size=7)
    assert day == key(dataDate="2026-05-04", size=7)
    for other in ({"size": 8}, {"createdAt": "x", "size": 7}, {"configHash": "x", "size": 7}):
        assert key(dataDate="2026-05-04", **other).digest != day.digest


@pytest.mark.parametrize(
    ("expected", "notes"),
    [
        (None, ()),
        (5, ()),
        (1_480, ("The service says 1,480 people; 5 came.",)),
        (1, ("The service says 1 person; 5 came.",)),
        (0, ("The service says 0 people; 5 came.",)),
    ],
)
async def test_a_number_other_than_announced_is_noted(
    snapshots: Snapshots, expected: int | None, notes: tuple[str, ...]
) -> None:
    source = Source()
    assert (await source.of(snapshots, expected=expected)).notes == notes
    assert (await source.of(snapshots, expected=expected)).notes == notes


@pytest.mark.parametrize(
    ("ids", "notes"),
    [
        (["a", "b"], ()),
        (["a", "b", "a"], ("1 row repeats a person.",)),
        (["a", "a", None, None, "b", "a"], ("2 rows repeat a person.",)),
        # They are seen alike, and are not.
        (["jane@x.test", "joe@x.test", f"{'x' * 300}1", f"{'x' * 300}2"], ()),
    ],
)
async def test_repeated_people_are_noted(
    kept: Kept, ids: list[str | None], notes: tuple[str, ...]
) -> None:
    assert (await kept([{"id": each} for each in ids])).notes == notes


async def test_people_may_come_from_anything_that_gives_batches(snapshots: Snapshots) -> None:
    class Batches:
        def __init__(self) -> None:
            self._batches = iter([PEOPLE[:3], PEOPLE[3:]])

        def __aiter__(self) -> "Batches":
            return self

        async def __anext__(self) -> Batch:
            for batch in self._batches:
                return batch_of(batch)
            raise StopAsyncIteration

    people = await snapshots.of_run(KEY, lambda: nullcontext(Batches()), 5, Source().report)
    assert (people.size, people.notes) == (5, ())


async def test_a_run_of_nobody_is_kept_as_well(snapshots: Snapshots) -> None:
    source = Source(rows=())
    people = await source.of(snapshots, expected=0)
    assert (people.size, names(people), people.notes) == (0, [], ())
    await source.of(snapshots)
    assert source.fills == 1


async def test_every_field_comes_out_as_it_came_in(kept: Kept) -> None:
    row = {column.key: f"{column.name} jane@x.example +15550100142" for column in COLUMNS.values()}
    numbers = {"intentScore": 91.5, "topicId": 7, "topicOverlap": 2, "companyRevenue": 10**12}
    row |= dict.fromkeys(("isB2b", "isB2c", "hasChildren", "isHomeowner", "isMarried"), "y")
    people = await kept([row | numbers, {}])
    columns = tuple(COLUMNS.values())
    first, second = people.rows(columns)
    assert dict(zip([column.key for column in columns], first, strict=True)) == row | numbers
    assert set(second) == {None}


async def test_columns_come_in_the_order_in_which_they_are_asked_for(kept: Kept) -> None:
    people = await kept([{"city": "Austin", "email": "a@x.example", "headline": "Hi"}])
    columns = choose_columns(("untrustedHeadline", "email", "city", "phone"))
    assert list(people.rows(columns)) == [("Hi", "a@x.example", "Austin", None)]


HOSTILE: list[object] = [
    "a\0b",
    "\0",
    "a\ud800b",
    "\udfff",
    "x" * (2 * LONGEST_TEXT),
    "\U0010ffff\ufffe",
    "'; DROP TABLE people; --",
    2**200,
    -(2**63),
    float("nan"),
    float("inf"),
    ["a", None, ["b\0", "\ud800"]],
    {"a": {"b": 1}},
    b"bytes",
    object(),
    True,
]


async def test_no_value_in_a_cell_breaks_the_filling(kept: Kept) -> None:
    rows: list[Row] = [{column.key: value for column in COLUMNS.values()} for value in HOSTILE]
    people = await kept([*rows, {"fullName": "Ada King"}])
    found = list(people.rows(tuple(COLUMNS.values())))
    assert len(found) == len(HOSTILE) + 1
    assert names(people)[-1] == "Ada King"
    for cell in (cell for row in found for cell in row):
        assert not isinstance(cell, str) or ("\0" not in cell and len(cell) <= LONGEST_TEXT)


async def test_an_interrupted_filling_leaves_nothing(
    keeping: Callable[..., Snapshots], tmp_path: Path
) -> None:
    snapshots = keeping()
    source = Source(error=Unreachable("The service did not answer."))
    with pytest.raises(Unreachable):
        await source.of(snapshots)
    assert files(tmp_path) == []
    source.error = None
    assert (await source.of(snapshots)).size == 5
    assert (source.fills, source.ended) == (2, 2)


async def test_a_cancelled_filling_leaves_nothing(
    keeping: Callable[..., Snapshots], tmp_path: Path
) -> None:
    snapshots = keeping()
    source = Source(wait_for=anyio.Event())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(source.of, snapshots)
        await anyio.wait_all_tasks_blocked()
        while not source.told:
            await anyio.wait_all_tasks_blocked()
        assert files(tmp_path) != []
        tasks.cancel_scope.cancel()
    assert list((tmp_path / "people").iterdir()) == []
    assert source.ended == 1
    source.wait_for = None
    assert (await source.of(snapshots)).size == 5


async def test_who_waits_for_a_filling_that_fails_fills_instead(snapshots: Snapshots) -> None:
    bad = Source(wait_for=anyio.Event(), error=Unreachable("The service did not answer."))
    good = Source()

    async def fail() -> None:
        with pytest.raises(Unreachable):
            await bad.of(snapshots)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fail)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(good.of, snapshots)
        await anyio.wait_all_tasks_blocked()
        assert good.fills == 0
        assert bad.wait_for
        bad.wait_for.set()
    assert good.fills == 1


@pytest.mark.skipif(os.name == "nt", reason="there are no such modes")
async def test_nobody_else_may_read_the_files(
    keeping: Callable[..., Snapshots], tmp_path: Path, snapshots: Snapshots
) -> None:
    before = os.umask(0)
    try:
        for people in (await Source().of(keeping()), await Source().of(snapshots)):
            assert {stat.S_IMODE(f.stat().st_mode) for f in people.folder.iterdir()} == {0o600}
            assert stat.S_IMODE(people.folder.stat().st_mode) == 0o700
            assert stat.S_IMODE(people.folder.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert {path.name for path in files(tmp_path)} == {SEEN, WHOLE, SUMS}


async def test_the_names_of_files_tell_nothing(
    keeping: Callable[..., Snapshots], tmp_path: Path
) -> None:
    await Source().of(keeping(), RunKey("https://secret.test", "secret", "secret", "secret"))
    assert not [path for path in tmp_path.rglob("*") if "secret" in str(path.relative_to(tmp_path))]


async def test_a_file_for_questions_has_no_address_in_it(kept: Kept) -> None:
    row = {"email": "secretly.hidden@x.example", "phone": "+15550177777", "headline": "whispered"}
    people = await kept([{**row, "company": "Write to secretly.hidden@x.example"}])
    seen = (people.folder / SEEN).read_bytes()
    assert b"x.example" in seen
    for secret in (b"secretly", b"hidden", b"5550177", b"whispered"):
        assert secret not in seen
        assert secret in (people.folder / WHOLE).read_bytes()


async def test_a_temporary_folder_goes_when_the_server_stops() -> None:
    snapshots = Snapshots(None)
    people = await Source().of(snapshots)
    snapshots.close()
    assert not people.folder.parent.exists()
    snapshots.close()
    with pytest.raises(NotPossible):
        names(people)


FORGETFUL = """
from contextlib import aclosing

import anyio
from leadpipe_mcp.people.columns import batch_of
from leadpipe_mcp.people.snapshot import RunKey, Snapshots

async def main():
    snapshots = Snapshots(None)

    async def fill():
        yield batch_of([{"fullName": "Ada King"}])

    async def report(count):
        pass

    people = await snapshots.of_run(
        RunKey("x", "x", "x"), lambda: aclosing(fill()), None, report
    )
    print(people.folder, end="")

anyio.run(main)
"""


async def test_a_temporary_folder_goes_with_the_program() -> None:
    done = await anyio.run_process([sys.executable, "-c", FORGETFUL])
    folder = Path(done.stdout.decode())
    assert folder.parent.name.startswith("leadpipe-people-")
    assert not folder.parent.exists()


async def test_a_folder_is_kept_between_starts(keeping: Callable[..., Snapshots]) -> None:
    source = Source()
    first = keeping()
    before = await source.of(first, expected=6)
    first.close()
    again = await source.of(keeping(), expected=6)
    assert again == before
    assert source.fills == 1
    assert names(again) == [f"Person {number}" for number in range(5)]


def scribble(file: Path) -> None:
    file.write_bytes(b"no database at all")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20_000])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def spoil_the_middle(file: Path) -> None:
    data = bytearray(file.read_bytes())
    middle = len(data) // 2 // 16_384 * 16_384
    data[middle : middle + 32_768] = bytes(32_768)
    file.write_bytes(data[: file.stat().st_size])


def flip_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def change(*statements: str) -> Callable[[Path], None]:
    def changed(file: Path) -> None:
        with sqlite3.connect(file) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return changed


BREAKING: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "scribbled over": scribble,
    "cut": cut,
    "empty": empty,
    "spoilt in the middle": spoil_the_middle,
    "of another bit": flip_a_bit,
    "of another program": change("PRAGMA application_id = 7"),
    "with another table": change("CREATE TABLE other (a)"),
    "with other columns": change("ALTER TABLE people ADD COLUMN other"),
    "without people": change("DROP TABLE people"),
    "with a view for people": change("DROP TABLE people", "CREATE VIEW people AS SELECT 1"),
    "told of otherwise": change("UPDATE kept_about SET told = '{}'"),
    "told of in no way": change("DELETE FROM kept_about"),
    "of another version": change("UPDATE kept_about SET told = replace(told, '0.', '99.')"),
    "of another size": change("UPDATE kept_about SET told = replace(told, '5', '6')"),
    "of another run": change("UPDATE kept_about SET told = replace(told, 'key', 'kei')"),
}


@pytest.mark.parametrize(
    ("how", "name"),
    [*((how, SEEN) for how in BREAKING), ("missing", WHOLE), ("of another bit", WHOLE)],
)
async def test_what_is_broken_or_foreign_is_fetched_again(
    keeping: Callable[..., Snapshots], how: str, name: str
) -> None:
    source = Source()
    people = await source.of(keeping())
    BREAKING[how](people.folder / name)
    again = await source.of(keeping())
    assert source.fills == 2
    assert names(again) == [f"Person {number}" for number in range(5)]
    assert {path.name for path in again.folder.iterdir()} == {SEEN, WHOLE, SUMS}


async def test_files_of_another_version_are_fetched_again(
    keeping: Callable[..., Snapshots],
) -> None:
    source = Source()
    people = await source.of(keeping())
    for name in (SEEN, WHOLE):
        BREAKING["of another version"](people.folder / name)
    await source.of(keeping())
    assert source.fills == 2


async def test_people_of_another_run_under_its_name_are_not_taken(
    keeping: Callable[..., Snapshots],
) -> None:
    source = Source()
    one = await source.of(keeping())
    other = await source.of(keeping(), replace(KEY, run="other"))
    for name in (SEEN, WHOLE):
        (one.folder / name).write_bytes((other.folder / name).read_bytes())
    await source.of(keeping())
    assert source.fills == 3


@pytest.mark.parametrize(
    ("how", "name"),
    [
        *(("missing", SEEN), ("scribbled over", SEEN), ("cut", SEEN), ("empty", SEEN)),
        *(("spoilt in the middle", SEEN), ("missing", WHOLE), ("spoilt in the middle", WHOLE)),
    ],
)
async def test_what_breaks_while_in_use_is_named_and_fetched_again(
    snapshots: Snapshots, how: str, name: str
) -> None:
    many = [{"fullName": f"Person {number}", "headline": "x" * 500} for number in range(500)]
    source = Source(rows=many, at_once=500)
    people = await source.of(snapshots)
    BREAKING[how](people.folder / name)
    with pytest.raises(NotPossible) as caught:
        list(people.rows(tuple(COLUMNS.values())))
    assert caught.value.problem == "The people of this run are no longer kept on this machine."
    assert caught.value.advice == "Ask again, and they are fetched again."
    assert not people.folder.exists()
    assert len(names(await source.of(snapshots))) == 500


@pytest.mark.parametrize("sums", [None, b"", b"{}", b"[1]", b"nothing"])
async def test_people_whose_fingerprints_are_lost_are_fetched_again(
    keeping: Callable[..., Snapshots], sums: bytes | None
) -> None:
    source = Source()
    people = await source.of(keeping())
    (people.folder / SUMS).unlink()
    if sums is not None:
        (people.folder / SUMS).write_bytes(sums)
    await source.of(keeping())
    assert source.fills == 2


async def test_a_file_in_the_place_of_a_folder_is_replaced(
    keeping: Callable[..., Snapshots], tmp_path: Path
) -> None:
    for place in (tmp_path / "people" / KEY.digest, tmp_path / "people" / "new-0"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("a file")
        os.utime(place, (0, 0))
    source = Source()
    assert names(await source.of(keeping())) == [f"Person {number}" for number in range(5)]
    await source.of(keeping())
    assert source.fills == 1
    assert [path.name for path in (tmp_path / "people").iterdir()] == [KEY.digest]


async def test_a_file_in_the_place_of_the_whole_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "people").write_text("a file")
    with pytest.raises(NotPossible, match="something that is not a folder is in the way"):
        await Source().of(Snapshots(tmp_path))


FULL_DISK = """
import resource, sys, anyio
from contextlib import aclosing
from pathlib import Path
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import batch_of
from leadpipe_mcp.people.snapshot import RunKey, Snapshots

async def main():
    folder, most = Path(sys.argv[1]), int(sys.argv[2])
    # No file may be larger from here on.
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    async def fill():
        for number in range(20):
            people = [{"fullName": str(i), "headline": "x" * 2_000} for i in range(1_000)]
            yield batch_of(people)

    async def report(count):
        pass

    try:
        key = RunKey("x", "x", "x")
        await Snapshots(folder).of_run(key, lambda: aclosing(fill()), None, report)
    except NotPossible as refused:
        print(refused)
    print([path.name for path in (folder / "people").iterdir()])

anyio.run(main)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
@pytest.mark.parametrize("most", [0, 1_000, 100_000, 5_000_000])
async def test_a_full_disk_is_said_and_nothing_stays_on_it(tmp_path: Path, most: int) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(most)]
    done = await anyio.run_process(command, stderr=None)
    refused, left = done.stdout.decode().splitlines()
    assert refused.startswith("The people could not be kept on this machine's disk (")
    assert left == "[]"


async def test_people_are_kept_for_a_week(
    keeping: Callable[..., Snapshots], moments: list[float]
) -> None:
    source = Source()
    people = await source.of(keeping())
    moments.append(moments[0] + 7 * DAY)
    await source.of(keeping())
    assert source.fills == 1
    moments.append(moments[-1] + 1)
    await Source().of(keeping(), replace(KEY, run="other"))
    assert not people.folder.exists()
    await source.of(keeping())
    assert source.fills == 2


async def test_no_more_is_kept_than_was_said(
    keeping: Callable[..., Snapshots], moments: list[float]
) -> None:
    found: list[Snapshot] = []
    size = 0
    for number in range(4):
        snapshots = keeping(most_bytes=3 * size + 1 if size else 10**9)
        found.append(await Source().of(snapshots, replace(KEY, run=str(number))))
        size = size or sum(file.stat().st_size for file in found[0].folder.iterdir())
        moments.append(moments[-1] + DAY)
    assert [people.folder.exists() for people in found] == [False, True, True, True]


async def test_what_was_asked_a_moment_ago_stays(
    keeping: Callable[..., Snapshots], moments: list[float]
) -> None:
    size = sum(f.stat().st_size for f in (await Source().of(keeping())).folder.iterdir())
    snapshots = keeping(most_bytes=size + 1)
    one = await Source().of(snapshots)
    other = await Source().of(snapshots, replace(KEY, run="other"))
    assert (len(names(one)), len(names(other))) == (5, 5)
    moments.append(moments[-1] + 1_000)
    await Source().of(snapshots, replace(KEY, run="other"))
    assert not one.folder.exists()


async def test_what_others_left_half_made_goes_after_a_day(
    keeping: Callable[..., Snapshots], tmp_path: Path, moments: list[float]
) -> None:
    home = tmp_path / "people"
    for name, age in (("new-old", DAY + 1), ("new-young", DAY - 1), ("of somebody else", 99 * DAY)):
        (home / name).mkdir(parents=True)
        os.utime(home / name, (moments[0] - age, moments[0] - age))
    (home / "0123456789abcdef0123456789abcdef").write_text("a file")
    await Source().of(keeping())
    assert not (home / "new-old").exists()
    assert (home / "new-young").exists()
    assert (home / "of somebody else").exists()


async def test_an_audience_that_is_too_large_is_refused(
    keeping: Callable[..., Snapshots], tmp_path: Path
) -> None:
    with pytest.raises(NotPossible) as caught:
        await Source().of(keeping(most_bytes=1_000))
    assert caught.value.problem.startswith("The audience is too large to be kept here: the first")
    assert files(tmp_path) == []


async def test_a_folder_that_cannot_be_written_is_reported_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a file")
    with pytest.raises(NotPossible) as caught:
        await Source().of(Snapshots(tmp_path / "secret"))
    assert caught.value.problem.startswith("The people could not be kept on this machine's disk (")
    assert "LEADPIPE_CACHE_DIR" in caught.value.advice
    assert "secret" not in str(caught.value)


@pytest.fixture
def strange_place(tmp_path: Path) -> Path:
    """A folder whose name has everything that means something in an address."""
    return tmp_path / ("a b%20&x=#1 ünï" if os.name == "nt" else "a b%20?mode=rw&x=#1 ünï")


async def test_a_folder_may_have_any_name(strange_place: Path) -> None:
    source = Source()
    assert names(await source.of(Snapshots(strange_place))) == names(
        await source.of(Snapshots(strange_place))
    )
    assert source.fills == 1


async def test_reading_can_be_stopped_in_the_middle(snapshots: Snapshots) -> None:
    rows = (await Source().of(snapshots)).rows(choose_columns(("name",)))
    assert next(rows) == ("Person 0",)
    del rows
    gc.collect()
