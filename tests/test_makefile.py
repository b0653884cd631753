"""Setting up says what is missing, in a directory with a space in its name."""

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[1] / "Makefile"


pytestmark = pytest.mark.skipif(
    shutil.which("make") is None, reason="there is no make on this machine"
)


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "sh", "rm", "touch", "awk"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    python = tools / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.18 && exit 0\nexit 1\n')
    python.chmod(0o755)
    checkout = tmp_path / "a checkout"
    checkout.mkdir()
    shutil.copy(MAKEFILE, checkout)

    done = subprocess.run(
        [str(tools / "make"), "demo"],
        cwd=checkout,
        env={"PATH": str(tools)},
        capture_output=True,
        timeout=120,
        check=False,
        text=True,
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

    planned = subprocess.run(
        ["make", "--dry-run", "demo"],  # noqa: S607 -- whichever make runs this
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=True,
        text=True,
    )

    assert "-m venv .venv" in planned.stdout
    assert "install --editable ." in planned.stdout
