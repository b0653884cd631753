"""Check the package as users get it: the wheel, and the lowest versions that it allows.

Run with `make package`. The wheel is built and installed into an environment of its own, where the
server answers over stdin and stdout. In a second one, with the versions of requirements/lowest.txt,
the tests run that call tools through a client.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROTOCOL = "2025-06-18"
CONVERSATION = (
    {
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": PROTOCOL,
            "capabilities": {},
            "clientInfo": {"name": "check", "version": "1"},
        },
    },
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/list"},
    {
        "id": 3,
        "method": "tools/call",
        "params": {"name": "preview_audience", "arguments": {"topicIds": [117805]}},
    },
)


def main() -> None:
    """Raise an error unless both environments are as they should be."""
    with tempfile.TemporaryDirectory(prefix="leadpipe package ") as folder:
        place = Path(folder)
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", place, ROOT)
        (wheel,) = place.glob("*.whl")
        talk_to(environment(place / "clean", wheel), place)
        lowest = environment(
            place / "lowest",
            wheel,
            *("--requirement", ROOT / "requirements/test.txt"),
            *("--constraint", ROOT / "requirements/lowest.txt"),
        )
        quickly = ("--numprocesses", "2", "--quiet")
        run(lowest, "-m", "pytest", *quickly, "tests/tools", "tests/wire", cwd=ROOT)


def environment(place: Path, *packages: str | Path) -> Path:
    """Make an environment with these packages, and return its Python."""
    venv.create(place, with_pip=True)
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return python


def talk_to(python: Path, folder: Path) -> None:
    """Hold a short conversation with the server that was installed."""
    lines = "".join(json.dumps({"jsonrpc": "2.0", **said}) + "\n" for said in CONVERSATION)
    command = [python.parent / "leadpipe-mcp", "--sandbox"]
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, timeout=120, check=True, cwd=folder
    )
    answers = {one["id"]: one["result"] for one in map(json.loads, done.stdout.splitlines())}
    assert answers[1]["serverInfo"]["name"] == "leadpipe"
    assert "preview_audience" in {tool["name"] for tool in answers[2]["tools"]}
    preview = answers[3]["structuredContent"]
    assert preview["size"] > 0
    sys.stdout.write(f"The wheel answers: {preview['summary']}\n")


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command, and raise an error unless it succeeds."""
    subprocess.run(command, check=True, cwd=cwd)


if __name__ == "__main__":
    main()
