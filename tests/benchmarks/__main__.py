"""What is promised of speed, measured: `make bench`.

Every table is printed, held against docs/performance.md, and written there when all is done. It
ends with 1 where a figure is further from the page's than the table says, or where a goal that was
met is missed.
"""

import argparse
import datetime as dt
import os
import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.benchmarks import calls, jobs, people, plan, team, tokens
from tests.benchmarks.page import PAGE, Table, put
from tests.benchmarks.servers import a_home_of_its_own

TABLES: dict[str, Callable[[], Table | None]] = {
    "start": calls.start,
    "calls": calls.near,
    "distance": calls.far,
    "in-flight": calls.in_flight,
    "read-first": tokens.read_first,
    "answers": tokens.answers,
    "jobs": jobs.measure,
    "plan": plan.measure,
    "people": people.measure,
    "team-processes": partial(team.measure, team.processes),
    "team-memory": partial(team.measure, team.memory),
    "team-fairness": partial(team.measure, team.fairness),
}


def machine() -> str:
    """When and on what this is measured."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.machine()
    return (
        f"Last measured on {dt.datetime.now(dt.UTC).date()}: {os.cpu_count()} cores of {name}, "
        f"{platform.system()}, Python {platform.python_version()}."
    )


def main() -> int:
    """Measure the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.benchmarks")
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="all, if none is named")
    parser.add_argument("--print", action="store_true", help="leave the page as it is")
    options = parser.parse_args()
    if not options.tables and not Path("/proc/self/status").exists():
        parser.error("what a process holds is read from /proc, which only Linux has")
    print(machine(), end="\n\n")
    written = {} if options.tables else {"machine": machine()}
    others = list[str]()
    with a_home_of_its_own():
        for name in options.tables or TABLES:
            if table := TABLES[name]():
                print(table, end="\n\n", flush=True)
                others += table.others(name, PAGE.read_text(encoding="utf-8"))
                written[name] = str(table)
    if not options.print:
        put(written)
    print("\n".join(others or ["Every figure is as near to the page's as it says."]))
    return bool(others)


if __name__ == "__main__":
    raise SystemExit(main())
