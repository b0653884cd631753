"""Whether the tests notice small faults in the code: `make mutants`.

Every test is run once, to learn which lines it reaches and how long it takes. Then each change of
changes.py is made in a process of its own, and the tests that reach its lines are run there, the
nearest first, until one fails. A change that none notices survives. survivors.toml names those that
may, with the reason; any other is a gap in the tests.
"""

import argparse
import functools
import gc
import importlib
import os
import pickle
import signal
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from coverage import Coverage

from tests.mutants.changes import PACKAGE, Change, changes_of

TESTS = PACKAGE.parent / "tests"
SURVIVORS = Path(__file__).with_name("survivors.toml")
ROOMS = ["vocabulary", "planning", "toolkit", "people/privacy.py", "api/settling.py"]
# Their tests start processes, or read what is not code.
LEFT_OUT = {"clients", "docs", "evals", "mutants", "package", "sandbox"}
GOAL = 0.9
SECONDS_EXPLAINED, SECONDS = 5.0, 40.0
"""So much of the processor do the tests take, without a change, that are tried on one: one that
may survive, and any other."""
PATIENCE = 10.0
"""A test that takes seconds more, and ten times its own, never ends: the change is noticed."""
NOTICED = {1 << 8, int(signal.SIGALRM)}
Reached = dict[tuple[str, int], set[str]]
"""The tests that reach each line of each file."""


