"""The page on hosting, and the files beside it, say what is so."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.settings import variable
from tests.hosting.conftest import Host

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "hosting.md").read_text("utf-8")
FILES = {path.name: path.read_text("utf-8") for path in (DOCS / "hosting").iterdir()}
KNOWN = {variable(name) for name in HostingSettings.model_fields}


def test_no_setting_is_named_that_there_is_not() -> None:
    named = set(re.findall(r"\b(?:LEADPIPE|SONARLY)_[A-Z_]+\b", PAGE + "".join(FILES.values())))
    assert named <= KNOWN


def test_each_client_s_configuration_can_be_read_and_sends_a_key() -> None:
    read = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    read += [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
    servers = [
        next(iter(config.get(name, {}).values()))
        for config in read
        for name in ("mcpServers", "servers", "mcp_servers")
        if name in config
    ]
    assert len(servers) == len(read) == 3
    for server in servers:
        assert server["url"].endswith("/mcp")
        assert "Bearer $" in str(server.get("headers")) or "bearer_token_env_var" in server


@pytest.mark.anyio
async def test_every_count_that_is_shown_is_named(host: Host) -> None:
    async with host(metrics=True) as hosted, hosted.http() as http:
        shown = re.findall(r"^# TYPE (\w+)", (await http.get("/metrics")).text, re.MULTILINE)
    assert len(shown) >= 5
    assert set(shown) <= set(re.findall(r"`(leadpipe_\w+)`", PAGE))


@pytest.mark.machines
@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="needs nginx and openssl"
)
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    names = ["privkey.pem", "fullchain.pem"]
    request = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost"]
    key_and_certificate = ["-keyout", names[0], "-out", names[1]]
    subprocess.run([*request, *key_and_certificate], cwd=tmp_path, check=True, capture_output=True)
    ours = FILES["nginx.conf"].replace("/etc/ssl/leadpipe", str(tmp_path))
    (tmp_path / "ours.conf").write_text(ours)
    whole = f"events {{}} http {{ access_log off; include {tmp_path}/ours.conf; }}"
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"pid {tmp_path}/pid; error_log stderr; {whole}")
    command = ["nginx", "-t", "-e", "stderr", "-p", str(tmp_path), "-c", str(conf)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


@pytest.mark.machines
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_takes_its_file(tmp_path: Path) -> None:
    unit = tmp_path / "leadpipe-mcp.service"
    # Not there on this machine, and another's path may have a space in it.
    unit.write_text(FILES[unit.name].replace("/opt/leadpipe-mcp/bin/leadpipe-mcp", "/bin/true"))
    verify = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(verify, capture_output=True, check=False, text=True)
    # It looks at other units of the machine as well.
    assert unit.name not in done.stderr
