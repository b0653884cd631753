"""Exports: files that are made when somebody downloads them, and links to them that expire."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from leadpipe_mcp.sandbox.dice import identity
from leadpipe_mcp.sandbox.replies import Refusal, not_found
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.store import Audience, Run
from leadpipe_mcp.sandbox.tables import Shape, Table

FILES_PATH = "/_files"
# It signs invented people only, and a link should be the same on every start.
_SIGNER = b"sandbox"
_LONGEST_SLUG = 60


@dataclass(slots=True, eq=False)
class File:
    """The people of a completed run, to be downloaded in the words of a generation."""

    id: str
    name: str
    run: Run
    shape: Shape
    created: float
    checksums: tuple[int, str] | None = None
    """Size and SHA-1, once somebody wanted to know."""

    def table(self, settings: SandboxSettings) -> Table:
        """What is in it."""
        return Table(self.run.match(settings.people), self.shape, settings)


class Files:
    """The exports of all organisations."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}

    def of_run(self, run: Run, shape: Shape) -> File | None:
        """The export of a run, if it was made."""
        return self._files.get(_file_id(run, shape))

    def add(self, audience: Audience, run: Run, shape: Shape, now: float) -> File:
        """The export of a run."""
        file_id = _file_id(run, shape)
        name = f"{_slug(audience.name)}-{run.day.isoformat()}.csv"
        self._files[file_id] = File(file_id, name, run, shape, now)
        return self._files[file_id]

    def forget(self, audience: Audience) -> None:
        """Remove everything that was exported of an audience."""
        for run in audience.runs:
            for shape in ("flat", "catalog"):
                self._files.pop(_file_id(run, shape), None)

    def opened(self, path: Mapping[str, str], query: Mapping[str, str], now: float) -> File:
        """The file that a link leads to, if the link is ours and has not expired."""
        place, expires = f"{path['file_id']}/{path['name']}", query.get("expires", "")
        signature = query.get("signature", "").encode()
        if not hmac.compare_digest(signature, _signature(place, expires).encode()):
            raise Refusal(403, "Invalid signature")
        if now >= int(expires):
            raise Refusal(403, "The link has expired")
        if path["file_id"] not in self._files:
            raise not_found("File")
        return self._files[path["file_id"]]


def link(file: File, base_url: str, expires: int) -> str:
    """Where the file can be downloaded without a key until a moment."""
    place = f"{file.id}/{file.name}"
    query = urlencode({"expires": expires, "signature": _signature(place, str(expires))})
    return f"{base_url}{FILES_PATH}/{place}?{query}"


def _signature(place: str, expires: str) -> str:
    return hmac.new(_SIGNER, f"{place} {expires}".encode(), hashlib.sha256).hexdigest()


def _file_id(run: Run, shape: Shape) -> str:
    return identity(f"file {run.id} {shape}")


def _slug(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", name.lower())
    return "-".join(words)[:_LONGEST_SLUG].strip("-") or "audience"
