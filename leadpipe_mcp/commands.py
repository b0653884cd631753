"""The words after `leadpipe-mcp`: what each command takes, its help, and completion in a shell."""

import argparse
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NoReturn, get_args, get_origin

from pydantic.fields import FieldInfo

from leadpipe_mcp import __version__
from leadpipe_mcp.settings import Settings, is_secret, variable
from leadpipe_mcp.text import listed, nearest

PROGRAM = "leadpipe-mcp"
SANDBOX_PORT = 8787
_WIDTH = 80
_ABOUT = "Build marketing audiences by talking to an AI assistant: an MCP server for\nLeadpipe."
_TO_BEGIN = f"""
{PROGRAM} COMMAND --help shows what a command takes. To begin:

  {PROGRAM} demo
  {PROGRAM} install claude-desktop --sandbox"""
_VARIABLES = """\
Every setting is a variable too, LEADPIPE_ and its name (LEADPIPE_SANDBOX=1);
those of Sonarly have no LEADPIPE_ before them. Keys are variables only, as
others can read a command line: LEADPIPE_API_KEY, SONARLY_API_KEY."""
_LOOKS_LIKE_A_FLAG = re.compile(r"--[a-z-]{2,24}(?:=|\Z)")


@dataclass(frozen=True)
class Command:
    """One command: what it does, its own flags, the settings it takes, what it is named with."""

    does: str
    switches: Mapping[str, str]
    settings: frozenset[str] = frozenset(Settings.model_fields)
    named: str = ""
    """What comes after it: a client or a shell."""
    named_always: bool = True
    needs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Flags that hold a value and have to be given."""


COMMANDS = {
    "serve": Command(
        "speak MCP over stdin and stdout, as an assistant starts it (this is the default);"
        " with --http over HTTP, for a team",
        {"http": "Over HTTP, for a team; --http --help shows its settings."},
    ),
    "install": Command(
        "put it into an assistant's configuration, or take it out",
        {"remove": "Take it out again.", "print": "Only show what would be changed."},
        named="client",
    ),
    "doctor": Command(
        "look whether key, connection, account, folders and assistants are as they should be",
        {"json": "Say it as a JSON object."},
        named="client",
        named_always=False,
    ),
    "report": Command(
        "draw an audience, who is in it and who is new, as a page for a browser or to print",
        {},
        named="client",
        named_always=False,
        needs={
            "audience": "Which audience: its id, or its whole name.",
            "out": "The file to write, such as audience.html.",
        },
    ),
    "demo": Command(
        "show a short conversation with the server, with invented people",
        {"sonarly": "Both services in one conversation."},
        frozenset({"log_level"}),
    ),
    "sandbox": Command(
        "run the simulated services alone, on a port of this machine",
        {},
        frozenset({"sandbox_profile", "sandbox_delay_ms"}),
    ),
    "completion": Command(
        "print what bash, zsh or fish needs to complete these words", {}, frozenset(), named="shell"
    ),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End the program without what argparse quotes: it may be a key."""
        super().error(re.sub(r"( explicit argument) .*", r"\1", message, flags=re.DOTALL))


