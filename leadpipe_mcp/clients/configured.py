"""The settings with which a client starts the server."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from leadpipe_mcp.clients.files import ConfigError, ConfigFile, environment_of, flags_of, is_ours
from leadpipe_mcp.clients.places import CLIENTS, Machine
from leadpipe_mcp.settings import Settings

HERE = "the variables and flags given here"


def clients_with_server(machine: Machine) -> Iterator[str]:
    """Yield the clients in whose configuration the server is."""
    for name, client in CLIENTS.items():
        with suppress(ConfigError):
            if ConfigFile.of(client, machine).entry() is not None:
                yield name


def settings_for(
    name: str | None, flags: Mapping[str, object], machine: Machine
) -> tuple[Settings, str]:
    """Return the settings to work with, and where they are from.

    They are those of the client that is named; else the variables and flags that are given, or if
    they hold no key, those of the first client that has the server.
    """
    if name is None:
        here = Settings.read(machine.environment, flags)
        having = [] if here.sandbox or here.api_key else list(clients_with_server(machine))
        if not having:
            return here, HERE
        name = having[0]
    file = ConfigFile.of(CLIENTS[name], machine)
    entry = file.entry()
    if entry is None:
        raise ConfigError(
            f"{file.client.title} does not have the server; leadpipe-mcp install {name} puts it in"
        )
    # What a client fills in itself when it starts the server, such as ${input:key}, is not known.
    filled = {
        variable: value
        for variable, value in environment_of(entry).items()
        if isinstance(value, str) and "${" not in value
    }
    others = {name: value for name, value in machine.environment.items() if not is_ours(name)}
    given = {name: value for name, value in flags.items() if value is not None}
    settings = Settings.read(others | filled, {**flags_of(entry), **given})
    return settings, f"those of {file.client.title}, {file.path}"
