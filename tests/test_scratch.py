"""The folder for what is temporary: private, gone with its process, swept after a killed one."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadpipe_mcp.scratch import remove_unkept, scratch_folder, unkept
from tests.systems import needs_locks, needs_modes

STALE = ".leadpipe-scratch-abcd1234"


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process makes what is temporary."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def other(usual: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has such a folder, with somebody in it."""
    program = (
        "import os, pathlib, tempfile\n"
        "from leadpipe_mcp.scratch import scratch_folder\n"
        "with scratch_folder():\n"
        "    pathlib.Path(tempfile.mkdtemp(), 'people').touch()\n"
        "    print(flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(usual)},
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()


def age(path: Path) -> None:
    """Make it older than what may still be about to be locked."""
    os.utime(path, (0, 0), follow_symlinks=False)


@needs_modes
def test_what_is_temporary_is_in_a_private_folder_that_goes_even_with_an_error(usual: Path) -> None:
    with contextlib.suppress(KeyError), scratch_folder():
        folder = Path(tempfile.mkdtemp()).parent
        assert folder.parent == usual
        assert folder.stat().st_mode & 0o777 == 0o700
        raise KeyError
    assert list(usual.iterdir()) == []
    assert tempfile.gettempdir() == str(usual)


@needs_locks
def test_what_a_killed_process_left_is_swept_and_what_a_live_one_has_is_not(
    usual: Path, other: subprocess.Popen[str]
) -> None:
    (folder,) = usual.iterdir()
    age(folder)
    with scratch_folder():
        assert list(folder.rglob("people")) != []
    other.kill()
    other.wait()
    with scratch_folder():
        assert not folder.exists()


@needs_locks
def test_links_files_and_folders_of_other_names_or_people_are_not_swept(
    usual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = usual / "precious"
    precious.mkdir()
    (usual / STALE).symlink_to(precious)
    (usual / STALE.replace("abcd", "file")).touch()
    os.mkfifo(usual / STALE.replace("abcd", "fifo"))
    (usual / f"{STALE}5").mkdir()
    (usual / "leadpipe-people-abcd1234").mkdir()
    before = set(usual.iterdir())
    for path in before:
        age(path)
    with scratch_folder():
        pass
    assert set(usual.iterdir()) == before
    (usual / STALE).unlink()
    (usual / STALE).mkdir()
    with scratch_folder():
        pass
    assert (usual / STALE).exists()  # as young as one that is about to be locked
    age(usual / STALE)
    monkeypatch.setattr(os, "getuid", lambda: -1)
    with scratch_folder():
        pass
    assert (usual / STALE).exists()


def test_without_a_place_for_it_everything_goes_on(usual: Path) -> None:
    tempfile.tempdir = str(usual / "missing")
    with scratch_folder():
        assert tempfile.gettempdir() == str(usual / "missing")


def test_what_is_not_to_be_kept_can_be_removed_at_any_moment(tmp_path: Path) -> None:
    half, whole = tmp_path / "half", tmp_path / "whole"
    for folder in (half, whole):
        folder.mkdir()
        with unkept(folder):
            if folder == half:
                (half / "people").touch()
                remove_unkept()
    assert list(tmp_path.iterdir()) == [whole]
