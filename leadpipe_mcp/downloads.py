"""Files that callers fetch by links, where they have no disk of the server's to look at.

A link names a file, its caller and when it expires, sealed: nobody can read, guess or change it.
Every process with the same secret and folder can serve it. Once it has expired, the file goes.
"""

import json
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mcp.server.request_state import AESGCMRequestStateCodec, InvalidRequestState

PATH = "/files"
LINK_SECONDS = 3_600
_OF_A_CALLER = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Download:
    """A file behind a link."""

    path: Path
    caller: str
    is_over: bool
    """Whether the link has expired, or the file is gone."""


class Downloads:
    """The files of all callers, in a folder for each.

    Args:
        folder: Where they lie, for every process the same.
        address: Where callers find the server.
        key: What links are sealed with.
        clock: Seconds since 1970.
    """

    def __init__(self, folder: Path, address: str, key: bytes, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._address = address
        self._clock = clock
        self._codec = AESGCMRequestStateCodec([key])

    def folder(self, caller: str) -> Path:
        """Return where the caller's files go."""
        return self._folder / caller

    def link(self, path: Path, caller: str) -> tuple[str, str]:
        """Return a link to one of the caller's files, and when it expires."""
        now = int(self._clock())
        # The age of the file is that of its link; see sweep.
        os.utime(path, (now, now))
        until = now + LINK_SECONDS
        token = self._codec.seal(json.dumps([path.name, caller, until]).encode())
        shown = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{self._address}{PATH}/{token}", shown

    def find(self, token: str) -> Download | None:
        """Return what a link leads to; None if it is none of ours."""
        try:
            name, caller, until = json.loads(self._codec.unseal(token))
        except InvalidRequestState:
            return None
        path = self.folder(caller) / name
        return Download(path, caller, is_over=self._clock() >= until or not path.is_file())

    def sweep(self) -> None:
        """Remove the files whose links have expired."""
        oldest = self._clock() - LINK_SECONDS
        with suppress(OSError):
            folders = [one for one in self._folder.iterdir() if _OF_A_CALLER.fullmatch(one.name)]
            for path in [path for folder in folders for path in folder.iterdir()]:
                # Another process may sweep as well.
                with suppress(OSError):
                    if path.lstat().st_mtime <= oldest:
                        path.unlink()
