"""What goes out to a service, and what comes back, piece by piece and within bounds."""

import json
import mmap
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import urlencode

from leadpipe_mcp.api.answers import Received
from leadpipe_mcp.errors import (
    SERVICE,
    NeverUsable,
    NotPossible,
    UnusableAnswer,
)
from leadpipe_mcp.text import redact

MOST_ANSWERED = 32 * 2**20
"""The catalogue of 20,000 topics is the longest answer: about a tenth of this."""
_LONGEST_ADDRESS = 60_000
_PIECE = 2**16


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
    """A request with its query and its body as JSON, written so that a service reads the same."""
    content = b""
    try:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        address += f"?{urlencode(given)}" if given else ""
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            headers = {**headers, "Content-Type": "application/json"}
        is_possible = len(address) <= _LONGEST_ADDRESS
    except UnicodeError:
        is_possible = False
    if not is_possible:
        raise NotPossible(
            "A word of the request is too long, or holds half a character; nothing was sent."
        )
    return Outgoing(method, address, headers, content)


class Incoming:
    """An answer that is coming, refused where it is too long or is not what it says.

    Args:
        most_bytes: A longer one is not taken, whether it is long as it comes or when unpacked.
        file: What takes the pieces of a success, from its beginning; without it they are kept.
        on_piece: Called for each piece of a file.
    """

    def __init__(
        self,
        most_bytes: int = MOST_ANSWERED,
        file: BinaryIO | None = None,
        on_piece: Callable[[], object] | None = None,
    ) -> None:
        self._most = self._left = self._left_packed = most_bytes
        self._file = file
        self._on_piece = on_piece
        self._unpacking = None
        # In pages of its own: freed, they go back to the system. The C library would keep a freed
        # block of 32 MB for itself, and put small things into it.
        self._kept = mmap.mmap(-1, MOST_ANSWERED)
        self._sink: BinaryIO | mmap.mmap = file or self._kept
        self._status = 0
        self._headers: Mapping[str, str] = {}

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers, whose names are in lower case."""
        self._status, self._headers = status, headers
        coding = headers.get("content-encoding", "").strip().lower()
        if coding == "gzip":
            self._unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
        elif coding not in {"", "identity"}:
            raise NeverUsable(
                f"{SERVICE}'s answer is compressed as '{redact(coding, 40)}', which was not asked"
                " for, and was not read."
            )
        if self._file:
            self._file.seek(0)
            self._file.truncate()
        if self._file is None or not 200 <= status < 300:
            self._sink, self._left = self._kept, min(self._left, MOST_ANSWERED)

    def add(self, piece: bytes) -> None:
        """Take a piece of the body as it came."""
        self._left_packed = self._count(self._left_packed, piece)
        for part in self._unpacked(piece):
            self._left = self._count(self._left, part)
            self._sink.write(part)
        if self._file and self._on_piece:
            self._on_piece()

    def _unpacked(self, came: bytes) -> Iterator[bytes]:
        """What the bytes stand for: a few hundred can stand for gigabytes, so in small pieces."""
        if self._unpacking is None:
            yield came
            return
        part = b""
        # A full piece may have more behind it, even where all that came has been read.
        while came or len(part) == _PIECE:
            try:
                part = self._unpacking.decompress(came, _PIECE)
            except zlib.error:
                raise UnusableAnswer(f"{SERVICE}'s compressed answer is broken.") from None
            yield part
            if self._unpacking.unused_data:
                raise UnusableAnswer(f"{SERVICE}'s compressed answer goes on after its end.")
            came = self._unpacking.unconsumed_tail

    def _count(self, left: int, piece: bytes) -> int:
        if len(piece) > left:
            raise NeverUsable(
                f"{SERVICE}'s answer (status {self._status}) is far longer than any answer should"
                " be, and was not read to its end.",
                status=self._status,
            )
        return left - len(piece)

    def received(self) -> Received:
        """The answer, now that all of it has come."""
        if self._left_packed < self._most and self._unpacking and not self._unpacking.eof:
            raise UnusableAnswer(f"{SERVICE}'s compressed answer breaks off.")
        return Received(self._status, self._headers, self._kept[: self._kept.tell()])

    def drop(self) -> None:
        """Let go of what came: an error that somebody keeps holds all that led to it."""
        self._kept.close()
