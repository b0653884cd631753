"""A client's configuration: the server's entry read, set and taken out, and all else left alone."""

import copy
import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

from leadpipe_mcp.clients.jsonc import read_json, with_member, without_member
from leadpipe_mcp.clients.places import Client, Machine
from leadpipe_mcp.settings import Settings

SERVER = "leadpipe"
_BOM = "\ufeff"
_OWNER_ONLY = 0o600


class ConfigError(ValueError):
    """A client's configuration cannot be read or changed; it is as it was."""


@dataclass(frozen=True)
class ConfigFile:
    """A client's configuration as it was found; `text` is None where there is no such file."""

    client: Client
    path: Path
    text: str | None

    @classmethod
    def of(cls, client: Client, machine: Machine) -> "ConfigFile":
        """Read the client's file, wherever a link leads."""
        path = client.place(machine).resolve()
        return cls(client, path, _text(path))

    def entry(self) -> dict[str, Any] | None:
        """How the client starts the server; None if it does not know of it."""
        servers = _table(self._parsed(self.text).get(self.client.servers))
        return None if servers is None else _table(servers.get(SERVER))

    def with_entry(self, entry: Mapping[str, Any]) -> str:
        """Return the text of the file with this entry in it, and everything else as it is."""
        wanted = copy.deepcopy(self._parsed(self.text))
        servers = _table(wanted.setdefault(self.client.servers, {}))
        if servers is None:
            raise ConfigError(f"in {self.path}, '{self.client.servers}' is not a list of servers")
        servers[SERVER] = dict(entry)
        return self._changed(lambda text: self._put_in(text, entry), wanted)

    def without_entry(self) -> str:
        """Return the text of the file without the entry, which has to be there."""
        wanted = copy.deepcopy(self._parsed(self.text))
        del wanted[self.client.servers][SERVER]
        return self._changed(self._taken_out, wanted)

    def save(self, text: str, *, private: bool) -> Path | None:
        """Write the file, and return the dated copy that was made of what was there.

        A private file is for its owner's eyes only, and so is every copy.
        """
        if _text(self.path) != self.text:
            raise ConfigError(f"{self.path} was changed by somebody else meanwhile; try again")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            made, mode = None, _OWNER_ONLY
            if self.text is not None:
                now = datetime.now().astimezone()
                made = self.path.with_name(f"{self.path.name}.{now:%Y-%m-%dT%H%M%S.%f}.bak")
                _write(made, self.text, _OWNER_ONLY)
                mode = _OWNER_ONLY if private else self.path.stat().st_mode & 0o777
            _write(self.path, text, mode)
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written: {error.strerror}") from None
        return made

    def _put_in(self, text: str, entry: Mapping[str, Any]) -> str:
        if self.client.form == "toml":
            return toml_with_entry(text, self.client.servers, entry)
        return with_member(text if text.strip() else "{}\n", self.client.servers, SERVER, entry)

    def _taken_out(self, text: str) -> str:
        if self.client.form == "toml":
            return toml_without_entry(text, self.client.servers)
        return without_member(text, self.client.servers, SERVER)

    def _parsed(self, text: str | None) -> dict[str, Any]:
        text = (text or "").removeprefix(_BOM)
        try:
            toml = self.client.form == "toml"
            parsed = tomllib.loads(text) if toml else read_json(text if text.strip() else "{}")
        except ValueError as error:
            form = self.client.form.upper()
            raise ConfigError(f"{self.path} is not valid {form}: {error}") from None
        table = _table(parsed)
        if table is None:
            raise ConfigError(f"{self.path} does not hold a JSON object")
        return table

    def _changed(self, change: Callable[[str], str], wanted: dict[str, Any]) -> str:
        """Change the text, and make sure that nothing but the entry has changed in what it means.

        The mark with which some editors on Windows begin a file stays.
        """
        text = (self.text or "").removeprefix(_BOM)
        bom = (self.text or "").removesuffix(text)
        # A ValueError says that it is written in a way that cannot be changed so.
        with suppress(ValueError):
            text = change(text)
            got = self._parsed(text)
            if not wanted[self.client.servers]:
                got.setdefault(self.client.servers, {})
            if got == wanted:
                return bom + text
        raise ConfigError(f"{self.path} is written in a way that cannot be changed safely")


def environment_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that an entry sets."""
    return _table(entry.get("env")) or {}


def flags_of(entry: Mapping[str, Any]) -> dict[str, object]:
    """Return the settings that an entry gives as flags."""
    args: object = entry.get("args")
    words = [str(word) for word in cast("list[object]", args)] if isinstance(args, list) else []
    flags: dict[str, object] = {}
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        flag, _, value = word.partition("=")
        name = flag.removeprefix("--").replace("-", "_")
        if flag.startswith("--") and name in Settings.model_fields:
            switch = Settings.model_fields[name].annotation is bool
            flags[name] = True if switch else value or after
    return flags


def is_ours(variable: str) -> bool:
    """Return whether a variable is one of the server's settings."""
    return variable.startswith(("LEADPIPE_", "SONARLY_"))


def toml_with_entry(text: str, servers: str, entry: Mapping[str, Any]) -> str:
    """Return TOML with this entry among the servers: in its place, or at the end of the text."""
    import tomlkit

    table = tomlkit.table()
    for name, value in entry.items():
        table[name] = value
    if "env" in entry:
        env = tomlkit.inline_table()
        for name, value in environment_of(entry).items():
            env[name] = value
        table["env"] = env
    document: Any = tomlkit.parse(text)
    if SERVER not in document.get(servers, {}):
        return f"{text.rstrip()}\n\n{tomlkit.dumps({servers: {SERVER: table}})}".lstrip()
    table.add(tomlkit.nl())
    document[servers][SERVER] = table
    return _without_new_end(text, tomlkit.dumps(document))


def toml_without_entry(text: str, servers: str) -> str:
    """Return TOML without the entry among the servers."""
    import tomlkit

    document: Any = tomlkit.parse(text)
    del document[servers][SERVER]
    return _without_new_end(text, tomlkit.dumps(document))


def _without_new_end(before: str, after: str) -> str:
    """The text without an empty line at its end that was not there before."""
    return after[:-1] if after.endswith("\n\n") and not before.endswith("\n\n") else after


def _table(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not text in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


def _write(path: Path, text: str, mode: int) -> None:
    """Write a file whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
