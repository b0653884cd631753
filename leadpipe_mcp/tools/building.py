"""Tools that build: how large an audience would be, saving it, changing it."""

import hashlib
import json
from typing import Any

from pydantic import ConfigDict, Field, JsonValue

from leadpipe_mcp.api.models import Audience, AudienceConfig, Preview, Slots, Status
from leadpipe_mcp.errors import NotDone, NotPossible, ServiceError, SlotsFull
from leadpipe_mcp.people.columns import choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.planning.cautions import of_size
from leadpipe_mcp.text import clean
from leadpipe_mcp.tools.activation import (
    age_of_list,
    change_status,
    next_step,
    require_slot,
    run_after_change,
    slot_sentence,
    slots_of,
    slots_taken,
    to_activate,
)
from leadpipe_mcp.tools.arguments import (
    AudienceId,
    AudienceName,
    ConfigArguments,
    ConfigChange,
    ConfirmCode,
    Named,
    ObjectOf,
    check_config,
    twice_named,
)
from leadpipe_mcp.tools.confirm import Action
from leadpipe_mcp.tools.make_up import make_up
from leadpipe_mcp.tools.replies import (
    NAME_LENGTH,
    Cell,
    RunPart,
    SlotPart,
    Table,
    day,
    name_of,
    named,
    people,
    run_sentence,
    size_of,
    suggestions,
    to_read,
    to_wait,
    warnings,
)
from leadpipe_mcp.tools.toolkit import (
    Arguments,
    Call,
    ConfirmableReply,
    Reply,
    Suggestion,
    tool,
)

SAMPLE_COLUMNS = ("name", "jobTitle", "company", "companyIndustry", "score")
SAMPLE_SIZE = 5
MAKE_UP_SIZE = 5


class PreviewAudience(ConfigArguments):
    """Who is wanted."""


class AudiencePreview(Reply):
    """How many people a config finds."""

    size: int = Field(description="How many people.")
    data_date: str | None = None
    industries: dict[str, int] | None = Field(default=None, description="People by industry.")
    seniorities: dict[str, int] | None = Field(default=None, description="People by seniority.")
    make_up_of: str | None = Field(default=None, description="Whom these counts are of.")
    sample: Table | None = None
    config: dict[str, JsonValue] = Field(description="As applied; create_audience takes it.")
    config_hash: str


@tool("Preview an audience", reads=True)
async def preview_audience(call: Call, asked: PreviewAudience) -> AudiencePreview:
    """Count the people whom topics (intent data), scores and filters (an ICP) find today.

    Gives their make-up and five masked examples. Use it before create_audience, as often as
    needed: nothing is saved and nothing is spent. Every filter is checked against the service's
    catalogue, and against what the service says it applied.
    """
    preview = await call.leadpipe.configs.preview(asked.to_config())
    who = make_up(preview, MAKE_UP_SIZE)
    columns = choose_columns(SAMPLE_COLUMNS)
    sample = table(preview.sample[:SAMPLE_SIZE], columns, contact=False)
    config = preview.config.as_sent()
    create = Suggestion(tool="create_audience", why="save this config under a name")
    return AudiencePreview(
        summary=f"{people(preview.size).capitalize()} match{'es' if preview.size == 1 else ''},"
        f" data of {day(preview.data_date)}.",
        size=preview.size,
        data_date=preview.data_date,
        industries=who.industries,
        seniorities=who.seniorities,
        make_up_of=who.of,
        sample=Table(columns=[c.name for c in columns], rows=sample) if sample else None,
        config=config,
        config_hash=preview.config_hash or _hash(config),
        warnings=warnings(asked.notes(), preview.notes, of_size(preview.size)),
        next=suggestions(create if preview.size else None),
    )


def _hash(config: dict[str, JsonValue]) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def _says_so_in_words(schema: dict[str, Any]) -> None:
    # Linters of tool definitions count a required object as hard to call: its description says it.
    schema["required"].remove("config")


class CreateAudience(Arguments):
    """The name, and who is wanted."""

    model_config = ConfigDict(json_schema_extra=_says_so_in_words)

    name: AudienceName = Field(description="A name the user will know it by.")
    config: ObjectOf[ConfigArguments] = Field(description="Who is wanted. Required.")
    status: Named[Status] = Field(
        default="draft", description="active takes a slot, and the user is asked first."
    )
    confirm: ConfirmCode = None


class AudienceCreated(ConfirmableReply):
    """The audience that was saved."""

    id: str | None = None
    name: str | None = None
    status: str | None = None
    size: int | None = Field(default=None, description="How many people match now.")
    data_date: str | None = None
    config: dict[str, JsonValue] | None = Field(default=None, description="As saved.")
    slots: SlotPart | None = None
    run: RunPart | None = None


