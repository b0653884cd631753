"""The way to the Leadpipe service, and how the two generations of its API say things.

flat, April 2026: flat filters, runs by date, pages by cursor.
catalog, May 2026: catalogue filters, runs by number, pages by offset.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ValidatorFunctionWrapHandler, WrapValidator

from leadpipe_mcp.api.addresses import path_of
from leadpipe_mcp.api.answers import Answer, as_list, as_object, cursor_in
from leadpipe_mcp.api.budget import Noun
from leadpipe_mcp.api.models import AudienceConfig, PeoplePage, Preview, Run, ServiceConfig
from leadpipe_mcp.api.reading import Count, Each, Id, Label, Model, Row, Told
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import NotFound, NotPossible, WrongAddress
from leadpipe_mcp.text import clean
from leadpipe_mcp.vocabulary.catalog import (
    FLAT_KEYS,
    FilterCatalog,
    FilterEntry,
    FilterKind,
    FilterValue,
    Vocabulary,
)

Pin = Literal["auto", "flat", "catalog"]
"""Which generation of the API it is; `auto` finds out as it goes."""
MOST_TOPICS: Mapping[Vocabulary, int] = {"flat": 10, "catalog": 250}
TOP_SCORE = 99
"""Nobody scores above that where filters are catalogue ones."""

_STILL_BUILDING = 202

# `type` in the catalogue's words. What is not known here is taken as a list of values.
_KINDS: Mapping[str, FilterKind] = {
    "multi_select": "values",
    "boolean": "flag",
    "text_terms": "text",
    "number_range": "range",
}


@dataclass
class ApiProfile:
    """What is known of the API that answers, four facts apart; None is unknown."""

    vocabulary: Vocabulary | None = None
    runs: Literal["dated", "numbered"] | None = None
    validates: bool | None = None
    queries: bool | None = None


class Service:
    """Requests to the service, and the profile of its API, shared by all that speak to it."""

    def __init__(self, transport: Transport, pin: Pin = "auto") -> None:
        self.transport = transport
        self.profile = {
            "auto": ApiProfile(),
            "flat": ApiProfile("flat", "dated", validates=False, queries=True),
            "catalog": ApiProfile("catalog", "numbered", validates=True, queries=False),
        }[pin]

    async def get(self, path: str, **query: str | int | None) -> Answer:
        """The answer to a GET request."""
        return await self.transport.request("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, object]) -> Answer:
        """The answer to a POST request."""
        return await self.transport.request("POST", path, body=body)

    async def ask(self, path: str, body: Mapping[str, object]) -> Answer:
        """The answer to a POST request that changes nothing."""
        return await self.transport.request("POST", path, body=body, repeatable=True)

    async def check_missing(self, missing: NotFound) -> None:
        """Make sure that a 404 is about what was asked for, and not about where."""
        if not self.transport.has_answered:
            await self.transport.request("GET", "/v1/intent/topics/facets", public=True)
        elif isinstance(missing, WrongAddress):
            raise missing


def audience_path(*parts: str) -> str:
    """The route of the saved audiences, of one of them, or of something of it."""
    return f"/v1/intent/audiences{path_of(*parts)}"


def _scalar(said: object) -> object:
    return str(said) if isinstance(said, int | float) else said


class _Value(Told):
    noun: ClassVar[Noun] = ("value of a filter", "values of a filter")
    value: Annotated[Id, BeforeValidator(_scalar)]
    label: Label | None = None
    count: Count | None = None


def _some(said: object, handler: ValidatorFunctionWrapHandler) -> object:
    """The values that can be read: without any the filter would take every word."""
    found = handler(said)
    if said and not found:
        raise ValueError("none of its values can be read")
    return found


class _Filter(Model):
    noun: ClassVar[Noun] = ("filter", "filters")
    key: Id
    label: Label | None = None
    type: Label | None = None
    operators: tuple[str, ...] | None = None
    values: Annotated[Each[_Value], WrapValidator(_some)] = ()

    def entry(self) -> FilterEntry:
        """The filter as the catalogue holds it, each value once."""
        values: dict[str, FilterValue] = {}
        for value in self.values:
            new = FilterValue(value.value, value.label or value.value, value.count)
            values.setdefault(new.value, new)
        kind = _KINDS.get(self.type or "", "values")
        label = self.label or self.key
        return FilterEntry(self.key, label, kind, tuple(values.values()), self.operators or ())


def read_catalog(answer: Answer, vocabulary: Vocabulary | None) -> FilterCatalog:
    """The filters that the service lists; their form tells its generation if it is not known."""
    data = as_object(answer.data)
    grouped = isinstance(data.get("groups"), list)
    is_flat = any(key in FLAT_KEYS and isinstance(value, list) for key, value in data.items())
    found: Vocabulary = vocabulary or ("catalog" if grouped else "flat")
    if not (grouped if found == "catalog" else is_flat):
        raise answer.unusable("its list of filters is of no known form")
    if found == "catalog":
        groups = [as_object(group) for group in as_list(data["groups"])]
        items: list[object] = [item for group in groups for item in as_list(group.get("filters"))]
        # One group without filters is no matter, but there is no catalogue without any.
        filters = answer.read_each(_Filter, items if items or not groups else None)
        entries = [one.entry() for one in filters]
    else:
        listed: list[object] = []
        for key in FLAT_KEYS:
            values = [{"value": word} for word in as_list(data.get(key))] or data.get(key)
            listed.append({"key": key, "values": values})
        filters = answer.read_each(_Filter, listed)
        entries = [replace(one.entry(), kind=FLAT_KEYS[one.key].kind) for one in filters]
    return FilterCatalog(found, {entry.key: entry for entry in entries})


def fit(config: ServiceConfig, vocabulary: Vocabulary) -> ServiceConfig:
    """The config within the generation's bounds; one that asks for more is refused."""
    most = MOST_TOPICS[vocabulary]
    if len(config.topic_ids) > most:
        raise NotPossible(
            f"The service takes at most {most} topics here, and {len(config.topic_ids)} were"
            " named. Leave some out, or make two audiences."
        )
    least, top = config.min_score, config.max_score
    if vocabulary == "catalog" and least is not None and least > TOP_SCORE:
        raise NotPossible(f"Scores end at {TOP_SCORE} here; minScore must be lower.")
    # Flat scores start at 1, so 0 means the same; catalogue ones end at 99, and so 100 does.
    if vocabulary == "flat":
        least = 1 if least == 0 else least
    elif top is not None:
        top = min(top, TOP_SCORE)
    return config.model_copy(update={"min_score": least, "max_score": top})


