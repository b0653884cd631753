"""The runner: an assistant as a program, its deadline, and the table of what came of it."""

import json
import sys
import tomllib
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.run import Assistant, Try, attempt, kept, row, run, summed_up, written
from evals.tap import Tap
from evals.tasks import Given, all_tasks
from evals.world import ROOT, World, in_toml
from tests.evals.scripted import RIGHT, WRONG, scripts

TASKS = {task.id: task for task in all_tasks()}
PYTHON = Path(sys.executable).as_posix()
SCRIPTED = f"'{PYTHON}' -m tests.evals.scripted"


def tried(number: int, *reasons: str) -> Try:
    return Try("one-field", number, reasons, ("list_audiences",) * number, 1_000, 2.0, "Done.")


def test_prompt_config_and_entry_are_put_into_the_command() -> None:
    assistant = Assistant("ask -p {prompt} --config={config} -c 'servers.leadpipe={toml}'")

    assert assistant.command("What is {config}?", Path("mcp.json"), "{a=1}") == [
        *("ask", "-p", "What is {config}?", "--config=mcp.json", "-c", "servers.leadpipe={a=1}")
    ]


def test_the_entry_is_the_same_as_toml(tmp_path: Path) -> None:
    entry = World(Given(), tmp_path).entry("http://127.0.0.1:1", tmp_path / "calls.jsonl")

    assert tomllib.loads(f"entry = {in_toml(entry)}") == {"entry": entry}


def test_a_prompt_says_what_the_user_would_answer_in_the_language_of_the_task() -> None:
    prompts = {task.id: task.prompt for task in TASKS.values()}

    assert "my answer is no." in prompts["no-to-export"]
    assert "my answer is yes." in prompts["deletion"]
    assert "my answer" not in prompts["one-field"]
    assert "Entwurf an" in prompts["deutsch"]
    assert "nichts fragen" in prompts["deutsch"]


def test_an_assistant_that_takes_too_long_is_ended() -> None:
    waits = f"'{PYTHON}' -c 'import threading; threading.Event().wait()'"

    assert attempt(Assistant(waits, deadline=0.2), TASKS["one-field"], 1).reasons == (
        "it took more than 0.2 seconds",
    )


def test_an_assistant_that_fails_says_why() -> None:
    fails = f"'{PYTHON}' -c 'import sys; sys.exit(\"no key\")'"

    assert attempt(Assistant(fails), TASKS["one-field"], 1).reasons == (
        "it ended with status 1: no key",
    )


def test_an_assistant_that_does_nothing_is_judged_by_what_is_there() -> None:
    says = f"'{PYTHON}' -c 'print(\"Done.\")'"

    assert attempt(Assistant(says), TASKS["one-field"], 1).reasons == (
        "'CRM Buyers in California' has minScore 60, not 80",
    )


def test_tries_go_on_side_by_side_and_whoever_stops_ends_the_rest() -> None:
    # Only what is said of the score is answered.
    code = 'import sys, threading; "raise" in sys.argv[1] or threading.Event().wait(); print(1)'
    assistant = Assistant(f"'{PYTHON}' -c '{code}' {{prompt}}", deadline=100)
    everything = run(assistant, [TASKS["one-field"], *TASKS.values()], tries=2, at_once=2)

    assert [one.number for one in next(everything)] == [1, 2]
    everything.close()
    assert not assistant.running


def test_the_table_counts_what_passed_and_takes_the_middle_of_the_rest() -> None:
    tries = [tried(1), tried(2, "it forgot something"), tried(3)]

    head, line = written([row(TASKS["one-field"], tries)])

    assert head.split()[:5] == ["task", "passed", "calls", "tokens", "seconds"]
    assert line.split()[:7] == ["one-field", "2", "of", "3", "2", "1,000", "2"]
    assert summed_up([tries, [tried(1), tried(2), tried(3)]]) == (
        "pass^3: 1 of 2 tasks passed every time; 5 of 6 tries passed."
    )
    assert json.loads(kept("ask", [tries]))["tries"][1]["reasons"] == ["it forgot something"]


@pytest.mark.parametrize(
    "params",
    [
        {"capabilities": {"elicitation": {"form": {}}, "roots": {}}},
        {"_meta": {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "roots": {}}}},
    ],
    ids=["handshake", "every request"],
)
def test_the_server_does_not_hear_that_a_client_could_ask(
    params: dict[str, object], tmp_path: Path
) -> None:
    sent = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})

    heard = Tap(tmp_path / "calls.jsonl").sent(sent.encode())

    assert b"elicitation" not in heard
    assert b"roots" in heard


def test_without_an_assistant_it_says_how_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSISTANT", raising=False)
    monkeypatch.setattr(sys, "argv", ["evals"])

    with pytest.raises(SystemExit, match="make evals ASSISTANT='claude -p"):
        main()


def test_the_page_lists_every_task() -> None:
    page = (ROOT / "docs/evals.md").read_text(encoding="utf-8")

    listed = [line for line in page.splitlines() if line.startswith("| `")]

    assert listed == [f"| `{task.id}` | {task.about} |" for task in TASKS.values()]


@pytest.mark.machines
@pytest.mark.parametrize("file", [RIGHT, WRONG], ids=["right", "wrong"])
def test_a_client_as_a_program_is_judged_as_one_in_this_process(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    # This client could put a question to its user, and would say yes.
    script = next(one for one in scripts(file) if one.task == "no-to-activation")
    command = f"{SCRIPTED} '{file.as_posix()}' {{config}} {{prompt}}"

    done = attempt(Assistant(command, deadline=100), TASKS[script.task], 1)

    assert done.reasons == tuple(script.reasons)
    assert done.calls == tuple(tool for tool, _ in script.calls)
    assert done.tokens > 100