@dataclass(eq=False)
class Mutants:
    """A plugin for pytest: the tests are collected by it, and run when a change needs them."""

    changes: list[Change]
    explained: set[str]
    say: Callable[[str], object]
    survived: list[str] = field(default_factory=list[str])
    failed: str = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what failed."""
        if report.failed:
            self.failed = f"{report.nodeid}\n{report.longreprtext}"

    def pytest_internalerror(self, excrepr: object) -> None:
        """Keep what is wrong with this plugin, or with pytest."""
        self.failed = str(excrepr)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop."""
        # What is imported and built by a first call is there for all that follow.
        for item, after in in_turn({item.path: item for item in session.items}.values()):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        for file in {change.file for change in self.changes}:
            importlib.import_module(
                ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
            )
        functions, caches = in_memory()
        reached, seconds = self.look(session.items)
        if self.failed:
            pytest.exit("A test fails already.", 1)
        items = {item.nodeid: item for item in session.items}
        workers, running, began = os.cpu_count() or 1, dict[int, Change](), time.monotonic()
        for number, change in enumerate(self.changes, 1):
            limit = SECONDS_EXPLAINED if change.name in self.explained else SECONDS
            if near := nearest(change, reached, seconds, limit):
                if len(running) == workers:
                    self.wait(running)
                tests = {items[name]: PATIENCE + 10 * seconds[name] for name in near}
                trying = partial(self.try_out, change, functions, caches, tests)
                running[in_a_process(trying)] = change
            else:
                self.survives(change)
            if number % 200 == 0:
                self.say(f"{number:,} of {len(self.changes):,}, {time.monotonic() - began:.0f} s")
        while running:
            self.wait(running)
        return True

    def survives(self, change: Change) -> None:
        """Keep what survived, and name it if nothing says why it may."""
        self.survived.append(change.name)
        if change.name not in self.explained:
            self.say(change.name)

    def wait(self, running: dict[int, Change]) -> None:
        """Wait until one of the changes has been noticed, or not."""
        pid, status = os.wait()
        change = running.pop(pid)
        if status == 0:
            self.survives(change)
        elif status not in NOTICED:
            raise SystemExit(f"The process ended with {status}: {change.name}")

    def look(self, items: Sequence[pytest.Item]) -> tuple[Reached, dict[str, float]]:
        """Run every test, a part in each of some processes; what it reaches, and its seconds."""
        reached, seconds = Reached(), dict[str, float]()
        workers = os.cpu_count() or 1
        with tempfile.TemporaryDirectory() as folder:
            results = [Path(folder, str(number)) for number in range(workers)]
            for number, result in enumerate(results):
                share = -(-len(items) // workers)
                part = items[number * share : (number + 1) * share]
                in_a_process(partial(self.look_at, part, result))
            statuses = [os.wait()[1] for _ in results]
            if any(statuses):
                pytest.exit("Nobody could look which lines the tests reach.", 1)
            for result in results:
                failed, lines, its_seconds = pickle.loads(result.read_bytes())  # noqa: S301 -- ours
                self.failed = self.failed or failed
                seconds |= its_seconds
                for place, names in lines.items():
                    reached.setdefault(place, set()).update(names)
        self.say(f"{len(seconds):,} tests, {sum(seconds.values()):.0f} s of them")
        return reached, seconds

    def look_at(self, items: Sequence[pytest.Item], result: Path) -> int:
        """Run some tests, and write down what each reaches and how long it takes."""
        seconds: dict[str, float] = {}
        files = sorted({str(change.file) for change in self.changes})
        coverage = Coverage(data_file=None, include=files, config_file=False)
        coverage.set_option("run:disable_warnings", ["no-data-collected"])
        coverage.start()
        for item, after in in_turn(items):
            coverage.switch_context(item.nodeid)
            began = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            seconds[item.nodeid] = time.process_time() - began
        coverage.stop()
        data = coverage.get_data()
        reached = {
            (file, line): set(names) - {""}
            for file in data.measured_files()
            for line, names in data.contexts_by_lineno(file).items()
        }
        result.write_bytes(pickle.dumps((self.failed, reached, seconds)))
        return 0

    def try_out(
        self,
        change: Change,
        functions: Sequence[FunctionType],
        caches: Sequence[Any],
        tests: Mapping[pytest.Item, float],
    ) -> int:
        """Make the change, and run tests, each for so long at most, until one fails: 1 if so."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        # If it cannot be made, this process ends with another number, and the run says so.
        change.make([f for f in functions if f.__code__.co_filename == str(change.file)])
        try:
            for cache in caches:
                cache.cache_clear()
            for item, after in in_turn(tests):
                signal.setitimer(signal.ITIMER_REAL, tests[item])
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if self.failed:
                    return 1
        except BaseException:  # noqa: BLE001 -- whatever it is, the change made it
            return 1
        return 0


def in_a_process(work: Callable[[], int]) -> int:
    """Do the work in a copy of this process, which ends with what that returns; its number."""
    if pid := os.fork():
        return pid
    try:
        os._exit(work())
    finally:
        os._exit(2)


def in_memory() -> tuple[list[FunctionType], list[Any]]:
    """The functions of the package, and what remembers their results."""
    gc.unfreeze()
    # An inner function that a call left behind cannot be changed, and need not be.
    gc.collect()
    things = gc.get_objects()
    gc.freeze()
    functions = [one for one in things if isinstance(one, FunctionType)]
    cached: type[Any] = type(functools.cache(in_memory))
    caches: list[Any] = [one for one in things if isinstance(one, cached)]
    return (
        [one for one in functions if one.__code__.co_filename.startswith(str(PACKAGE))],
        [one for one in caches if str(one.__module__).startswith(PACKAGE.name)],
    )


def in_turn(items: Iterable[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each test, and the one after it: what they share is kept between them."""
    ordered = list(items)
    return zip(ordered, [*ordered[1:], None], strict=True)


def nearest(
    change: Change, reached: Reached, seconds: Mapping[str, float], limit: float
) -> list[str]:
    """Some tests that reach the change: its room's first, and the quick ones, a case of each."""
    room = f"tests/{change.file.relative_to(PACKAGE).parts[0]}/"
    found = {name for line in change.lines for name in reached.get((str(change.file), line), ())}
    if not found:
        # What is remembered has run before any test, and is forgotten where it is changed.
        found = {
            name for (file, _), its in reached.items() if file == str(change.file) for name in its
        }
    spent, order = dict[str, float](), list[tuple[bool, float, str]]()
    for name in sorted(found, key=lambda name: (seconds[name], name)):
        # A table of many quick cases comes before the second case of a slow one.
        function = name.partition("[")[0]
        spent[function] = spent.get(function, 0) + seconds[name]
        order.append((not name.startswith(room), spent[function], name))
    chosen = list[str]()
    for *_, name in sorted(order):
        if (limit := limit - seconds[name]) < 0 and chosen:
            break
        chosen.append(name)
    return chosen


def main() -> int:
    """Make every change, and say which ones survive without a reason."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.mutants")
    parser.add_argument("rooms", nargs="*", default=ROOMS, help="folders and files of the package")
    parser.add_argument("--tests", nargs="+", help="only these, instead of all that could notice")
    parser.add_argument("--only", default="", help="only the changes whose names hold this")
    options = parser.parse_args()
    files = [file for room in options.rooms for file in python_files(PACKAGE / room)]
    changes = [one for file in files for one in changes_of(file) if options.only in one.name]
    terminal = os.dup(1)
    groups = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["because"]
    explained = {name for group in groups for name in group["changes"]}
    mutants = Mutants(changes, explained, lambda text: os.write(terminal, f"{text}\n".encode()))
    tests = options.tests or [
        str(one)
        for one in sorted(TESTS.iterdir())
        if one.match("test_*.py") or (one.name not in LEFT_OUT and any(one.glob("test_*.py")))
    ]
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        status = pytest.main(
            [*tests, "-q", "-s", "--tb=native", "-p", "no:cacheprovider"], plugins=[mutants]
        )
    if status:
        mutants.say(f"pytest ended with {status!r}. {mutants.failed}")
        return 1
    return judge(mutants)


def python_files(place: Path) -> list[Path]:
    """The file, or the files of the folder."""
    return [place] if place.suffix else sorted(place.glob("*.py"))


def judge(mutants: Mutants) -> int:
    """Say how many were noticed, and hold the survivors against those that are explained."""
    made, kept = Counter[str](), Counter[str]()
    for change in mutants.changes:
        made[change.name.split()[0].rstrip(":")] += 1
    kept.update(name.split()[0].rstrip(":") for name in mutants.survived)
    for file, number in made.items():
        mutants.say(f"{file}: {number - kept[file]} of {number} noticed")
    unexplained = [name for name in mutants.survived if name not in mutants.explained]
    noticed = 1 - len(mutants.survived) / len(mutants.changes)
    tried = {change.name for change in mutants.changes}
    for name in sorted(mutants.explained & tried - set(mutants.survived)):
        mutants.say(f"explained, but noticed: {name}")
    mutants.say(
        f"{len(tried):,} changes: {noticed:.1%} noticed (goal {GOAL:.0%}), "
        f"{len(mutants.survived)} survive, {len(unexplained)} of them without a reason"
    )
    return int(noticed < GOAL or bool(unexplained))


if __name__ == "__main__":
    raise SystemExit(main())
