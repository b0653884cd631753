"""How many requests a caller may make in a minute."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter


class Limits:
    """Counts requests by caller, in this process."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._limit = RateLimitItemPerMinute(per_minute)
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def seconds_to_wait(self, who: str) -> int:
        """Count a request; 0 if it is within the limit."""
        return await self._counted(self._here, who)

    async def _counted(self, limiter: SlidingWindowCounterRateLimiter, who: str) -> int:
        if await limiter.hit(self._limit, who):
            return 0
        window = await limiter.get_window_stats(self._limit, who)
        return max(1, math.ceil(window.reset_time - time.time()))
