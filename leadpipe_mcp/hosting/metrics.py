"""What is counted for an operator, in the text format of Prometheus: never by person or key."""

import os
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadpipe_mcp.logs import CallRecord

SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0)
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes count together; the library reads it when it is imported."""


class Metrics:
    """Counts of one process, or of all that share a folder."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        own = None if FOLDER in os.environ else self._registry
        self._calls = Counter(
            "leadpipe_calls",
            "Calls of tools, by how they ended.",
            ["tool", "outcome"],
            registry=own,
        )
        self._seconds = Histogram(
            "leadpipe_call_seconds", "How long calls took.", ["tool"], buckets=SECONDS, registry=own
        )
        self._requests = Counter(
            "leadpipe_upstream_requests", "Requests to the services.", ["tool"], registry=own
        )
        self._retries = Counter(
            "leadpipe_upstream_retries", "Those that were repetitions.", ["tool"], registry=own
        )
        self.answers = Counter(
            "leadpipe_http_answers", "Answers under /mcp.", ["status"], registry=own
        )
        if own is None:
            MultiProcessCollector(self._registry)

    def count(self, call: CallRecord) -> None:
        """Count a call of a tool."""
        self._calls.labels(call["tool"], call["outcome"]).inc()
        self._seconds.labels(call["tool"]).observe(call["ms"] / 1000)
        self._requests.labels(call["tool"]).inc(call["requests"])
        self._retries.labels(call["tool"]).inc(call["retries"])

    async def show(self, _: Request) -> Response:
        """Answer with everything that was counted."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


class Counted:
    """An application whose answers are counted by their status."""

    def __init__(self, app: ASGIApp, answers: Counter) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count the answer."""

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answers.labels(str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, counting)
