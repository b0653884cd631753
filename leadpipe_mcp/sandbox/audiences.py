"""Saved audiences: the part of their life that does not depend on the generation."""

from leadpipe_mcp.sandbox.calls import Call
from leadpipe_mcp.sandbox.configs import Config, read_config
from leadpipe_mcp.sandbox.days import timestamp
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.store import AUDIENCE_STATUSES, Audience, AudienceStatus
from leadpipe_mcp.sandbox.topics import find_topic

_LONGEST_NAME = 255
_LARGEST_SIZE = 10**9


def save_audience(call: Call) -> Audience:
    """Save the audience in the body."""
    form = Form(call.body)
    form.require("name")
    name = form.text("name", _LONGEST_NAME, shortest=1) or ""
    config = read_config(form.inner("config"), call.settings)
    status: AudienceStatus | None = None
    if call.settings.profile != "flat":  # the flat generation has no such field
        status = form.choice("status", AUDIENCE_STATUSES)
    size = _told_size(call, form)
    call.refuse_issues(form)
    audience = call.organisation.create(name, config, status or "draft", call.now)
    if size is not None:
        audience.told_size = (call.now, size)
    return audience


def change_audience(call: Call) -> Audience:
    """Change what the body names; nothing at all if any of it is refused."""
    audience, form = call.audience(), Form(call.body)
    name = form.text("name", _LONGEST_NAME, shortest=1)
    status = form.choice("status", AUDIENCE_STATUSES)
    config = _new_config(call, audience, form) if form.has("config") else None
    size = _told_size(call, form)
    if call.settings.empty_patch == "reject" and not form.fields:
        form.wrong("", "Nothing to update")
    if call.settings.back_to_draft == "reject" and status == "draft" != audience.status:
        form.wrong("status", "An audience cannot become a draft again")
    call.refuse_issues(form)
    status = status or audience.status
    call.organisation.require_slot_for(audience, status)
    audience.name = name or audience.name
    audience.config = config or audience.config
    call.organisation.set_status(audience, status, call.now)
    if size is not None:
        audience.told_size = (call.now, size)
    audience.updated = call.now
    return audience


def remove_audience(call: Call) -> Json:
    """Remove the audience, and say so."""
    audience = call.audience()
    call.organisation.delete(audience)
    if call.settings.deletion_removes_files:
        call.files.forget(audience)
    return {"deleted": True}


def audience_facts(call: Call, audience: Audience) -> Json:
    """Everything that either generation says about an audience."""
    latest = audience.latest(call.now)
    size = audience.size(call.now, call.settings.people)
    if size is None and call.settings.profile != "flat":
        size = 0  # S0 shows 0 for an audience that was never run; OA allows null
    return {
        "id": audience.id,
        "organizationId": call.organisation.id,
        "name": audience.name,
        "status": audience.status,
        "accessType": "paid",
        "dailyRefreshEnabled": audience.status == "active",
        "config": audience.config.sent,
        "topics": [
            {"id": topic.id, "name": topic.name}
            for topic_id in audience.config.criteria.topics
            if (topic := find_topic(topic_id))
        ],
        "audienceSize": size,
        "lastRefreshedAt": timestamp(latest.finished) if latest else None,
        "createdAt": timestamp(audience.created),
        "updatedAt": timestamp(audience.updated),
    }


def _told_size(call: Call, form: Form) -> int | None:
    """A size from the client; the catalogue generation has no such field and ignores it."""
    if call.settings.profile == "catalog":
        return None
    return form.integer("audienceSize", 0, _LARGEST_SIZE)


def _new_config(call: Call, audience: Audience, form: Form) -> Config:
    given = form.inner("config")
    if call.settings.config_patch == "merge":
        given.require("topicIds")
        given.fields = {**audience.config.sent, **given.fields}
    return read_config(given, call.settings)
