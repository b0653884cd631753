"""Everyone of a run in private files: filled once, whole or not at all, and not for ever."""

import os
import stat
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from leadpipe_mcp.api.models import Run
from leadpipe_mcp.errors import NotPossible, Unreachable
from leadpipe_mcp.people.columns import COLUMNS, Batch, batch_of, choose_columns
from leadpipe_mcp.people.snapshot import MOST_BYTES, Snapshot, Snapshots, run_key
from leadpipe_mcp.people.write import ABOUT, SEEN, WHOLE
from tests.people.conftest import Kept, Row
from tests.systems import needs_modes

pytestmark = pytest.mark.anyio
Keeping = Callable[..., Snapshots]

KEY, OTHER = f"{1:032x}", f"{2:032x}"
DAY = 86_400
PEOPLE: list[Row] = [{"fullName": f"Person {number}", "intentScore": number} for number in range(5)]
NAMES = [f"Person {number}" for number in range(5)]


class Source:
    """Where people come from, and how often they were asked for."""

    def __init__(self, rows: Sequence[Row] = tuple(PEOPLE), at_once: int = 2) -> None:
        self._rows, self._at_once = rows, at_once
        self.error: Exception | None = None
        self.wait_for: anyio.Event | None = None
        self.fills = 0
        self.told: list[int] = []

    async def _batches(self) -> AsyncGenerator[Batch]:
        self.fills += 1
        for start in range(0, len(self._rows), self._at_once):
            yield batch_of(self._rows[start : start + self._at_once])
            if self.wait_for:
                await self.wait_for.wait()
        if self.error:
            raise self.error

    async def of(
        self, snapshots: Snapshots, key: str = KEY, expected: int | None = None
    ) -> Snapshot:
        async def report(count: int) -> None:
            self.told.append(count)

        return await snapshots.of_run(key, lambda: aclosing(self._batches()), expected, report)


def names(people: Snapshot) -> list[object]:
    return [name for (name,) in people.rows(choose_columns(("name",)))]


@pytest.fixture
def moments() -> list[float]:
    """What the clock has shown; the last is now."""
    return [1_777_972_500.0]


@pytest.fixture
def keeping(tmp_path: Path, moments: list[float]) -> Keeping:
    """Starts a server that keeps people in a folder."""

    def keeping(most_bytes: int = MOST_BYTES) -> Snapshots:
        return Snapshots(tmp_path, clock=lambda: moments[-1], most_bytes=most_bytes)

    return keeping


async def test_everyone_is_kept_in_order_and_asked_for_once(snapshots: Snapshots) -> None:
    source = Source()
    people = await source.of(snapshots, expected=5)
    assert (people.size, people.notes, names(people)) == (5, (), NAMES)
    assert source.told == [2, 4, 5]
    assert await source.of(snapshots) == people
    assert (source.fills, len(source.told)) == (1, 3)
    other = await source.of(snapshots, OTHER)
    assert other.folder != people.folder
    assert source.fills == 2


def test_a_run_is_identified_by_its_id_or_day_and_when_it_was_made() -> None:
    def key(told: Mapping[str, object], audience: str = "a1") -> str:
        run = Run.model_validate({"status": "ready", **told})
        return run_key("https://x.test", audience, run)

    day = {"dataDate": "2026-05-04", "size": 7}
    assert key(day) == key(dict(day))
    others = [
        *(key(day), key(day | {"size": 8}), key(day | {"dataDate": "2026-05-05"})),
        *(key(day | {"createdAt": "x"}), key(day | {"configHash": "x"})),
        *(key({"id": "r1"}), key({"id": "r2"}), key({"id": "r1"}, "a2")),
    ]
    assert len(set(others)) == len(others)
    assert {len(each) for each in others} == {32}


@pytest.mark.parametrize(
    ("ids", "expected", "notes"),
    [
        (["a", "b"], 2, ()),
        (["a"], 1_480, ("The service says 1,480 people; 1 came.",)),
        (["a", "b"], 1, ("The service says 1 person; 2 came.",)),
        (["a", "b", "a"], None, ("1 row repeats a person.",)),
        (["a", "a", None, None, "b", "a"], None, ("2 rows repeat a person.",)),
        # They are seen alike, and are not.
        (["jane@x.test", "joe@x.test", f"{'x' * 300}1", f"{'x' * 300}2"], None, ()),
    ],
)
async def test_what_is_odd_about_the_people_is_noted(
    kept: Kept, ids: list[str | None], expected: int | None, notes: tuple[str, ...]
) -> None:
    assert (await kept([{"id": each} for each in ids], expected=expected)).notes == notes


async def test_a_filling_that_fails_or_is_cancelled_leaves_nothing(
    keeping: Keeping, tmp_path: Path
) -> None:
    snapshots, home = keeping(), tmp_path / "people"
    bad, good, source = Source(), Source(), Source()
    bad.error = Unreachable("The service did not answer.")
    bad.wait_for, source.wait_for = anyio.Event(), anyio.Event()

    async def fail() -> None:
        with pytest.raises(Unreachable):
            await bad.of(snapshots)
        assert list(home.iterdir()) == []

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fail)
        await anyio.wait_all_tasks_blocked()
        # Who waits for a filling that fails fills instead.
        tasks.start_soon(good.of, snapshots)
        await anyio.wait_all_tasks_blocked()
        assert good.fills == 0
        bad.wait_for.set()
        # And who waits for one that goes well does not.
        tasks.start_soon(bad.of, snapshots)
    assert (good.fills, bad.fills) == (1, 1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(source.of, snapshots, OTHER)
        while not source.told:
            await anyio.wait_all_tasks_blocked()
        assert len(list(home.iterdir())) == 2
        tasks.cancel_scope.cancel()
    assert [folder.name for folder in home.iterdir()] == [KEY]


@needs_modes
async def test_nobody_else_may_read_the_files(keeping: Keeping, snapshots: Snapshots) -> None:
    before = os.umask(0)
    try:
        for people in (await Source().of(keeping()), await Source().of(snapshots)):
            files = list(people.folder.iterdir())
            assert {file.name for file in files} == {SEEN, WHOLE, ABOUT}
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
            for folder in (people.folder, people.folder.parent):
                assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)