@tool("Create an audience")
async def create_audience(call: Call, asked: CreateAudience) -> AudienceCreated:
    """Save an audience (segment, lead list) under a name.

    It is a draft, which costs nothing, unless status says otherwise; active takes one of the
    account's slots, so the user is asked first. Filters are checked and the people counted before
    anything is saved. Calling it twice makes two audiences; to change one, use update_audience.
    """
    preview = await call.leadpipe.configs.preview(asked.config.to_config())
    before = await _ask_to_create(call, asked, preview) if asked.status == "active" else None
    # First a draft, and then its status: what fails then leaves a draft that can be spoken of.
    audience = await call.leadpipe.audiences.create(asked.name, preview.config)
    reply = _created(asked, audience, preview)
    if asked.status == "draft":
        return reply
    try:
        audience = await change_status(call, audience, asked.status)
    except SlotsFull as full:
        reply.summary = f"{named(audience)} is saved, but as a draft. {full}"
        return reply
    except ServiceError as failed:
        return _half_created(reply, audience, asked.status, failed)
    reply.status = audience.status
    reply.summary = f"{named(audience)} is saved ({audience.status}): {people(preview.size)} match."
    if asked.status == "active":
        run = await run_after_change(call, audience.id, 0)
        reply.slots = SlotPart.of(before, await slots_of(call))
        reply.summary += f"{slots_taken(reply.slots)} {run_sentence(run)}"
        reply.run = RunPart.of(run) if run else None
        reply.next = suggestions(next_step(run, audience.id))
    return reply


async def _ask_to_create(call: Call, asked: CreateAudience, preview: Preview) -> Slots | None:
    """The account's slots, once the human agreed to give one to the new audience."""
    before = await slots_of(call)
    await require_slot(
        call,
        before,
        f"'{clean(asked.name, NAME_LENGTH)}' cannot be active and was not saved; with status draft"
        " it can be saved now.",
    )
    question = (
        f"Create and activate '{clean(asked.name, NAME_LENGTH)}' ({people(preview.size)})?"
        f" {slot_sentence(before)}"
    )
    seen = [asked.name, preview.config.as_sent()]
    await call.confirm(Action("create", question, seen), asked.confirm)
    return before


def _half_created(
    reply: AudienceCreated, audience: Audience, status: Status, failed: ServiceError
) -> AudienceCreated:
    """The reply where an audience is saved, and its status is not what was asked for."""
    if isinstance(failed, NotDone):
        reply.summary = f"{named(audience)} is saved, but not {status}: {failed.problem}"
        reply.next = [
            Suggestion(
                tool="set_status",
                arguments={"id": audience.id, "status": status},
                why="try the rest again; do not create it again",
            )
        ]
        return reply
    reply.summary = (
        f"{named(audience)} is saved, but that it is {status} was not confirmed: {failed.problem}"
        " Do not create it again; look at it with get_audience."
    )
    reply.status = None
    reply.next = [
        Suggestion(tool="get_audience", arguments={"id": audience.id}, why="see its status")
    ]
    return reply


def _created(asked: CreateAudience, audience: Audience, preview: Preview) -> AudienceCreated:
    return AudienceCreated(
        summary=f"{named(audience)} is saved ({audience.status}): {people(preview.size)} match"
        " now.",
        id=audience.id,
        name=name_of(audience),
        status=audience.status,
        size=preview.size,
        data_date=preview.data_date,
        config=preview.config.as_sent(),
        warnings=warnings(asked.config.notes(), preview.notes, of_size(preview.size)),
        next=[to_activate(audience.id)],
    )


class UpdateAudience(Arguments):
    """Which audience, and what to change."""

    id: AudienceId = Field(description="The audience's id.")
    name: AudienceName | None = Field(default=None, description="A new name.")
    config: ObjectOf[ConfigChange] | None = Field(
        default=None, description="What to change about who is wanted; what is not named stays."
    )
    confirm: ConfirmCode = None


class AudienceUpdated(ConfirmableReply):
    """What an audience was and is."""

    id: str | None = None
    name: str | None = None
    status: str | None = None
    size: int | None = Field(default=None, description="How many people match now.")
    changes: Table | None = Field(default=None, description="What was, and what is.")
    config: dict[str, JsonValue] | None = Field(default=None, description="As it is now.")


