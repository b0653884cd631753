"""`leadpipe-mcp install`: put the server into a client's configuration, or take it out again."""

import difflib
import getpass
import json
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from leadpipe_mcp.clients.files import (
    SERVER,
    ConfigError,
    ConfigFile,
    environment_of,
    is_ours,
    toml_with_entry,
)
from leadpipe_mcp.clients.places import CLIENTS, Machine
from leadpipe_mcp.settings import SONARLY, Settings, variable
from leadpipe_mcp.text import redact

KEYS = {"api_key": "Leadpipe", "sonarly_api_key": "Sonarly"}
_KEY_SHOWN = "sk_..."
_SHOWN = ("type", "command", "args", "env")
"""What is shown of an entry; of the rest only that it is there: headers may hold a key."""


def run_install(
    name: str, settings: Settings, machine: Machine, *, remove: bool, show_only: bool
) -> None:
    """Show what changes in the client's configuration, and change it unless only asked to show.

    ConfigError says why nothing was changed.
    """
    client = CLIENTS[name]
    file = ConfigFile.of(client, machine)
    old = file.entry()
    if remove and old is None:
        print(f"{client.title} does not have it: no '{SERVER}' in {file.path}.")
        return
    new = None if remove else _entry(file, settings, show_only=show_only)
    text = file.without_entry() if new is None else file.with_entry(new)
    print(f"{client.title}, {file.path}:\n\n{_change(file, old, new)}")
    if show_only or new == old:
        why = "" if show_only else "It is there already, just so. "
        print(f"\n{why}Nothing was changed.")
        return
    if not file.path.parent.exists():
        print(f"\nIs {client.title} installed here? Its folder was missing, and is made now.")
    kept = file.save(text, private=new is not None and _has_key(new))
    if kept is None:
        print("\nDone.")
    else:
        held = "still holds the key" if old and remove and _has_key(old) else "is beside it"
        print(f"\nDone. The file as it was, {kept.name}, {held}.")
    print(client.afterwards)
    if new is not None:
        print(f"Does it work? leadpipe-mcp doctor {name}")


def starting_command() -> list[str]:
    """How a client starts this server: by its whole path, as clients do not search where shells do.

    ConfigError where this copy of it may be gone tomorrow.
    """
    script = "leadpipe-mcp.exe" if sys.platform == "win32" else "leadpipe-mcp"
    path = Path(sysconfig.get_path("scripts")) / script
    if any(part.startswith(("archive-v", "environments-v")) for part in path.parts):
        raise ConfigError(
            "this copy of leadpipe-mcp is a temporary one of uvx, which a client could lose any"
            " day; install it first with 'uv tool install', then run 'leadpipe-mcp install' again"
        )
    return [str(path)] if path.exists() else [sys.executable, "-m", "leadpipe_mcp"]


def _entry(file: ConfigFile, settings: Settings, *, show_only: bool) -> dict[str, Any]:
    """The entry with all that is set; what somebody else put into the one that is there stays."""
    old = file.entry() or {}
    kept = old if "command" in old else {}
    before = environment_of(kept)
    env = {name: value for name, value in before.items() if not is_ours(name)}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if name in KEYS or name not in settings.model_fields_set:
            continue
        if value is not False:
            env[variable(name)] = "1" if value is True else str(value)
    if not settings.sandbox:
        env |= _keys(settings, before, show_only=show_only)
    command, *args = starting_command()
    kind = {"type": "stdio"} if file.client.says_stdio else {}
    ours = {**kind, "command": command, "args": args, "env": env}
    return ours | {name: value for name, value in kept.items() if name not in ours}


def _keys(settings: Settings, before: Mapping[str, str], *, show_only: bool) -> dict[str, str]:
    """The keys: those that are set, else those that are there or are typed, without echo."""
    keys = {variable(name): before[variable(name)] for name in KEYS if variable(name) in before}
    with_sonarly = SONARLY in settings.chosen_toolsets()
    needed = ("api_key", "sonarly_api_key") if with_sonarly else ("api_key",)
    for name, service in KEYS.items():
        key: SecretStr | None = getattr(settings, name)
        there = variable(name) in keys
        if key is not None:
            keys[variable(name)] = key.get_secret_value()
        elif show_only and name in needed:
            keys[variable(name)] = _KEY_SHOWN
        elif name in needed and sys.stdin.isatty():
            keeps = "; Enter keeps the one that is there" if there else ""
            typed = getpass.getpass(f"{service} API key (sk_..., not shown{keeps}): ").strip()
            if typed:
                Settings.read({variable(name): typed}, {})
                keys[variable(name)] = typed
        if name in needed and variable(name) not in keys:
            raise ConfigError(
                f"there is no key; set {variable(name)}, or run this in a terminal to be asked for"
                " it, or try it without one: --sandbox"
            )
    return keys


def _has_key(entry: Mapping[str, Any]) -> bool:
    return any(variable(key) in environment_of(entry) for key in KEYS)


def _change(file: ConfigFile, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    """What is taken out (-) and put in (+), without the keys."""
    lines = difflib.ndiff(_shown(file, old), _shown(file, new))
    return "\n".join(line for line in lines if not line.startswith("?"))


def _shown(file: ConfigFile, entry: Mapping[str, Any] | None) -> list[str]:
    if entry is None:
        return []
    env = {
        name: _KEY_SHOWN if name.endswith("_KEY") or not is_ours(name) else value
        for name, value in environment_of(entry).items()
    }
    shown = {name: value if name in _SHOWN else "..." for name, value in entry.items()}
    if "args" in entry:
        shown["args"] = [redact(str(word)) for word in entry["args"]]
    if env:
        shown["env"] = env
    if file.client.form == "toml":
        return toml_with_entry("", file.client.servers, shown).splitlines()
    return json.dumps({SERVER: shown}, indent=2, ensure_ascii=False).splitlines()[1:-1]
