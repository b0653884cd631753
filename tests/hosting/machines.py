"""Two processes of the server behind nginx, with Redis: as on two machines."""

import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.processes import COMMAND, ENVIRONMENT, running

SECRET = "0123456789abcdef" * 4
READY_SECONDS = 30
NGINX = """
daemon off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u;
  scgi_temp_path s;
  upstream leadpipe {{ {servers} keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://leadpipe;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host:$server_port;
      proxy_buffering off;
      proxy_next_upstream error timeout non_idempotent;
    }}
  }}
}}
"""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(port: int) -> None:
    """Wait until somebody listens on the port."""
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


@contextmanager
def redis(folder: Path, port: int) -> Generator[subprocess.Popen[str]]:
    """Start a redis-server that keeps nothing on a disk."""
    command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(folder)]
    with running(subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)) as process:
        wait_for(port)
        yield process


@contextmanager
def nginx(folder: Path, ports: list[int]) -> Generator[str]:
    """Start an nginx that gives its requests to these ports in turn; return where it is."""
    port = free_port()
    servers = " ".join(f"server 127.0.0.1:{one} max_fails=1 fail_timeout=1s;" for one in ports)
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(servers=servers, port=port))
    command = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(conf)]
    with running(subprocess.Popen(command, text=True)) as process:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(10)


@contextmanager
def server(log: Path, **settings: str) -> Generator[tuple[int, subprocess.Popen[str]]]:
    """Start a server on a free port, with these settings."""
    port = free_port()
    named = {f"LEADPIPE_{name.upper()}": value for name, value in settings.items()}
    command = [*COMMAND, "serve", "--http", "--port", str(port)]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, env=ENVIRONMENT | named, stderr=stderr, text=True)
        with running(process):
            wait_for(port)
            # It takes connections before it can answer.
            httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=READY_SECONDS)
            yield port, process


@contextmanager
def sandbox() -> Generator[str]:
    """Start the services that all processes ask; return where they are."""
    port = free_port()
    command = [*COMMAND, "sandbox", "--port", str(port)]
    with running(subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True)):
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
