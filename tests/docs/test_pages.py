"""Pages that are made from the code are as the code is. `make docs` writes them again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.settings_page import settings_page
from tests.docs.tools_page import tools_page
from tests.snapshots import held_to

DOCS = Path(__file__).parents[2] / "docs"
PAGES: dict[str, Callable[[], str]] = {"settings": settings_page, "tools": tools_page}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_current(name: str) -> None:
    held_to(DOCS / f"{name}.md", PAGES[name]())
