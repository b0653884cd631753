"""What is asked of people, or asked to be left out, reaches the service whole or is refused."""

from typing import Any

import anyio
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import JsonValue

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import AudienceConfig, ServiceConfig, SpelledConfig
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.vocabulary.catalog import RANGES, FilterCatalog, FilterEntry
from tests.planning.service import client_of, start

Json = dict[str, Any]
TOPIC = 117805
NOTHING: Json = {}


SERVICES = {name: client_of(start(people=300, profile=name)) for name in ("flat", "catalog")}
CATALOGS = {name: anyio.run(client.configs.filters) for name, client in SERVICES.items()}
services = st.sampled_from(["flat", "catalog"])


def spell(client: LeadpipeClient, filters: Json, exclude: Json = NOTHING) -> SpelledConfig | str:
    """What is sent and shown of it, or what is said against it."""
    config = AudienceConfig(topic_ids=(TOPIC,), filters=filters, exclude=exclude)
    try:
        return anyio.run(client.configs.spell, config)
    except NotPossible as refusal:
        return str(refusal)


def in_any_order(value: JsonValue) -> object:
    """A config as it is sent; in which order the values of a filter stand means nothing."""
    if isinstance(value, dict):
        return {key: in_any_order(part) for key, part in value.items()}
    return sorted(map(str, value)) if isinstance(value, list) else value


# What people write under the keys of a catalogue.
plain_words = st.text("abcdefghij klmnop", min_size=1, max_size=12).filter(str.strip)
numbers = st.integers(0, 12_000) | st.sampled_from([10**6, 5 * 10**6, 10**9])
RUNGS = ["VP+", "director or above", "up to manager", "C-level", "vice presidents"]
SPANS = ["51-200", "200+", "<51", ">1000", "$10M-$50M", "50M+", "25-44", "65 and older"]


def value_for(entry: FilterEntry, name: str) -> st.SearchStrategy[Any]:
    if entry.kind in {"flag", "yes_no"}:
        return st.booleans() | st.sampled_from(["y", "No", " TRUE "])
    if entry.kind == "text":
        several = st.lists(plain_words, min_size=1, max_size=3)
        operators = st.sampled_from(entry.operators or ("contains",))
        how = {"operator": operators, "mode": st.sampled_from(["any", "all"])}
        return plain_words | several | st.fixed_dictionaries({"values": several}, optional=how)
    known = st.sampled_from([v.value for v in entry.values])
    written = known | known.map(str.upper) | known.map(lambda value: f" {value.title()} ")
    if name == "seniority":
        written |= st.sampled_from(RUNGS)
    several = st.lists(written, min_size=1, max_size=5)
    if name not in RANGES:
        how = {"operator": st.just("in")}
        return several | written | st.fixed_dictionaries({"values": several}, optional=how)
    ranged = st.fixed_dictionaries({}, optional={"min": numbers, "max": numbers})
    return several | written | st.sampled_from(SPANS) | ranged


def filters_of(catalog: FilterCatalog) -> st.SearchStrategy[Json]:
    """Some of a catalogue's filters under keys of either spelling, with values that they take."""
    values = {
        key: value_for(entry, name)
        for entry in catalog.entries.values()
        for name in (catalog.name_of(entry.key),)
        for key in (entry.key, name)
    }
    # A few are enough: of many one would nearly always be refused.
    return st.lists(st.sampled_from(list(values)), max_size=4).flatmap(
        lambda keys: st.fixed_dictionaries({key: values[key] for key in keys})
    )


wanted = services.flatmap(
    lambda name: st.tuples(
        st.just(name), filters_of(CATALOGS[name]), filters_of(CATALOGS[name]) | st.just(NOTHING)
    )
)


@given(wanted)
def test_what_a_reply_shows_is_spelled_the_same_again(wanted: tuple[str, Json, Json]) -> None:
    name, filters, exclude = wanted
    client = SERVICES[name]
    spelled = spell(client, filters, exclude)
    assume(not isinstance(spelled, str))
    assert not isinstance(spelled, str)
    shown = spelled.shown.written()
    again = anyio.run(client.configs.spell, AudienceConfig.model_validate(shown))
    assert again.sent == spelled.sent
    assert again.shown == spelled.shown
    saved = anyio.run(client.configs.as_saved, ServiceConfig.model_validate(spelled.sent.written()))
    assert saved.sent == spelled.sent
    kept = AudienceConfig.model_validate(saved.shown.written())
    resent = anyio.run(client.configs.spell, kept).sent
    assert in_any_order(resent.written()) == in_any_order(spelled.sent.written())


def own_name(catalog: FilterCatalog, key: str) -> str:
    """What replies call the filter of a key: one that is wrong twice is named once."""
    try:
        return catalog.name_of(catalog.entry_for(key).key)
    except NotPossible:
        return key


# What nobody has checked: keys of both spellings and of none, values of any kind.
anything = st.dictionaries(
    st.sampled_from(
        [*CATALOGS["flat"].entries, *CATALOGS["catalog"].entries, "role.shoeSize", "seniorty"]
    ),
    st.none() | st.booleans() | st.integers() | plain_words | st.lists(plain_words, max_size=3)
    | st.fixed_dictionaries(
        {}, optional={"values": st.lists(plain_words), "mode": plain_words, "x": plain_words}
    )
    | st.fixed_dictionaries({}, optional={"min": numbers, "max": numbers}),
    max_size=4,
)  # fmt: skip


@given(services, anything, anything | st.just(NOTHING))
def test_every_filter_is_sent_or_refused_by_name(name: str, filters: Json, exclude: Json) -> None:
    client, catalog = SERVICES[name], CATALOGS[name]
    whole = spell(client, filters, exclude)
    named = {key: value for key, value in filters.items() if value is not None}
    left = {key: value for key, value in exclude.items() if value is not None}
    if not isinstance(whole, str):
        out = [catalog.entry_for(key) for key in left]
        ours = {catalog.entry_for(key).key for key in named}
        ours |= {(catalog.excluding(entry) or entry).key for entry in out}
        assert whole.sent.filters.keys() == ours
        return
    alone = [(key, spell(client, {key: value})) for key, value in filters.items()]
    alone += [(key, spell(client, NOTHING, {key: value})) for key, value in exclude.items()]
    wrong = [key for key, result in alone if isinstance(result, str)]
    cut = "more problem" in whole
    for key in wrong:
        own = own_name(catalog, key)
        said = {f"'{key}'", f"'{own}'", f"'exclude.{key}'", f"'exclude.{own}'"}
        assert cut or any(name in whole for name in said), (key, whole)
    if not wrong:
        assert "are one and the same filter" in whole or "both asked for and left out" in whole
