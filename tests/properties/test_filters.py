"""What is asked of people reaches the service whole, whichever spelling either of them speaks."""

from collections.abc import Callable
from typing import Any

import anyio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, SecretStr

from leadpipe_mcp.api.filters import FLAT_KEYS, read_filters
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig
from leadpipe_mcp.api.spelling import FilterCatalog, FilterEntry, FilterValue, missing_filters
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.sandbox import Sandbox, SandboxSettings
from leadpipe_mcp.tools.arguments import ConfigChange

Filters = dict[str, JsonValue]


def catalog_of(profile: Any) -> FilterCatalog:  # noqa: ANN401 -- a Literal
    """The filters that a simulated service of this profile has."""
    sandbox = Sandbox(SandboxSettings(people=100, examples=False, profile=profile))
    client = LeadpipeClient(
        Transport("https://service.test", SecretStr("sk_test_0"), application=sandbox)
    )
    return anyio.run(client.configs.filters)


FLAT, CATALOG = catalog_of("flat"), catalog_of("catalog")
SERVICES = {"flat": FLAT, "catalog": CATALOG}
services = st.sampled_from(list(SERVICES))
words = st.text(min_size=1, max_size=20).filter(str.strip)


def values_for(entry: FilterEntry) -> st.SearchStrategy[Any]:
    """What a filter may hold, as people write it: in any case, some of it twice."""
    if entry.kind in {"flag", "yes_no"}:
        return st.booleans() | st.sampled_from(["y", "No", " TRUE "])
    if entry.kind == "text":
        return words
    known = st.sampled_from([v.value for v in entry.values])
    written = known | known.map(str.upper) | known.map(lambda value: f" {value.title()} ")
    return written if entry.kind == "value" else st.lists(written, min_size=1, max_size=5)


def filters_of(catalog: FilterCatalog) -> st.SearchStrategy[Filters]:
    """Some of a catalogue's filters, with values that they have."""
    entries = catalog.entries.values()
    return st.fixed_dictionaries({}, optional={e.key: values_for(e) for e in entries})


asked = services.flatmap(lambda name: st.tuples(st.just(name), filters_of(SERVICES[name])))
either = filters_of(FLAT) | filters_of(CATALOG)
# What nobody has checked: keys of both spellings and of none, values of any kind.
anything = st.dictionaries(
    st.sampled_from([*FLAT.entries, *CATALOG.entries, "role.shoeSize", "seniorty"]),
    st.none() | st.booleans() | st.integers() | words | st.lists(words, max_size=3)
    | st.fixed_dictionaries({}, optional={"values": st.lists(words), "mode": words, "x": words}),
    max_size=6,
)  # fmt: skip


def said(service: FilterCatalog, filters: Filters) -> Filters:
    return service.spell(read_filters(filters))


def refused(act: Callable[[], object]) -> str | None:
    """What is said against it, or None where it is done."""
    try:
        act()
    except NotPossible as refusal:
        return str(refusal)
    return None


@given(filters_of(FLAT))
def test_flat_filters_said_as_the_catalogue_says_them_and_back_are_the_same(
    filters: Filters,
) -> None:
    flat = said(FLAT, filters)
    there = said(CATALOG, flat)
    assert len(there) == len(flat) == len(filters)
    assert said(FLAT, there) == flat
    assert said(CATALOG, filters) == there


@given(asked)
def test_what_is_said_in_the_services_words_is_not_said_otherwise_again(
    asked: tuple[str, Filters],
) -> None:
    service, filters = SERVICES[asked[0]], asked[1]
    once = said(service, filters)
    assert said(service, once) == once
    for value in once.values():
        values = value["values"] if isinstance(value, dict) else value
        assert not isinstance(values, list) or len(values) == len({str(v) for v in values})


@given(services, anything)
def test_every_filter_is_sent_or_refused_by_name(name: str, filters: Filters) -> None:
    service = SERVICES[name]
    whole = refused(lambda: said(service, filters))
    named = {key: value for key, value in filters.items() if value is not None}
    if whole is None:
        keys = [service.entry_for(key).key for key in named]
        assert sorted(said(service, filters)) == sorted(keys)
        return
    # What cannot be read is told first, and what the service does not have after that.
    wrong = [key for key in named if refused(lambda key=key: read_filters({key: named[key]}))] or [
        key for key in named if refused(lambda key=key: said(service, {key: named[key]}))
    ]
    for key in wrong:
        assert f"'{key}'" in whole or f"'{service.entry_for(key).key}'" in whole
    if not wrong:
        assert "are one and the same filter" in whole


