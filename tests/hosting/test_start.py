"""What stops the server for a team before it starts: a sentence that says what to set."""

import os
import socket
import stat
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from leadpipe_mcp.cli import main
from leadpipe_mcp.hosting.run import said_at_start
from leadpipe_mcp.hosting.settings import HostingSettings

SECRET = "0123456789abcdef" * 4
ISSUER = "https://login.example.com"
KEYS = "with --http callers bring their own keys"


@pytest.fixture(autouse=True)
def only_these_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("LEADPIPE_", "SONARLY_", "OTEL_")):
            monkeypatch.delenv(name)


@pytest.fixture
def taken_port() -> Generator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def refusal(monkeypatch: pytest.MonkeyPatch, *flags: str, **variables: str) -> str:
    """Start the server with these flags and variables, and return why it does not."""
    for name, value in variables.items():
        monkeypatch.setenv(
            name if name.startswith(("SONARLY", "OTEL")) else f"LEADPIPE_{name}", value
        )
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--http", "--port", "0", *flags])
    return str(caught.value.code)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"HOST": "0.0.0.0"}, "PUBLIC_URL: must be set where other machines can reach"),  # noqa: S104 -- refused
        ({"HOST": "mcp.example.com"}, "PUBLIC_URL: must be set where other machines can reach"),
        ({"PUBLIC_URL": "http://mcp.example.com"}, "PUBLIC_URL: must start with https://"),
        ({"OAUTH_ISSUER": ISSUER}, "API_KEY: must be set with LEADPIPE_OAUTH_ISSUER"),
        ({"OAUTH_ISSUER": "login"}, "OAUTH_ISSUER: must be an address like"),
        ({"OAUTH_AUDIENCE": "https://mcp.example.com/mcp"}, "OAUTH_ISSUER: must be set for"),
        ({"API_KEY": "sk_live_team_0001"}, f"API_KEY: {KEYS}, so unset it; or set LEADPIPE_OAUTH"),
        ({"EXPORT_DIR": "/srv/exports"}, "EXPORT_DIR: with --http nobody could get at files there"),
        (
            {"SECRET": "too short"},
            "SECRET: must have 32 characters or more; make one with",
        ),
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "SECRET: must be set with LEADPIPE_REDIS_URL"),
        ({"REDIS_URL": "127.0.0.1:6379"}, "REDIS_URL: must begin with redis://, rediss:// or unix"),
        ({"ALLOWED_ORIGINS": "app.example.com"}, "ALLOWED_ORIGINS: must name pages such as https:"),
        ({"ALLOWED_ORIGINS": "https://a.example/x"}, "ALLOWED_ORIGINS: must name pages such as"),
        (
            {"WORKERS": "2", "SANDBOX": "1"},
            "WORKERS: must be 1 with LEADPIPE_SANDBOX, because",
        ),
        ({"WORKERS": "many"}, "WORKERS: must be a whole number."),
        ({"WORKERS": "0"}, "WORKERS: must be greater than or equal to 1."),
    ],
)
def test_what_could_not_work_stops_the_start_by_the_name_of_its_variable(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = refusal(monkeypatch, **variables)
    assert answer.startswith(f"leadpipe-mcp: LEADPIPE_{said}")
    assert answer.endswith(".")


def test_a_key_of_sonarly_is_not_lent_to_callers_who_need_no_real_key_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = refusal(monkeypatch, SONARLY_API_KEY="sk_live_team_0002")
    assert answer.startswith(f"leadpipe-mcp: SONARLY_API_KEY: {KEYS} (X-Sonarly-Key), so unset it;")
    assert "0002" not in answer


@pytest.mark.parametrize(
    ("module", "variable", "value", "extra"),
    [
        ("redis", "LEADPIPE_REDIS_URL", "redis://127.0.0.1:1", "redis"),
        ("prometheus_client", "LEADPIPE_METRICS", "1", "metrics"),
        ("opentelemetry.sdk", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "otel"),
    ],
)
def test_what_is_not_installed_is_named_with_the_way_to_install_it(
    module: str, variable: str, value: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Python marks what cannot be imported.
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv(variable, value)
    answer = refusal(monkeypatch, SECRET=SECRET)
    assert answer == f"leadpipe-mcp: {variable}: needs pip install 'leadpipe-mcp[{extra}]'."


def test_a_place_that_cannot_be_used_is_named(
    taken_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"leadpipe-mcp: port {taken_port} of 127.0.0.1 cannot be used: Address already in use"
    assert refusal(monkeypatch, "--port", taken_port) == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "--http"], "--http goes with serve"),
        (["serve", "--workers", "2"], "--workers goes with serve --http"),
        (["serve", "--http", "--secret", "x"], "set LEADPIPE_SECRET instead"),
        (["serve", "--http", "--redis-url", "x"], "set LEADPIPE_REDIS_URL instead"),
    ],
)
def test_a_flag_in_the_wrong_place_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err


def test_what_several_processes_without_redis_mean_is_said() -> None:
    lines = said_at_start(HostingSettings(workers=3))
    assert lines[0] == "listening on http://127.0.0.1:8787/mcp for callers' own keys"
    assert lines[1].startswith("3 processes without LEADPIPE_REDIS_URL: in each of them a caller")
    assert len(said_at_start(HostingSettings())) == 1


def test_a_folder_for_downloads_is_made_where_there_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    HostingSettings(download_dir=folder, metrics=True).check()
    assert list(folder.iterdir()) == []
    if sys.platform != "win32":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_issuer_is_compared_as_it_was_written() -> None:
    for issuer in (ISSUER, f"{ISSUER}/"):
        assert HostingSettings(oauth_issuer=issuer).oauth_issuer == issuer
