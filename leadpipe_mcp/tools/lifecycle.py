"""create_audience, update_audience, set_status and delete_audience."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from pydantic import Field, JsonValue

from leadpipe_mcp import errors
from leadpipe_mcp.api.budget import together
from leadpipe_mcp.api.models import Audience, ServiceConfig, Slots, Status
from leadpipe_mcp.planning.plan import of_size
from leadpipe_mcp.text import in_quotes
from leadpipe_mcp.toolkit import Action, Arguments, tool
from leadpipe_mcp.tools import account, arguments, configs, replies
from leadpipe_mcp.tools.arguments import AudienceId, ConfirmCode, Named, ObjectOf
from leadpipe_mcp.tools.audiences import age_of_list, newest_run
from leadpipe_mcp.tools.configs import ConfigArguments, ConfigChange
from leadpipe_mcp.tools.replies import Table, named, people, size_of, suggest, warnings
from leadpipe_mcp.tools.services import Call, if_shown

UNSEEN = "Not all audiences could be checked, so another one may have this name."
_MOST_COMPARED = 5


class CreateAudience(Arguments):
    name: arguments.AudienceName = Field(description="A name the user will know it by.")
    config: ObjectOf[ConfigArguments] = Field(description="Who should be in it.")
    status: Named[Status] = Field(default="draft", description="active takes a slot.")
    same_name: bool = Field(default=False, description="true saves a second one.")
    confirm: ConfirmCode = None


class AudienceCreated(replies.AboutAudience):
    status: str | None = None
    size: int | None = Field(default=None, description="How many people match now.")
    data_date: str | None = None
    config: dict[str, JsonValue] | None = Field(default=None, description="As saved.")
    slots: account.SlotPart | None = None
    run: replies.RunPart | None = None


class UpdateAudience(Arguments):
    id: AudienceId = Field(description="The audience's id.")
    name: arguments.AudienceName | None = Field(default=None, description="A new name.")
    config: ObjectOf[ConfigChange] | None = Field(
        default=None, description="What to change about who is in it."
    )
    confirm: ConfirmCode = None


class AudienceUpdated(replies.AboutAudience):
    status: str | None = None
    size: int | None = Field(default=None, description="How many people match now.")
    changes: Table | None = Field(default=None, description="Each part, before and after.")
    config: dict[str, JsonValue] | None = Field(default=None, description="As it is now.")


class SetStatus(Arguments):
    id: AudienceId = Field(description="The audience's id.")
    status: Named[Literal["draft", "active", "paused"]] = Field(
        description="active: refreshed daily, takes a slot; paused: frees the slot, keeps it all."
    )
    wait_seconds: arguments.WaitSeconds = 0
    confirm: ConfirmCode = None


class StatusChanged(replies.AboutAudience):
    status: str
    before: str | None = Field(default=None, description="The status before.")
    size: int | None = None
    slots: account.SlotPart | None = None
    run: replies.RunPart | None = None


class DeleteAudience(Arguments):
    id: AudienceId = Field(description="The audience's id.")
    confirm: ConfirmCode = None


class AudienceDeleted(replies.AboutAudience):
    """The reply about an audience that is gone."""


@tool("Create an audience")
async def create_audience(call: Call, asked: CreateAudience) -> AudienceCreated:
    """Save an audience (segment, lead list) under a name.

    By default it is a draft, which costs nothing; active takes one of the account's slots, so the
    user is asked first. Filters are checked and people counted first. The same name with the same
    config is refused. To change an audience, use update_audience.
    """
    if asked.status == "active" and call.code_could_come_from_a_page():
        raise errors.NotPossible(
            "In this client an audience is saved as a draft first: create it without status, then"
            " call set_status with status active, which asks the user. Nothing was saved."
        )
    spelled, unsure = await configs.spell(call, asked.config.to_config())
    preview, known = await together(
        partial(call.leadpipe.configs.preview, spelled), call.leadpipe.audiences.known
    )
    if not asked.same_name:
        unsure += await _refuse_twin(call, asked.name, spelled.sent, known)
    before, name = None, in_quotes(asked.name, replies.NAME_LENGTH)
    if asked.status == "active":
        before = await account.slots_of(call)
        if before and not before.free:
            unsaved = "cannot be active and was not saved; with status draft it can be saved now."
            raise await account.slots_full(call, f"{name} {unsaved}")
        question = (
            f"Create and activate {name} ({people(preview.size)})? {account.slot_sentence(before)}"
        )
        seen = [asked.name, preview.config.written()]
        await call.confirm(Action("create", question, seen), asked.confirm)
    # First a draft, then its status: a failure in between leaves a draft that can be named.
    audience = await call.leadpipe.audiences.create(asked.name, spelled, before=known)
    saved, found = f"{named(audience)} is saved", replies.matches(preview.size)
    repeated = arguments.twice_named(asked.config.topic_ids)
    reply = AudienceCreated.of(
        audience,
        f"{saved} ({audience.status}). {found} now.",
        size=preview.size,
        data_date=preview.data_date,
        config=preview.config.written(),
        warnings=warnings(unsure, repeated, preview.notes, of_size(preview.size)),
        next=[replies.to_activate(audience.id)],
    )
    if asked.status == "draft":
        return reply
    try:
        audience = await _change_status(call, audience, asked.status)
    except (errors.SlotsFull, errors.NotDone) as failed:
        reply.summary = f"{saved}, but not {asked.status}: {failed}"
        why = "try the rest again; do not create it again"
        reply.next = [suggest("set_status", why, id=audience.id, status=asked.status)]
    except errors.ServiceError as failed:
        reply.summary = (
            f"{saved}, but its status ({asked.status}) was not confirmed: {failed.problem}"
            " Do not create it again; check it with get_audience."
        )
        reply.status = None
        reply.next = [suggest("get_audience", "check its status", id=audience.id)]
    else:
        reply.status = audience.status
        reply.summary = f"{saved} ({audience.status}). {found}."
        if asked.status == "active":
            await _tell_of_people(call, reply, before, 0)
    return reply


@tool("Change an audience", destroys=True, idempotent=True)
async def update_audience(call: Call, asked: UpdateAudience) -> AudienceUpdated:
    """Rename a saved audience, or change its topics, scores or filters.

    It is a change, not a replacement: anything not named stays, filters merge by key, null removes
    one. The reply shows before, after and the new size. Changing an active audience asks the user
    first. To change its status, use set_status.
    """
    if asked.name is None and asked.config is None:
        raise errors.NotPossible("Nothing to change was given.", "Pass a name, a config, or both.")
    audience = await call.leadpipe.audiences.get(asked.id)
    call.services.last_active.note(audience)
    made, spelled, preview, notes = configs.renamed(audience, asked.name), None, None, list[str]()
    if asked.config and audience.config:
        parts = (asked.config.filters or {}, asked.config.exclude or {})
        spelled = await call.leadpipe.configs.changed(
            audience.config, asked.config.fields(), *parts
        )
        try:
            configs.check_config(spelled.shown)
        except errors.NotPossible as contradiction:
            raise errors.NotPossible(f"With this change, {contradiction}") from None
        unsure = await configs.unknown_topics(call, asked.config.topic_ids or ())
        preview = await call.leadpipe.configs.preview(spelled)
        made += await configs.changes(call, audience.config, spelled.sent)
        repeated = arguments.twice_named(asked.config.topic_ids)
        notes = warnings(repeated, unsure, preview.notes, of_size(preview.size))
    elif asked.config:
        raise errors.NotPossible(
            f"The service does not show the config of {named(audience)}, so part of it cannot be"
            " changed without losing the rest. Nothing was changed.",
            "Create a new audience with the whole config instead.",
        )
    if not made:
        same = f"{named(audience)} already looks like that, so nothing was changed."
        return AudienceUpdated.of(audience, same, size=size_of(audience))
    if audience.status == "active":
        size = f" It would have {people(preview.size)}." if preview else ""
        question = (
            f"Change {named(audience)}, which is active? {configs.in_one_sentence(made)}.{size}"
        )
        await call.confirm(Action("update", question, audience.model_dump()), asked.confirm)
    updated = await call.leadpipe.audiences.update(asked.id, name=asked.name, config=spelled)
    call.services.last_active.note(updated)
    step = {"draft": replies.to_activate, "active": replies.to_wait}
    if spelled and updated.status != "draft":
        notes += warnings(await age_of_list(call, updated, await newest_run(call, asked.id)))
    found = f" {replies.matches(preview.size)} now." if preview else ""
    summary = f"{named(updated)} was changed: {', '.join(one.part for one in made)}.{found}"
    return AudienceUpdated.of(
        updated,
        summary,
        size=preview.size if preview else size_of(updated),
        changes=replies.table_of(["what", "before", "after"], [one.row() for one in made]),
        config=preview.config.written() if preview else None,
        warnings=notes,
        next=[step.get(updated.status, replies.to_read)(updated.id)],
    )


@tool("Activate, pause or shelve an audience", idempotent=True)
async def set_status(call: Call, asked: SetStatus) -> StatusChanged:
    """Activate or pause a saved audience, or return it to draft.

    Activating starts its daily refresh and takes one of the account's slots, so the user is asked
    first; pausing frees the slot and keeps the audience. The reply gives the slots before and
    after, and whether its people are ready. If every slot is taken, it refuses and names the
    active audiences that could be paused.
    """
    audience, before = await together(
        partial(call.leadpipe.audiences.get, asked.id), partial(account.slots_of, call)
    )
    was, name = replies.state(audience.status), named(audience)
    if audience.status == asked.status:
        summary = f"{name} is already {was}, so nothing was changed."
        steps = [replies.to_read(asked.id)] if asked.status == "active" else None
        return StatusChanged.of(audience, summary, size=size_of(audience), next=steps)
    if asked.status == "active":
        if before and not before.free:
            raise await account.slots_full(call, f"{name} stays {was}.")
        if call.kit.asks:
            size, since = await together(
                partial(_size_now, call, audience), partial(_since_last_active, call, audience)
            )
            slot = account.slot_sentence(before)
            question = f"Activate {name} ({people(size)})? {slot}{since}"
            await call.confirm(Action("activate", question, audience.model_dump()), asked.confirm)
    call.services.last_active.note(audience)
    changed = await _change_status(call, audience, asked.status)
    summary = f"{named(changed)} is now {replies.state(changed.status)} (was {was})."
    reply = StatusChanged.of(changed, summary, before=audience.status, size=size_of(changed))
    if asked.status == "active":
        await _tell_of_people(call, reply, before, asked.wait_seconds)
    else:
        _tell_of_slots(reply, before, await account.slots_of(call))
    return reply


@tool("Delete an audience", destroys=True)
async def delete_audience(call: Call, asked: DeleteAudience) -> AudienceDeleted:
    """Permanently delete a saved audience and its list of people.

    The user is asked first, with its name and size. To stop it but keep it, use set_status with
    paused.
    """
    audience = await call.leadpipe.audiences.get(asked.id)
    about = f"{people(size_of(audience))}, {audience.status}"
    question = f"Delete {named(audience)} ({about})? This cannot be undone."
    await call.confirm(Action("delete", question, audience.model_dump()), asked.confirm)
    await call.leadpipe.audiences.delete(asked.id)
    return AudienceDeleted.of(audience, f"{named(audience)} was deleted.")


async def _refuse_twin(
    call: Call, name: str, config: ServiceConfig, known: Sequence[Audience] | None
) -> list[str]:
    """Refuse the same name with the same config; warn of the same name with another one."""
    if known is None:
        return [UNSEEN]
    called_so = [a for a in known if a.name.strip().casefold() == name.strip().casefold()]
    others: list[str] = []
    for other in called_so[:_MOST_COMPARED]:
        size = "" if size_of(other) is None else f"{people(size_of(other))}, "
        others.append(f"{other.status}, {size}id {other.id}")
        if await if_shown(_is_made_of, call, other, config):
            raise errors.Conflict(
                f"{named(other)} is already saved with exactly this config ({others[-1]})."
                " Nothing was created.",
                "Use it, or pass sameName: true if the user wants a second one.",
            )
    if not others:
        return []
    return [f"{named(called_so[0])} is also the name of another audience ({'; '.join(others)})."]


async def _is_made_of(call: Call, audience: Audience, config: ServiceConfig) -> bool:
    if audience.config is None:
        audience = await call.leadpipe.audiences.get(audience.id)
    shown = audience.config
    return shown is not None and await call.leadpipe.configs.are_same(config, shown)


async def _size_now(call: Call, audience: Audience) -> int | None:
    """Count the people the audience would have now; else return its last size."""
    api, config = call.leadpipe.configs, audience.config
    spelled = await if_shown(api.as_saved, config) if config else None
    preview = await if_shown(api.preview, spelled) if spelled else None
    return preview.size if preview else size_of(audience)


async def _since_last_active(call: Call, audience: Audience) -> str:
    """Say what was changed since the human last agreed to activate this audience."""
    was = call.services.last_active.get(audience.id)
    had = people(size_of(was or audience))
    try:
        if was and was.config and audience.config:
            made = configs.renamed(was, audience.name)
            made += await configs.changes(call, was.config, audience.config)
            told = configs.in_one_sentence(made)
            return f" Changed since it was last active ({had} then): {told}." if made else ""
        if audience.last_refreshed_at is None:
            return ""
        run = await call.leadpipe.runs.latest(audience.id)
        outdated = await call.leadpipe.runs.is_outdated(audience, run)
    except errors.LeadpipeError:
        return " Whether it was changed since it was last active could not be checked."
    return f" Its config was changed after its last refresh ({had} then)." if outdated else ""


async def _change_status(call: Call, audience: Audience, status: Status) -> Audience:
    try:
        return await call.leadpipe.audiences.update(audience.id, status=status)
    except errors.SlotsFull as full:
        stays = f"{named(audience)} stays {replies.state(audience.status)}."
        raise await account.slots_full(call, stays, full) from None


def _tell_of_slots(
    reply: AudienceCreated | StatusChanged, before: Slots | None, after: Slots | None
) -> None:
    if seen := after or before:
        used, now_used = (slots.used if slots else None for slots in (before, after))
        reply.slots = account.SlotPart(before=used, after=now_used, limit=seen.limit)
    if after:
        reply.summary += f" Slots in use: {after.used} of {after.limit}."


async def _tell_of_people(
    call: Call, reply: AudienceCreated | StatusChanged, before: Slots | None, seconds: int
) -> None:
    """Add to the reply about an audience that became active its slots and its people."""
    run, after = await together(
        partial(newest_run, call, reply.id, seconds), partial(account.slots_of, call)
    )
    _tell_of_slots(reply, before, after)
    reply.summary += f" {replies.run_sentence(run)}"
    reply.run = replies.RunPart.of(run)
    reply.next = replies.suggestions(replies.next_step(run, reply.id))
    if run and run.state == "ready" and isinstance(reply, StatusChanged):
        reply.size = run.size
