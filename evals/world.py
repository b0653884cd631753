"""The account of one try: both sandboxes, as a task says, and what is in them at a moment."""

import csv
import json
import socket
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from evals.tasks import Given
from leadpipe_mcp.sandbox import SandboxSettings, SonarlySettings
from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.matching import match
from leadpipe_mcp.sandbox.serve import KEY, both
from leadpipe_mcp.sandbox.simulator import Form, is_object
from leadpipe_mcp.sandbox.store import Organisation, furnish, newest_data
from leadpipe_mcp.sandbox.topics import find_topic, inventory
from tests.faults.service import READING, Recorded, Sandbox, SonarlySandbox

DAY = datetime(2026, 5, 5, 9, 15, tzinfo=UTC).timestamp()
"""When every task is done: whom the sandbox invents, and how many, depends on the moment."""
PEOPLE = 20_000
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class SavedAudience:
    """An audience as it is at a moment."""

    name: str
    status: str
    topics: tuple[str, ...]
    config: Config
    size: int
    """How many people the config finds on the newest day."""
    refreshes: int
    """How many runs somebody asked for."""


@dataclass(frozen=True)
class File:
    """A file in the folder of exports."""

    name: str
    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class Account:
    """Everything that a task may change, as it is at a moment."""

    audiences: dict[str, SavedAudience]
    """By id."""
    slots: int
    pixels: dict[str, str]
    """The status of each, by domain."""
    lists: dict[str, tuple[str, str | None]]
    """Sonarly's: type and folder, by name; there may be no two of a name."""
    folders: tuple[str, ...]
    files: tuple[File, ...]
    other: str
    """Descriptions, paths of pixels: what no task changes, to be compared."""


@cache
def _ids() -> dict[str, int]:
    """Return the id of each topic, by name."""
    return {topic.name: topic.id for topic in inventory()}


class World:
    """Both services for one try, and the folder for its files."""

    def __init__(self, given: Given, folder: Path) -> None:
        self.exports, self._cache = folder / "exports", folder / "cache"
        settings = SandboxSettings(
            profile=given.profile, people=PEOPLE, run_seconds=0, slots=given.slots
        )
        self.leadpipe = Sandbox(settings, clock=lambda: DAY)
        self.sonarly = SonarlySandbox(SonarlySettings(people=PEOPLE), clock=lambda: DAY)
        self._organisation = Organisation(KEY, settings)
        self.leadpipe.organisations[KEY] = self._organisation
        furnish(self._organisation, DAY)
        ids = _ids() if given.audiences else {}
        for one in given.audiences:
            form = Form(
                {
                    "topicIds": [ids[name] for name in one.topics],
                    "minScore": one.minScore,
                    "filters": one.filters,
                }
            )
            config = read_config(form, settings)
            form.check()
            self._organisation.create(one.name, config, one.status, DAY)

    def environment(self, url: str) -> dict[str, str]:
        """Return the variables of a server that works with this account."""
        return {
            "LEADPIPE_BASE_URL": url,
            "LEADPIPE_API_KEY": KEY,
            "SONARLY_BASE_URL": url,
            "SONARLY_API_KEY": KEY,
            "LEADPIPE_TOOLSETS": "all",
            "LEADPIPE_EXPORT_DIR": str(self.exports),
            "LEADPIPE_CACHE_DIR": str(self._cache),
            "LEADPIPE_LOG_LEVEL": "WARNING",
        }

    def changes(self) -> list[Recorded]:
        """Return the requests that changed something, in order."""
        return [
            request
            for request in (*self.leadpipe.requests, *self.sonarly.requests)
            if request.method != "GET"
            and request.status is not None
            and request.status < 400
            and not request.path.endswith(READING)
        ]

    def account(self) -> Account:
        """Return what is there now."""
        pixels = self._organisation.pixels.values()
        saved: dict[str, SavedAudience] = {}
        for one in self._organisation.audiences(DAY):
            topics = [find_topic(number) for number in one.config.topics]
            saved[one.id] = SavedAudience(
                one.name,
                one.status,
                tuple(topic.name for topic in topics if topic),
                one.config,
                match(PEOPLE, one.config, newest_data(DAY)).count,
                sum(run.type == "manual" for run in one.runs),
            )
        (group,) = self.sonarly.groups.values()
        names = {folder.id: folder.name for folder in group.folders.values()}
        lists = group.audiences.values()
        paths = [[one.domain, one.included, one.excluded] for one in pixels]
        return Account(
            saved,
            self._organisation.slots_used,
            {one.domain: one.status for one in pixels},
            {one.name: (one.category, names.get(one.folder_id or "")) for one in lists},
            tuple(names.values()),
            tuple(self._files()),
            json.dumps([paths, [[one.name, one.description] for one in lists]]),
        )

    def _files(self) -> Iterator[File]:
        for path in sorted(self.exports.rglob("*")):
            if path.suffix == ".csv":
                with path.open(encoding="utf-8-sig", newline="") as file:
                    header, *rows = csv.reader(file)
                yield File(path.name, tuple(header), len(rows))
            elif path.is_file() and not path.name.startswith("."):
                lines = path.read_text(encoding="utf-8").splitlines()
                columns = json.loads(lines[0]) if path.suffix == ".jsonl" and lines else ()
                yield File(path.name, tuple(columns), len(lines))

    @contextmanager
    def served(self) -> Generator[str]:
        """Serve both services on a port of this machine, in a thread; hand on the address."""
        import uvicorn

        application = both(self.leadpipe, self.sonarly)
        config = uvicorn.Config(
            application, ws="none", lifespan="off", log_level="warning", access_log=False
        )
        server = uvicorn.Server(config)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                # Connections that a client has left open are not waited for.
                server.should_exit = server.force_exit = True
                thread.join()

    def entry(self, url: str, log: Path) -> dict[str, object]:
        """Return how a client starts the server, with calls noted in a file (evals/tap.py)."""
        return {
            "command": sys.executable,
            "args": ["-m", "evals.tap", str(log)],
            "env": {**self.environment(url), "PYTHONPATH": str(ROOT)},
        }


def in_toml(entry: dict[str, object]) -> str:
    """Return an entry as an inline table, for assistants that take one on the command line."""
    # A JSON text, list or object is TOML once its members are joined by "=".
    pairs = (f"{key}={_value(value)}" for key, value in entry.items())
    return f"{{{','.join(pairs)}}}"


def _value(value: object) -> str:
    return in_toml(value) if is_object(value) else json.dumps(value, ensure_ascii=False)
