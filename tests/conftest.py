"""What every test shares: the eras of the protocol, and time that need not pass."""

import asyncio
import gc
import json
import logging
import selectors
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.connections import Application

Backend = tuple[str, dict[str, Callable[[], asyncio.AbstractEventLoop]]]


def pytest_collection() -> None:
    """Collect no garbage while the tests are read: nearly all of it stays to the end."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end: looking through it takes its time."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    gc.enable()


@pytest.fixture
def anyio_backend() -> object:
    return "asyncio"


@pytest.fixture
def no_waiting() -> Backend:
    """A backend on which sleeps and deadlines pass at once, as soon as all that can happen has.

    For tests without a network and without other processes: what those do takes real time.
    """
    return ("asyncio", {"loop_factory": _Leaping})


@pytest.fixture(scope="session", autouse=True)
def schemas_checked_once() -> Iterator[None]:
    """The client checks each schema anew in each session: longer than all else here takes."""
    check, seen = Draft202012Validator.check_schema, set[str]()

    def once(schema: dict[str, Any]) -> None:
        text = json.dumps(schema, sort_keys=True)
        if text not in seen:
            check(schema)
            seen.add(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", once)
        yield


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """How a client speaks: the revision of 2026-07-28, or the handshake of those before it."""
    return request.param


@pytest.fixture
def logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test sets up for the log of its process ends with the test."""
    root, ours = logging.getLogger(), logging.getLogger("leadpipe_mcp")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    for module, name in (
        (warnings, "showwarning"),
        (sys, "excepthook"),
        (sys, "unraisablehook"),
        (threading, "excepthook"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


class _Leaping(asyncio.SelectorEventLoop):
    """An event loop whose clock leaps to the next timer where there is nothing else to do."""

    def __init__(self) -> None:
        self.leapt = 0.0
        super().__init__(_Leaps(self))

    def time(self) -> float:
        return time.monotonic() + self.leapt


class _Leaps(selectors.DefaultSelector):
    def __init__(self, loop: _Leaping) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # In this order: what a thread has done is there to be selected before it is idle.
        is_awaited = self._is_awaited()
        ready = super().select(0)
        if ready or timeout is None or timeout <= 0:
            return ready or super().select(timeout)
        if is_awaited:
            # Its end may have been told already: then nothing more comes.
            return super().select(min(timeout, 0.005))
        self._loop.leapt += timeout
        return []

    def _is_awaited(self) -> bool:
        """Whether a thread is at work for the loop: that takes the time that it takes."""
        workers = (one for one in threading.enumerate() if one.name == "AnyIO worker thread")
        return any(
            getattr(worker, "loop", None) is self._loop
            and getattr(worker, "queue").unfinished_tasks  # noqa: B009 -- a thread has none by type
            for worker in workers
        )


@pytest.fixture
def altered() -> Callable[[Application, Mapping[str, Application]], Application]:
    """An application with other answers to some requests: those like "GET /filters"."""

    def altered(application: Application, changes: Mapping[str, Application]) -> Application:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            asked = f"{scope['method']} {scope['path']}"
            for request, other in changes.items():
                method, _, path = request.partition(" ")
                if asked.startswith(f"{method} ") and asked.endswith(path):
                    await other(scope, receive, send)
                    return
            await application(scope, receive, send)

        return answer

    return altered
