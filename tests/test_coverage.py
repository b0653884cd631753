"""Whatever the count of lines and branches leaves out has its reason beside it."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
MARK = re.compile(r"#\s*pragma\b.*", re.IGNORECASE)
# Three words are the least that can be a reason.
REASON = r"\S+( \S+){2,}"


def test_every_line_that_is_not_counted_says_why() -> None:
    marks = [
        f"{path.name}: {mark}"
        for path in sorted((ROOT / "leadpipe_mcp").rglob("*.py"))
        for mark in MARK.findall(path.read_text(encoding="utf-8"))
    ]
    well = re.compile(rf"\S+: # pragma: no (cover|branch) - {REASON}")
    assert marks
    assert [mark for mark in marks if not well.fullmatch(mark)] == []


def test_every_file_or_pattern_that_is_not_counted_says_why() -> None:
    tables: dict[str, dict[str, str | list[str]]] = tomllib.loads(PROJECT)["tool"]["coverage"]
    settings = tables["run"] | tables["report"]
    lists = {key: entries for key, entries in settings.items() if isinstance(entries, list)}
    assert lists.keys() <= {"patch", "source", "omit", "exclude_also"}
    said = re.findall(rf'^  "(.+)",  # {REASON}$', PROJECT, re.MULTILINE)
    reasons = {entry for entry, _ in said}
    left_out = [*lists["omit"], *lists.get("exclude_also", ())]
    assert [entry for entry in left_out if entry not in reasons] == []
