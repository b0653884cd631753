"""What an operator sees of the server: counts, and traces."""

import json
import os
import sys
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.hosting import machines
from tests.hosting.conftest import HEADERS, Host

pytestmark = pytest.mark.anyio
KEY = "sk_live_anna_0001"
NOBODY = "6fb81599-f601-4afe-b3ff-e8a211cae27d"
TRACE = "0af7651916cd43dd8448eb211c80319c"


async def test_calls_are_counted_by_tool_and_outcome(host: Host) -> None:
    async with host(metrics=True) as hosted, hosted.http() as http:
        async with hosted.client(KEY) as client:
            await client.call_tool("list_audiences", {})
            await client.call_tool("get_audience", {"id": NOBODY})
        await hosted.post()
        shown = (await http.get("/metrics")).text
    assert 'leadpipe_calls_total{outcome="ok",tool="list_audiences"} 1.0' in shown
    assert 'leadpipe_calls_total{outcome="refused:NotFound",tool="get_audience"} 1.0' in shown
    assert 'leadpipe_call_seconds_count{tool="list_audiences"} 1.0' in shown
    assert 'leadpipe_upstream_requests_total{tool="list_audiences"} 1.0' in shown
    assert 'leadpipe_http_answers_total{status="401"} 1.0' in shown
    assert "sk_" not in shown


async def test_counts_are_shown_only_if_asked_for(host: Host) -> None:
    async with host() as hosted, hosted.http() as http:
        assert (await http.get("/metrics")).status_code == 404


async def test_what_other_processes_count_in_the_same_folder_is_shown(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    program = (
        "from leadpipe_mcp.hosting.metrics import Metrics\n"
        "call = dict(tool='list_audiences', outcome='ok', ms=5, requests=2, retries=0)\n"
        "Metrics().count(call)\n"
    )
    await anyio.run_process([sys.executable, "-c", program])
    async with host(metrics=True) as hosted, hosted.http() as http:
        shown = (await http.get("/metrics")).text
    assert 'leadpipe_upstream_requests_total{tool="list_audiences"} 2.0' in shown


@pytest.mark.parametrize(("endpoint", "name"), [("http://127.0.0.1:1", "leadpipe-mcp"), ("", None)])
async def test_spans_have_the_server_s_name_and_are_made_only_for_a_collector(
    endpoint: str, name: str | None
) -> None:
    # A process of its own, as it has one way to trace from its beginning to its end.
    program = (
        "from opentelemetry import trace\n"
        "from leadpipe_mcp.hosting.tracing import trace_if_asked\n"
        "trace_if_asked()\n"
        "resource = getattr(trace.get_tracer_provider(), 'resource', None)\n"
        "print(resource and resource.attributes['service.name'])\n"
    )
    variables = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    done = await anyio.run_process([sys.executable, "-c", program], env=variables)
    assert done.stdout.decode().strip() == str(name)


@pytest.fixture
def collector() -> Generator[tuple[str, list[bytes]]]:
    """Listen for spans on this machine."""
    came: list[bytes] = []

    class Collecting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collecting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", came
        server.shutdown()


@pytest.mark.machines
async def test_spans_reach_a_collector_and_the_log_names_the_trace(
    tmp_path: Path, collector: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, came = collector
    monkeypatch.setitem(machines.ENVIRONMENT, "OTEL_EXPORTER_OTLP_ENDPOINT", address)
    log = tmp_path / "log"
    meta = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    params = {"name": "list_audiences", "arguments": {}, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    with machines.server(log, sandbox="1", log_json="1") as (port, process):
        async with httpx2.AsyncClient(headers=HEADERS, timeout=30) as http:
            await http.post(f"http://127.0.0.1:{port}/mcp", json=body)
        process.terminate()
        process.wait(20)
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [line.get("traceId") for line in lines if "tool" in line] == [TRACE]
    assert bytes.fromhex(TRACE) in b"".join(came)
    assert b"tools/call list_audiences" in b"".join(came)