@tool("Change an audience", destroys=True, idempotent=True)
async def update_audience(call: Call, asked: UpdateAudience) -> AudienceUpdated:
    """Rename a saved audience, or change who is in it: topics, scores, filters.

    It is a change, not a replacement: what is not named stays, filters are merged by key, null
    removes one. The reply shows before and after, and the new size. Changing an active audience
    asks the user first. For its status use set_status.
    """
    if asked.name is None and asked.config is None:
        raise NotPossible("Nothing to change was named.", "Give a name, a config, or both.")
    audience = await call.leadpipe.audiences.get(asked.id)
    preview = await _preview_of_change(call, audience, asked.config) if asked.config else None
    config = preview.config if preview else None
    changes = _changes(audience, asked.name, config)
    if not changes:
        return _unchanged(audience)
    if audience.status == "active":
        await _ask_to_change(call, audience, changes, preview, asked.confirm)
    updated = await call.leadpipe.audiences.update(asked.id, name=asked.name, config=config)
    parts = ", ".join(str(row[0]) for row in changes)
    size = f" {people(preview.size).capitalize()} match now." if preview else ""
    return AudienceUpdated(
        summary=f"{named(updated)} is changed: {parts}.{size}",
        id=updated.id,
        name=name_of(updated),
        status=updated.status,
        size=preview.size if preview else size_of(updated),
        changes=Table(columns=["what", "before", "after"], rows=changes),
        config=config.as_sent() if config else None,
        warnings=warnings(
            _notes_of_change(asked, preview),
            await age_of_list(call, updated, await run_after_change(call, asked.id, 0))
            if config and updated.status != "draft"
            else None,
        ),
        next=suggestions(_after_change(updated)),
    )


async def _preview_of_change(call: Call, audience: Audience, change: ConfigChange) -> Preview:
    """The people whom the audience's config finds with the change in it."""
    if audience.config is None:
        raise NotPossible(
            f"The service does not show what {named(audience)} is made of, so a part of it cannot"
            " be changed without losing the rest. Nothing was changed.",
            "Create a new audience with the whole config instead.",
        )
    present = audience.config
    filters = await call.leadpipe.configs.merge_filters(present.filters, change.filters or {})
    config = change.applied_to(present, filters)
    try:
        check_config(config)
    except NotPossible as contradiction:
        raise NotPossible(f"With this change, {contradiction}") from None
    return await call.leadpipe.configs.preview(config)


def _notes_of_change(asked: UpdateAudience, preview: Preview | None) -> list[str]:
    if preview is None or asked.config is None:
        return []
    twice = twice_named(asked.config.topic_ids)
    return [*twice, *preview.notes, *of_size(preview.size)]


async def _ask_to_change(
    call: Call,
    audience: Audience,
    changes: list[list[Cell]],
    preview: Preview | None,
    code: str | None,
) -> None:
    told = "; ".join(f"{what}: {before or '-'} → {after or '-'}" for what, before, after in changes)
    size = f" It would have {people(preview.size)}." if preview else ""
    question = f"Change {named(audience)}, which is active? {clean(told, 600)}.{size}"
    await call.confirm(Action("update", question, audience.model_dump()), code)


def _after_change(audience: Audience) -> Suggestion:
    if audience.status == "draft":
        return to_activate(audience.id)
    return to_wait(audience.id) if audience.status == "active" else to_read(audience.id)


def _changes(
    audience: Audience, name: str | None, config: AudienceConfig | None
) -> list[list[Cell]]:
    """Each thing that differs, as it was and as it will be."""
    rows: list[list[Cell]] = []
    if name and name != audience.name:
        rows.append(["name", clean(audience.name, NAME_LENGTH), clean(name, NAME_LENGTH)])
    if config is None or audience.config is None:
        return rows
    before, after = _parts(audience.config), _parts(config)
    parts = dict.fromkeys([*before, *after])
    changed = [part for part in parts if before.get(part) != after.get(part)]
    return rows + [[part, _shown(before.get(part)), _shown(after.get(part))] for part in changed]


def _parts(config: AudienceConfig) -> dict[str, JsonValue]:
    """The config as one level of named parts."""
    parts = config.as_sent()
    filters = parts.pop("filters", None)
    return parts | (filters if isinstance(filters, dict) else {})


def _shown(part: JsonValue) -> str:
    if isinstance(part, dict) and isinstance(part.get("values"), list):
        part = part["values"]
    return "" if part is None else clean(json.dumps(part, ensure_ascii=False), 200)


def _unchanged(audience: Audience) -> AudienceUpdated:
    return AudienceUpdated(
        summary=f"{named(audience)} is so already; nothing was changed.",
        id=audience.id,
        name=name_of(audience),
        status=audience.status,
        size=size_of(audience),
    )
