"""The judge: compares the sandbox and the final answer with what a task expects.

How an assistant got there is nothing to it: it reads no transcript. Of the requests it looks only
at those that changed something, since what was done and undone leaves no other trace.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from evals.tasks import Changed, Either, Expected, Not, Saved, Wanted, Words
from evals.world import Account, SavedAudience
from leadpipe_mcp.sandbox.configs import FACETS
from leadpipe_mcp.sandbox.simulator import is_object
from tests.faults.service import Recorded

Filters = Mapping[str, frozenset[str]]
_ID = re.compile(r"/audiences/([0-9a-f-]{36})")
_SERVICE = "/v1/intent"
# A number as languages part its thousands: 1,234 or 1.234 or 1'234, or with a narrow space.
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:[,.'\u2019\u00a0\u2009\u202f]\d{3})+(?!\d)")


def judge(
    expected: Expected, before: Account, after: Account, changes: Sequence[Recorded], answer: str
) -> list[str]:
    """Return why the try has failed: nothing if it has not."""
    return [
        *_new_audiences(expected, before, after, answer),
        *_old_audiences(expected, before, after),
        *_elsewhere(expected, before, after),
        *_files(expected, after),
        *_on_the_way(expected, before, changes),
        *_answer(expected, answer),
    ]


def _new_audiences(
    expected: Expected, before: Account, after: Account, answer: str
) -> Iterator[str]:
    new = [one for number, one in after.audiences.items() if number not in before.audiences]
    for wanted in expected.saved:
        if not new:
            yield "no audience was saved"
            continue
        found = [list(_wrong_with(one, wanted)) for one in new]
        best = min(range(len(new)), key=lambda place: len(found[place]))
        yield from (f"the audience that was saved {wrong}" for wrong in found[best])
        if wanted.told and not holds(answer, str(new[best].size)):
            yield f"the answer does not say that there are {new[best].size} people"
        del new[best]
    yield from (f"{one.name!r} was saved, which nobody wanted" for one in new)


def _wrong_with(one: SavedAudience, wanted: Saved) -> Iterator[str]:
    """Say what about a new audience is not as it should be."""
    if wanted.name.lower() not in one.name.lower():
        yield f"is called {one.name!r}, not {wanted.name!r}"
    if one.status != wanted.status:
        yield f"is {one.status}, not {wanted.status}"
    yield from _wrong_topics(one, wanted.topics)
    if wanted.minScore not in {None, one.config.lowest}:
        yield f"has minScore {one.config.lowest}, not {wanted.minScore}"
    has = filters_of(one)
    for key in dict.fromkeys([*wanted.filters, *has]):
        yield from _wrong_filter(key, has.get(key), wanted.filters.get(key))
    if wanted.size and not wanted.size[0] <= one.size <= wanted.size[1]:
        yield f"has {one.size} people, not {wanted.size[0]} to {wanted.size[1]}"


def _wrong_topics(one: SavedAudience, words: Sequence[Words]) -> Iterator[str]:
    names = [_plain(name) for name in one.topics]
    ways = [[word] if isinstance(word, str) else word for word in words]
    for several in ways:
        if not any(_plain(word) in name for word in several for name in names):
            yield f"has no topic of {' or '.join(several)}"
    known = [_plain(word) for several in ways for word in several]
    odd = [name for name in names if not any(word in name for word in known)]
    if odd:
        yield f"has topics that nobody named: {', '.join(odd)}"


def _wrong_filter(key: str, has: frozenset[str] | None, wanted: Wanted | None) -> Iterator[str]:
    allowed = [] if wanted is None else _readings(key, wanted)
    if has is None and any(allowed):
        yield f"has no filter {key}"
    elif has is not None and not any(allowed):
        yield f"has a filter {key}, which nobody named"
    elif has is not None and has not in allowed:
        best = min(allowed, key=lambda reading: len(reading ^ has))
        more, less = sorted(has - best), sorted(best - has)
        parts = [f"too many values: {', '.join(more)}"] * bool(more)
        parts += [f"too few: {', '.join(less)}"] * bool(less)
        yield f"has in {key} {'; '.join(parts)}"


def _readings(key: str, wanted: Wanted) -> list[frozenset[str]]:
    """Return the sets of values that are right."""
    if isinstance(wanted, Either):
        return [frozenset(values) for values in wanted.either]
    if isinstance(wanted, Not):
        return [frozenset(FACETS[key].values("catalog")) - frozenset(wanted.but)]
    values = [wanted] if isinstance(wanted, bool) else wanted
    return [frozenset(map(str, values))]


def filters_of(one: SavedAudience) -> Filters:
    """Return the values of each filter of an audience, under the sandbox's names."""
    return {each.facet: frozenset(map(str, each.values)) for each in one.config.filters}


def _old_audiences(expected: Expected, before: Account, after: Account) -> Iterator[str]:
    for number, old in before.audiences.items():
        now, change = after.audiences.get(number), expected.changed.get(old.name)
        if old.name in expected.deleted:
            if now is not None:
                yield f"{old.name!r} was not deleted"
        elif now is None:
            yield f"{old.name!r} was deleted"
        else:
            yield from _wrong_change(old, now, change or Changed())
            # Who changes an audience may put its people together again as well.
            if now.refreshes > old.refreshes and old.name not in expected.changed:
                yield f"{old.name!r} was refreshed"


