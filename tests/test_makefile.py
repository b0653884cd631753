"""Setting up says what is missing, in a directory with a space in its name."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.systems import needs_a_shell

MAKEFILE = Path(__file__).parents[1] / "Makefile"
pytestmark = [
    needs_a_shell,
    pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine"),
]


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    tools, checkout = tmp_path / "tools", tmp_path / "a checkout"
    for folder in (tools, checkout):
        folder.mkdir()
    for name in ("make", "sh", "rm", "touch", "awk"):
        (tools / name).symlink_to(shutil.which(name) or "missing")
    python = tools / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.18 && exit 0\nexit 1\n')
    python.chmod(0o755)
    shutil.copy(MAKEFILE, checkout)
    command, paths = [str(tools / "make"), "demo"], {"PATH": str(tools)}
    done = subprocess.run(
        command, cwd=checkout, env=paths, capture_output=True, timeout=120, check=False, text=True
    )
    assert done.returncode != 0
    assert "needs Python 3.11 or later" in done.stderr
    assert "Python 3.8.18" in done.stderr
    assert not (checkout / ".venv").exists()


def test_an_environment_whose_python_has_gone_away_is_made_again(tmp_path: Path) -> None:
    shutil.copy(MAKEFILE, tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".venv").mkdir()
    for stamp in (".made", ".runtime"):
        (tmp_path / ".venv" / stamp).touch()
    command = [shutil.which("make") or "make", "--dry-run", "demo"]
    planned = subprocess.run(
        command, cwd=tmp_path, capture_output=True, timeout=120, check=True, text=True
    )
    assert "-m venv .venv" in planned.stdout
    assert "install --editable ." in planned.stdout
