"""Where files of people go, and that none is overwritten, half written or left behind."""

import os
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import anyio
import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import choose_columns
from leadpipe_mcp.people.export import BATCH, export_people, write
from leadpipe_mcp.people.files import Destination, export_folder, planned, target
from tests.people.conftest import ADA, many
from tests.systems import needs_modes

FOUR = choose_columns(("name", "score", "contactEmail", "linkedinUrl"))


def in_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("crm-buyers.jsonl", "crm-buyers.csv"),
        ("report.v2", "report.v2.csv"),
        ("  (West) Ka\u0308ufer  ", "(West) Käufer.csv"),
        ("console", "console.csv"),
        ("x" * 120, "x" * 120 + ".csv"),
    ],
)
def test_a_name_gets_the_extension_of_the_format(tmp_path: Path, name: str, file: str) -> None:
    chosen = target(tmp_path, "csv", file_name=name)
    assert planned(chosen) == tmp_path / file
    assert write([], FOUR, chosen, contact=True).files[0].path == tmp_path / file


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((".csv", "nothing before the extension"), ("a/b", "contains /")),
        *(("..\\x", r"contains \\"), ('a"b*c', 'contains \\* and "')),
        *(("..", "begins with a dot"), ("-rf", "begins with a dot, a dash"), ("~root", "a tilde")),
        *(("x.", "ends with a dot"), ("a\u202eb", "invisible"), ("a\ud800b", "invisible")),
        *(("a  b", "several spaces"), ("con", "device"), ("Com1 .x", "device")),
        *(("lpt\u00b2", "device"), ("x" * 121, "more than 120"), ("\u6f22" * 70, "or 200 bytes")),
    ],
)
def test_an_impossible_file_name_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(NotPossible, match=reason) as caught:
        target(tmp_path, "csv", file_name=name)
    assert "fileName" in caught.value.advice
    assert in_folder(tmp_path) == []


@pytest.mark.parametrize(
    ("audience", "day", "file"),
    [
        ("CRM buyers \u2013 West", "2026-05-04", "crm-buyers-west-2026-05-04.csv"),
        ("../../etc/passwd", "2026-05-04", "etc-passwd-2026-05-04.csv"),
        ("con", "", "con-people.csv"),
        ("", "", "audience-people.csv"),
        ("=cmd|'x'!A0\u202e\x00", "2026-05-04", "cmd-x-a0-2026-05-04.csv"),
        ("Käufer हिन्दी 漢字", "x/../y", "käufer-हिन्दी-漢字-x-y.csv"),
        ("漢" * 200, "2026-05-04", "漢" * 33 + "-2026-05-04.csv"),
    ],
)
def test_without_a_name_it_is_the_audience_and_the_day(
    tmp_path: Path, audience: str, day: str, file: str
) -> None:
    assert planned(target(tmp_path, "csv", audience=audience, day=day)).name == file


def test_a_name_that_is_taken_is_refused_and_a_free_one_named(tmp_path: Path) -> None:
    for taken in ("crm.csv", "crm-2.csv"):
        (tmp_path / taken).write_text("mine")
    with pytest.raises(NotPossible) as caught:
        target(tmp_path, "csv", file_name="crm")
    assert caught.value.problem == (
        f"The file 'crm.csv' already exists in {tmp_path}, and nothing is overwritten."
    )
    assert caught.value.advice == "Give another fileName, such as 'crm-3', or leave it out."
    assert target(tmp_path, "jsonl", file_name="crm").path("crm").name == "crm.jsonl"


def test_files_that_appear_meanwhile_are_never_overwritten(tmp_path: Path) -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        yield ADA
        (tmp_path / "crm-1.csv").write_text("mine")

    made = target(tmp_path, "csv", audience="crm", day="1")
    chosen = target(tmp_path, "csv", file_name="crm-1")
    assert write(rows(), FOUR, made, contact=True).files[0].path.name == "crm-1-2.csv"
    for _ in range(2):
        with pytest.raises(NotPossible, match=r"The file 'crm-1\.csv' already exists"):
            write(rows(), FOUR, chosen, contact=True)
        assert (tmp_path / "crm-1.csv").read_text() == "mine"
        assert in_folder(tmp_path) == ["crm-1-2.csv", "crm-1.csv"]
        (tmp_path / "crm-1.csv").unlink()


