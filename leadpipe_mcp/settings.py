"""Settings: what the person who starts the server decided, read once and never changed."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from leadpipe_mcp.api.addresses import checked_base_url
from leadpipe_mcp.text import listed, nearest

SANDBOX_KEY = "sk_sandbox"
SANDBOX_URL = "http://127.0.0.1"
SONARLY = "sonarly"

SandboxProfile = Literal["mixed", "flat", "catalog"]
Toolset = Literal["topics", "audiences", "results", "account", "visitors", "sonarly"]
Exports = Literal["files", "links", "urls", "nothing"]
DEFAULT_TOOLSETS = "topics,audiences,results,account"

# What some desktop assistants pass on for a field of a bundle's form that was left empty.
_LEFT_EMPTY = re.compile(r"\$\{user_config\.\w+\}")


class SettingsError(ValueError):
    """A setting makes no sense; the message names its variable and never its value if secret."""


def _key(value: SecretStr) -> SecretStr:
    key = value.get_secret_value()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("holds characters that no key has; copy the key again")
    return value


def _no_key(value: str) -> str:
    if "sk_" in value.lower():
        raise ValueError("looks like a key, which belongs into another variable")
    return value


def _toolsets(value: str) -> str:
    names = [name.strip().lower() for name in value.split(",") if name.strip()]
    known = get_args(Toolset)
    # What is wrong is not repeated: it may be a key that was meant for another variable.
    odd = [name for name in names if name not in {*known, "all"}]
    if odd or not names:
        close = [one for name in odd for one in nearest(name, known)]
        hint = f" (did you mean {listed(list(dict.fromkeys(close)), 'or')}?)" if close else ""
        raise ValueError(
            f"must name toolsets with commas between{hint}: {listed(known)}, or all of them with"
            " 'all'"
        )
    return ",".join(names)


def _folder(named: Path) -> Path:
    """The folder by its whole path; where a person is at home, ~ is their home."""
    try:
        folder = named.expanduser()
    except RuntimeError:
        raise ValueError("begins with a home that is not known; write the whole path") from None
    if not folder.is_absolute():
        raise ValueError("must be the whole path of a folder, such as /srv/leadpipe or ~/leadpipe")
    # It may not be there yet, or not be for us to see.
    if any(os.path.isfile(place) for place in (folder, *folder.parents)):  # noqa: PTH113 -- an OSError is a no
        raise ValueError("leads to a file; name a folder")
    return folder


Key = Annotated[SecretStr, AfterValidator(_key)]
Address = Annotated[str, AfterValidator(checked_base_url)]
Folder = Annotated[Path, AfterValidator(_folder)]


class Settings(BaseModel):
    """Everything that can be decided at the start, under the names of the variables.

    The descriptions are read by people: --help and docs/settings.md show them.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="forbid")

    api_key: Key | None = Field(
        default=None,
        description="The organization's API key (sk_...), from Settings > API Keys in the Leadpipe"
        " dashboard. Without it the server starts, and says how to set it.",
    )
    base_url: Address = Field(
        default="https://api.aws53.cloud",
        description="Where the service is; https, or http on this machine.",
    )
    api_profile: Literal["auto", "flat", "catalog"] = Field(
        default="auto",
        description="Which generation of the API it is: flat (April 2026), catalog (May 2026), or"
        " auto to find out.",
    )
    confirm: Literal["auto", "off"] = Field(
        default="auto",
        description="Whether to ask before spending or deleting: auto does; off is for automation.",
    )
    contact: Literal["allow", "mask"] = Field(
        default="allow",
        description="Whether whole e-mail addresses and phone numbers are shown when asked for"
        " (allow) or never (mask).",
    )
    toolsets: Annotated[str, AfterValidator(_toolsets)] = Field(
        default=DEFAULT_TOOLSETS,
        description=f"Which tools to offer: {', '.join(get_args(Toolset))}, with commas between; or"
        " all.",
    )
    read_only: bool = Field(default=False, description="Offer only tools that change nothing.")
    cache_dir: Folder | None = Field(
        default=None,
        description="A folder by its whole path (~ is your home), where topics are kept for a day,"
        " and people that were looked into for a week. Without it topics go to the user's cache"
        " directory, and people nowhere.",
    )
    export_dir: Folder | None = Field(
        default=None,
        description="A folder by its whole path (~ is your home), where exported files go. Without"
        " it they go to leadpipe-exports in the home directory.",
    )
    sandbox: bool = Field(default=False, description="Invented people, no key, no network.")
    sandbox_profile: SandboxProfile = Field(
        default="mixed",
        description="Which generation of the API the sandbox plays: flat, catalog, or mixed.",
    )
    sandbox_delay_ms: Annotated[int, Field(ge=0, le=60_000)] = Field(
        default=0, description="How long each of the sandbox's answers takes, in milliseconds."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="What goes to stderr. INFO is a line per call, without arguments or people.",
    )
    log_json: bool = Field(default=False, description="Log lines are JSON objects.")
    sonarly_api_key: Key | None = Field(
        default=None, description="A key of Sonarly (sk_live_...). It turns the toolset sonarly on."
    )
    sonarly_base_url: Address = Field(
        default="https://api.sonarly.io",
        description="Where Sonarly is; https, or http on this machine.",
    )
    sonarly_account_group_id: Annotated[str, AfterValidator(_no_key)] | None = Field(
        default=None, description="Which account of Sonarly is meant, where the key sees several."
    )
    _usual_cache: Path | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str], flags: Mapping[str, object]) -> Self:
        """The settings of the variables; a flag that is given goes before its variable."""
        given = {name: environment.get(variable(name), "").strip() for name in cls.model_fields}
        values: dict[str, object] = {
            name: text for name, text in given.items() if text and not _LEFT_EMPTY.fullmatch(text)
        }
        values |= {name: value for name, value in flags.items() if value is not None}
        if "log_level" in values:
            values["log_level"] = str(values["log_level"]).upper()
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_sentences(error)) from None
        settings._usual_cache = user_cache(environment, sys.platform)  # noqa: SLF001 -- its own class
        return settings

    @property
    def topics_dir(self) -> Path | None:
        """Where the catalogue of topics is kept: people go to no place that was not named."""
        return self.cache_dir or self._usual_cache

    @property
    def exports(self) -> Exports:
        """What people are exported as: files on this machine, over stdio."""
        return "files"

    @property
    def largest_reply(self) -> int | None:
        """How many bytes a tool may answer with, if not as many as it has."""
        return None

    def chosen_toolsets(self) -> tuple[Toolset, ...]:
        """The toolsets that are on, in the order in which they are listed everywhere.

        Sonarly is another service: its key turns its tools on, and without one only their name
        does, or the sandbox, which needs no key.
        """
        named = set(self.toolsets.split(","))
        on = named | {SONARLY} if self.sonarly_api_key else named
        if "all" in named:
            on |= {name for name in get_args(Toolset) if name != SONARLY or self.sandbox}
        return tuple(name for name in get_args(Toolset) if name in on)