def _wrong_change(old: SavedAudience, now: SavedAudience, change: Changed) -> Iterator[str]:
    """Say where an audience that was there is not as it was, or not changed as it should be."""
    facts = {
        "name": (old.name, now.name, change.name),
        "status": (old.status, now.status, change.status),
        "minScore": (old.config.lowest, now.config.lowest, change.minScore),
        "maxScore": (old.config.highest, now.config.highest, None),
        "minTopicOverlap": (old.config.overlap, now.config.overlap, None),
    }
    for fact, (was, is_now, wanted) in facts.items():
        if is_now != (was if wanted is None else wanted):
            yield f"{old.name!r} has {fact} {is_now}, not {was if wanted is None else wanted}"
    if change.topics is not None:
        yield from (f"{old.name!r} {wrong}" for wrong in _wrong_topics(now, change.topics))
    elif sorted(old.topics) != sorted(now.topics):
        yield f"{old.name!r} has other topics"
    was, has = filters_of(old), filters_of(now)
    for key in dict.fromkeys([*change.filters, *was, *has]):
        wanted = change.filters.get(key, sorted(was.get(key, ())))
        yield from (f"{old.name!r} {wrong}" for wrong in _wrong_filter(key, has.get(key), wanted))


def _elsewhere(expected: Expected, before: Account, after: Account) -> Iterator[str]:
    """Compare slots, pixels and Sonarly."""
    if expected.slots not in {None, after.slots}:
        yield f"the slots taken are {after.slots}, not {expected.slots}"
    wanted = before.lists | {name: (one.type, one.folder) for name, one in expected.lists.items()}
    pairs = (
        ("pixel", before.pixels | expected.pixels, after.pixels),
        ("list", wanted, after.lists),
        (
            "folder",
            dict.fromkeys((*before.folders, *expected.folders)),
            dict.fromkeys(after.folders),
        ),
    )
    for what, should, has in pairs:
        for name in dict.fromkeys([*should, *has]):
            if name not in has:
                yield f"there is no {what} {name!r}"
            elif name not in should:
                yield f"the {what} {name!r} was made, which nobody wanted"
            elif should[name] != has[name]:
                yield f"the {what} {name!r} is {has[name]}, not {should[name]}"
    if before.other != after.other and not (expected.lists or expected.pixels):
        yield "a description or a list of pages was changed"


def _files(expected: Expected, after: Account) -> Iterator[str]:
    files = list(after.files)
    for wanted in expected.files:
        right = [file for file in files if file.name.endswith(wanted.ending)]
        if not right:
            yield f"no file that ends with {wanted.ending} was exported"
            continue
        files.remove(right[0])
        if list(right[0].columns) != wanted.columns:
            yield f"{right[0].name} has the columns {', '.join(right[0].columns)}"
        if right[0].rows != wanted.rows:
            yield f"{right[0].name} has {right[0].rows} rows, not {wanted.rows}"
    yield from (f"{file.name} was exported, which nobody wanted" for file in files)


def _on_the_way(expected: Expected, before: Account, changes: Sequence[Recorded]) -> Iterator[str]:
    """Say what was changed on the way, even if it has been undone."""
    if expected.changes_nothing:
        yield from (
            f"{change.method} {change.path.removeprefix(_SERVICE)} changed something"
            for change in changes
        )
        return
    meant = {*expected.changed, *expected.deleted}
    wanted = (*expected.saved, *expected.changed.values())
    may_activate = any(one.status == "active" for one in wanted)
    for change in changes:
        found = _ID.search(change.path)
        old = before.audiences.get(found[1]) if found else None
        if old and old.name not in meant:
            yield f"{old.name!r} was changed on the way ({change.method})"
        is_on = is_object(change.body) and change.body.get("status") == "active"
        if is_on and not may_activate:
            yield "an audience was activated, and nobody agreed"


def _answer(expected: Expected, answer: str) -> Iterator[str]:
    if not answer.strip():
        yield "there is no answer"
        return
    for words in expected.says:
        ways = [words] if isinstance(words, str) else words
        if not any(holds(answer, way) for way in ways):
            yield f"the answer does not say {' or '.join(ways)}"
    yield from (f"the answer says {words}" for words in expected.never if holds(answer, words))


def holds(answer: str, words: str) -> bool:
    """Return whether an answer holds a number, a pattern between slashes, or words in any case."""
    if words.isdigit():
        bare = _THOUSANDS.sub(lambda found: re.sub(r"\D", "", found[0]), answer)
        return re.search(rf"(?<![\d.-]){words}(?![\d-]|[.,]\d)", bare) is not None
    if words.startswith("/"):
        return re.search(words.strip("/"), _plain(answer), re.IGNORECASE) is not None
    return _plain(words) in _plain(answer)


def _plain(text: str) -> str:
    """The text in lower case, with straight apostrophes, and a space for room or a hyphen."""
    return re.sub(r"[\s_-]+", " ", text.lower().replace("\u2019", "'"))
