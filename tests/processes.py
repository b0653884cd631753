"""Processes of the server, none of which outlives what it is for; and how a client says hello."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any, AnyStr

Message = dict[str, Any]

DEADLINE_SECONDS = 120
COMMAND = [sys.executable, "-m", "leadpipe_mcp"]
ENVIRONMENT = {name: text for name, text in os.environ.items() if not name.startswith("LEADPIPE_")}
GREETING: Message = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "pipe", "version": "1"},
}
META: Message = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "pipe", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@contextmanager
def running(process: subprocess.Popen[AnyStr]) -> Generator[subprocess.Popen[AnyStr]]:
    """Hand on a process that ends here at the latest, and sooner when it takes too long."""
    deadline = Timer(DEADLINE_SECONDS, process.kill)
    deadline.start()
    try:
        yield process
    finally:
        deadline.cancel()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()
