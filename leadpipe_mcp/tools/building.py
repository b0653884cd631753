"""preview_audience, create_audience and update_audience."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial

from pydantic import Field, JsonValue

from leadpipe_mcp.api.models import Audience, Preview, Slots, Status
from leadpipe_mcp.api.spelling import SpelledConfig
from leadpipe_mcp.api.together import together
from leadpipe_mcp.errors import NotDone, NotPossible, ServiceError, SlotsFull
from leadpipe_mcp.people.columns import choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.planning.cautions import of_size
from leadpipe_mcp.text import in_quotes
from leadpipe_mcp.toolkit import Action, Arguments, ConfirmableReply, Reply, Suggestion, tool
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
    ConfirmCode,
    Named,
    ObjectOf,
    twice_named,
)
from leadpipe_mcp.tools.changes import Change, changes, in_one_sentence, renamed
from leadpipe_mcp.tools.configs import (
    ConfigArguments,
    ConfigChange,
    check_config,
    spell,
    unknown_topics,
)
from leadpipe_mcp.tools.make_up import make_up
from leadpipe_mcp.tools.namesakes import refuse_twin
from leadpipe_mcp.tools.replies import (
    NAME_LENGTH,
    RunPart,
    SlotPart,
    Table,
    day,
    matches,
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
from leadpipe_mcp.tools.services import Call

SAMPLE_COLUMNS = ("name", "jobTitle", "company", "companyIndustry", "score")
SAMPLE_SIZE = 5
MAKE_UP_SIZE = 5


class PreviewAudience(ConfigArguments):
    """Who should be in it."""


class AudiencePreview(Reply):
    """How many people a config finds."""

    size: int = Field(description="How many people.")
    data_date: str | None = None
    industries: dict[str, int] | None = Field(default=None, description="People by industry.")
    seniorities: dict[str, int] | None = Field(default=None, description="People by seniority.")
    counted_over: str | None = Field(default=None, description="What the counts cover.")
    sample: Table | None = None
    config: dict[str, JsonValue] = Field(description="As applied; create_audience takes it.")
    config_hash: str


@tool("Preview an audience", reads=True)
async def preview_audience(call: Call, asked: PreviewAudience) -> AudiencePreview:
    """Count the people that topics (intent data), scores and filters (an ICP) find today.

    Shows their make-up and five masked examples. Use it before create_audience, as often as
    needed: it saves and spends nothing. Filters are checked against the service's catalogue and
    against what it says it applied.
    """
    spelled, unsure = await spell(call, asked.to_config())
    preview = await call.leadpipe.configs.preview(spelled)
    who = make_up(preview, MAKE_UP_SIZE)
    columns = choose_columns(SAMPLE_COLUMNS)
    sample = table(preview.sample[:SAMPLE_SIZE], columns, contact=False)
    config = preview.config.as_shown()
    create = Suggestion(tool="create_audience", why="save this config under a name")
    return AudiencePreview(
        summary=f"{matches(preview.size)}, data from {day(preview.data_date)}.",
        size=preview.size,
        data_date=preview.data_date,
        industries=who.industries,
        seniorities=who.seniorities,
        counted_over=who.counted_over,
        sample=Table(columns=[c.name for c in columns], rows=sample) if sample else None,
        config=config,
        config_hash=preview.config_hash or _hash(config),
        warnings=warnings(asked.notes(), unsure, preview.notes, of_size(preview.size)),
        next=suggestions(create if preview.size else None),
    )


def _hash(config: dict[str, JsonValue]) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


class CreateAudience(Arguments):
    """The name, and who should be in it."""

    name: AudienceName = Field(description="A name the user will know it by.")
    config: ObjectOf[ConfigArguments] = Field(description="Who should be in it.")
    status: Named[Status] = Field(default="draft", description="active takes a slot.")
    same_name: bool = Field(default=False, description="true saves a second one.")
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

    By default it is a draft, which costs nothing; active takes one of the account's slots, so the
    user is asked first. Filters are checked and people counted first. The same name with the same
    config is refused. To change an audience, use update_audience.
    """
    spelled, unsure = await spell(call, asked.config.to_config())
    preview, known = await together(
        partial(call.leadpipe.configs.preview, spelled), call.leadpipe.audiences.known
    )
    if not asked.same_name:
        unsure += await refuse_twin(call, asked.name, spelled.sent, known)
    before = await _ask_to_create(call, asked, preview) if asked.status == "active" else None
    # First a draft, then its status: a failure in between leaves a draft that can be named.
    audience = await call.leadpipe.audiences.create(asked.name, spelled, before=known)
    reply = _created(asked, audience, preview)
    reply.warnings = warnings(unsure, reply.warnings)
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
    reply.summary = f"{named(audience)} is saved ({audience.status}). {matches(preview.size)}."
    if asked.status == "active":
        run, after = await together(
            partial(run_after_change, call, audience.id, 0), partial(slots_of, call)
        )
        reply.slots = SlotPart.of(before, after)
        reply.summary += f"{slots_taken(reply.slots)} {run_sentence(run)}"
        reply.run = RunPart.of(run) if run else None
        reply.next = suggestions(next_step(run, audience.id))
    return reply


