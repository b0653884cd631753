"""list_pixels, create_pixel and update_pixel."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, model_validator

from leadpipe_mcp.api.visitors import Pixel, PixelChange, PixelStatus, host_of
from leadpipe_mcp.errors import Conflict, NotFound, NotPossible
from leadpipe_mcp.text import clean, counted, cut
from leadpipe_mcp.toolkit import Action, Arguments, Reply, tool
from leadpipe_mcp.tools import arguments, replies
from leadpipe_mcp.tools.arguments import ConfirmCode, ManyOf, Named
from leadpipe_mcp.tools.replies import Part, Table, suggest, warnings
from leadpipe_mcp.tools.services import Call, if_shown

MOST_PIXELS = 50
PATH_LENGTH = 120
LONGEST_CODE = 4_000
NOT_CONFIRMED = "The service does not show which pages the pixel covers."
SEE_PIXELS = suggest("list_pixels", "see the pixel as it is")


Domain = Annotated[
    str,
    Field(max_length=255),
    arguments.checked(host_of, "must be a domain like acme.example."),
]
PixelId = Annotated[
    str,
    arguments.checked(arguments.as_uuid, "must be the id of a pixel; list_pixels shows them."),
    arguments.UUID_SCHEMA,
]
_PAGES = {"excluded_paths", "included_paths"}
_PATH: dict[str, Any] = {"type": "string", "pattern": "^/", "minLength": 2, "maxLength": 500}
Paths = Annotated[
    ManyOf[
        Annotated[
            str,
            arguments.checked(
                lambda path: path if path.startswith("/") and 2 <= len(path) <= 500 else None,
                "must be a path of 2 to 500 characters that starts with /.",
            ),
            WithJsonSchema(_PATH),
        ]
    ],
    Field(min_length=1, max_length=50),
]
LeftOut = Annotated[Paths | None, Field(description="Pages to leave out, such as /careers.")]
Covered = Annotated[
    Paths | None,
    arguments.not_with("excluded_paths", "A pixel has excludedPaths or includedPaths, not both."),
    Field(description="The only pages to cover, such as /pricing."),
]


class ListPixels(Arguments):
    domain_contains: str | None = Field(
        default=None, max_length=255, description="Only those with this in their domain."
    )


class PixelList(Reply):
    pixels: Table | None = None


@tool("List tracking pixels", reads=True)
async def list_pixels(call: Call, asked: ListPixels) -> PixelList:
    """List the tracking pixels: the scripts that recognise website visitors.

    Shows id, domain, name, status and the pages that each covers. Use it to see which websites
    query_visitor_data knows visitors of; update_pixel takes its ids.
    """
    part = (asked.domain_contains or "").strip().casefold()
    found = [p for p in await call.leadpipe.visitors.pixels() if part in p.domain.casefold()]
    rows = [
        [p.id, p.domain, p.name, p.status, _pages(p), replies.day_of(p.created_at), p.paused_reason]
        for p in found[:MOST_PIXELS]
    ]
    columns = ["id", "domain", "name", "status", "pages", "created", "pausedReason"]
    more = f"{len(found) - len(rows)} more not shown; find them with domainContains."
    create = suggest("create_pixel", "recognise the visitors of a website")
    active = sum(pixel.status == "active" for pixel in found)
    return PixelList(
        summary=f"{counted(len(found), 'pixel')}, {active} active.",
        pixels=replies.listing(columns, rows),
        warnings=warnings(more if len(found) > len(rows) else None),
        next=replies.suggestions(None if found or part else create),
    )


class CreatePixel(Arguments):
    domain: Domain = Field(description="The website, such as acme.example.")
    name: arguments.AudienceName | None = Field(default=None, description="What to call it.")
    excluded_paths: LeftOut = None
    included_paths: Covered = None


class PixelCreated(Reply):
    id: str
    domain: str
    name: str | None = None
    status: str
    code: str | None = Field(default=None, description="To put into the pages, unchanged.")
    excluded_paths: list[str] | None = None
    included_paths: list[str] | None = None
    created_at: str | None = None


@tool("Create a tracking pixel")
async def create_pixel(call: Call, asked: CreatePixel) -> PixelCreated:
    """Create a tracking pixel for a website, to turn its anonymous traffic into leads.

    The reply holds the embed code to put into its pages; nobody is recognised before that. A domain
    has one pixel: if one exists, it is named and nothing is created. A pixel cannot be deleted,
    only paused with update_pixel.
    """
    try:
        pixel = await call.leadpipe.visitors.create_pixel(
            asked.domain,
            asked.name,
            excluded_paths=asked.excluded_paths,
            included_paths=asked.included_paths,
        )
    except Conflict as conflict:
        raise await _duplicate(call, asked.domain, conflict) from None
    code = pixel.code if pixel.code and len(pixel.code) <= LONGEST_CODE else None
    how = "Put its code into the website's pages" if code else "Its code is still needed"
    no_code = "The service did not give the code; the Leadpipe dashboard has it."
    lists = PixelChange.model_validate(asked.model_dump(include=_PAGES, exclude_none=True))
    told = pixel.model_dump(exclude={"code"}) | {
        "summary": f"The pixel for {domain_of(pixel)} was created and is {pixel.status}. {how};"
        " nobody is recognised before that.",
        "code": code,
        "warnings": warnings(None if code else no_code, _unconfirmed(lists, pixel)),
    }
    return PixelCreated.model_validate(told)


async def _duplicate(call: Call, domain: str, conflict: Conflict) -> Conflict:
    pixels = await if_shown(call.leadpipe.visitors.pixels)
    there = [pixel for pixel in pixels or () if pixel.is_of(domain)]
    advice = "It is not among the pixels of this organization; ask Leadpipe whose it is."
    if there:
        known = f"{domain_of(there[0])} (id {there[0].id}, {status_of(there[0])})"
        advice = f"Use that of {known}; update_pixel changes its status and pages."
    elif pixels is None:
        advice = "list_pixels shows it."
    return Conflict(f"{conflict.problem} Nothing was created.", advice, status=conflict.status)


class UpdatePixel(Arguments):
    thing = "pixel"

    id: PixelId = Field(description="The pixel's id; list_pixels shows it.")
    status: Named[PixelStatus] | None = Field(
        default=None, description="paused: nobody is recognised until it is active again."
    )
    excluded_paths: LeftOut = None
    included_paths: Covered = None
    confirm: ConfirmCode = None

    @model_validator(mode="after")
    def _something(self) -> "UpdatePixel":
        if not self.change().model_fields_set:
            raise NotPossible("Pass what to change: status, excludedPaths or includedPaths.")
        return self

    def change(self) -> PixelChange:
        """Return what is named; a null status says nothing, a null list removes it."""
        named = self.model_fields_set & _PAGES
        status = {"status"} if self.status else set[str]()
        return PixelChange.model_validate({name: getattr(self, name) for name in named | status})


class PixelState(Part):
    status: str
    excluded_paths: list[str] | None = None
    included_paths: list[str] | None = None


class PixelUpdated(Reply):
    id: str
    domain: str | None = None
    before: PixelState | None = None
    after: PixelState | None = None


@tool("Change a tracking pixel", idempotent=True)
async def update_pixel(call: Call, asked: UpdatePixel) -> PixelUpdated:
    """Pause or reactivate a tracking pixel, or change which pages it covers.

    A pixel has excludedPaths or includedPaths; anything not named stays, null removes a list. The
    user is asked before pausing, because visitors who come meanwhile are never recognised. The
    reply shows the pixel before and after.
    """
    change = asked.change()
    pixels = await call.leadpipe.visitors.pixels()
    before = next((pixel for pixel in pixels if pixel.id == asked.id), None)
    if before is None:
        raise NotFound(
            "There is no pixel with this id.", "list_pixels shows those that exist.", status=404
        )
    _refuse_second_list(change, before)
    if change.model_fields_set <= before.model_fields_set and not change.differs_from(before):
        return PixelUpdated(
            summary=f"The pixel for {domain_of(before)} already looks like that, so nothing was"
            " changed.",
            id=before.id,
            domain=before.domain,
            after=PixelState.model_validate(before),
        )
    if change.status == "paused" and before.status != "paused":
        question = (
            f"Pause the pixel for {domain_of(before)}? Visitors who come before it is active again"
            " are not recognised, now or later."
        )
        seen = [change.model_dump(), before.model_dump(exclude={"code"})]
        await call.confirm(Action("pause pixel", question, seen), asked.confirm)
    after = await call.leadpipe.visitors.update_pixel(asked.id, change)
    unconfirmed = _unconfirmed(change, after)
    now = " now" if after.status != before.status else ""
    pages = f" Its pages: {_pages(after) or 'not shown'}."
    return PixelUpdated(
        summary=f"The pixel for {domain_of(after)} is{now} {after.status}."
        + (pages if change.model_fields_set - {"status"} else ""),
        id=after.id,
        domain=after.domain,
        before=PixelState.model_validate(before),
        after=PixelState.model_validate(after),
        warnings=warnings(unconfirmed),
        next=replies.suggestions(SEE_PIXELS if unconfirmed else None),
    )


def _refuse_second_list(change: PixelChange, pixel: Pixel) -> None:
    """Refuse to set one list while the other is there: what becomes of it is not documented."""
    for new, old in (("excluded_paths", "included_paths"), ("included_paths", "excluded_paths")):
        if getattr(change, new) and getattr(pixel, old) and old not in change.model_fields_set:
            name = PixelChange.model_fields[old].alias
            raise NotPossible(
                f"The pixel has {name}, and it cannot have both lists; nothing was changed.",
                f"To replace that list, pass {name}: null as well.",
            )


def _unconfirmed(change: PixelChange, pixel: Pixel) -> str | None:
    """Warn of a pixel that does not show what was asked for, or shows something else."""
    if change.differs_from(pixel):
        return "The pixel covers other pages than were asked for; correct it with update_pixel."
    return None if change.model_fields_set <= pixel.model_fields_set else NOT_CONFIRMED


def _pages(pixel: Pixel) -> str:
    """Say which pages the pixel covers; empty if the service does not show it."""
    if pixel.included_paths:
        return cut(f"only {', '.join(pixel.included_paths)}", PATH_LENGTH)
    if pixel.excluded_paths:
        return cut(f"all but {', '.join(pixel.excluded_paths)}", PATH_LENGTH)
    return "all" if _PAGES & pixel.model_fields_set else ""


def domain_of(pixel: Pixel) -> str:
    """Return the pixel's domain, cleaned for a sentence."""
    return clean(pixel.domain, replies.NAME_LENGTH)


def status_of(pixel: Pixel) -> str:
    """Say whether the pixel is active, and if not, why."""
    return f"{pixel.status} ({pixel.paused_reason})" if pixel.paused_reason else pixel.status
