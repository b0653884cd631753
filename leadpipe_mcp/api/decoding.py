"""Compressed answers, read in pieces of bounded size.

A few hundred bytes of gzip can stand for gigabytes. So nothing is decoded faster than somebody
takes the pieces, and whoever takes them counts.
"""

import zlib
from collections.abc import Iterator

from leadpipe_mcp.errors import SERVICE, NeverUsable, UnusableAnswer
from leadpipe_mcp.text import redact

ACCEPTED = "gzip, deflate"
"""What a request asks for: what the standard library can undo."""
_PIECE = 2**16
_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Decoder:
    """Undoes the one coding of an answer.

    Args:
        coding: The answer's Content-Encoding.

    Raises:
        NeverUsable: If that is not one of those that were asked for, or more than one.
    """

    def __init__(self, coding: str) -> None:
        if coding not in _WINDOW:
            raise NeverUsable(
                f"{SERVICE}'s answer is compressed as '{redact(coding, 40)}', which was not asked"
                " for, and was not read."
            )
        self._may_be_raw = coding == "deflate"
        self._stream = zlib.decompressobj(_WINDOW[coding])
        self._has_begun = False

    def pieces(self, came: bytes) -> Iterator[bytes]:
        """What these bytes stand for, in pieces of at most 64 kilobytes.

        Raises:
            UnusableAnswer: If they are no such code, or go on after its end.
        """
        self._has_begun = self._has_begun or bool(came)
        piece = b""
        # A full piece may have more behind it, even where all that came has been read.
        while came or len(piece) == _PIECE:
            piece = self._decompressed(came)
            if piece:
                yield piece
            if self._stream.unused_data:
                raise UnusableAnswer(f"{SERVICE}'s compressed answer goes on after its end.")
            came = self._stream.unconsumed_tail

    def check_end(self) -> None:
        """Make sure that the code has come to its end, now that no more bytes come.

        Raises:
            UnusableAnswer: If it has not.
        """
        if self._has_begun and not self._stream.eof:
            raise UnusableAnswer(f"{SERVICE}'s compressed answer breaks off.")

    def _decompressed(self, came: bytes) -> bytes:
        try:
            piece = self._stream.decompress(came, _PIECE)
        except zlib.error:
            if not self._may_be_raw:
                raise UnusableAnswer(f"{SERVICE}'s compressed answer is broken.") from None
            # Some services send deflate without its frame, and their answers are no less whole.
            self._may_be_raw = False
            self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._decompressed(came)
        self._may_be_raw = False
        return piece
