"""The assistants that can start the server, and their configuration files."""

from leadpipe_mcp.clients.configured import HERE, clients_with_server, settings_for
from leadpipe_mcp.clients.files import ConfigError, ConfigFile
from leadpipe_mcp.clients.places import CLIENTS, Client, Machine

__all__ = [
    "CLIENTS",
    "HERE",
    "Client",
    "ConfigError",
    "ConfigFile",
    "Machine",
    "clients_with_server",
    "settings_for",
]
