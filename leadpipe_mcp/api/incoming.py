"""What goes out to a service, and what comes back, piece by piece and within bounds."""

import json
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import urlencode

from leadpipe_mcp.api.answers import Received
from leadpipe_mcp.api.decoding import Decoder
from leadpipe_mcp.errors import SERVICE, NeverUsable, NotPossible

MOST_ANSWERED = 32 * 2**20
"""The catalogue of 20,000 topics is the longest answer: about a tenth of this."""
_LONGEST_ADDRESS = 60_000
_LARGE = 2**20


@dataclass(frozen=True)
class Outgoing:
    """A request as it is sent."""

    method: str
    address: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


def outgoing(
    method: str,
    address: str,
    query: Mapping[str, str | int | None] | None,
    body: Mapping[str, object] | None,
    headers: Mapping[str, str],
) -> Outgoing:
    """A request with its query and its body as JSON.

    Raises:
        NotPossible: If it cannot be written down so that a service reads the same.
    """
    try:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        whole = f"{address}?{urlencode(given)}" if given else address
        if body is None:
            content = b""
        else:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            headers = {**headers, "Content-Type": "application/json"}
    except UnicodeError:
        whole, content = "", b""
    if not whole or len(whole) > _LONGEST_ADDRESS:
        raise NotPossible(
            "A word of the request is too long, or holds half a character; nothing was sent."
        )
    return Outgoing(method, whole, headers, content)


class Incoming:
    """An answer that is coming.

    Args:
        most_bytes: A longer one is not taken, whether it is long as it comes or when decoded.
        file: What takes the pieces of a success, from its beginning; without it they are kept.
        on_piece: Called for each piece of a file.
    """

    def __init__(
        self,
        most_bytes: int = MOST_ANSWERED,
        file: BinaryIO | None = None,
        on_piece: Callable[[], object] | None = None,
    ) -> None:
        self._most = self._left = self._left_encoded = most_bytes
        self._file = file
        self._on_piece = on_piece
        self._decoder: Decoder | None = None
        self._kept: bytearray | mmap.mmap = bytearray()
        self._length = 0
        self._status = 0
        self._headers: Mapping[str, str] = {}

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers, whose names are in lower case.

        Raises:
            NeverUsable: If the body is in a code that was not asked for.
        """
        self._status, self._headers = status, headers
        coding = headers.get("content-encoding", "").strip().lower()
        self._decoder = Decoder(coding) if coding not in {"", "identity"} else None
        if self._file:
            self._file.seek(0)
            self._file.truncate()

    def add(self, piece: bytes) -> None:
        """Take a piece of the body as it came.

        Raises:
            NeverUsable: If it is too much.
            UnusableAnswer: If it cannot be decoded.
        """
        self._left_encoded = self._count(self._left_encoded, piece)
        for part in self._decoder.pieces(piece) if self._decoder else (piece,):
            self._left = self._count(self._left, part)
            if self._file and 200 <= self._status < 300:
                self._file.write(part)
            else:
                self._keep(part)
        if self._file and self._on_piece:
            self._on_piece()

    def _keep(self, part: bytes) -> None:
        """Keep a part, in pages of their own if there is much: freed, they go back to the system.

        The C library would keep a freed block of 32 MB for itself, and put small things into it.
        """
        self._length += len(part)
        if isinstance(self._kept, bytearray):
            self._kept += part
            if self._length > _LARGE:
                pages = mmap.mmap(-1, self._most)
                pages.write(self._kept)
                self._kept = pages
        else:
            self._kept.write(part)

    def _count(self, left: int, piece: bytes) -> int:
        if len(piece) > left:
            raise NeverUsable(
                f"{SERVICE}'s answer (status {self._status}) is far longer than any answer should"
                " be, and was not read to its end.",
                status=self._status,
            )
        return left - len(piece)

    def received(self) -> Received:
        """The answer, now that all of it has come.

        Raises:
            UnusableAnswer: If its code breaks off.
        """
        if self._decoder:
            self._decoder.check_end()
        return Received(self._status, self._headers, bytes(self._kept[: self._length]))

    def drop(self) -> None:
        """Let go of what came: an error that somebody keeps holds all that led to it."""
        if not isinstance(self._kept, bytearray):
            self._kept.close()
        self._kept = bytearray()
