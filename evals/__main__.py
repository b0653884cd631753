"""`python -m evals`: the command line of the evaluations."""

import argparse
import os
import sys
from pathlib import Path

from evals.run import Assistant, Try, kept, row, run, summed_up, written
from evals.tasks import all_tasks

_HOW = """\
Give the command of an assistant, in which {prompt} and {config} are put:

  make evals ASSISTANT='claude -p {prompt} --mcp-config {config} --strict-mcp-config \\
    --allowedTools mcp__leadpipe'

docs/evals.md shows others. TASKS='plain-brief no-to-activation', TRIES=1, AT_ONCE=4 and
DEADLINE=600 may stand beside it. It costs what the model's provider takes for it.
"""


def main() -> None:
    """Run the tasks, print the table, and write the results to a file."""
    asked = os.environ.get
    parser = argparse.ArgumentParser(prog="python -m evals", description="Evaluate an assistant.")
    add = parser.add_argument
    add("--assistant", default=asked("ASSISTANT", ""), help="The command, with {prompt}, {config}.")
    add("--tasks", nargs="*", default=asked("TASKS", "").split(), help="Which; default: all.")
    add("--tries", type=int, default=int(asked("TRIES", "3")), help="Of each task. Default: 3.")
    add("--at-once", type=int, default=int(asked("AT_ONCE", "1")), help="Tries at a time.")
    add("--deadline", type=float, default=float(asked("DEADLINE", "300")), help="Seconds a try.")
    add("--results", type=Path, default=Path("evals-results.json"), help="Where the JSON goes.")
    given = parser.parse_args()
    tasks = {task.id: task for task in all_tasks()}
    if not given.assistant:
        sys.exit(_HOW)
    if unknown := set(given.tasks) - set(tasks):
        sys.exit(f"There is no task {', '.join(sorted(unknown))}. There are: {', '.join(tasks)}.")
    chosen = [tasks[name] for name in given.tasks or tasks]
    assistant = Assistant(given.assistant, given.deadline)
    if not Path(assistant.program).is_absolute():
        sys.exit(f"There is no program {assistant.program!r} here.")
    results: list[list[Try]] = []
    for task, tries in zip(chosen, run(assistant, chosen, given.tries, given.at_once), strict=True):
        results.append(tries)
        print(f"{task.id}: {sum(not one.reasons for one in tries)} of {len(tries)}")
        for one in tries:
            sys.stdout.writelines(f"  try {one.number}: {reason}\n" for reason in one.reasons)
        given.results.write_text(kept(given.assistant, results), encoding="utf-8")
    rows = [row(task, tries) for task, tries in zip(chosen, results, strict=True)]
    print("", *written(rows), "", summed_up(results), sep="\n")
    print(f"All answers and reasons are in {given.results}.")


if __name__ == "__main__":
    main()
