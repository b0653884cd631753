"""Who is calling, and what the processes that answer them know together.

Over stdio there is one user, whose keys are in the settings, and one process. `hosting` has the
callers of a team, each with a key or token of their own, and processes that share Redis.
"""

import hmac
import secrets
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from pydantic import SecretStr

if TYPE_CHECKING:
    from leadpipe_mcp.downloads import Downloads

_MOMENT = struct.Struct("!d")


class Shared:
    """What this process remembers for all that serve the same callers; here it is the only one.

    Args:
        secret: What codes are sealed with.
        clock: Seconds, by a clock that is the same for all of them.
    """

    def __init__(
        self, secret: bytes | None = None, clock: Callable[[], float] = anyio.current_time
    ) -> None:
        self.clock = clock
        self._secret = secret or secrets.token_bytes(32)
        self._used: dict[str, float] = {}

    def key(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for this purpose alone."""
        return hmac.digest(self._secret, f"leadpipe-mcp/1/{purpose}".encode(), "sha256")

    async def first_use(self, code: str, seconds: float) -> bool:
        """Whether nobody has used the code before; from now on it is used."""
        now = self.clock()
        self._used = {code: until for code, until in self._used.items() if now <= until}
        is_first = code not in self._used
        self._used[code] = now + seconds
        return is_first

    async def read(self, name: str) -> bytes | None:  # noqa: ARG002 -- here nobody else keeps any
        """Return what another process kept under the name."""
        return None

    async def keep(self, name: str, what: bytes, seconds: float) -> None:
        """Keep something for other processes."""

    async def state(self) -> str | None:
        """Say whether what is shared can be reached; None where there is nothing to reach."""
        return None

    async def close(self) -> None:
        """Let go of connections."""


class KeptTogether:
    """Something that the processes keep for each other, under a name that tells nothing.

    Args:
        shared: Where they keep it.
        what: What it is, and whose.
        seconds: How long they keep it.
    """

    def __init__(self, shared: Shared, what: str, seconds: float) -> None:
        self._shared = shared
        self._name = shared.key(f"kept: {what}").hex()
        self._seconds = seconds

    async def read(self) -> tuple[float, bytes] | None:
        """Return how many seconds old it is, and the thing; None if there is none."""
        kept = await self._shared.read(self._name)
        if kept is None or len(kept) < _MOMENT.size:
            return None
        (made,) = _MOMENT.unpack_from(kept)
        return self._shared.clock() - made, kept[_MOMENT.size :]

    async def keep(self, thing: bytes) -> None:
        """Keep the thing, and when it was made."""
        made = _MOMENT.pack(self._shared.clock())
        await self._shared.keep(self._name, made + thing, self._seconds)


class Callers:
    """Everyone who may call: here the one user of this machine."""

    see_alike = True
    """Whether all of them are shown the same tools."""

    downloads: "Downloads | None" = None
    """Where their files go, if not onto this machine's disk for them to find."""

    def __init__(self, shared: Shared | None = None) -> None:
        self.shared = shared or Shared()

    def id(self) -> str:
        """Return what stands for whoever made the present call, and tells nothing of their key."""
        return ""

    def account(self) -> str:
        """Return what stands for the account that their calls are about."""
        return ""

    def may_write(self) -> bool:
        """Whether they may change things."""
        return True

    def leadpipe_key(self) -> SecretStr | None:
        """Return the key of Leadpipe that they brought."""
        return None

    def sonarly_key(self) -> SecretStr | None:
        """Return the key of Sonarly that they brought."""
        return None

    def keeping(self, what: str, seconds: float) -> KeptTogether | None:  # noqa: ARG002 -- see hosting
        """Return what keeps something of their account; None where this machine's disk does."""
        return None
