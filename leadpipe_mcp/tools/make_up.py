"""The make-up of an audience, as a reply shows it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from leadpipe_mcp.api.models import Breakdown, Preview
from leadpipe_mcp.text import clean
from leadpipe_mcp.tools.replies import NAME_LENGTH


@dataclass(frozen=True)
class MakeUp:
    """The most frequent industries and seniorities, and what they are counted over."""

    industries: dict[str, int] | None = None
    seniorities: dict[str, int] | None = None
    counted_over: str | None = None


def make_up(preview: Preview, most: int) -> MakeUp:
    """Return the most frequent industries and seniorities: of everyone, or of the sample."""
    if preview.industries or preview.seniorities:
        return MakeUp(
            _largest(preview.industries, most), _largest(preview.seniorities, most), "all"
        )
    if not preview.sample:
        return MakeUp()
    return MakeUp(
        _most_common((person.get("companyIndustry") for person in preview.sample), most),
        _most_common((person.get("seniority") for person in preview.sample), most),
        f"the sample of {len(preview.sample)}",
    )


def _largest(breakdown: Iterable[Breakdown], most: int) -> dict[str, int]:
    parts = sorted(breakdown, key=lambda part: -part.count)[:most]
    return {clean(part.value, NAME_LENGTH): part.count for part in parts}


def _most_common(words: Iterable[object], most: int) -> dict[str, int]:
    counts = Counter(clean(str(word), NAME_LENGTH) for word in words if word)
    return dict(counts.most_common(most))
