"""Check the package as users get it: the wheel, and the lowest versions that it allows.

Run with `make package`. The wheel is built and installed into an environment of its own, where the
server answers over stdin and stdout. In a second one, with the versions of requirements/lowest.txt,
the tests run that call tools through a client, over HTTP as well.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Raise an error unless both environments are as they should be."""
    with tempfile.TemporaryDirectory(prefix="leadpipe package ") as folder:
        place = Path(folder)
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", place, ROOT)
        (wheel,) = place.glob("*.whl")
        anyio.run(talk_to, environment(place / "clean", wheel), place)
        lowest = environment(
            place / "lowest",
            f"{wheel}[all]",
            *("--requirement", ROOT / "requirements/test.txt"),
            *("--constraint", ROOT / "requirements/lowest.txt"),
        )
        quickly = ("--numprocesses", "2", "--quiet")
        run(
            lowest, "-m", "pytest", *quickly, "tests/tools", "tests/wire", "tests/hosting", cwd=ROOT
        )


def environment(place: Path, *packages: str | Path) -> Path:
    """Make an environment with these packages, and return its Python."""
    venv.create(place, with_pip=True)
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return python


async def talk_to(python: Path, folder: Path) -> None:
    """Hold a short conversation with the server that was installed."""
    command = str(python.parent / "leadpipe-mcp")
    server = StdioServerParameters(command=command, args=["--sandbox"], cwd=folder)
    with anyio.fail_after(120):
        async with Client(stdio_client(server)) as client:
            result = await client.call_tool("preview_audience", {"topicIds": [117805]})
    preview = result.structured_content
    assert preview
    assert preview["size"] > 0
    sys.stdout.write(f"The wheel answers: {preview['summary']}\n")


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command, and raise an error unless it succeeds."""
    subprocess.run(command, check=True, cwd=cwd)


if __name__ == "__main__":
    main()
