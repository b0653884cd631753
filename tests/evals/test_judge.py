"""The judge lets every right solution pass, and says of every wrong one what is wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from mcp import Client

from evals.judge import judge
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
