"""What several processes share in Redis.

Redis may go away. Then each process goes on with what it has in its own memory, says so in its log
and in /readyz, and asks again a little later.
"""

import contextlib
import logging
import time
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar, cast

from anyio import to_thread
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis import RedisError
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from leadpipe_mcp.callers import Shared
from leadpipe_mcp.hosting.limits import Limits

T = TypeVar("T")

PREFIX = "leadpipe-mcp"
ANSWER_SECONDS = 0.5
AGAIN_SECONDS = 2.0

_log = logging.getLogger(__name__)


class SharedInRedis(Shared):
    """Redis, and the memory of this process for when Redis is away."""

    def __init__(self, url: str, secret: bytes | None) -> None:
        super().__init__(secret, time.time)
        self.pool: ConnectionPool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] -- untyped
            url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            # A connection may have been closed while nobody used it.
            retry=Retry(NoBackoff(), 1),
            max_connections=64,
        )
        self._redis: Redis = Redis(connection_pool=self.pool)
        self._away_until: float | None = None

    async def first_use(self, code: str, seconds: float) -> bool:
        """Whether no process has used the code, as far as Redis and this one know."""
        is_first_here = await super().first_use(code, seconds)
        key = f"{PREFIX}:used:{code}"
        set_now = await self.ask(
            lambda: self._redis.set(key, b"", nx=True, ex=int(seconds) + 1), otherwise=True
        )
        return is_first_here and bool(set_now)

    async def read(self, name: str) -> bytes | None:
        """Return what any process kept under the name."""
        key = f"{PREFIX}:kept:{name}"
        found = cast("bytes | None", await self.ask(lambda: self._redis.get(key), otherwise=None))
        with contextlib.suppress(zlib.error):
            return await to_thread.run_sync(zlib.decompress, found) if found else None
        return None

    async def keep(self, name: str, what: bytes, seconds: float) -> None:
        """Keep something for all processes."""
        key, packed = f"{PREFIX}:kept:{name}", await to_thread.run_sync(zlib.compress, what)
        await self.ask(lambda: self._redis.set(key, packed, ex=int(seconds)), otherwise=None)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()
        await self.pool.aclose()

    async def ask(self, question: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Return Redis' answer, or something else while it is away."""
        now = time.monotonic()
        if self._away_until is not None and now < self._away_until:
            return otherwise
        try:
            answer = await question()
        except (RedisError, OSError):
            if self._away_until is None:
                _log.warning("Redis is away: this process goes on with its own memory and limits")
            self._away_until = time.monotonic() + AGAIN_SECONDS
            return otherwise
        if self._away_until is not None:
            _log.warning("Redis is back")
            self._away_until = None
        return answer

    async def state(self) -> Literal["ok", "away"]:
        """Ask Redis whether it is there."""
        await self.read("")
        return "away" if self._away_until else "ok"


class LimitsInRedis(Limits):
    """Counts requests by caller in all processes; while Redis is away, in each for itself."""

    def __init__(self, per_minute: int, shared: SharedInRedis) -> None:
        super().__init__(per_minute)
        self._shared = shared
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix=f"{PREFIX}:limits",
            connection_pool=cast("Any", shared.pool),
        )
        self._together = SlidingWindowCounterRateLimiter(storage)

    async def seconds_to_wait(self, who: str) -> int:
        """Count a request in all processes; 0 if it is within the limit."""
        waits = await self._shared.ask(lambda: self._counted(self._together, who), otherwise=None)
        return await super().seconds_to_wait(who) if waits is None else waits
