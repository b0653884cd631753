"""How the May 2026 API says it: catalogue filters, runs by number, pages by offset."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ValidatorFunctionWrapHandler, WrapValidator

from leadpipe_mcp.api.answers import Answer, as_list, as_object
from leadpipe_mcp.api.budget import Noun
from leadpipe_mcp.api.models import AudienceConfig, PeoplePage, Preview, Run, ServiceConfig
from leadpipe_mcp.api.reading import Count, Each, Id, Label, Model, Row, Told
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.vocabulary.catalog import FilterCatalog, FilterEntry, FilterKind, FilterValue

MAX_TOPICS = 250
TOP_SCORE = 99

_STILL_BUILDING = 202

# `type` in the catalogue's words. What is not known here is taken as a list of values.
_KINDS: Mapping[str, FilterKind] = {
    "multi_select": "values",
    "boolean": "flag",
    "text_terms": "text",
    "number_range": "range",
}


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


class _Total(Model):
    total: Count


def is_catalog(data: object) -> bool:
    """Whether an answer of GET /audiences/filters is of this generation."""
    return isinstance(as_object(data).get("groups"), list)


def read_catalog(answer: Answer) -> FilterCatalog:
    """Every filter of every group, with its values."""
    entries = {
        item.key: FilterEntry(
            item.key,
            item.label or item.key,
            _KINDS.get(item.type or "", "values"),
            _values(item),
            item.operators or (),
        )
        for item in answer.read_each(_Filter, _filters(answer))
    }
    return FilterCatalog("catalog", entries)


def _values(item: _Filter) -> tuple[FilterValue, ...]:
    """The filter's values, each once."""
    values = {v.value: v for v in reversed(item.values)}
    return tuple(FilterValue(v.value, v.label or v.value, v.count) for v in values.values())[::-1]


def _filters(answer: Answer) -> list[object]:
    groups = [as_object(group) for group in as_list(as_object(answer.data).get("groups"))]
    found = [item for group in groups for item in as_list(group.get("filters"))]
    # One group without filters is no matter, but there is no catalogue without any.
    return found if found or not groups else answer.items(None)


def fit(config: ServiceConfig) -> ServiceConfig:
    """The config within this generation's bounds.

    Raises:
        NotPossible: If it asks for more than the service takes.
    """
    if len(config.topic_ids) > MAX_TOPICS:
        raise NotPossible(
            f"The service takes at most {MAX_TOPICS} topics, and {len(config.topic_ids)} were"
            " named. Leave some out, or make two audiences."
        )
    if config.min_score is not None and config.min_score > TOP_SCORE:
        raise NotPossible(f"Scores end at {TOP_SCORE} here; minScore must be lower.")
    # Nobody scores above 99 here, so 100 and 99 mean the same.
    over = config.max_score is not None and config.max_score > TOP_SCORE
    return config.model_copy(update={"max_score": TOP_SCORE}) if over else config


def read_preview(answer: Answer, config: AudienceConfig) -> Preview:
    """The size, the make-up, the sample, and the filters that the service says it applied."""
    data = as_object(answer.data)
    breakdowns = as_object(data.get("breakdowns"))
    return answer.read(
        Preview,
        {
            **data,
            "config": config,
            "industries": breakdowns.get("industries") or (),
            "seniorities": breakdowns.get("seniorities") or (),
            "sample": answer.people(map(_fields, as_list(data.get("sample")))),
        },
    )


def read_page(answer: Answer, offset: int) -> PeoplePage:
    """The people of a run from the offset on, or the run that is still being built."""
    data = as_object(answer.data)
    run = answer.read(Run, data.get("run"))
    if answer.status == _STILL_BUILDING:
        return PeoplePage(run=run)
    total = answer.read(_Total, data).total
    rows = answer.items(data.get("results"))
    end = offset + len(rows)
    return PeoplePage(
        run=run.model_copy(update={"size": total}),
        people=answer.people(map(_fields, rows)),
        next_cursor=str(end) if rows and end < total else None,
    )


def _fields(row: object) -> Row | None:
    """A person's fields under our names; None for what is no person."""
    fields = as_object(row)
    if not fields:
        return None
    # What else is nested (where the person lives, say) is not documented: it is lifted as it is.
    nested = {name: inner for name, value in fields.items() if (inner := as_object(value))}
    flat: dict[str, object] = {}
    for name, value in nested.items():
        flat |= value if name not in {"company", "intent"} else {}
    flat["personalCountry"] = flat.pop("country", None)
    flat |= {name: value for name, value in fields.items() if not isinstance(value, dict)}
    flat |= {"id": fields.get("hashedEmail")}
    if company := as_object(fields.get("company")):
        flat |= {f"company{name[:1].upper()}{name[1:]}": value for name, value in company.items()}
        flat["company"] = company.get("name")
    if intent := as_object(fields.get("intent")):
        topics = [as_object(topic) for topic in as_list(intent.get("matchedTopics"))]
        flat["intentScore"] = intent.get("score")
        flat["topicOverlap"] = intent.get("topicOverlap")
        flat["topicName"] = ", ".join(str(t["topicName"]) for t in topics if t.get("topicName"))
    return flat
