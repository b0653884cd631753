"""The judge lets every right solution pass, and says of every wrong one what is wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from mcp import Client

from evals.judge import holds, judge
from evals.tasks import Task, all_tasks
from evals.world import World
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import SANDBOX_URL, Settings
from tests.evals.scripted import RIGHT, WRONG, Script, play, scripts

TASKS: Mapping[str, Task] = {task.id: task for task in all_tasks()}
pytestmark = pytest.mark.anyio


async def judged(script: Script, folder: Path) -> list[str]:
    """What the judge says of a script that is played in this process."""
    task = TASKS[script.task]
    world = World(task.given, folder)
    before = world.account()
    settings = Settings.read(world.environment(SANDBOX_URL), {})
    server = build_server(settings, service=world.leadpipe, sonarly=world.sonarly)
    async with Client(server) as client:
        answer = await play(client, script)
    return judge(task.then, before, world.account(), world.changes(), answer)


@pytest.mark.parametrize(
    "answer", ["1284", "1,284 people", "1.284 Personen.", "1\u202f284 personnes", "(1284)"]
)
def test_a_number_is_found_however_its_thousands_are_parted(answer: str) -> None:
    assert holds(answer, "1284")


@pytest.mark.parametrize("answer", ["2026-05-19", "19.5 %", "119", "1,190", "0.19", "190"])
def test_a_part_of_a_date_or_of_another_number_is_no_answer(answer: str) -> None:
    assert not holds(answer, "19")


def test_words_are_found_in_any_case_with_hyphens_and_apostrophes_of_any_kind() -> None:
    assert holds("It was NOT switched\u2011on. I didn\u2019t export.", "n't export")
    assert holds("The e-mail list", "E-Mail")
    assert holds("It grew by 22,9 %.", r"/22[.,]9/")


def test_there_are_thirty_tasks_and_a_right_solution_for_each() -> None:
    assert len(TASKS) == 30
    assert sorted(script.task for script in scripts(RIGHT)) == sorted(TASKS)


@pytest.mark.parametrize("script", scripts(RIGHT), ids=lambda script: script.task)
async def test_a_right_solution_passes(script: Script, tmp_path: Path) -> None:
    assert await judged(script, tmp_path) == []


@pytest.mark.parametrize(
    "script", scripts(WRONG), ids=lambda script: f"{script.task}-{script.does}"
)
async def test_a_wrong_solution_is_rejected_for_its_reason(script: Script, tmp_path: Path) -> None:
    assert await judged(script, tmp_path) == list(script.reasons)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
async def test_who_does_nothing_passes_nowhere(task: Task, tmp_path: Path) -> None:
    account = World(task.given, tmp_path).account()

    for answer in ("Done.", "I cannot help with that."):
        assert judge(task.then, account, account, [], answer) != []