def parse(arguments: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the command and what was given with it."""
    name, rest = _command_of(arguments)
    http = name in {None, "serve"} and "--http" in rest
    parser = _parser(name, "serve --http" if http else name or "serve")
    parsed, unknown = parser.parse_known_args(rest)
    if unknown:
        _refuse(parser, name, unknown)
    return name or "serve", vars(parsed)


def _refuse(parser: argparse.ArgumentParser, name: str | None, unknown: Sequence[str]) -> NoReturn:
    """Say what was not understood without repeating it: it may be a key."""
    flags = [word.partition("=")[0] for word in unknown if _LOOKS_LIKE_A_FLAG.match(word)]
    for flag in flags:
        if homes := [home for home in (*COMMANDS, "serve --http") if flag in _flags(home)]:
            parser.error(f"{flag} goes with {listed(homes, 'or')}")
    if flags:
        parser.error(f"there is no flag {', '.join(flags)}; --help lists what there is")
    if name is not None or unknown[0].startswith("-"):
        parser.error("that is one word too many; --help lists what there is")
    close = nearest(unknown[0], COMMANDS)
    meant = f"; did you mean {listed(close, 'or')}?" if close else ""
    parser.error(f"the command must be {listed(list(COMMANDS), 'or')}{meant}")


def names(what: str) -> list[str]:
    """Return the clients, or the shells, that a command can be named with."""
    if what == "client":
        from leadpipe_mcp.clients import CLIENTS

        return list(CLIENTS)
    return ["bash", "zsh", "fish"] if what == "shell" else []


def completion(shell: str) -> str:
    """Return the script with which a shell completes commands, flags, and values of closed sets."""
    taken = {name: [*names(one.named), *_flags(name)] for name, one in COMMANDS.items()}
    if shell == "fish":
        seen = "__fish_seen_subcommand_from"
        words = {f"not {seen} {' '.join(COMMANDS)}": list(COMMANDS)}
        words |= {f"{seen} {name}": some for name, some in taken.items()}
        return "\n".join(
            f"complete -c {PROGRAM} -f -n '{when}' -a '{' '.join(some)}'"
            for when, some in words.items()
        )
    values = {flag: some for name in COMMANDS for flag, some in _flags(name).items() if some}
    lines = [
        *(["autoload -U +X bashcompinit && bashcompinit"] if shell == "zsh" else []),
        "_leadpipe_mcp() {",
        f"  local words='{' '.join([*COMMANDS, *_flags('serve')])}'",
        '  case "${COMP_WORDS[1]}" in',
        *(f"    {name}) words='{' '.join(some)}' ;;" for name, some in taken.items()),
        "  esac",
        '  case "${COMP_WORDS[COMP_CWORD-1]}" in',
        *(f"    {flag}) words='{' '.join(some)}' ;;" for flag, some in values.items()),
        "  esac",
        '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
        "}",
        f"complete -o default -F _leadpipe_mcp {PROGRAM}",
    ]
    return "\n".join(lines)


def _command_of(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The command, which may come after flags, and everything else."""
    flags = _flags("serve --http") if "--http" in arguments else {}
    for name in COMMANDS:
        flags |= _flags(name)
    value_follows = False
    for index, word in enumerate(arguments):
        if word in COMMANDS and not value_follows:
            return word, [*arguments[:index], *arguments[index + 1 :]]
        if not word.startswith("-") and not value_follows:
            break
        value_follows = flags.get(word) is not None
    return None, list(arguments)


def _fields(name: str) -> Mapping[str, FieldInfo]:
    """The settings that a command takes; `serve --http` takes more than `serve`."""
    if name == "serve --http":
        from leadpipe_mcp.hosting.settings import HostingSettings

        return HostingSettings.model_fields
    taken = COMMANDS[name].settings
    return {one: field for one, field in Settings.model_fields.items() if one in taken}


def _flags(name: str) -> dict[str, Sequence[str] | None]:
    """The flags of a command with their values: None for a switch, all of them in a closed set."""
    command = COMMANDS[name.removesuffix(" --http")]
    flags: dict[str, Sequence[str] | None] = {f"--{switch}": None for switch in command.switches}
    flags |= {
        _flag(setting): _choices(field)
        for setting, field in _fields(name).items()
        if not is_secret(field)
    }
    flags |= {f"--{flag}": () for flag in command.needs}
    return flags | ({"--port": ()} if name == "sandbox" else {})


def _parser(name: str | None, taken: str) -> argparse.ArgumentParser:
    """The parser of a command, which takes the settings of `taken`; the help of none is brief."""
    command = COMMANDS[name or "serve"]
    named = command.named.upper()
    words = [
        PROGRAM,
        name or "[COMMAND]",
        named if command.named_always else f"[{named}]",
        "[FLAGS]",
    ]
    about = textwrap.fill(f"{command.does[:1].upper()}{command.does[1:]}.", _WIDTH)
    form = partial(argparse.RawDescriptionHelpFormatter, max_help_position=24, width=_WIDTH)
    parser = _Parser(
        prog=f"{PROGRAM} {name}" if name else PROGRAM,
        usage=" ".join(word for word in words if word),
        description=about if name else _overview(),
        epilog=(_VARIABLES if command.settings else None) if name else _TO_BEGIN,
        formatter_class=form,
        allow_abbrev=False,
        add_help=False,
    )
    if command.named:
        known = names(command.named)
        parser.add_argument_group(command.named).add_argument(
            "name",
            nargs=None if command.named_always else "?",
            type=partial(_named, known=known),
            metavar=command.named,
            help=f"One of {', '.join(known)}.",
        )
    add = parser.add_argument_group("flags").add_argument
    add("-h", "--help", action="help", help="Show this.")
    add("--version", action="version", version=f"{PROGRAM} {__version__}", help="Show the version.")
    for switch, does in command.switches.items():
        add(f"--{switch}", action="store_true", help=does if name else argparse.SUPPRESS)
    for flag, does in command.needs.items():
        add(f"--{flag}", required=True, metavar=flag.upper(), help=does)
    if name == "sandbox":
        add("--port", type=_port, metavar="N", help=f"The port. Default: {SANDBOX_PORT}.")
    _add_settings(parser, _fields(taken), shown=name is not None)
    return parser


def _add_settings(
    parser: argparse.ArgumentParser, fields: Mapping[str, FieldInfo], *, shown: bool
) -> None:
    """Let the parser take these settings, and refuse every key in words of our own."""
    general = parser.add_argument_group("settings").add_argument
    team = parser.add_argument_group("settings for a team").add_argument
    keys = {name: info for name, info in Settings.model_fields.items() if is_secret(info)}
    for name, info in {**keys, **fields}.items():
        add, closed = general if name in Settings.model_fields else team, _choices(info)
        default = f" Default: {info.default}." if info.default else ""
        said = f"{info.description}{default}" if shown else argparse.SUPPRESS
        if is_secret(info):
            add(_flag(name), type=partial(_refuse_key, name=name), help=argparse.SUPPRESS)
        elif closed is None:
            add(_flag(name), action="store_true", default=None, help=said)
        else:
            one = "N" if isinstance(info.default, int) else name.rpartition("_")[2].upper()
            add(_flag(name), metavar="|".join(closed) or one, help=said)


def _overview() -> str:
    """What the program is and does, a line or two for each command."""
    wide = max(map(len, COMMANDS)) + 4
    lines = [
        textwrap.fill(
            f"{command.does[:1].upper()}{command.does[1:]}.",
            _WIDTH,
            initial_indent=f"  {name}".ljust(wide),
            subsequent_indent=" " * wide,
        )
        for name, command in COMMANDS.items()
    ]
    return "\n".join([_ABOUT, "", *lines])


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _choices(field: FieldInfo) -> Sequence[str] | None:
    """The values of a setting that is one of a few; none of one that is free; None for a switch."""
    if field.annotation is bool:
        return None
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _named(word: str, *, known: Sequence[str]) -> str:
    if word not in known:
        close = nearest(word, known)
        meant = f"; did you mean {listed(close, 'or')}?" if close else ""
        raise argparse.ArgumentTypeError(f"must be {listed(known, 'or')}{meant}")
    return word


def _port(word: str) -> int:
    if not word.isdecimal() or int(word) > 65_535:
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 65535")
    return int(word)


def _refuse_key(_: str, *, name: str) -> NoReturn:
    raise argparse.ArgumentTypeError(
        f"a key on the command line can be read by others; set {variable(name)} instead"
    )
