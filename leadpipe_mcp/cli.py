"""The command line: serve (over stdio, the default), demo, doctor, sandbox."""

import argparse
import gc
import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

from leadpipe_mcp import __version__
from leadpipe_mcp.logs import set_up
from leadpipe_mcp.settings import Settings, SettingsError, is_secret, variable

DESCRIPTION = """\
Build marketing audiences by talking to an AI assistant: an MCP server for Leadpipe.

  serve    speak MCP over stdin and stdout; this is what an assistant starts (the default);
           with --http over HTTP, for a team
  demo     a short conversation with the server, with invented people
  doctor   looks whether key, connection and folders are as they should be
  sandbox  the simulated Leadpipe service alone, on a port of this machine
"""
SANDBOX_PORT = 8787
_LOOKS_LIKE_A_FLAG = re.compile(r"--[a-z-]{2,24}(?:=|\Z)")
COMMANDS = ("serve", "demo", "doctor", "sandbox")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name."""
    parsed = _parse(arguments)
    given = ("command", "http", "sonarly", "json")
    command, http, both, as_json = (parsed.pop(name) for name in given)
    try:
        if http:
            from leadpipe_mcp.hosting.run import run
            from leadpipe_mcp.hosting.settings import HostingSettings

            run(HostingSettings.read(os.environ, parsed))
            return
        port = parsed.pop("port") or SANDBOX_PORT
        settings = Settings.read(os.environ, parsed)
    except SettingsError as error:
        sys.exit(f"leadpipe-mcp: {error}")
    if command == "demo":
        from leadpipe_mcp.demo import run_demo

        # A line per call would stand between what is said; whoever asks for it gets it.
        asked = "log_level" in settings.model_fields_set
        sys.exit(run_demo(sonarly=both, log_level=settings.log_level if asked else "WARNING"))
    if command == "doctor":
        from leadpipe_mcp.doctor import run_doctor

        set_up("ERROR", as_json=settings.log_json)
        sys.exit(run_doctor(settings, as_json=as_json))
    if command == "sandbox":
        from leadpipe_mcp import sandbox

        print(
            "The sandbox plays Leadpipe and Sonarly until you press Ctrl-C. Set:", file=sys.stderr
        )
        profile, delay_ms = settings.sandbox_profile, settings.sandbox_delay_ms
        try:
            sandbox.serve(sandbox.SandboxSettings(profile=profile, delay_ms=delay_ms), port=port)
        except OSError as error:
            sys.exit(f"leadpipe-mcp: port {port} cannot be used: {os.strerror(error.errno or 0)}")
        return
    set_up(settings.log_level, as_json=settings.log_json)
    # What imports make stays for good, so there is nothing to collect meanwhile or later.
    gc.disable()
    from leadpipe_mcp.server import build_server
    from leadpipe_mcp.serving import serve

    if settings.confirm == "off":
        print("leadpipe-mcp: LEADPIPE_CONFIRM=off, nothing is asked first", file=sys.stderr)
    server = build_server(settings)
    gc.freeze()
    gc.enable()
    serve(server)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End the program without what argparse quotes: it may be a key."""
        super().error(re.sub(r"( explicit argument) .*", r"\1", message, flags=re.DOTALL))


def _parse(arguments: Sequence[str] | None) -> dict[str, Any]:
    """What was given; what was not understood is refused without repeating it: it may be a key."""
    parser = _Parser(
        prog="leadpipe-mcp",
        description=DESCRIPTION,
        epilog="Every flag is a variable too, LEADPIPE_ and its name: LEADPIPE_SANDBOX=1. Those of"
        " Sonarly have no LEADPIPE_ before them.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("command", nargs="?", type=_command, default="serve", metavar="command")
    add("--version", action="version", version=f"leadpipe-mcp {__version__}")
    add("--port", type=_port, help=f"Of the sandbox, or with --http ({SANDBOX_PORT}).")
    add("--sonarly", action="store_true", help="With demo: both services in one conversation.")
    add("--http", action="store_true", help="With serve: over HTTP, for a team.")
    add("--json", action="store_true", help="With doctor: what is found as a JSON object.")
    settings = Settings
    if not {"--http", "--help", "-h"}.isdisjoint(sys.argv[1:] if arguments is None else arguments):
        from leadpipe_mcp.hosting.settings import HostingSettings

        settings = HostingSettings
    team = parser.add_argument_group("for a team, with --http")
    for name, field in settings.model_fields.items():
        flag = f"--{name.replace('_', '-')}"
        add = parser.add_argument if name in Settings.model_fields else team.add_argument
        said = f"{field.description}{f' Default: {field.default}.' if field.default else ''}"
        if field.annotation is bool:
            add(flag, action="store_true", default=None, help=said)
        elif is_secret(field):
            add(flag, type=partial(_refuse_key, name=name), help=argparse.SUPPRESS)
        elif name != "port":
            add(flag, help=said, metavar=variable(name))
    parsed, unknown = parser.parse_known_args(arguments)
    if parsed.http and parsed.command != "serve":
        parser.error("--http goes with serve")
    if parsed.json and parsed.command != "doctor":
        parser.error("--json goes with doctor")
    if unknown:
        from leadpipe_mcp.hosting.settings import HostingSettings

        flags = [word.partition("=")[0] for word in unknown if _LOOKS_LIKE_A_FLAG.match(word)]
        hosting = [
            flag for flag in flags if flag[2:].replace("-", "_") in HostingSettings.model_fields
        ]
        if hosting and not parsed.http:
            parser.error(f"{hosting[0]} goes with --http")
        what = f"there is no flag {', '.join(flags)}" if flags else "that is one word too many"
        parser.error(f"{what}; leadpipe-mcp --help lists what there is")
    return vars(parsed)


def _command(word: str) -> str:
    if word not in COMMANDS:
        raise argparse.ArgumentTypeError(f"must be {', '.join(COMMANDS[:-1])} or {COMMANDS[-1]}")
    return word


def _port(word: str) -> int:
    if not word.isdecimal() or int(word) > 65_535:
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 65535")
    return int(word)


def _refuse_key(_: str, *, name: str) -> NoReturn:
    raise argparse.ArgumentTypeError(
        f"a key on the command line can be read by others; set {variable(name)} instead"
    )
