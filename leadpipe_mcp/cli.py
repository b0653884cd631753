"""The command line: each command's way into the house."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from leadpipe_mcp.commands import COMMANDS, PROGRAM, SANDBOX_PORT, completion, parse
from leadpipe_mcp.logs import set_up
from leadpipe_mcp.settings import Settings, SettingsError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name."""
    try:
        _run(*parse(sys.argv[1:] if arguments is None else arguments))
    except SettingsError as error:
        sys.exit(f"{PROGRAM}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _run(command: str, given: dict[str, Any]) -> None:
    switches = {name: given.pop(name) for name in COMMANDS[command].switches}
    name, port = given.pop("name", None), given.pop("port", None) if command == "sandbox" else None
    if command == "completion":
        print(completion(name))
    elif switches.get("http"):
        from leadpipe_mcp.hosting.run import run
        from leadpipe_mcp.hosting.settings import HostingSettings

        run(HostingSettings.read(os.environ, given))
    elif command == "doctor":
        from leadpipe_mcp.doctor import run_doctor

        sys.exit(run_doctor(name, given, as_json=switches["json"]))
    elif command == "report":
        _report(name, given)
    elif command == "install":
        _install(name, Settings.read(os.environ, given), switches)
    elif command == "demo":
        _demo(Settings.read(os.environ, given), sonarly=switches["sonarly"])
    elif command == "sandbox":
        _play(Settings.read(os.environ, given), port)
    else:
        _serve(Settings.read(os.environ, given))


def _install(client: str, settings: Settings, switches: Mapping[str, bool]) -> None:
    """Put the server into a client's configuration, or take it out."""
    from leadpipe_mcp.clients import ConfigError, Machine
    from leadpipe_mcp.clients.install import run_install

    remove, show_only = switches["remove"], switches["print"]
    try:
        run_install(client, settings, Machine.here(), remove=remove, show_only=show_only)
    except ConfigError as error:
        sys.exit(f"{PROGRAM}: {error}; nothing was changed")


def _report(client: str | None, given: dict[str, Any]) -> None:
    """Draw an audience."""
    from leadpipe_mcp.clients import ConfigError
    from leadpipe_mcp.report import NoReport, run_report

    audience, out = given.pop("audience"), given.pop("out")
    try:
        print(run_report(client, given, audience=audience, out=out))
    except (ConfigError, NoReport) as error:
        sys.exit(f"{PROGRAM}: {error}")


def _demo(settings: Settings, *, sonarly: bool) -> None:
    """Hold the conversation."""
    from leadpipe_mcp.demo import run_demo

    # A line per call would stand between what is said; whoever asks for it gets it.
    level = settings.log_level if "log_level" in settings.model_fields_set else "WARNING"
    sys.exit(run_demo(sonarly=sonarly, log_level=level))


def _play(settings: Settings, port: int | None) -> None:
    """Serve the sandbox until Ctrl-C."""
    from leadpipe_mcp import sandbox

    print("The sandbox plays Leadpipe and Sonarly until you press Ctrl-C. Set:", file=sys.stderr)
    profile, delay_ms = settings.sandbox_profile, settings.sandbox_delay_ms
    port = SANDBOX_PORT if port is None else port
    try:
        sandbox.serve(sandbox.SandboxSettings(profile=profile, delay_ms=delay_ms), port=port)
    except OSError as error:
        sys.exit(f"{PROGRAM}: port {port} cannot be used: {os.strerror(error.errno or 0)}")


def _serve(settings: Settings) -> None:
    """Serve over stdio, until nobody asks any more."""
    if sys.stdin.isatty():
        print(
            f"{PROGRAM}: waiting for an MCP client on stdin; an assistant starts this itself."
            f" By hand, try {PROGRAM} demo, or {PROGRAM} install CLIENT. Ctrl-C ends it.",
            file=sys.stderr,
        )
    set_up(settings.log_level, as_json=settings.log_json)
    # What imports make stays for good, so there is nothing to collect meanwhile or later.
    gc.disable()
    from leadpipe_mcp.server import build_server
    from leadpipe_mcp.serving import serve

    if settings.confirm == "off":
        print(f"{PROGRAM}: LEADPIPE_CONFIRM=off, nothing is asked first", file=sys.stderr)
    server = build_server(settings)
    gc.freeze()
    gc.enable()
    serve(server)
