"""The assistants that can start the server, and their configuration files."""

from leadpipe_mcp.clients.files import (
    SERVER,
    ConfigError,
    ConfigFile,
    environment_of,
    flags_of,
    is_ours,
)
from leadpipe_mcp.clients.places import CLIENTS, Client, Machine

__all__ = [
    "CLIENTS",
    "SERVER",
    "Client",
    "ConfigError",
    "ConfigFile",
    "Machine",
    "environment_of",
    "flags_of",
    "is_ours",
]
