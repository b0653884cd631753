"""A judge from outside finds nothing to say of the tools' definitions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mcp.types import Tool

pytestmark = pytest.mark.anyio


@pytest.fixture
def era() -> str:
    return "auto"


async def test_tdqs_lint_finds_no_error_and_warns_only_of_a_required_config(
    tools: list[Tool], tmp_path: Path
) -> None:
    dump = tmp_path / "tools.json"
    listed = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    dump.write_text(json.dumps({"tools": listed}), encoding="utf-8")

    judged = subprocess.run(  # noqa: ASYNC221 -- nothing else runs meanwhile
        [sys.executable, "-m", "tdqs", "lint", "--file", str(dump), "--fail-on", "error"],
        capture_output=True,
        timeout=30,
        check=False,
        text=True,
    )

    assert judged.returncode == 0, judged.stdout + judged.stderr
    # An audience cannot be created without a config, so the schema says that it is required.
    warned = [line.strip() for line in judged.stdout.splitlines() if " warning " in line]
    assert all(line.startswith("warning shadow-candidate: create_audience") for line in warned)
    assert f"0 errors, {len(warned)} warning" in judged.stdout
