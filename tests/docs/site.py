"""Look through the built site: pages that load from other hosts, and text that was not understood.

`make docs` runs it: python -m tests.docs.site
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

SITE = Path(__file__).parents[2] / "site"
ELSEWHERE = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
IN_STYLES = re.compile(r"""(?:@import\s+|url\(\s*)["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
LOADS = {"src", "srcset", "href", "data", "poster", "action"}
# Links that a reader may follow, and what names a page without loading it.
ONLY_NAMES = {"a", "area", "canonical", "alternate", "prev", "next"}
# The theme's script fetches a library for diagrams, and figures for a repository.
MARKS_OF_FETCHING = {"mermaid", "md-source"}
# A list, table or fence that stands in a paragraph was meant to be one: a blank line is missing
# before it, or four spaces where it belongs into a list.
NOT_UNDERSTOOD = re.compile(r"^(?:[-*] |\d+\. |\| ?-{3}|```)", re.MULTILINE)


class Page(HTMLParser):
    """What is wrong with a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._paragraph = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._paragraph = tag == "p" or (self._paragraph and tag in {"code", "a", "em", "strong"})
        if not {tag, *given.get("rel", "").split()} & ONLY_NAMES:
            loaded = [given[name] for name in LOADS & given.keys()]
            self.wrong += [f"loads {one}" for one in loaded if ELSEWHERE.match(one)]
        self.wrong += [f"loads {one}" for one in IN_STYLES.findall(given.get("style", ""))]
        fetching = MARKS_OF_FETCHING & set(given.get("class", "").split())
        self.wrong += [f"has something of the class {one}, which fetches" for one in fetching]

    def handle_endtag(self, tag: str) -> None:
        self._paragraph = self._paragraph and tag != "p"

    def handle_data(self, data: str) -> None:
        self.wrong += [f"loads {one}" for one in IN_STYLES.findall(data)]
        if self._paragraph and NOT_UNDERSTOOD.search(data):
            self.wrong.append(f"shows as text what was meant as a list or a block: {data.strip()}")


def problems() -> Iterator[str]:
    """What is wrong with the site, each with its file."""
    for path in sorted(SITE.rglob("*")):
        if path.suffix == ".html":
            wrong = Page(path.read_text("utf-8")).wrong
        elif path.suffix in {".css", ".svg"}:
            wrong = [f"loads {one}" for one in IN_STYLES.findall(path.read_text("utf-8"))]
        else:
            continue
        yield from (f"{path.relative_to(SITE)} {one}" for one in wrong)


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
