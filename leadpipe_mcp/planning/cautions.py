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
    found = [*_of_problems(plan), *_of_spelling(plan)]
    if plan.size is not None:
        found += [*of_size(plan.size), *_of_filters(plan), *_of_topics(plan)]
    if plan.sized.preview:
        found += [*_of_date(plan.sized.preview, today), *_of_contact(plan, plan.sized.preview)]
    return list(dict.fromkeys(found))


def of_size(size: int) -> list[str]:
    """Return what to point out about a size."""
    if size == 0:
        return ["Nobody matches. Leave a filter out, lower minScore, or take other topics."]
    if size < SMALL:
        many = counted(size, "person", "people")
        return [f"Only {many}: small for outreach. Fewer filters bring more."]
    return []


def _of_problems(plan: Plan) -> Iterator[str]:
    for problem in plan.topics.problems:
        yield f"Part of the topic search failed. {problem}"
    if plan.sized.problems:
        yield f"Part of the measuring failed. {' '.join(plan.sized.problems)}"


def _of_spelling(plan: Plan) -> Iterator[str]:
    """What was left out without being asked, with how many people that is where counted."""
    yield from plan.spelled.remarks
    for key in plan.spelled.by_listing:
        many = plan.sized.unknown.get(key)
        if many is None:
            yield leaves_out_unknown(key)
        elif many:
            yield leaves_out_unknown(key, counted(many, "person", "people"))
    for match in plan.spelled.matches:
        if match.cut:
            sizes = [(v, plan.sized.with_cut.get(f"{match.key} {v}")) for v in match.cut]
            there = [f"with '{value}' there would be {size:,}" for value, size in sizes if size]
            yield " ".join(
                [match.cut_note, *([f"{'; '.join(there).capitalize()}."] if there else [])]
            )


def _of_filters(plan: Plan) -> Iterator[str]:
    """The filter that removes most, if that is nearly everybody."""
    size, weights = plan.size or 0, plan.sized.without_filter
    key = max(weights, key=lambda key: weights[key], default=None)
    if key is None or not weights[key] or size >= (1 - _NEARLY_ALL) * weights[key]:
        return
    share = f"{100 * (1 - size / weights[key]):.0f} %" if size else "everybody"
    yield f"{key} alone removes {share}: without it there are {weights[key]:,}."


def _of_topics(plan: Plan) -> Iterator[str]:
    names = {topic.id: topic.name for topic in plan.topics.topics}
    for topic, only in plan.unique_people.items():
        if plan.size and only < _HARDLY * plan.size:
            name = clean(names.get(topic, str(topic)), _LONGEST)
            yield f"'{name}' adds hardly anybody: {only:,} of {plan.size:,}."


def _of_date(preview: Preview, today: dt.date) -> Iterator[str]:
    try:
        day = dt.date.fromisoformat((preview.data_date or "")[:10])
    except ValueError:
        return
    if (today - day).days > _OLD_DAYS:
        yield f"The service's data is from {day}, {(today - day).days} days old."


def _of_contact(plan: Plan, preview: Preview) -> Iterator[str]:
    if "hasBusinessEmail" not in plan.config.filters or not preview.sample:
        return
    if any(person.get("businessEmail") for person in preview.sample):
        return
    if any(person.get("personalEmail") for person in preview.sample):
        many = len(preview.sample)
        yield f"Business e-mail was wanted, but all {many} of the sample have only personal ones."
