"""The page on adding things is true: what it says is done in a copy of the package, and works."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/adding.md").read_text(encoding="utf-8")
PROGRAM = """
import json, anyio
from mcp import Client
from leadpipe_mcp.server import FILE, made
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings
FILE.write_text(json.dumps(made()), encoding="utf-8")
async def main():
    async with Client(build_server(Settings(sandbox=True))) as client:
        slots = await client.call_tool("count_free_slots", {})
        word = await client.call_tool("find_filters", {"words": ["directrice"]})
        print(json.dumps([slots.structured_content, word.structured_content]))
anyio.run(main)
"""


def blocks(language: str) -> Iterator[str]:
    """The blocks of code on the page, as they would be without the page's indentation."""
    for indent, text in re.findall(
        rf"^( *)```{language}\n(.*?)^\1```", PAGE, re.MULTILINE | re.DOTALL
    ):
        yield "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def changed(text: str, difference: str) -> str:
    """The text after a difference: lines that begin with - become those with + after them."""
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", difference, re.MULTILINE):
        before, after = (re.sub("^[-+]", "", part, flags=re.MULTILINE) for part in (old, new))
        # A word may stand on a line with others.
        before, after = (before, after) if before in text else (before.strip(), after.strip())
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def test_a_tool_and_a_word_are_added_as_the_page_says(tmp_path: Path) -> None:
    package = tmp_path / "leadpipe_mcp"
    # With what is compiled: that stays true of every file but those that are changed.
    shutil.copytree(ROOT / "leadpipe_mcp", package)
    (module,) = blocks("python")
    (tmp_path / module.splitlines()[0].removeprefix("# ")).write_text(module, encoding="utf-8")
    toolset, word = blocks("diff")
    for path, difference in (("tools/toolsets.py", toolset), ("vocabulary/words.toml", word)):
        text = (package / path).read_text(encoding="utf-8")
        (package / path).write_text(changed(text, difference), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        timeout=300,
        check=False,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    slots, found = json.loads(done.stdout)
    assert slots["free"] == 2
    assert "director" in json.dumps(found)
    assert "directrice" in json.dumps(found)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+(?:\.\w+|/))`", PAGE))))
def test_what_the_page_names_is_there(name: str) -> None:
    assert (ROOT / name).exists() or (ROOT / "leadpipe_mcp/api" / name).exists()
