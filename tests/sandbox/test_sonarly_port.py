"""Sonarly on a real port. It takes a moment: a second Python has to start."""

import subprocess
import sys

import httpx
import pytest

SERVE = "from tests.faults.service import SonarlySettings, serve; serve(SonarlySettings())"


def test_sonarly_is_served_when_its_settings_are_given() -> None:
    headers = {"Authorization": "Bearer sk_sandbox"}
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, headers=headers, timeout=10) as client:
            group = client.get("/v1/accounts").json()["data"]["items"][0]
            assert group["name"] == "Acme Growth"
            path = f"/v1/accounts/{group['id']}/audiences"
            assert client.get(f"{path}?limit=1").json()["data"]["hasMore"] is True
            assert client.get(f"{path}/a%2Fprospects").status_code == 400
            client.post("/_sandbox/faults", json={"kind": "reset"})
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                client.get(path)
        process.send_signal(2)
        assert process.wait(timeout=10) == 0
