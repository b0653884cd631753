"""The doctor: whether everything that the server needs is there, and what to do where it is not."""

import json
import os
import platform
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from shutil import which
from typing import Literal

import anyio
from pydantic import SecretStr

from leadpipe_mcp import __version__
from leadpipe_mcp.api.addresses import checked_base_url
from leadpipe_mcp.api.budget import call_budget
from leadpipe_mcp.api.connections import Application
from leadpipe_mcp.api.generations import ApiProfile
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import Account
from leadpipe_mcp.api.sonarly import SonarlyClient, sonarly_transport
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.backend import Ways
from leadpipe_mcp.clients import (
    CLIENTS,
    HERE,
    ConfigError,
    ConfigFile,
    Machine,
    clients_with_server,
    settings_for,
)
from leadpipe_mcp.errors import (
    KeyRefused,
    LeadpipeError,
    NotConfigured,
    OrganizationInactive,
    Unreachable,
)
from leadpipe_mcp.logs import set_up
from leadpipe_mcp.people.files import export_folder
from leadpipe_mcp.settings import SANDBOX_KEY, SANDBOX_URL, SONARLY, Settings, SettingsError
from leadpipe_mcp.text import clean, counted, listed

State = Literal["ok", "warning", "problem"]
CODES: dict[State, int] = {"ok": 0, "warning": 1, "problem": 2}
SECONDS = 20.0
_BLAMED: dict[type[LeadpipeError], str] = {
    NotConfigured: "key",
    KeyRefused: "key",
    OrganizationInactive: "organization",
    Unreachable: "connection",
    LeadpipeError: "account",
}
_UNDER = " " * 9
_STYLES: dict[State, str] = {"ok": "32", "warning": "33", "problem": "31"}


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing, and what to do about it."""

    what: str
    state: State
    said: str
    advice: str = ""


def run_doctor(client: str | None, flags: Mapping[str, object], *, as_json: bool) -> int:
    """Print what is found; return 0 if all is well, 1 with a warning, 2 with a problem."""
    machine = Machine.here()
    try:
        settings, source = settings_for(client, flags, machine)
        set_up("ERROR", as_json=settings.log_json)
        found = [*anyio.run(partial(examine, settings, source=source)), *_clients(machine)]
    except (ConfigError, SettingsError) as error:
        found = [Finding("settings", "problem", str(error))]
    worst = max(CODES[one.state] for one in found)
    if as_json:
        states = {code: state for state, code in CODES.items()}
        told = {"state": states[worst], "findings": [asdict(one) for one in found]}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return worst
    for one in found:
        state = f"{one.state:8}"
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            state = f"\x1b[{_STYLES[one.state]}m{state}\x1b[0m"
        print(f"{state} {one.what}: {one.said}")
        if one.advice:
            print(textwrap.fill(one.advice, 80, initial_indent=_UNDER, subsequent_indent=_UNDER))
    return worst


async def examine(
    settings: Settings,
    *,
    source: str = HERE,
    service: Application | None = None,
    sonarly: Application | None = None,
) -> list[Finding]:
    """Look at everything that the server needs; `service` and `sonarly` answer in their places."""
    found = [
        Finding("version", "ok", f"{__version__}, Python {platform.python_version()}"),
        Finding("settings", "ok", source),
    ]
    ways = Ways(settings, service, sonarly)
    try:
        with call_budget(SECONDS):
            found += await _leadpipe(settings, ways)
        if SONARLY in settings.chosen_toolsets():
            with call_budget(SECONDS):
                found.append(await _sonarly(settings, ways))
    finally:
        await ways.close()
    folders = {
        "exported files": (export_folder(settings.export_dir, Path.home()), "LEADPIPE_EXPORT_DIR"),
        "kept topics": (settings.topics_dir, "LEADPIPE_CACHE_DIR"),
        "kept people": (settings.cache_dir, "LEADPIPE_CACHE_DIR"),
    }
    return [*found, *(_folder(what, *where) for what, where in folders.items())]


def _clients(machine: Machine) -> Iterator[Finding]:
    """The clients that have the server, and those that could not start it."""
    titles = [CLIENTS[name].title for name in clients_with_server(machine)]
    advice = "" if titles else "leadpipe-mcp install CLIENT puts it into one."
    yield Finding("assistants", "ok", listed(titles) or "none has the server yet", advice)
    for name, client in CLIENTS.items():
        try:
            entry = ConfigFile.of(client, machine).entry()
        except ConfigError as error:
            yield Finding(client.title, "warning", str(error), "Mend the file by hand.")
            continue
        command = entry.get("command") if entry else None
        if isinstance(command, str) and which(command) is None:
            again = f"leadpipe-mcp install {name} sets it right."
            yield Finding(
                client.title, "problem", f"it starts {command}, which is not there", again
            )


async def _leadpipe(settings: Settings, ways: Ways) -> list[Finding]:
    url, key = settings.base_url, settings.api_key
    if settings.sandbox:
        url, key = SANDBOX_URL, SecretStr(SANDBOX_KEY)
    leadpipe = LeadpipeClient(Transport(url, key, network=ways.to_leadpipe), settings.api_profile)
    where = "the sandbox" if settings.sandbox else checked_base_url(url)
    connected = Finding("connection", "ok", f"{where} answers")
    try:
        account = await leadpipe.account()
    except LeadpipeError as error:
        what = next(what for kind, what in _BLAMED.items() if isinstance(error, kind))
        problem = Finding(what, "problem", error.problem, error.advice)
        return [problem] if isinstance(error, NotConfigured | Unreachable) else [connected, problem]
    whose = "none needed" if settings.sandbox else "LEADPIPE_API_KEY holds one that works"
    found = [connected, Finding("key", "ok", whose), *_of_account(account)]
    try:
        await leadpipe.configs.filters()
    except LeadpipeError as error:
        return [*found, Finding("filters", "problem", error.problem, error.advice)]
    return [*found, Finding("API", "ok", _generation(leadpipe.profile))]


def _of_account(account: Account) -> Iterator[Finding]:
    organization, slots, credit = account.organization, account.slots, account.credits
    finding = partial(Finding, "organization")
    name, status = clean(organization.name or "", 80) or "it", organization.status
    if account.healthy is False:
        renew = "Renew the subscription in the Leadpipe dashboard."
        yield finding("problem", f"{name} is {status or 'not healthy'}", renew)
    else:
        yield finding("ok", f"{name} is {status or 'in good standing'}")
    if slots is None:
        yield Finding("slots", "ok", "the service does not show them")
    elif slots.free:
        yield Finding("slots", "ok", f"{slots.free} of {counted(slots.limit, 'slot')} free")
    else:
        advice = "Pause an active audience before you activate another."
        yield Finding("slots", "warning", f"all {slots.limit} are in use", advice)
    if credit is None or credit.remaining is None:
        yield Finding("credits", "ok", "the service does not show them")
    elif credit.remaining:
        yield Finding("credits", "ok", f"{counted(credit.remaining, 'credit')} left")
    else:
        when = f"New ones come at {credit.resets_at}." if credit.resets_at else ""
        yield Finding("credits", "warning", "none left", when or "Buy some, or wait for new ones.")


def _generation(profile: ApiProfile) -> str:
    told = {"flat": "filters as of April 2026", "catalog": "filters as of May 2026"}
    return told.get(profile.vocabulary or "", "its generation shows when it is used")


async def _sonarly(settings: Settings, ways: Ways) -> Finding:
    url, key = settings.sonarly_base_url, settings.sonarly_api_key
    if settings.sandbox:
        url, key = SANDBOX_URL, SecretStr(SANDBOX_KEY)
    client = SonarlyClient(sonarly_transport(url, key, network=ways.to_sonarly))
    try:
        accounts = await client.accounts()
    except LeadpipeError as error:
        return Finding("Sonarly", "problem", error.problem, error.advice)
    return Finding("Sonarly", "ok", f"the key sees {counted(len(accounts), 'account')}")


def _folder(what: str, folder: Path | None, variable: str) -> Finding:
    """Look whether the folder can be written, or made, without making it."""
    if folder is None:
        return Finding(what, "ok", "nowhere, as nothing is set")
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding(what, "ok", f"{folder}{'' if there == folder else ', made when needed'}")
    advice = f"Set {variable} to a folder that you may write to."
    return Finding(what, "problem", f"{folder} cannot be written", advice)