def read_preview(answer: Answer, config: AudienceConfig, vocabulary: Vocabulary) -> Preview:
    """The size, the make-up, the sample, and the filters that the service says it applied."""
    data = as_object(answer.data)
    person = _flat_person if vocabulary == "flat" else _catalog_person
    sample = answer.people(map(person, as_list(data.get("sample"))))
    told = as_object(data.get("breakdowns")) | data | {"config": config, "sample": sample}
    return answer.read(Preview, told)


def without_id(item: object) -> object:
    """A dated run as it came, without the service's own key for it: it has no id."""
    told = as_object(item)
    return {name: value for name, value in told.items() if name != "id"} if told else item


def check_day(answer: Answer, asked: str | None, told: str | None) -> None:
    """Refuse an answer that is of another day than was asked for."""
    if asked and told and asked[:10] != told[:10]:
        advice = "Leave the date out for the newest people, or name a day that get_audience lists."
        days = f"asked about {asked[:10]} and answered with {clean(told, 10)}"
        raise answer.unusable(f"it was {days}", advice)


def read_dated_page(answer: Answer, date: str | None) -> PeoplePage:
    """The people of a query or of saved results, or the run that is still being built."""
    # What `status` may be is documented for 202 alone.
    said = answer.meta.get("status")
    other = "materializing" if answer.status == _STILL_BUILDING else "ready"
    state = said if said in {"materializing", "failed", "none"} else other
    run = answer.read(Run, {**answer.meta, "status": state})
    check_day(answer, date, run.data_date)
    if run.state != "ready":
        return PeoplePage(run=run)
    if run.size is None:
        raise answer.unusable("the number of people (meta.totalCount) is missing")
    people = answer.people(map(_flat_person, answer.items()))
    return PeoplePage(run=run, people=people, next_cursor=cursor_in(answer.meta))


def read_numbered_page(answer: Answer, offset: int) -> PeoplePage:
    """The people of a run from the offset on, or the run that is still being built."""
    data = as_object(answer.data)
    total = {"size": data["total"]} if "total" in data else {}
    run = answer.read(Run, {**as_object(data.get("run")), **total})
    if answer.status == _STILL_BUILDING:
        return PeoplePage(run=run)
    if run.size is None:
        raise answer.unusable("the number of people (total) is missing")
    rows = answer.items(data.get("results"))
    end = offset + len(rows)
    return PeoplePage(
        run=run,
        people=answer.people(map(_catalog_person, rows)),
        next_cursor=str(end) if rows and end < run.size else None,
    )


def _flat_person(row: object) -> Row | None:
    fields = as_object(row)
    named = {
        "id": fields.get("personId") or fields.get("hem"),
        "personalEmail": fields.get("personalEmail") or fields.get("personalEmails"),
        "phone": fields.get("mobilePhones") or fields.get("directNumbers") or fields.get("phones"),
        "companyCountry": fields.get("companyCountry") or fields.get("country"),
    }
    return (fields | {key: value for key, value in named.items() if value}) or None


def _catalog_person(row: object) -> Row | None:
    fields = as_object(row)
    company, intent = as_object(fields.get("company")), as_object(fields.get("intent"))
    # What else is nested (where the person lives, say) is not documented: it is lifted as it is.
    flat: dict[str, object] = {}
    for name, value in fields.items():
        flat |= as_object(value) if name not in {"company", "intent"} else {}
    flat["personalCountry"] = flat.pop("country", None)
    flat |= {name: value for name, value in fields.items() if not isinstance(value, dict)}
    flat |= {"id": fields.get("hashedEmail")}
    if company:
        flat |= {f"company{name[:1].upper()}{name[1:]}": value for name, value in company.items()}
        flat["company"] = company.get("name")
    if intent:
        topics = [as_object(topic) for topic in as_list(intent.get("matchedTopics"))]
        flat["intentScore"] = intent.get("score")
        flat["topicOverlap"] = intent.get("topicOverlap")
        flat["topicName"] = ", ".join(str(t["topicName"]) for t in topics if t.get("topicName"))
    return flat if fields else None