@pytest.mark.parametrize("one_name", [False, True])
def test_of_several_files_all_appear_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, one_name: bool
) -> None:
    def refuse(old: Path, new: Path) -> None:
        raise OSError(f"{old} cannot have a second name")

    # As on memory sticks.
    if one_name:
        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a-2-of-3.txt").write_text("mine")
    chosen = target(tmp_path, "linkedin_urls", file_name="a")
    with pytest.raises(NotPossible, match="already exists"):
        write(many(2_500), FOUR, chosen, contact=True)
    assert in_folder(tmp_path) == ["a-2-of-3.txt"]
    assert (tmp_path / "a-2-of-3.txt").read_text() == "mine"
    (tmp_path / "a-people-2-of-3.txt").touch()
    made = target(tmp_path, "linkedin_urls", audience="a")
    written = write(many(2_500), FOUR, made, contact=True).files
    assert [file.path.name for file in written] == [f"a-people-2-{n}-of-3.txt" for n in (1, 2, 3)]
    assert written[2].path.read_bytes().count(b"\n") == 500


@needs_modes
def test_only_the_user_may_read_it_and_no_link_is_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "new" / "exports", tmp_path / "outside.csv"
    before = os.umask(0)
    try:
        (file,) = write([ADA], FOUR, target(folder, "csv"), contact=True).files
    finally:
        os.umask(before)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert file.path.stat().st_nlink == 1
    (folder / "crm.csv").symlink_to(outside)
    with pytest.raises(NotPossible, match=r"The file 'crm\.csv' already exists"):
        write([ADA], FOUR, Destination(folder, "crm", "csv"), contact=True)
    assert not outside.exists()
    assert in_folder(folder) == [file.path.name, "crm.csv"]


def test_a_folder_that_is_not_there_or_cannot_be_made_is_said(tmp_path: Path) -> None:
    assert export_folder(None, tmp_path) == tmp_path / "leadpipe-exports"
    assert export_folder(Path("~/lists"), tmp_path) == tmp_path / "lists"
    for setting in (None, Path("lists"), Path("~/lists")):
        with pytest.raises(NotPossible) as caught:
            export_folder(setting, None)
        assert "LEADPIPE_EXPORT_DIR" in caught.value.advice
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "x"):
        with pytest.raises(NotPossible) as caught:
            write([ADA], FOUR, Destination(folder, "x", "csv"), contact=True)
        assert caught.value.problem == (
            f"No file was written to {folder}: something that is not a folder is in the way."
        )
        assert "LEADPIPE_EXPORT_DIR" in caught.value.advice


@needs_modes
def test_when_there_is_no_more_room_nothing_is_left(tmp_path: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(NotPossible, match="would be too large") as caught:
            write(many(BATCH), FOUR, target(tmp_path, "csv"), contact=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(tmp_path) in caught.value.problem
    assert in_folder(tmp_path) == []


def test_what_a_killed_server_left_is_swept_up_after_a_day(tmp_path: Path) -> None:
    old, young = tmp_path / ".leadpipe-old.part", tmp_path / ".leadpipe-young.part"
    for path in (old, young, tmp_path / "old.part"):
        path.touch()
    for path in (old, tmp_path / "old.part"):
        os.utime(path, (0, time.time() - 90_000))
    write([ADA], FOUR, target(tmp_path, "csv"), contact=True)
    assert in_folder(tmp_path) == [".leadpipe-young.part", "audience-people.csv", "old.part"]


@pytest.mark.anyio
async def test_an_export_that_is_cancelled_or_breaks_leaves_nothing(tmp_path: Path) -> None:
    closed: list[int] = []
    reached: list[int] = []

    def rows() -> Generator[tuple[object, ...]]:
        try:
            yield from many(4 * BATCH)
            raise OSError(5, "the snapshot is broken")
        finally:
            closed.append(threading.get_ident())

    with anyio.CancelScope() as scope:

        async def report(done: int) -> None:
            assert in_folder(tmp_path)[0].startswith(".leadpipe-")
            reached.append(done)
            if done == 2 * BATCH:
                scope.cancel()

        chosen = target(tmp_path, "csv")
        await export_people(rows(), FOUR, chosen, contact=True, report=report)
    assert scope.cancelled_caught
    assert reached == [BATCH, 2 * BATCH]
    assert in_folder(tmp_path) == []
    # They are read, a few thousand at a time, in a thread of their own.
    assert len(closed) == 1
    assert closed[0] != threading.get_ident()
    with pytest.raises(OSError, match="the snapshot is broken"):
        write(rows(), FOUR, target(tmp_path, "csv"), contact=True)
    assert in_folder(tmp_path) == []