async def _ask_to_create(call: Call, asked: CreateAudience, preview: Preview) -> Slots | None:
    """Ask the human to give a slot to the new audience, and return the slots."""
    before = await slots_of(call)
    await require_slot(
        call,
        before,
        f"{in_quotes(asked.name, NAME_LENGTH)} cannot be active and was not saved; with status"
        " draft it can be saved now.",
    )
    question = (
        f"Create and activate {in_quotes(asked.name, NAME_LENGTH)} ({people(preview.size)})?"
        f" {slot_sentence(before)}"
    )
    seen = [asked.name, preview.config.as_shown()]
    await call.confirm(Action("create", question, seen), asked.confirm)
    return before


def _half_created(
    reply: AudienceCreated, audience: Audience, status: Status, failed: ServiceError
) -> AudienceCreated:
    """Reply that the audience is saved, but not with the status that was asked for."""
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
        f"{named(audience)} is saved, but its status ({status}) was not confirmed: {failed.problem}"
        " Do not create it again; check it with get_audience."
    )
    reply.status = None
    reply.next = [
        Suggestion(tool="get_audience", arguments={"id": audience.id}, why="check its status")
    ]
    return reply


def _created(asked: CreateAudience, audience: Audience, preview: Preview) -> AudienceCreated:
    return AudienceCreated(
        summary=f"{named(audience)} is saved ({audience.status}). {matches(preview.size)} now.",
        id=audience.id,
        name=name_of(audience),
        status=audience.status,
        size=preview.size,
        data_date=preview.data_date,
        config=preview.config.as_shown(),
        warnings=warnings(asked.config.notes(), preview.notes, of_size(preview.size)),
        next=[to_activate(audience.id)],
    )


class UpdateAudience(Arguments):
    """Which audience, and what to change."""

    id: AudienceId = Field(description="The audience's id.")
    name: AudienceName | None = Field(default=None, description="A new name.")
    config: ObjectOf[ConfigChange] | None = Field(
        default=None, description="What to change about who is in it."
    )
    confirm: ConfirmCode = None


class AudienceUpdated(ConfirmableReply):
    """An audience after a change."""

    id: str | None = None
    name: str | None = None
    status: str | None = None
    size: int | None = Field(default=None, description="How many people match now.")
    changes: Table | None = Field(default=None, description="Each part, before and after.")
    config: dict[str, JsonValue] | None = Field(default=None, description="As it is now.")


