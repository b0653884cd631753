"""The small faults that `make mutants` tries, and those of them that may go unnoticed."""

import tomllib

from tests.mutants.__main__ import LEFT_OUT, ROOMS, SURVIVORS, TESTS, python_files
from tests.mutants.changes import PACKAGE, changes_of


def test_a_line_is_changed_in_each_way_that_makes_it_another() -> None:
    line = "people/privacy.py _is_sound: return -_LARGEST_NUMBER < number < _LARGEST_NUMBER | "
    whole = "-_LARGEST_NUMBER < number < _LARGEST_NUMBER"
    found = [one.name for one in changes_of(PACKAGE / "people/privacy.py")]
    assert [name.removeprefix(line) for name in found if name.startswith(line)] == [
        f"return {whole} -> return None",
        f"{whole} -> -_LARGEST_NUMBER <= number < _LARGEST_NUMBER",
        f"{whole} -> -_LARGEST_NUMBER < number <= _LARGEST_NUMBER",
        "-_LARGEST_NUMBER -> _LARGEST_NUMBER",
    ]


def test_what_may_go_unnoticed_can_still_be_made_and_has_a_reason() -> None:
    groups = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["because"]
    explained = [name for group in groups for name in group["changes"]]
    files = [file for room in ROOMS for file in python_files(PACKAGE / room)]
    assert set(explained) <= {one.name for file in files for one in changes_of(file)}
    assert len(explained) == len(set(explained))
    assert all(group["reason"].endswith(".") for group in groups)


def test_only_folders_that_there_are_are_left_out() -> None:
    assert all((TESTS / name).is_dir() for name in LEFT_OUT)
