"""How the April 2026 API says it: flat filters, runs by date, pages by cursor."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from leadpipe_mcp.api.answers import Answer, as_list, as_object, cursor_in
from leadpipe_mcp.api.models import AudienceConfig, PeoplePage, Preview, Run, ServiceConfig
from leadpipe_mcp.api.reading import LONGEST_ID, Row, readable
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.vocabulary.catalog import FLAT_KEYS, FilterCatalog, FilterEntry, FilterValue

MAX_TOPICS = 10

_STILL_BUILDING = 202
_WORD = TypeAdapter[str](
    Annotated[str, Field(strict=True, min_length=1, max_length=LONGEST_ID)]
).validate_python


def is_flat(data: object) -> bool:
    """Whether an answer of GET /audiences/filters is of this generation."""
    return any(
        key in FLAT_KEYS and isinstance(value, list) for key, value in as_object(data).items()
    )


def read_catalog(data: object) -> FilterCatalog:
    """The sixteen filters, with the values that the service lists for them."""
    listed = as_object(data)
    entries = {
        key.name: FilterEntry(key.name, key.name, key.kind, _values(listed.get(key.name)))
        for key in FLAT_KEYS.values()
    }
    # Without values it would take every word, but it has some, and none of them can be read.
    unread = {name for name, entry in entries.items() if listed.get(name) and not entry.values}
    return FilterCatalog(
        "flat", {name: entry for name, entry in entries.items() if name not in unread}
    )


def _values(listed: object) -> tuple[FilterValue, ...]:
    words = readable(("value of a filter", "values of a filter"), as_list(listed), _WORD)
    return tuple(FilterValue(word, word) for word in dict.fromkeys(words))


def fit(config: ServiceConfig) -> ServiceConfig:
    """The config within this generation's bounds.

    Raises:
        NotPossible: If it asks for more than the service takes.
    """
    if len(config.topic_ids) > MAX_TOPICS:
        raise NotPossible(
            f"The service takes at most {MAX_TOPICS} topics here, and {len(config.topic_ids)}"
            " were named. Leave some out, or make two audiences."
        )
    # Scores start at 1 here, so 0 and 1 mean the same.
    return config.model_copy(update={"min_score": 1}) if config.min_score == 0 else config


def read_preview(answer: Answer, config: AudienceConfig) -> Preview:
    """The size and the sample of a preview. It does not say which filters it applied."""
    data = as_object(answer.data)
    sample = answer.people(map(_fields, as_list(data.get("sample"))))
    return answer.read(Preview, {**data, "config": config, "sample": sample})


def without_id(item: object) -> object:
    """A dated run as it came, without the service's own key for it: it has no id."""
    told = as_object(item)
    return {name: value for name, value in told.items() if name != "id"} if told else item


def read_page(answer: Answer) -> PeoplePage:
    """The people of a query or of saved results, or the run that is still being built."""
    run = _run_of_page(answer)
    if run.state != "ready":
        return PeoplePage(run=run)
    if run.size is None:
        raise answer.unusable("the number of people (meta.totalCount) is missing")
    return PeoplePage(
        run=run,
        people=answer.people(map(_fields, answer.items())),
        next_cursor=cursor_in(answer.meta),
    )


def _run_of_page(answer: Answer) -> Run:
    """The run that a page is of; what its `status` may be is documented for 202 alone."""
    said = answer.meta.get("status")
    other = "materializing" if answer.status == _STILL_BUILDING else "ready"
    state = said if said in {"materializing", "failed", "none"} else other
    return answer.read(Run, {**answer.meta, "status": state})


def _fields(row: object) -> Row | None:
    """A person's fields under our names; None for what is no person."""
    fields = as_object(row)
    if not fields:
        return None
    named = {
        "id": fields.get("personId") or fields.get("hem"),
        "personalEmail": fields.get("personalEmail") or fields.get("personalEmails"),
        "phone": fields.get("mobilePhones") or fields.get("directNumbers") or fields.get("phones"),
        "companyCountry": fields.get("companyCountry") or fields.get("country"),
    }
    return fields | {key: value for key, value in named.items() if value}
