"""docs/performance.md: its tables are what was measured last, and are held against a new run."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
SAME = 1.0
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
# A table stands between two comments, of which the first names it; no reader of the page sees them.
_BLOCK = "(?<=<!-- {name} -->\n).*?(?=<!-- end -->)"


@dataclass(frozen=True)
class Table:
    """What one measurement says: figures in rows."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    within: Mapping[str, float]
    """How many times larger or smaller the figures of a column may be elsewhere."""

    def __str__(self) -> str:
        lines = [self.headings, ["---", *["---:"] * (len(self.headings) - 1)], *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"{table}\n\nElsewhere: {'; '.join(self._nearness())}."

    def _nearness(self) -> Iterator[str]:
        """How near another machine's figures have to come, by columns."""
        for most in sorted(set(self.within.values())):
            columns = ", ".join(column for column, one in self.within.items() if one == most)
            yield f"{columns}: the same" if most == SAME else f"{columns}: within {most:g} times"

    def others(self, name: str, page: str) -> Iterator[str]:
        """What differs from the page's table of that name by more than it may, as sentences."""
        lines = [line for line in block(page, name).splitlines() if line.startswith("| ")]
        headings, _, *rows = [_cells(line) for line in lines] or [[], []]
        if headings != list(self.headings):
            yield f"{name}: the page has no such table yet"
            return
        before = {row[0]: row for row in rows}
        if strange := [row[0] for row in self.rows if row[0] not in before]:
            yield f"{name}: the page lacks {', '.join(strange)}"
        for row in self.rows:
            old = before.get(row[0], row)
            for heading, was, now in zip(self.headings, old, row, strict=True):
                if was.endswith("met") and now.endswith("missed"):
                    yield f"{name}, {row[0]}, {heading}: a goal is missed: {now}"
                most = self.within.get(heading)
                if most and not _near(was, now, most):
                    yield f"{name}, {row[0]}, {heading}: {was} on the page, {now} here"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]


def _near(was: str, now: str, most: float) -> bool:
    """Whether two cells hold figures that are alike; the first of each counts."""
    one, other = (_FIGURE.search(cell) for cell in (was, now))
    if not one or not other:
        return was == now
    low, high = sorted(float(figure[0].replace(",", "")) for figure in (one, other))
    return high <= low * most


def block(page: str, name: str) -> str:
    """What stands on the page under a name."""
    found = re.search(_BLOCK.format(name=name), page, re.DOTALL)
    return found[0].rstrip() if found else ""


def with_block(page: str, name: str, text: str) -> str:
    """The page with another text under the name, which has to be there."""
    found = re.search(_BLOCK.format(name=name), page, re.DOTALL)
    if not found:
        sys.exit(f"{PAGE.name} has no place for {name}")
    return f"{page[: found.start()]}{text}\n{page[found.end() :]}"


def put(texts: Mapping[str, str]) -> None:
    """Put texts under their names on the page: all of them or, if it ends before, none."""
    page = PAGE.read_text(encoding="utf-8")
    for name, text in texts.items():
        page = with_block(page, name, text)
    beside = PAGE.with_suffix(".new")
    beside.write_text(page, encoding="utf-8")
    beside.replace(PAGE)


def judged(value: float, most: float | None, goal: str = "≤ {}") -> str:
    """The goal, and whether it is met; nothing where there is none."""
    return f"{goal.format(most)}: {'met' if value <= most else 'missed'}" if most else ""
