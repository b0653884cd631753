"""What `make conformance` makes of the suite's results."""

import json
from pathlib import Path

import pytest

from tests.conformance.check import EMPTY, SHIPPED, end

FORM = ("wire-schema-valid", "SUCCESS")


@pytest.mark.parametrize(
    ("scenario", "server", "checks", "expected"),
    [
        ("ping", SHIPPED, [FORM, ("ping", "SUCCESS")], "passed"),
        ("ping", SHIPPED, [FORM], EMPTY),
        ("ping", SHIPPED, [FORM, ("ping", "SKIPPED")], EMPTY),
        ("ping", SHIPPED, [], EMPTY),
        ("ping", SHIPPED, [FORM, ("ping", "WARNING")], "failed"),
        ("logging-set-level", SHIPPED, [("logging-set-level", "FAILURE")], "left out"),
        ("tools-call-image", SHIPPED, [("tools-call-image", "FAILURE")], "needing fixtures"),
        ("tools-call-image", "with fixtures", [("tools-call-image", "FAILURE")], "failed"),
    ],
)
def test_a_scenario_passes_only_by_checks_of_its_own(
    tmp_path: Path, scenario: str, server: str, checks: list[tuple[str, str]], expected: str
) -> None:
    made = tmp_path / f"server-{scenario}-2026-07-28T10-00-00-000Z" / "checks.json"
    made.parent.mkdir()
    made.write_text(json.dumps([{"id": name, "status": status} for name, status in checks]))
    assert end(scenario, server, tmp_path) == expected