def user_cache(environment: Mapping[str, str], platform: str) -> Path | None:
    """Where a program of this user keeps what it can make again; None if that is not known."""
    home = environment.get("HOME", "")
    place = environment.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    if platform == "win32":
        place = environment.get("LOCALAPPDATA", "")
    if platform == "darwin":
        place = home and f"{home}/Library/Caches"
    # A relative one counts for nothing, by the XDG specification too.
    return Path(place) / "leadpipe-mcp" if place and Path(place).is_absolute() else None


def variable(name: str) -> str:
    """The environment variable of a setting. Those of Sonarly have their own first word."""
    return name.upper() if name.startswith(SONARLY) else f"LEADPIPE_{name.upper()}"


def is_secret(field: FieldInfo) -> bool:
    """Return whether a setting is a secret, which no flag may hold."""
    return any(SecretStr in get_args(part) for part in get_args(field.annotation))


def _sentences(error: ValidationError) -> str:
    ours = {
        "bool_parsing": "must be 1 or 0, true or false",
        "int_parsing": "must be a whole number",
    }
    sentences: list[str] = []
    for problem in error.errors(include_input=False, include_url=False):
        said = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        said = ours.get(problem["type"], said)
        sentences.append(f"{variable(str(problem['loc'][0]))}: {said[:1].lower()}{said[1:]}.")
    return " ".join(sentences)
