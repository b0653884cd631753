"""What a careful colleague would point out about a plan."""

import datetime as dt
from collections.abc import Iterator

from leadpipe_mcp.api.models import Preview
from leadpipe_mcp.api.spelling import leaves_out_unknown
from leadpipe_mcp.planning.plan import Plan
from leadpipe_mcp.text import clean, counted

SMALL = 100
"""Fewer people than this are too few for outreach."""
_OLD_DAYS = 3
_NEARLY_ALL = 0.9
_HARDLY = 0.01
_LONGEST = 80


def cautions(plan: Plan, today: dt.date) -> list[str]:
    """Return what to point out about the plan, the most important first."""
    found = [f"Part of the topic search failed. {problem}" for problem in plan.topics.problems]
    if plan.sized.problems:
        found.append(f"Part of the measuring failed. {' '.join(plan.sized.problems)}")
    found += _of_spelling(plan)
    if plan.size is not None:
        found += [*of_size(plan.size), *_of_weights(plan, plan.size)]
    if plan.sized.preview:
        found += _of_preview(plan, plan.sized.preview, today)
    return list(dict.fromkeys(found))


def of_size(size: int) -> list[str]:
    """Return what to point out about a size."""
    if size == 0:
        return ["Nobody matches. Leave a filter out, lower minScore, or take other topics."]
    if size < SMALL:
        many = counted(size, "person", "people")
        return [f"Only {many}: small for outreach. Fewer filters bring more."]
    return []


def _of_spelling(plan: Plan) -> Iterator[str]:
    """What was left out without being asked, with how many people that is where counted."""
    yield from plan.spelled.remarks
    for key in plan.spelled.by_listing:
        many = plan.sized.unknown.get(key)
        if many is None:
            yield leaves_out_unknown(key)
        elif many:
            yield leaves_out_unknown(key, counted(many, "person", "people"))
    with_cut = plan.sized.sizes("cut")
    for match in plan.spelled.matches:
        if match.cut:
            sizes = [(value, with_cut.get(f"{match.key} {value}")) for value in match.cut]
            there = [f"with '{value}' there would be {size:,}" for value, size in sizes if size]
            yield match.cut_note + (f" {'; '.join(there).capitalize()}." if there else "")


def _of_weights(plan: Plan, size: int) -> Iterator[str]:
    """The filter that removes most, if that is nearly everybody; topics that add hardly anybody."""
    without = plan.sized.sizes("filter")
    key = max(without, key=lambda key: without[key], default="")
    if key and size < (1 - _NEARLY_ALL) * without[key]:
        share = f"{100 * (1 - size / without[key]):.0f} %" if size else "everybody"
        yield f"{key} alone removes {share}: without it there are {without[key]:,}."
    names = {topic.id: topic.name for topic in plan.topics.topics}
    for topic, only in plan.unique_people.items():
        if only < _HARDLY * size:
            name = clean(names.get(topic, str(topic)), _LONGEST)
            yield f"'{name}' adds hardly anybody: {only:,} of {size:,}."


def _of_preview(plan: Plan, preview: Preview, today: dt.date) -> Iterator[str]:
    """Old data, and personal addresses alone where business ones were wanted."""
    try:
        day = dt.date.fromisoformat((preview.data_date or "")[:10])
    except ValueError:
        day = today
    if (today - day).days > _OLD_DAYS:
        yield f"The service's data is from {day}, {(today - day).days} days old."
    has_business, has_personal = (
        any(person.get(field) for person in preview.sample)
        for field in ("businessEmail", "personalEmail")
    )
    if "hasBusinessEmail" in plan.config.filters and has_personal and not has_business:
        many = len(preview.sample)
        yield f"Business e-mail was wanted, but all {many} of the sample have only personal ones."