@given(filters_of(CATALOG), st.data())
def test_a_filter_that_the_service_does_not_list_as_applied_is_missed(
    filters: Filters, data: st.DataObject
) -> None:
    spelled = said(CATALOG, filters)
    assert missing_filters(spelled, spelled) == ()
    gone: set[str] = data.draw(st.sets(st.sampled_from(list(spelled)))) if spelled else set()
    assert set(missing_filters(spelled, [key for key in spelled if key not in gone])) == gone


@given(st.lists(st.tuples(words, words), min_size=1, max_size=6))
def test_a_value_in_the_services_own_spelling_is_always_that_value(
    known: list[tuple[str, str]],
) -> None:
    values = tuple(FilterValue(value, label) for value, label in known)
    entry = FilterEntry("company.x", "X", "values", values)
    for value in values:
        assert entry.value_for(value.value, "company.x") == value.value


@given(asked, either)
def test_a_change_of_filters_replaces_what_it_names_and_leaves_the_rest(
    asked: tuple[str, Filters], change: Filters
) -> None:
    service, filters = SERVICES[asked[0]], asked[1]
    present, new = said(service, filters), refused(lambda: said(service, change))
    if new is not None:
        assert refused(lambda: service.merge(present, change)) == new
        return
    merged = service.merge(present, change)
    assert merged == present | said(service, change)
    assert service.merge(merged, change) == merged


@given(asked, st.data())
def test_null_removes_a_filter_in_either_spelling_and_no_other(
    asked: tuple[str, Filters], data: st.DataObject
) -> None:
    service, filters = SERVICES[asked[0]], asked[1]
    present = said(service, filters)
    assert service.merge(present, {}) == present
    key = data.draw(st.sampled_from([*FLAT_KEYS, *service.entries]))
    merged = service.merge(present, {key: None})
    own = service.entry_for(key).key
    assert merged == {name: value for name, value in present.items() if name != own}


@given(asked, either, st.data())
def test_the_order_of_a_changes_parts_does_not_matter(
    asked: tuple[str, Filters], change: Filters, data: st.DataObject
) -> None:
    service, filters = SERVICES[asked[0]], asked[1]
    present = said(service, filters)
    change = change | dict.fromkeys(data.draw(st.lists(st.sampled_from(list(FLAT_KEYS)))))
    other = dict(data.draw(st.permutations(list(change.items()))))
    no = refused(lambda: service.merge(present, change))
    assert (no is None) == (refused(lambda: service.merge(present, other)) is None)
    if no is None:
        assert service.merge(present, change) == service.merge(present, other)


scores = st.integers(0, 100)
topics = st.lists(st.integers(1, 10**6), min_size=1, max_size=5, unique=True)
others = {
    "minScore": scores,
    "maxScore": scores,
    "minTopicOverlap": st.integers(1, 5),
    "sourceUrl": st.sampled_from(["https://acme.example", "https://other.example"]),
}
parts = {"topicIds": topics, **others}
REMOVABLE = {"maxScore", "sourceUrl"}


@given(
    st.fixed_dictionaries({"topicIds": topics}, optional=others),
    st.fixed_dictionaries({}, optional={name: part | st.none() for name, part in parts.items()}),
)
def test_a_change_of_a_config_replaces_what_it_names_and_leaves_the_rest(
    present: dict[str, Any], change: dict[str, Any]
) -> None:
    config, wanted = AudienceConfig.model_validate(present), ConfigChange.model_validate(change)
    changed = wanted.applied_to(config, config.filters)
    assert wanted.applied_to(changed, config.filters) == changed
    sent = {name: value for name, value in change.items() if value is not None}
    gone = {name for name in REMOVABLE & change.keys() if change[name] is None}
    assert changed.as_sent() == {
        name: value for name, value in (config.as_sent() | sent).items() if name not in gone
    }
