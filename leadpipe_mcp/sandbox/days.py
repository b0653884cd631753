"""Moments and days, as the API writes them."""

from datetime import UTC, date, datetime, timedelta

SECONDS_PER_DAY = 86_400


def timestamp(moment: float) -> str:
    """2026-05-05T09:15:00.000Z."""
    written = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def data_date(moment: float) -> date:
    """The newest day with data: the day before, in UTC."""
    return datetime.fromtimestamp(moment, UTC).date() - timedelta(days=1)


def midnights(after: float, until: float) -> list[float]:
    """Every midnight in UTC after the one moment and not after the other."""
    first = int(after // SECONDS_PER_DAY) + 1
    last = int(until // SECONDS_PER_DAY)
    return [float(day * SECONDS_PER_DAY) for day in range(first, last + 1)]