@needs_modes
async def test_a_full_disk_is_said_and_nothing_stays_on_it(tmp_path: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    source = Source([{"headline": "x" * 2_000}] * 3_000, at_once=300)
    for most in (0, 1_000, 100_000, 3_000_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
        try:
            with pytest.raises(NotPossible, match="could not be kept on this machine's disk \\("):
                await source.of(Snapshots(tmp_path))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "people").iterdir()) == []


async def test_people_go_with_the_server_unless_there_is_a_folder_for_them(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    people = await Source().of(snapshots)
    snapshots.close()
    assert not people.folder.parent.exists()
    with pytest.raises(NotPossible):
        names(people)
    # What means something in an address.
    folder = tmp_path / "a b%20&x=#1 ünï"
    source, first = Source(), Snapshots(folder)
    before = await source.of(first, expected=6)
    first.close()
    again = await source.of(Snapshots(folder), expected=6)
    assert (again, names(again), source.fills) == (before, NAMES, 1)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def spoil_the_middle(file: Path) -> None:
    data = file.read_bytes()
    middle = len(data) // 2 // 16_384 * 16_384
    file.write_bytes((data[:middle] + bytes(32_768) + data[middle + 32_768 :])[: len(data)])


def flip_a_bit(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def age(file: Path) -> None:
    file.write_text(file.read_text().replace('"version":"', '"version":"9'))


def swap(file: Path) -> None:
    """Put the files of another run in the place of these."""
    for each in file.parent.iterdir():
        each.write_bytes((file.parent.with_name(OTHER) / each.name).read_bytes())


async def test_what_is_broken_or_of_another_run_or_version_is_fetched_again(
    keeping: Keeping,
) -> None:
    source = Source()
    people = await source.of(keeping())
    await Source(PEOPLE[:1]).of(keeping(), OTHER)
    breaks = [
        *((SEEN, Path.unlink), (SEEN, flip_a_bit), (WHOLE, empty), (WHOLE, flip_a_bit)),
        *((ABOUT, Path.unlink), (ABOUT, empty), (ABOUT, age), (ABOUT, swap)),
    ]
    for name, how in breaks:
        how(people.folder / name)
        assert names(await source.of(keeping())) == NAMES
    assert source.fills == 1 + len(breaks)


@pytest.mark.parametrize(
    ("name", "how"), [(SEEN, Path.unlink), (SEEN, empty), (WHOLE, spoil_the_middle)]
)
async def test_what_breaks_while_in_use_is_named_and_fetched_again(
    snapshots: Snapshots, name: str, how: Callable[[Path], None]
) -> None:
    many = [{"fullName": f"Person {number}", "headline": "x" * 500} for number in range(500)]
    source = Source(many, at_once=500)
    people = await source.of(snapshots)
    how(people.folder / name)
    with pytest.raises(NotPossible, match=r"no longer kept on .*they are fetched again"):
        list(people.rows(tuple(COLUMNS.values())))
    assert not people.folder.exists()
    assert len(names(await source.of(snapshots))) == 500


async def test_people_are_kept_for_a_week(
    keeping: Keeping, tmp_path: Path, moments: list[float]
) -> None:
    home = tmp_path / "people"
    # What others left half made goes after a day.
    for name, age in (("new-old", DAY + 1), ("new-young", DAY - 1), ("of somebody else", 99 * DAY)):
        (home / name).mkdir(parents=True)
        os.utime(home / name, (moments[0] - age, moments[0] - age))
    source = Source()
    people = await source.of(keeping())
    assert {folder.name for folder in home.iterdir()} == {"new-young", "of somebody else", KEY}
    moments.append(moments[0] + 7 * DAY)
    await source.of(keeping())
    assert source.fills == 1
    moments.append(moments[-1] + 1)
    await Source().of(keeping(), OTHER)
    assert not people.folder.exists()


async def test_of_too_much_the_oldest_goes_but_not_what_was_asked_a_moment_ago(
    keeping: Keeping, moments: list[float]
) -> None:
    size = sum(f.stat().st_size for f in (await Source().of(keeping())).folder.iterdir())
    moments.append(moments[-1] + DAY)
    snapshots = keeping(most_bytes=2 * size + 1)
    found = [await Source().of(snapshots, f"{number:032x}") for number in range(2, 5)]
    assert [len(names(people)) for people in found] == [5, 5, 5]
    assert not (found[0].folder.parent / KEY).exists()
    moments.append(moments[-1] + 1_000)
    await Source().of(snapshots, found[2].folder.name)
    assert [people.folder.exists() for people in found].count(True) == 2


async def test_too_many_people_or_a_folder_that_cannot_be_written_are_refused(
    keeping: Keeping, tmp_path: Path
) -> None:
    many = [{"headline": "x" * 2_000}] * 5_000
    with pytest.raises(NotPossible, match="audience is too large to be kept here: the first"):
        await Source(many, at_once=1_000).of(keeping(most_bytes=1_000_000))
    assert list((tmp_path / "people").iterdir()) == []
    (tmp_path / "secret").write_text("a file")
    with pytest.raises(NotPossible, match="something that is not a folder is in the way") as caught:
        await Source().of(Snapshots(tmp_path / "secret"))
    assert "LEADPIPE_CACHE_DIR" in caught.value.advice
    assert "secret" not in str(caught.value)
