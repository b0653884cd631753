"""What GitHub runs and asks: as far as it can be checked without GitHub."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = [
    path
    for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
    if path.name != "config.yml"
]


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs(path: Path) -> dict[str, Any]:
    return read(path)["jobs"]


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job.get("steps", ())]


def named(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.name)


def test_the_tests_run_on_every_system_and_every_python_that_is_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))

    matrix = jobs(ROOT / ".github/workflows/test.yml")["test"]["strategy"]["matrix"]

    assert matrix["python"] == promised
    assert {system.partition("-")[0] for system in matrix["system"]} == {
        "ubuntu",
        "macos",
        "windows",
    }


@named(WORKFLOWS)
def test_a_workflow_runs_targets_that_there_are(path: Path) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    made = [step["run"].split()[1:] for step in steps(path) if step.get("run", "")[:5] == "make "]

    assert made
    assert {word for words in made for word in words} <= set(targets)


@named(WORKFLOWS)
def test_a_workflow_takes_what_others_wrote_by_its_hash_and_uses_no_secret(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]

    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)
    assert "secrets" not in path.read_text(encoding="utf-8")


@named(WORKFLOWS)
def test_a_workflow_may_only_read_unless_a_job_says_what_it_writes(path: Path) -> None:
    assert read(path)["permissions"] in ({}, {"contents": "read"})


def test_only_the_job_that_makes_the_release_may_write_to_the_repository() -> None:
    release = jobs(ROOT / ".github/workflows/release.yml")

    writing = {
        name for name, job in release.items() if job["permissions"].get("contents") == "write"
    }
    assert writing == {"release"}
    assert release["publish"]["permissions"] == {"id-token": "write"}
    assert release["publish"]["environment"] == "release"


def test_an_issue_is_written_in_a_form() -> None:
    config = read(ROOT / ".github/ISSUE_TEMPLATE/config.yml")

    assert config == {"blank_issues_enabled": False}


@named(FORMS)
def test_a_form_asks_for_things_by_names_of_their_own(path: Path) -> None:
    form = read(path)
    fields = [field for field in form["body"] if field["type"] != "markdown"]

    assert form["name"]
    assert form["description"]
    assert {field["type"] for field in fields} <= {"textarea", "dropdown", "checkboxes"}
    assert len({field["id"] for field in fields}) == len(fields)
    assert len({field["attributes"]["label"] for field in fields}) == len(fields)


@named(FORMS)
def test_a_form_says_first_that_no_key_and_nobody_s_data_belong_into_it(path: Path) -> None:
    first = read(path)["body"][0]
    said = " ".join(first["attributes"]["value"].split())

    assert first["type"] == "markdown"
    assert "aste no key, and nobody's name, e-mail address or phone number" in said


def test_the_form_for_bugs_asks_what_the_doctor_says() -> None:
    fields = {
        field.get("id"): field for field in read(ROOT / ".github/ISSUE_TEMPLATE/bug.yml")["body"]
    }

    assert "leadpipe-mcp doctor" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["validations"]["required"]
