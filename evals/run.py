"""The runner: gives every task to an assistant that is started from a command line."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from evals.judge import judge
from evals.tasks import Task
from evals.world import World, in_toml
from leadpipe_mcp.clients.files import is_ours

CHARACTERS_PER_TOKEN = 4
_HEAD = ("task", "passed", "calls", "tokens", "seconds", "what it looks at")


@dataclass(frozen=True)
class Try:
    """One try of a task."""

    task: str
    number: int
    reasons: tuple[str, ...]
    """Why it has failed."""
    calls: tuple[str, ...]
    """The tools that were called, in order."""
    tokens: int
    """Of the tools' replies: characters / 4."""
    seconds: float
    answer: str


@dataclass(frozen=True)
class Assistant:
    """How an assistant is started, and how long it may take.

    `template` is a command in which {prompt} is what the user says, {config} the path of a file
    with `mcpServers`, and {toml} the same entry as an inline table.
    """

    template: str
    deadline: float = 300
    running: "set[subprocess.Popen[bytes]]" = field(
        default_factory=set["subprocess.Popen[bytes]"], init=False, compare=False
    )
    ended: threading.Event = field(default_factory=threading.Event, init=False, compare=False)

    @property
    def program(self) -> str:
        """What is started, by its whole path if it is there."""
        named = shlex.split(self.template)[0]
        found = shutil.which(named)
        return str(Path(found).absolute()) if found else named

    def command(self, prompt: str, config: Path, toml: str) -> list[str]:
        """Return the words of the command."""
        # The prompt comes last: what looks like a place in it is the user's.
        put = {"{config}": str(config), "{toml}": toml, "{prompt}": prompt}
        words = shlex.split(self.template)
        for place, text in put.items():
            words = [word.replace(place, text) for word in words]
        return [self.program, *words[1:]]

    def answer(self, command: Sequence[str], folder: Path) -> tuple[str, str]:
        """Return what it said in the end, and what went wrong with it as a program."""
        environment = {name: text for name, text in os.environ.items() if not is_ours(name)}
        with subprocess.Popen(  # noqa: S603 -- the command is the user's own
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            self.running.add(process)
            if self.ended.is_set():
                _end(process)
            try:
                said, noise = process.communicate(timeout=self.deadline)
            except subprocess.TimeoutExpired:
                _end(process)
                return "", f"it took more than {self.deadline:g} seconds"
            finally:
                self.running.discard(process)
        lines = noise.decode(errors="replace").strip().splitlines()
        failed = f"it ended with status {process.returncode}: {lines[-1] if lines else ''}"
        return said.decode(errors="replace"), failed * bool(process.returncode)

    def end(self) -> None:
        """End every conversation that goes on, and those that are just beginning."""
        self.ended.set()
        for process in list(self.running):
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End an assistant and what it has started."""
    if sys.platform == "win32":
        process.kill()
    else:
        # It may have come to its end meanwhile.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def attempt(assistant: Assistant, task: Task, number: int) -> Try:
    """Give a task to the assistant once, in an account of its own."""
    with _folder() as name:
        folder, log = Path(name).resolve(), Path(name).resolve() / "calls.jsonl"
        # Empty: an assistant that looks around finds nothing about the task.
        desk = folder / "desk"
        desk.mkdir()
        world = World(task.given, folder)
        before = world.account()
        with world.served() as url:
            entry, config = world.entry(url, log), folder / "mcp.json"
            config.write_text(json.dumps({"mcpServers": {"leadpipe": entry}}), encoding="utf-8")
            began = time.monotonic()
            command = assistant.command(task.prompt, config, in_toml(entry))
            answer, failed = assistant.answer(command, desk)
            seconds = time.monotonic() - began
        after, changes = world.account(), world.changes()
        calls = [json.loads(line) for line in _lines(log)]
    reasons = [failed] if failed else judge(task.then, before, after, changes, answer)
    tokens = sum(call["characters"] for call in calls) // CHARACTERS_PER_TOKEN
    tools = tuple(call["tool"] for call in calls)
    return Try(task.id, number, tuple(reasons), tools, tokens, round(seconds, 1), answer)


def _folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for one try; where a server is slow to end, what it holds open stays behind."""
    return tempfile.TemporaryDirectory(prefix="leadpipe-evals-", ignore_cleanup_errors=True)


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def run(
    assistant: Assistant, tasks: Sequence[Task], tries: int, at_once: int = 1
) -> Generator[list[Try]]:
    """Yield the tries of each task, as soon as they are there; whoever stops here ends the rest."""
    pool = ThreadPoolExecutor(at_once)
    begun = [
        [pool.submit(attempt, assistant, task, number) for number in range(1, tries + 1)]
        for task in tasks
    ]
    try:
        for several in begun:
            yield [one.result() for one in several]
    finally:
        # Each conversation costs something.
        pool.shutdown(wait=False, cancel_futures=True)
        assistant.end()
        pool.shutdown()


def row(task: Task, tries: Sequence[Try]) -> list[str]:
    """Return a task's line of the table, with medians of its tries."""
    passed = sum(not one.reasons for one in tries)
    return [
        task.id,
        f"{passed} of {len(tries)}",
        f"{median(len(one.calls) for one in tries):g}",
        f"{median(one.tokens for one in tries):,.0f}",
        f"{median(one.seconds for one in tries):.0f}",
        task.about,
    ]


def written(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of the table."""
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    for cells in (_HEAD, *rows):
        padded = (
            cell.rjust(width) if place in {1, 2, 3, 4} else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        yield "  ".join(padded).rstrip()


def summed_up(results: Sequence[Sequence[Try]]) -> str:
    """Return what all tasks come to: those that passed every time, and all tries."""
    every = [one for tries in results for one in tries]
    always = sum(not any(one.reasons for one in tries) for tries in results)
    passed, most = sum(not one.reasons for one in every), max(map(len, results))
    return (
        f"pass^{most}: {always} of {len(results)} tasks passed every time;"
        f" {passed} of {len(every)} tries passed."
    )


def kept(template: str, results: Sequence[Sequence[Try]]) -> str:
    """Return the results as JSON."""
    tries = [asdict(one) for several in results for one in several]
    return json.dumps({"assistant": template, "tries": tries}, ensure_ascii=False, indent=1)