@tool("Change an audience", destroys=True, idempotent=True)
async def update_audience(call: Call, asked: UpdateAudience) -> AudienceUpdated:
    """Rename a saved audience, or change its topics, scores or filters.

    It is a change, not a replacement: anything not named stays, filters merge by key, null removes
    one. The reply shows before, after and the new size. Changing an active audience asks the user
    first. To change its status, use set_status.
    """
    if asked.name is None and asked.config is None:
        raise NotPossible("Nothing to change was given.", "Pass a name, a config, or both.")
    audience = await call.leadpipe.audiences.get(asked.id)
    call.services.last_active.note(audience)
    change = await _change_of(call, audience, asked.config) if asked.config else None
    made = renamed(audience, asked.name) + (change.changes if change else [])
    if not made:
        return _unchanged(audience)
    preview = change.preview if change else None
    if audience.status == "active":
        await _ask_to_change(call, audience, made, preview, asked.confirm)
    config = change.spelled if change else None
    updated = await call.leadpipe.audiences.update(asked.id, name=asked.name, config=config)
    call.services.last_active.note(updated)
    parts = ", ".join(part.part for part in made)
    size = f" {matches(preview.size)} now." if preview else ""
    return AudienceUpdated(
        summary=f"{named(updated)} was changed: {parts}.{size}",
        id=updated.id,
        name=name_of(updated),
        status=updated.status,
        size=preview.size if preview else size_of(updated),
        changes=Table(columns=["what", "before", "after"], rows=[one.row() for one in made]),
        config=preview.config.as_shown() if preview else None,
        warnings=warnings(
            change.notes if change else None,
            await age_of_list(call, updated, await run_after_change(call, asked.id, 0))
            if config and updated.status != "draft"
            else None,
        ),
        next=suggestions(_after_change(updated)),
    )


@dataclass(frozen=True)
class _Change:
    """A change of an audience's config: the new one, who it finds, what differs, warnings."""

    spelled: SpelledConfig
    preview: Preview
    changes: list[Change]
    notes: list[str]


async def _change_of(call: Call, audience: Audience, change: ConfigChange) -> _Change:
    """Count the people that the audience's changed config finds."""
    if audience.config is None:
        raise NotPossible(
            f"The service does not show the config of {named(audience)}, so part of it cannot be"
            " changed without losing the rest. Nothing was changed.",
            "Create a new audience with the whole config instead.",
        )
    spelled = await call.leadpipe.configs.changed(
        audience.config, change.fields(), change.filters or {}, change.exclude or {}
    )
    try:
        check_config(spelled.shown)
    except NotPossible as contradiction:
        raise NotPossible(f"With this change, {contradiction}") from None
    unsure = await unknown_topics(call, change.topic_ids or ())
    preview = await call.leadpipe.configs.preview(spelled)
    # Both as saved configs are shown, so that another spelling of the same is no change.
    was = await call.leadpipe.configs.as_saved(audience.config)
    will_be = await call.leadpipe.configs.as_saved(spelled.sent)
    notes = [*twice_named(change.topic_ids), *unsure, *preview.notes, *of_size(preview.size)]
    return _Change(spelled, preview, changes(was, will_be), notes)


async def _ask_to_change(
    call: Call,
    audience: Audience,
    made: list[Change],
    preview: Preview | None,
    code: str | None,
) -> None:
    size = f" It would have {people(preview.size)}." if preview else ""
    question = f"Change {named(audience)}, which is active? {in_one_sentence(made)}.{size}"
    await call.confirm(Action("update", question, audience.model_dump()), code)


def _after_change(audience: Audience) -> Suggestion:
    if audience.status == "draft":
        return to_activate(audience.id)
    return to_wait(audience.id) if audience.status == "active" else to_read(audience.id)


def _unchanged(audience: Audience) -> AudienceUpdated:
    return AudienceUpdated(
        summary=f"{named(audience)} already looks like that, so nothing was changed.",
        id=audience.id,
        name=name_of(audience),
        status=audience.status,
        size=size_of(audience),
    )
